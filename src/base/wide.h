/* WIDE in front of a function compiles it twice, for the build's target and for AVX-512; the loader takes
 * what the CPU has (CMake sets MOPO_WIDE where compiler and C library can do that). For loops over
 * independent elements, or over a fixed number of partial sums: both forms do the same IEEE operations on
 * each element, so the bits are the same (tests/unit/test_wide.c). What it calls must be inline.
 */
#ifndef BASE_WIDE_H
#define BASE_WIDE_H

#ifdef MOPO_WIDE
#    define WIDE __attribute__((target_clones("avx512f", "default")))
#else
#    define WIDE
#endif

#endif
