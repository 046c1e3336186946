#include "support/member_bench.h"

#include "base/mem.h"
#include "base/rng.h"
#include "support/check.h"

/* s and a normal, column 1 of s constant; s' = s + 0.3 s B + a C, r = s_0 - 2 a_1, both linear. */
static void fill_linear(float *records, int64_t rows)
{
    const Record rec = record_make(S, A);
    Rng rng = rng_make(9, RNG_TEST, 0, 0);

    for (int64_t i = 0; i < rows; i++) {
        float *row = records + (size_t)i * STRIDE;
        rng_fill_normal(&rng, row, S + A);
        row[0] = 3 * row[0] + 10; /* so that scales matter */
        row[1] = 0.7F;
        row[rec.r] = 0.5F * row[0] - 2 * row[rec.a + 1];
        row[rec.s2] = row[0] + 0.3F * row[2] + row[rec.a];
        row[rec.s2 + 1] = row[1] - row[rec.a + 1];
        row[rec.s2 + 2] = 0.8F * row[2] - 0.1F * row[0];
        row[rec.cont] = 1;
    }
}

static EnsembleConfig config(bool zscore)
{
    return (EnsembleConfig){.members = 2,
                            .elites = 1,
                            .state_dim = S,
                            .act_dim = A,
                            .hidden = 32,
                            .layers = 2,
                            .spectral_c = 1,
                            .zscore_targets = zscore,
                            .logvar_max = 0.5F,
                            .logvar_min = -10,
                            .logvar_reg = 0.01F,
                            .decay_hidden = 1e-4F};
}

Bench bench_make(int64_t rows, double ratio, int64_t most, bool zscore)
{
    Bench b;
    const Record rec = record_make(S, A);
    const EnsembleConfig cfg = config(zscore);

    CHECK_OK(mem_alloc(&b.records, (size_t)rows * STRIDE, sizeof *b.records, "test"));
    fill_linear(b.records, rows);
    CHECK_OK(fit_data_init(&b.data, &rec, b.records, rows, ratio, most, SEED));
    CHECK_OK(ensemble_init(&b.ens, &cfg, SEED));
    CHECK_OK(fit_data_scales(&b.data, &b.ens));
    CHECK_OK(arena_init(&b.tmp, member_fit_cost(&b.ens, &b.data, 256) +
                                    ensemble_predict_cost(&b.ens, 1000) +
                                    2 * arena_cost((size_t)1000 * 2 * Y)));
    return b;
}

void bench_free(Bench *b)
{
    arena_release(&b->tmp);
    ensemble_release(&b->ens);
    fit_data_release(&b->data);
    mem_free(&b->records);
}

MemberFit fit_in_shards(const Bench *b, int member, const Reduce *reduce)
{
    MemberFit fit;
    CHECK_OK(member_fit_init(&fit, &b->ens, &b->data, member, reduce, NULL, SEED));
    return fit;
}

MemberFit fit_make(const Bench *b, int member)
{
    const Reduce whole = reduce_local(1);
    return fit_in_shards(b, member, &whole);
}

double pass(Bench *b, MemberFit *fit, int64_t number, int batch, double lr)
{
    double loss = 0;
    CHECK_OK(member_fit_pass(fit, &b->ens, &b->data, number, batch, lr, SEED, &b->tmp, &loss));
    assert_int_equal(b->tmp.used, 0);
    return loss;
}

double holdout(Bench *b, int member)
{
    return member_fit_holdout(&b->ens, &b->data, member, &b->tmp);
}
