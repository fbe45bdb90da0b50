# SPDX-License-Identifier: BSD-3-Clause
# The CUDA compiler and runtime: AUTO (where nvcc is found), ON or OFF. Sets WHORL_HAS_CUDA.
set(WHORL_CUDA AUTO CACHE STRING "the GPU path: AUTO (where nvcc is found), ON or OFF")
set(WHORL_HAS_CUDA FALSE)
if(WHORL_CUDA STREQUAL "OFF")
  return()
endif()

find_program(WHORL_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_HOME /usr/local/cuda PATH_SUFFIXES bin)
find_package(CUDAToolkit 12.0 QUIET)
if(WHORL_NVCC AND CUDAToolkit_FOUND)
  if(NOT CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER ${WHORL_NVCC})
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # A100, H100, and PTX of the latter for what comes later
  endif()
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)  # which CMake 3.25 does not know of nvcc
  endif()
  set(WHORL_HAS_CUDA TRUE)
elseif(WHORL_CUDA STREQUAL "ON")
  message(FATAL_ERROR "WHORL_CUDA is ON, but nvcc or the CUDA toolkit, 12.0 or later, was not found: put nvcc into PATH or set CUDACXX")
endif()
