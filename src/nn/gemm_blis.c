/* BLIS through its CBLAS layer. */
#include <stdint.h>

#include "nn/gemm_library.h"

extern void bli_thread_set_num_threads(int64_t threads);
extern int bli_arch_query_id(void);
extern const char *bli_arch_string(int id);
extern const char *bli_info_get_version_str(void);

static void one_thread(void)
{
    bli_thread_set_num_threads(1);
}

static const char *core(void)
{
    return bli_arch_string(bli_arch_query_id());
}

const GemmLibrary gemm_blis = {
    "BLIS", bli_info_get_version_str, one_thread, core, gemm_cblas_product, gemm_cblas_vector, 0};
