/* ensemble_fit in shards: owners of parts of a batch get the bits of one owner, and the same gradient. */
#include "support/check.h"

#include <string.h>

#include "base/mem.h"
#include "support/member_bench.h"

/* Two owners of a shard each, one after the other: the first leaves its row with the second. */
typedef struct {
    float row[4096];
    bool adds;
} Other;

static Status sum_with_other(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    Other *other = reduce->ctx;

    (void)stride;
    assert_true(n <= sizeof other->row / sizeof *other->row);
    if (!other->adds) {
        memcpy(other->row, rows, n * sizeof *rows);
        return status_fail(ERR_MPI, "left to the other owner");
    }
    for (size_t j = 0; j < n; j++) {
        rows[j] += other->row[j];
    }
    return OK;
}

/* Three passes of one step; either owner may be the one that leaves. */
static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        const bool normed = k % 2 == 1;
        const int leaves = k / 2;
        Bench one = bench_make(200, 0.2, 1000, false);
        Bench two = bench_make(200, 0.2, 1000, false);
        static Other other;
        const Reduce whole = reduce_local(2);
        MemberFit fit = fit_in_shards(&one, 0, &whole);
        MemberFit half[2];
        const size_t bytes = two.ens.stride * sizeof(float);
        float *start = NULL;

        one.ens.cfg.spectral_norm = normed;
        two.ens.cfg.spectral_norm = normed;
        CHECK_OK(mem_alloc(&start, two.ens.stride, sizeof *start, "test"));
        for (int i = 0; i < 2; i++) {
            const Reduce part = {
                .shards = 2, .first = i, .count = 1, .sum = sum_with_other, .ctx = &other};
            half[i] = fit_in_shards(&two, 0, &part);
        }
        for (int64_t p = 0; p < 3; p++) {
            const double loss = pass(&one, &fit, p, 160, 1e-3);
            double same = 0;
            memcpy(start, ensemble_member(&two.ens, 0), bytes);
            other.adds = false;
            assert_int_equal(member_fit_pass(&half[leaves], &two.ens, &two.data, p, 160, 1e-3, SEED,
                                             &two.tmp, &same),
                             ERR_MPI);
            memcpy(ensemble_member(&two.ens, 0), start, bytes); /* u has moved */
            other.adds = true;
            same = pass(&two, &half[1 - leaves], p, 160, 1e-3);
            CHECK_NEAR(same, loss, 0, 0);
            assert_memory_equal(ensemble_member(&one.ens, 0), ensemble_member(&two.ens, 0), bytes);
        }
        mem_free(&start);
        for (int i = 0; i < 2; i++) {
            member_fit_release(&half[i]);
        }
        member_fit_release(&fit);
        bench_free(&one);
        bench_free(&two);
    }
}

/* Only the order of sums differs: one step on 160 rows, then one on 3, fewer than the shards; 1e-6 of the
 * gradient seen. The loss includes the parts that count once. */
static void shards_are_parts_of_the_same_gradient(void **state)
{
    (void)state;
    for (int shards = 2; shards <= 8; shards *= 2) {
        for (int normed = 0; normed < 2; normed++) {
            Bench b = bench_make(200, 0.2, 1000, false);
            const Reduce parts = reduce_local(shards);
            MemberFit whole = fit_make(&b, 0);
            MemberFit cut = fit_in_shards(&b, 0, &parts);
            const size_t bytes = b.ens.stride * sizeof(float);
            float *start = NULL;

            b.ens.cfg.spectral_norm = normed != 0;
            b.ens.cfg.decay_head = 0.1F; /* were it counted for each shard it would be seen */
            b.ens.cfg.logvar_reg = 0.1F;
            CHECK_OK(mem_alloc(&start, b.ens.stride, sizeof *start, "test"));
            memcpy(start, ensemble_member(&b.ens, 0), bytes);
            for (int few = 0; few < 2; few++) {
                b.data.n_train = few != 0 ? 3 : 160;
                memcpy(ensemble_member(&b.ens, 0), start, bytes);
                const double loss = pass(&b, &whole, 0, 160, 0);
                memcpy(ensemble_member(&b.ens, 0), start, bytes);
                CHECK_NEAR(pass(&b, &cut, 0, 160, 0), loss, 1e-6, 1e-6);
                CHECK_CLOSE(cut.grads, whole.grads, b.ens.trained, 1e-5, 0);
            }
            mem_free(&start);
            member_fit_release(&whole);
            member_fit_release(&cut);
            bench_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_owners_get_the_bits_of_one),
        cmocka_unit_test(shards_are_parts_of_the_same_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
