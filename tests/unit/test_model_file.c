/* model_file: a model comes back with all it is, and is refused when it is another or damaged. */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "run/model_file.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

enum { S = 3, A = 2, E = 3, ROWS = 4 };

/* Every field has a value of its own. */
static const EnsembleConfig some_config = {.members = E,
                                           .elites = 2,
                                           .state_dim = S,
                                           .act_dim = A,
                                           .hidden = 8,
                                           .layers = 4,
                                           .spectral_norm = true,
                                           .spectral_is_bound = true,
                                           .spectral_c = 1.1F,
                                           .zscore_targets = true,
                                           .logvar_max = 0.25F,
                                           .logvar_min = -7,
                                           .logvar_reg = 0.03F,
                                           .decay_first = 1e-5F,
                                           .decay_second = 2e-5F,
                                           .decay_hidden = 3e-5F,
                                           .decay_head = 4e-5F};
static const ModelInfo some_info = {.task = "pointmass", .dataset_digest = "12ab", .passes = 77};

/* A model that differs from a fresh one everywhere. */
static void make_model(Ensemble *ens)
{
    Rng rng = rng_make(3, RNG_TEST, 0, 0);
    CHECK_OK(ensemble_init(ens, &some_config, 5));
    rng_fill_normal(&rng, ens->in_mean, S + A);
    rng_fill_uniform(&rng, 0.5F, 2.0F, ens->in_inv, S + A);
    rng_fill_normal(&rng, ens->out_mean, 1 + S);
    rng_fill_uniform(&rng, 0.5F, 2.0F, ens->out_std, 1 + S);
    for (int i = 0; i < E; i++) {
        ens->holdout[i] = 1.0 / (1 + i);
    }
    ensemble_choose_elites(ens);
    ensemble_freeze(ens);
}

static const char *saved(void)
{
    Ensemble ens;
    const char *path = temp_path(dir, "model.h5");
    make_model(&ens);
    CHECK_OK(model_save(path, &some_info, &ens));
    ensemble_release(&ens);
    return path;
}

static void predict(const Ensemble *ens, float mean[ROWS * E * (1 + S)],
                    float std[ROWS * E * (1 + S)])
{
    Arena tmp;
    float sa[ROWS * (S + A)];
    Rng rng = rng_make(4, RNG_TEST, 0, 0);
    CHECK_OK(arena_init(&tmp, ensemble_predict_cost(ens, ROWS)));
    rng_fill_normal(&rng, sa, sizeof sa / sizeof *sa);
    ensemble_predict(ens, sa, ROWS, &tmp, mean, std);
    arena_release(&tmp);
}

static void what_was_saved_comes_back(void **state)
{
    (void)state;
    Ensemble made;
    Ensemble got;
    ModelInfo info;
    Slab a[ENSEMBLE_SLABS_MAX];
    Slab b[ENSEMBLE_SLABS_MAX];
    char digest[2][SLAB_DIGEST_MAX];
    float mean[2][ROWS * E * (1 + S)];
    float std[2][ROWS * E * (1 + S)];
    const int64_t blocks = mem_count();

    make_model(&made);
    CHECK_OK(model_load(saved(), &some_config, &info, &got));
    slab_digest(a, ensemble_slabs(&made, a), digest[0]);
    slab_digest(b, ensemble_slabs(&got, b), digest[1]);
    assert_string_equal(digest[0], digest[1]);
    assert_string_equal(info.task, "pointmass");
    assert_string_equal(info.dataset_digest, "12ab");
    assert_int_equal(info.passes, 77);
    assert_true(got.cfg.spectral_is_bound && got.cfg.zscore_targets);
    assert_true(got.cfg.decay_head == 4e-5F && got.cfg.logvar_min == -7.0F);
    predict(&made, mean[0], std[0]);
    predict(&got, mean[1], std[1]);
    assert_memory_equal(mean[0], mean[1], sizeof mean[0]);
    assert_memory_equal(std[0], std[1], sizeof std[0]);
    ensemble_release(&got);
    CHECK_OK(model_load(saved(), NULL, &info, &got)); /* whatever it is */
    ensemble_release(&got);
    ensemble_release(&made);
    assert_int_equal(mem_count(), blocks);
}

static void other_settings_are_refused_with_both_values(void **state)
{
    (void)state;
    Ensemble got;
    ModelInfo info;
    EnsembleConfig want = some_config;
    want.hidden = 9;
    assert_int_equal(model_load(saved(), &want, &info, &got), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "hidden = 8, the settings ask for 9"));
    want = some_config;
    want.decay_head = 5e-5F;
    assert_int_equal(model_load(saved(), &want, &info, &got), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "decay_head"));
    want = some_config;
    want.spectral_norm = false;
    assert_int_equal(model_load(saved(), &want, &info, &got), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "spectral_norm"));
}

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 0x04, file), byte ^ 0x04);
    assert_int_equal(fclose(file), 0);
}

/* One bit anywhere, also in the seal, or a cut. */
static void damage_is_found(void **state)
{
    (void)state;
    const char *path = saved();
    struct stat size;
    Ensemble got;
    ModelInfo info;

    assert_int_equal(stat(path, &size), 0);
    for (long at = 0; at < size.st_size; at += at < size.st_size - 100 ? 29 : 1) {
        flip(path, at);
        assert_int_equal(model_load(path, &some_config, &info, &got), ERR_FORMAT);
        flip(path, at);
    }
    CHECK_OK(model_load(path, &some_config, &info, &got));
    ensemble_release(&got);
    assert_int_equal(truncate(path, size.st_size / 2), 0);
    assert_int_equal(model_load(path, &some_config, &info, &got), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), path));
}

static void other_files_are_refused(void **state)
{
    (void)state;
    Ensemble ens;
    ModelInfo info;
    assert_int_equal(model_load(temp_path(dir, "absent.h5"), NULL, &info, &ens), ERR_IO);
    temp_write(temp_path(dir, "text.h5"), "not HDF5");
    assert_int_equal(model_load(temp_path(dir, "text.h5"), NULL, &info, &ens), ERR_FORMAT);
    make_model(&ens);
    ens.elite[1] = ens.elite[0];
    CHECK_OK(model_save(temp_path(dir, "elites.h5"), &some_info, &ens));
    ensemble_release(&ens);
    assert_int_equal(model_load(temp_path(dir, "elites.h5"), NULL, &info, &ens), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "each member from 0 to 2 once"));
    make_model(&ens);
    file_fail_at(3, ENOSPC);
    assert_int_equal(model_save(temp_path(dir, "full.h5"), &some_info, &ens), ERR_IO);
    file_fail_at(0, 0);
    assert_false(file_exists(temp_path(dir, "full.h5")));
    ensemble_release(&ens);
}

/* The file's bytes and handle, and the three blocks of an ensemble. */
static void memory_may_be_refused(void **state)
{
    (void)state;
    Ensemble ens;
    ModelInfo info;
    const char *path = saved();
    const int64_t blocks = mem_count();
    for (int k = 1; k <= 5; k++) {
        mem_fail_at(k);
        assert_int_equal(model_load(path, NULL, &info, &ens), ERR_NOMEM);
        mem_fail_at(0);
        ensemble_release(&ens);
        assert_int_equal(mem_count(), blocks);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_comes_back), TEST(other_settings_are_refused_with_both_values),
        TEST(damage_is_found),           TEST(other_files_are_refused),
        TEST(memory_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
