#include <stdio.h>
#include <string.h>

#include "nn/gemm_library.h"

/* Declared here because not every cblas.h has OpenBLAS's own controls. */
extern void openblas_set_num_threads(int threads);
extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);

/* "OpenBLAS 0.3.21 NO_LAPACKE ...": the second word. */
static const char *version(void)
{
    static char text[32];
    const char *word = openblas_get_config();

    word += strcspn(word, " ");
    word += strspn(word, " ");
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(word, " "), word);
    return text;
}

/* Its BUFFER_SIZE on x86-64. Refused, it asks again for ever. */
enum { ROOM = 32 << 22 };

static void one_thread(void)
{
    openblas_set_num_threads(1);
}

static const char *core(void)
{
    return openblas_get_corename();
}

const GemmLibrary gemm_openblas = {"OpenBLAS",         version,           one_thread, core,
                                   gemm_cblas_product, gemm_cblas_vector, ROOM};
