/* base: random numbers against the published vectors, distribution sanity, vector maths against
 * libm, memory and arena behavior, the reduction tree. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/reduce.h"
#include "base/rng.h"
#include "base/vmath.h"

/* Random123's kat_vectors, philox4x32 10 rounds: zeros, and all ones. */
static void philox_reproduces_published_vectors(void **state)
{
    (void)state;
    const uint32_t zero[4] = {0};
    const uint32_t ones[4] = {~0U, ~0U, ~0U, ~0U};
    const uint32_t want0[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    const uint32_t want1[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    uint32_t out[4];

    philox4x32(zero, zero, out);
    assert_memory_equal(out, want0, sizeof out);
    philox4x32(ones, ones, out);
    assert_memory_equal(out, want1, sizeof out);
}

static void streams_are_functions_of_their_key(void **state)
{
    (void)state;
    Rng a = rng_make(7, RNG_TEST, 3, 1);
    Rng b = rng_make(7, RNG_TEST, 3, 1);
    Rng c = rng_make(7, RNG_TEST, 3, 2);
    float x[1000];
    float y[1000];
    float z[1000];
    rng_fill_normal(&a, x, 1000);
    rng_fill_normal(&b, y, 1000);
    rng_fill_normal(&c, z, 1000);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
    /* a shorter draw is a prefix: nothing depends on how many are asked for */
    b = rng_make(7, RNG_TEST, 3, 1);
    rng_fill_normal(&b, y, 37);
    assert_memory_equal(x, y, 37 * sizeof(float));
}

static void draws_have_the_right_moments(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    float *x = NULL;
    CHECK_OK(mem_alloc(&x, N, sizeof *x, "test"));
    for (int kind = 0; kind < 2; kind++) {
        Rng rng = rng_make(1, RNG_TEST, 0, (uint32_t)kind);
        double m1 = 0;
        double m2 = 0;
        double m4 = 0;
        double lag = 0;
        if (kind == 0) {
            rng_fill_normal(&rng, x, N);
        } else {
            rng_fill_uniform(&rng, -1, 1, x, N);
        }
        for (int i = 0; i < N; i++) {
            const double v = (double)x[i];
            m1 += v / N;
            m2 += v * v / N;
            m4 += v * v * v * v / N;
            lag += i > 0 ? v * (double)x[i - 1] / N : 0;
        }
        CHECK_NEAR(m1, 0, 0, 5e-3); /* 5 sigma = 5 / 1024 */
        CHECK_NEAR(lag, 0, 0, 5e-3);
        CHECK_NEAR(m2, kind == 0 ? 1.0 : 1.0 / 3, 0, 8e-3);
        CHECK_NEAR(m4, kind == 0 ? 3.0 : 1.0 / 5, 0, 5e-2);
    }
    int hits[10] = {0};
    Rng rng = rng_make(1, RNG_TEST, 9, 0);
    for (int i = 0; i < 100000; i++) {
        hits[rng_below(&rng, 10)]++;
    }
    for (int i = 0; i < 10; i++) {
        CHECK_NEAR(hits[i], 10000, 0, 500);
    }
    mem_free(&x);
}

static double ulps(float got, double want)
{
    const float near = (float)want;
    const double gap = fabs((double)nextafterf(near, INFINITY) - (double)near);
    return fabs((double)got - want) / gap;
}

static void vector_maths_agrees_with_libm(void **state)
{
    (void)state;
    double worst[5] = {0};
    for (int i = -200000; i <= 200000; i++) {
        const float x = (float)i * 4.3e-4F; /* +-86 */
        const double d = (double)x;
        worst[0] = fmax(worst[0], ulps(vm_exp(x), exp(d)));
        worst[1] = fmax(worst[1], i > 0 ? ulps(vm_log(x), log(d)) : 0);
        worst[2] = fmax(worst[2], ulps(vm_sigmoid(x), 1 / (1 + exp(-d))));
        worst[3] = fmax(worst[3], ulps(vm_softplus(x), fmax(d, 0) + log1p(exp(-fabs(d)))));
        worst[4] = fmax(worst[4], ulps(vm_tanh(x), tanh(d)));
        float s;
        float c;
        const float t = (float)(i + 200000) / 400000.0F;
        vm_sincos_turn(t, &s, &c);
        CHECK_NEAR(s, sin(6.283185307179586 * (double)t), 0, 3e-7);
        CHECK_NEAR(c, cos(6.283185307179586 * (double)t), 0, 3e-7);
    }
    print_message("largest error in ulp: exp %.2f log %.2f sigmoid %.2f softplus %.2f tanh %.2f\n",
                  worst[0], worst[1], worst[2], worst[3], worst[4]);
    const double most[5] = {1.5, 1.5, 3, 3, 3};
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(worst[i], 0, 0, most[i]);
    }
    assert_true(isnan(vm_exp(NAN)) && isnan(vm_tanh(NAN)) && isnan(vm_softplus(NAN)));
    assert_true(vm_exp(-200.0F) == 0.0F && vm_softplus(1e30F) == 1e30F && vm_tanh(50.0F) == 1.0F);
    CHECK_NEAR(vm_log(0x1p-25F), -25 * log(2), 1e-6, 0);
}

static void reduction_follows_the_tree(void **state)
{
    (void)state;
    /* values for which the order of additions shows in the last bits */
    float rows[8][2];
    for (int i = 0; i < 8; i++) {
        rows[i][0] = 1.0F / (float)(i + 3);
        rows[i][1] = (float)i;
    }
    float want = 0;
    {
        float v[8];
        for (int i = 0; i < 8; i++) {
            v[i] = rows[i][0];
        }
        want = ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
    }
    /* two blocks of four, then their sum: what two ranks do */
    float halves[8][2];
    memcpy(halves, rows, sizeof rows);
    const Reduce whole = reduce_local(8);
    CHECK_OK(whole.sum(&whole, rows[0], 2, 2));
    reduce_block(halves[0], 4, 2, 2);
    reduce_block(halves[4], 4, 2, 2);
    assert_true(rows[0][0] == want);
    assert_true(halves[0][0] + halves[4][0] == want);
    assert_true(rows[0][1] == 28);
}

static void memory_is_counted_and_may_be_refused(void **state)
{
    (void)state;
    const int64_t before = mem_count();
    float *x = NULL;
    Arena arena;

    mem_fail_at(1);
    assert_int_equal(mem_alloc(&x, 10, sizeof *x, "numbers"), ERR_NOMEM);
    assert_null(x);
    assert_non_null(strstr(status_reason(), "numbers"));
    assert_int_equal(mem_alloc(&x, SIZE_MAX / 2, 8, "too much"), ERR_NOMEM);
    CHECK_OK(arena_init(&arena, 1000));
    const size_t mark = arena.used;
    float *a = arena_floats(&arena, 3);
    float *b = arena_floats(&arena, 3);
    assert_true(((uintptr_t)a & 63U) == 0 && ((uintptr_t)b & 63U) == 0 && b >= a + 3);
    arena_reset(&arena, mark);
    assert_ptr_equal(arena_floats(&arena, 3), a);
    arena_release(&arena);
    assert_int_equal(mem_count(), before);
}

static void reasons_are_kept_and_prefixed(void **state)
{
    (void)state;
    assert_int_equal(status_while(status_fail(ERR_IO, "disk %d", 3), "saving"), ERR_IO);
    assert_string_equal(status_reason(), "saving: disk 3");
    assert_int_equal(status_exit_code(ERR_FORMAT), 76);
    assert_int_equal(status_exit_code(ERR_CONFIG), 2);
    assert_int_equal(status_exit_code(ERR_INTERRUPTED), 75);
    assert_int_equal(status_exit_code(OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_reproduces_published_vectors),
        cmocka_unit_test(streams_are_functions_of_their_key),
        cmocka_unit_test(draws_have_the_right_moments),
        cmocka_unit_test(vector_maths_agrees_with_libm),
        cmocka_unit_test(reduction_follows_the_tree),
        cmocka_unit_test(memory_is_counted_and_may_be_refused),
        cmocka_unit_test(reasons_are_kept_and_prefixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
