#include "base/version.h"

#include <stddef.h>

const char *version_missing_instructions(void)
{
    const char *missing = NULL;
/* The macros say what the compiler was allowed to use. */
#ifdef __AVX2__
    missing = __builtin_cpu_supports("avx2") ? missing : "avx2";
#endif
#ifdef __FMA__
    missing = __builtin_cpu_supports("fma") ? missing : "fma";
#endif
#ifdef __AVX512F__
    missing = __builtin_cpu_supports("avx512f") ? missing : "avx512f";
#endif
    return missing;
}
