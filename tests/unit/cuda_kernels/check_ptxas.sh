#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check_ptxas.sh LIMITS OBJECTS...: compares what ptxas said about every kernel, for each architecture, when it made OBJECT
# (OBJECT.messages), with the limits. No kernel may spill registers or use local memory, be missing or have no limit.
set -euo pipefail
limits=$1
shift
for object in "$@"; do
  [ ! -e "$object.messages" ] || c++filt < "$object.messages"
done | awk -v limits="$limits" '
  function fail(text) { print text; failed = 1 }
  BEGIN {
    while ((getline line < limits) > 0)
      if (line !~ /^#/ && split(line, field) == 3) { most_registers[field[1]] = field[2]; most_shared[field[1]] = field[3] }
  }
  /Compiling entry function/ {
    gsub(/whorl::nn::cuda::/, "")
    match($0, /run_kernel<.*>\(/)
    name = substr($0, RSTART + 11, RLENGTH - 13)
    architecture = $0
    sub(/.* for ./, "", architecture); sub(/[^0-9]*$/, "", architecture)
    kernel = name
    sub(/<.*/, "", kernel)
    name = name " on " architecture
    if (!(kernel in most_registers)) fail(name ": no limit for kernel \"" kernel "\" in " limits)
    seen[kernel] = 1
  }
  /bytes stack frame/ { if ($1 + $5 + $9 > 0) fail(name ": " $0) }
  /: Used [0-9]+ registers/ {
    registers = $0; sub(/.*Used /, "", registers)
    shared = 0
    if (match($0, /[0-9]+ bytes smem/)) shared = substr($0, RSTART, RLENGTH)
    if (registers + 0 > most_registers[kernel]) fail(name ": " registers + 0 " registers, at most " most_registers[kernel])
    if (shared + 0 > most_shared[kernel]) fail(name ": " shared + 0 " bytes of shared memory, at most " most_shared[kernel])
    printf "%-60s %3d registers %6d bytes shared\n", name, registers, shared
    ++count
  }
  END {
    for (kernel in most_registers) if (!(kernel in seen)) fail(kernel ": ptxas said nothing about it")
    print count " kernels"
    exit failed
  }'
