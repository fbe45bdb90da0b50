// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// Before a function with a hot inner loop: compiles it for several instruction sets and picks one when the
/// program starts, so that a binary built for any x86-64 still uses the machine's vectors. Only the
/// compiler's own vectorisation differs between the clones; where their results must agree bit for bit,
/// compile the file with -ffp-contract=off (an FMA rounds once, a multiply and an add twice). Sanitizers run
/// before the resolvers may, so they get the plain function.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(WHORL_SANITIZED)
#define WHORL_SIMD_CLONES __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
#else
#define WHORL_SIMD_CLONES
#endif
