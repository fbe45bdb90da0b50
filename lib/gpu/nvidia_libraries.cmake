# SPDX-License-Identifier: BSD-3-Clause
# cuDNN and NCCL, each AUTO | ON | OFF, as system packages, inside the CUDA toolkit or out of Python wheels. Sets
# WHORL_HAS_CUDNN and WHORL_HAS_NCCL, and defines NVIDIA::cudnn and NVIDIA::nccl.
set(WHORL_CUDNN AUTO CACHE STRING "cuDNN, for --device gpu: AUTO, ON or OFF; needs CUDA")
set(WHORL_NCCL AUTO CACHE STRING "NCCL, for --parallel.all_reduce=nccl: AUTO, ON or OFF; needs CUDA")
set(WHORL_NVIDIA_WHEELS "" CACHE PATH "folder with Python's wheels of cuDNN and NCCL: .../site-packages/nvidia")

# whorl_find_nvidia(OPTION NAME HEADER SONAME): sets WHORL_HAS_<OPTION>.
function(whorl_find_nvidia option name header soname)
  set(WHORL_HAS_${option} FALSE PARENT_SCOPE)
  if(WHORL_${option} STREQUAL "OFF")
    return()
  endif()
  if(WHORL_HAS_CUDA)
    find_path(${option}_INCLUDE_DIR ${header}
      HINTS ${WHORL_NVIDIA_WHEELS}/${name}/include ${CUDAToolkit_INCLUDE_DIRS})
    find_library(${option}_LIBRARY NAMES ${name} ${soname} NAMES_PER_DIR
      HINTS ${WHORL_NVIDIA_WHEELS}/${name}/lib ${CUDAToolkit_LIBRARY_DIR})
  endif()
  if(WHORL_HAS_CUDA AND ${option}_INCLUDE_DIR AND ${option}_LIBRARY)
    add_library(NVIDIA::${name} SHARED IMPORTED GLOBAL)
    set_target_properties(NVIDIA::${name} PROPERTIES
      IMPORTED_LOCATION ${${option}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${${option}_INCLUDE_DIR})
    set(WHORL_HAS_${option} TRUE PARENT_SCOPE)
  elseif(WHORL_${option} STREQUAL "ON")
    message(FATAL_ERROR "WHORL_${option} is ON, but ${header} and its library were not found in the system, in the CUDA "
      "toolkit (${CUDAToolkit_LIBRARY_DIR}) or in WHORL_NVIDIA_WHEELS (${WHORL_NVIDIA_WHEELS}); it also needs CUDA (WHORL_CUDA)")
  endif()
endfunction()

whorl_find_nvidia(CUDNN cudnn cudnn.h libcudnn.so.9)
whorl_find_nvidia(NCCL nccl nccl.h libnccl.so.2)
