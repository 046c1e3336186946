#include <stdio.h>

#include "nn/gemm_library.h"

/* Declared here because not every cblas.h has OpenBLAS's own controls. */
extern void openblas_set_num_threads(int threads);
extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);

/* "OpenBLAS 0.3.21 NO_LAPACKE ...": the second word. */
static const char *version(void)
{
    static char text[32];
    return sscanf(openblas_get_config(), "%*s %31s", text) == 1 ? text : "";
}

static void one_thread(void)
{
    openblas_set_num_threads(1);
}

static const char *core(void)
{
    return openblas_get_corename();
}

const GemmLibrary gemm_openblas = {"OpenBLAS",         version,          one_thread, core,
                                   gemm_cblas_product, gemm_cblas_vector};
