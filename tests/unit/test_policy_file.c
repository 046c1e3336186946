/* policy_file: exact round trips, D4RL's names and shapes, files that others made, and refusals. */
#include "support/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/h5.h"
#include "data/recording.h"
#include "policy/actor.h"
#include "run/policy_file.h"
#include "support/shared.h"
#include "support/temp_dir.h"

enum { S = 3, A = 2, H = 5, PARAMS_MAX = 400 };

static char dir[TEMP_PATH_MAX];
static float params[PARAMS_MAX];
static const PolicyInfo info = {
    .algorithm = "MOPO", .task = "pointmass", .config_digest = "00ff", .epoch = 120};
static const Squash squash = {.A = A, .low = -5, .high = 1};

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static Mlp random_actor(int layers)
{
    const Mlp actor = mlp_make(S, H, layers, 2 * A, 1, ACT_RELU);
    Rng rng = rng_make(1, RNG_TEST, 0, (uint32_t)layers);
    assert_true(actor.count <= PARAMS_MAX);
    rng_fill_normal(&rng, params, actor.count); /* biases too */
    return actor;
}

static const char *saved(int layers)
{
    const Mlp actor = random_actor(layers);
    const char *path = temp_path(dir, "policy.h5");
    CHECK_OK(policy_save(path, &info, &actor, &squash, params, NULL));
    return path;
}

static void what_was_saved_comes_back(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    for (int layers = 1; layers < MLP_LAYERS_MAX; layers++) {
        const Mlp actor = random_actor(layers);
        PolicyFile got;
        CHECK_OK(policy_load(saved(layers), &got));
        assert_int_equal(got.state_dim, S);
        assert_int_equal(got.act_dim, A);
        assert_int_equal(got.actor.layers, layers);
        assert_int_equal(got.actor.count, actor.count);
        assert_memory_equal(got.params, params, actor.count * sizeof *params);
        assert_string_equal(got.info.algorithm, "MOPO");
        assert_string_equal(got.info.task, "pointmass");
        assert_string_equal(got.info.config_digest, "00ff");
        assert_int_equal(got.info.epoch, 120);
        assert_true(got.squash.A == A && got.squash.low == -5.0F && got.squash.high == 1.0F);
        policy_release(&got);
    }
    assert_int_equal(mem_count(), blocks);
}

/* Every nonlinearity with every distribution, alone and inside a dataset. */
static void all_kinds_come_back(void **state)
{
    (void)state;
    static const Act acts[] = {ACT_RELU, ACT_TANH};
    const int64_t blocks = mem_count();
    double row[S + A] = {0};
    uint8_t flag = 0;
    const Recording rec = {.state_dim = S,
                           .act_dim = A,
                           .rows = 1,
                           .observations = row,
                           .actions = row + S,
                           .rewards = row,
                           .terminals = &flag,
                           .algorithm = "SAC",
                           .iteration = 7};

    for (int k = 0; k < 8; k++) {
        const bool dataset = k >= 4;
        const Squash head = {.A = A, .low = -3, .high = 0.5F, .linear = (k & 1) != 0};
        Mlp actor = random_actor(2);
        actor.act = acts[k >> 1 & 1];
        PolicyItems items;
        PolicyFile got;
        const char *path = temp_path(dir, "kind.h5");

        if (dataset) {
            CHECK_OK(policy_items(&items, &actor, &head, params));
            CHECK_OK(recording_write(path, &rec, items.items, items.n, items.texts, items.m));
            policy_items_release(&items);
        } else {
            CHECK_OK(policy_save(path, &info, &actor, &head, params, NULL));
        }
        CHECK_OK(policy_load(path, &got));
        assert_int_equal(got.actor.act, actor.act);
        assert_int_equal(got.squash.linear, head.linear);
        assert_true(got.squash.A == A && got.squash.low == -3 && got.squash.high == 0.5F);
        assert_memory_equal(got.params, params, actor.count * sizeof *params);
        assert_string_equal(got.info.algorithm, dataset ? "SAC" : "MOPO");
        assert_int_equal(got.info.epoch, dataset ? 7 : 120);
        policy_release(&got);
    }
    assert_int_equal(mem_count(), blocks);
}

/* What plays the best of many actions: the critic's first group, and how many. */
static void the_critic_that_chooses_comes_back(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    const Mlp actor = random_actor(2);
    const Squash smooth = squash_smooth(A);
    float values[2 * PARAMS_MAX];
    PolicyChoice choice = {
        .candidates = 100, .critic = mlp_make(S + A, 4, 2, 1, 2, ACT_RELU), .values = values};
    const char *path = temp_path(dir, "choice.h5");
    float sa[S + A];
    float q[2][2];
    Arena tmp;
    PolicyFile got;
    Rng rng = rng_make(1, RNG_TEST, 5, 0);

    assert_true(choice.critic.count <= 2 * PARAMS_MAX);
    rng_fill_normal(&rng, values, choice.critic.count);
    rng_fill_normal(&rng, sa, S + A);
    CHECK_OK(policy_save(path, &info, &actor, &smooth, params, &choice));
    CHECK_OK(policy_load(path, &got));
    assert_true(got.squash.smooth && !got.squash.linear);
    assert_int_equal(got.choice.candidates, 100);
    assert_int_equal(got.choice.critic.groups, 1);
    CHECK_OK(arena_init(&tmp, mlp_infer_cost(&choice.critic, 1)));
    mlp_infer(&choice.critic, values, sa, 1, &tmp, q[0]);
    mlp_infer(&got.choice.critic, got.choice.values, sa, 1, &tmp, q[1]);
    CHECK_NEAR(q[1][0], q[0][0], 1e-6, 1e-6);
    policy_release(&got);

    choice.critic = mlp_make(S, 4, 2, 1, 2, ACT_RELU); /* of states only */
    CHECK_OK(policy_save(path, &info, &actor, &smooth, params, &choice));
    assert_int_equal(policy_load(path, &got), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "mopo/critic takes 3 numbers"));
    arena_release(&tmp);
    assert_int_equal(mem_count(), blocks);
}

static void what_a_killed_save_left_goes_with_the_next(void **state)
{
    (void)state;
    temp_write(temp_path(dir, "policy.h5.tmp.a1B2c3"), "half");
    temp_write(temp_path(dir, "policy.h5.mine"), "whole");
    assert_true(file_exists(saved(1)));
    assert_false(file_exists(temp_path(dir, "policy.h5.tmp.a1B2c3")));
    assert_true(file_exists(temp_path(dir, "policy.h5.mine")));
}

/* A tanh network with a plain Gaussian head, worked out: h = tanh(2 s), mean = 3 h, std = 1/2. */
static void a_policy_acts_as_its_kind_says(void **state)
{
    (void)state;
    const Mlp actor = mlp_make(1, 1, 1, 2, 1, ACT_TANH);
    const Squash head = {.A = 1, .low = -20, .high = 2, .linear = true};
    const float weights[6] = {2, 0, 3, 0, 0, -0.693147181F};
    const float s[2] = {0.25F, -2.5F};
    const float eps[2] = {1, -2};
    float a[2];
    float logp[2];
    Arena tmp;

    assert_int_equal(actor.count, 6);
    CHECK_OK(arena_init(&tmp, policy_act_cost(&actor, 2)));
    policy_act(&actor, &head, weights, s, NULL, 2, &tmp, a, NULL);
    CHECK_NEAR(a[0], 3 * 0.46211716, 1e-6, 0);
    CHECK_NEAR(a[1], -3 * 0.99990920, 1e-6, 0);
    policy_act(&actor, &head, weights, s, eps, 2, &tmp, a, logp);
    CHECK_NEAR(a[0], 3 * 0.46211716 + 0.5, 1e-6, 0);
    CHECK_NEAR(a[1], -3 * 0.99990920 - 1, 1e-6, 0);
    CHECK_NEAR(logp[0], log(2 * 0.241970725), 1e-6, 0);
    CHECK_NEAR(logp[1], log(2 * 0.0539909665), 1e-6, 0);
    arena_release(&tmp);
}

static void bytes_depend_on_content_only(void **state)
{
    (void)state;
    char digest[2][SLAB_DIGEST_MAX];
    for (int i = 0; i < 2; i++) {
        unsigned char *bytes = NULL;
        size_t n = 0;
        CHECK_OK(file_read(saved(2), 1 << 20, &bytes, &n));
        bytes_digest(bytes, n, digest[i]);
        mem_free(&bytes);
    }
    assert_string_equal(digest[0], digest[1]);
}

static void damage_is_found(void **state)
{
    (void)state;
    PolicyFile got;
    const char *path = saved(2);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 3000, SEEK_SET), 0);
    assert_int_equal(fputs("x", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(policy_load(path, &got), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "another digest"));
}

static void check_shape(const H5File *file, const char *name, int rank, int64_t rows, int64_t cols)
{
    H5Shape shape;
    CHECK_OK(h5_shape(file, name, &shape));
    assert_int_equal(shape.rank, rank);
    assert_int_equal(shape.dims[0], rows);
    assert_int_equal(shape.dims[1], cols);
}

/* Names and shapes of D4RL's metadata/policy with (outputs, inputs) weights, read by HDF5 itself past
 * the seal; our own forward pass against plain loops over what is in the file. */
static void the_layout_is_d4rls(void **state)
{
    (void)state;
    const Mlp actor = random_actor(2);
    H5File *file = NULL;
    char text[32];
    float w0[H][S];
    float w1[H][H];
    float wm[A][H];
    float ws[A][H];
    float b0[H];
    float b1[H];
    float bm[A];
    float bs[A];
    const float s[S] = {0.5F, -1.0F, 2.0F};

    CHECK_OK(h5_open(&file, saved(2)));
    check_shape(file, "metadata/policy/fc0/weight", 2, H, S);
    check_shape(file, "metadata/policy/fc1/weight", 2, H, H);
    check_shape(file, "metadata/policy/last_fc/weight", 2, A, H);
    check_shape(file, "metadata/policy/last_fc/bias", 1, A, 1);
    check_shape(file, "metadata/policy/last_fc_log_std/weight", 2, A, H);
    assert_false(h5_has(file, "metadata/policy/fc2"));
    CHECK_OK(h5_read_text(file, "metadata/algorithm", text, sizeof text));
    assert_string_equal(text, "MOPO");
    CHECK_OK(h5_read_text(file, "metadata/policy/nonlinearity", text, sizeof text));
    assert_string_equal(text, "relu");
    CHECK_OK(h5_read_text(file, "metadata/policy/output_distribution", text, sizeof text));
    assert_string_equal(text, "tanh_gaussian");
    CHECK_OK(h5_read(file, "metadata/policy/fc0/weight", SLAB_F32, w0, (size_t)H * S));
    CHECK_OK(h5_read(file, "metadata/policy/fc1/weight", SLAB_F32, w1, (size_t)H * H));
    CHECK_OK(h5_read(file, "metadata/policy/last_fc/weight", SLAB_F32, wm, (size_t)A * H));
    CHECK_OK(h5_read(file, "metadata/policy/last_fc_log_std/weight", SLAB_F32, ws, (size_t)A * H));
    CHECK_OK(h5_read(file, "metadata/policy/fc0/bias", SLAB_F32, b0, H));
    CHECK_OK(h5_read(file, "metadata/policy/fc1/bias", SLAB_F32, b1, H));
    CHECK_OK(h5_read(file, "metadata/policy/last_fc/bias", SLAB_F32, bm, A));
    CHECK_OK(h5_read(file, "metadata/policy/last_fc_log_std/bias", SLAB_F32, bs, A));
    h5_close(file);

    float h0[H];
    float h1[H];
    float want[2 * A];
    for (int j = 0; j < H; j++) {
        h0[j] = b0[j];
        for (int i = 0; i < S; i++) {
            h0[j] += w0[j][i] * s[i];
        }
        h0[j] = fmaxf(h0[j], 0.0F);
    }
    for (int j = 0; j < H; j++) {
        h1[j] = b1[j];
        for (int i = 0; i < H; i++) {
            h1[j] += w1[j][i] * h0[i];
        }
        h1[j] = fmaxf(h1[j], 0.0F);
    }
    for (int j = 0; j < A; j++) {
        want[j] = bm[j];
        want[A + j] = bs[j];
        for (int i = 0; i < H; i++) {
            want[j] += wm[j][i] * h1[i];
            want[A + j] += ws[j][i] * h1[i];
        }
    }
    Arena tmp;
    float head[2 * A];
    CHECK_OK(arena_init(&tmp, mlp_infer_cost(&actor, 1)));
    mlp_infer(&actor, params, s, 1, &tmp, head);
    CHECK_CLOSE(head, want, 2 * A, 1e-5, 0); /* sums of 5 products in another order */
    arena_release(&tmp);
}

/* ---- refusals ---- */

/* A policy file made by hand, as anyone could make it. */
typedef struct {
    const char *root, *nonlinearity, *distribution;
    int hidden_of_fc1, outs_of_log_std;
    float value;
} Foreign;

static Status load_foreign(const Foreign *f)
{
    float block[64];
    const char *path = temp_path(dir, "foreign.h5");
    const struct {
        const char *name;
        int rank, rows, cols;
    } shapes[] = {
        {"fc0/weight", 2, H, S},
        {"fc0/bias", 1, H, 1},
        {"fc1/weight", 2, f->hidden_of_fc1, H},
        {"fc1/bias", 1, f->hidden_of_fc1, 1},
        {"last_fc/weight", 2, A, H},
        {"last_fc/bias", 1, A, 1},
        {"last_fc_log_std/weight", 2, f->outs_of_log_std, H},
        {"last_fc_log_std/bias", 1, f->outs_of_log_std, 1},
    };
    enum { COUNT = sizeof shapes / sizeof *shapes };
    H5Item items[COUNT];
    char name[H5_NAME_MAX];
    char other[H5_NAME_MAX];
    PolicyFile got;

    for (int i = 0; i < 64; i++) {
        block[i] = f->value;
    }
    for (int i = 0; i < COUNT; i++) {
        items[i] = (H5Item){.type = SLAB_F32,
                            .data = block,
                            .rank = shapes[i].rank,
                            .dims = {shapes[i].rows, shapes[i].cols}};
        (void)snprintf(items[i].name, sizeof items[i].name, "%s/%s", f->root, shapes[i].name);
    }
    (void)snprintf(name, sizeof name, "%s/nonlinearity", f->root);
    (void)snprintf(other, sizeof other, "%s/output_distribution", f->root);
    const H5Text texts[2] = {{name, f->nonlinearity, true}, {other, f->distribution, true}};
    CHECK_OK(h5_write(path, items, COUNT, texts, 2));
    const Status st = policy_load(path, &got);
    if (st == OK) { /* what a file does not tell */
        assert_int_equal(got.info.epoch, -1);
        assert_string_equal(got.info.task, "");
        assert_true(got.squash.low == -20.0F && got.squash.high == 2.0F);
    } else {
        assert_null(got.params);
    }
    policy_release(&got);
    return st;
}

static void check_reason(const char *part)
{
    if (strstr(status_reason(), part) == NULL || strstr(status_reason(), "foreign.h5") == NULL) {
        print_error("no '%s' or no file name in: %s\n", part, status_reason());
        fail();
    }
}

static void what_is_no_such_policy_is_refused(void **state)
{
    (void)state;
    Foreign f = {"policy", "relu", "tanh_gaussian", H, A, 0.5F};
    CHECK_OK(load_foreign(&f));
    f.root = "metadata/policy";
    CHECK_OK(load_foreign(&f));
    f.root = "policies";
    assert_int_equal(load_foreign(&f), ERR_FORMAT);
    check_reason("neither metadata/policy/fc0/weight nor policy/fc0/weight");
    f.root = "policy";
    f.nonlinearity = "elu";
    assert_int_equal(load_foreign(&f), ERR_FORMAT);
    check_reason("policy/nonlinearity is 'elu'; only 'relu' and 'tanh'");
    f.nonlinearity = "relu";
    f.distribution = "";
    assert_int_equal(load_foreign(&f), ERR_FORMAT);
    check_reason("policy/output_distribution is ''; only 'tanh_gaussian' and 'gaussian'");
    f.distribution = "gaussian";
    CHECK_OK(load_foreign(&f));
    f.hidden_of_fc1 = H - 1;
    assert_int_equal(load_foreign(&f), ERR_FORMAT);
    check_reason("'policy/fc1/weight' has shape (4, 5, 1), expected (5, 5)");
    f.hidden_of_fc1 = H;
    f.outs_of_log_std = A + 1;
    assert_int_equal(load_foreign(&f), ERR_FORMAT);
    check_reason("last_fc_log_std");
    f.outs_of_log_std = A;
    f.value = NAN;
    assert_int_equal(load_foreign(&f), ERR_FORMAT);
    check_reason("not a finite number");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    PolicyFile got;
    assert_int_equal(policy_load(temp_path(dir, "absent.h5"), &got), ERR_IO);
    temp_write(temp_path(dir, "text.h5"), "not HDF5");
    assert_int_equal(policy_load(temp_path(dir, "text.h5"), &got), ERR_FORMAT);
    const Mlp actor = random_actor(1);
    params[7] = INFINITY;
    assert_int_equal(policy_save(temp_path(dir, "inf.h5"), &info, &actor, &squash, params, NULL),
                     ERR_NUMERIC);
    assert_false(file_exists(temp_path(dir, "inf.h5")));
    params[7] = 0;
    file_fail_at(2, ENOSPC);
    assert_int_equal(policy_save(temp_path(dir, "full.h5"), &info, &actor, &squash, params, NULL),
                     ERR_IO);
    assert_non_null(strstr(status_reason(), strerror(ENOSPC)));
}

/* Stable Baselines3's actors, which nobody here made: README of the shared data gives the dimensions
 * and the formula, returns are checked where the simulator is. */
static void policies_of_others_act(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int S, A;
    } files[] = {
        {"data/sb3_actors/sac_halfcheetah-v3_actor.hdf5", 17, 6},
        {"data/sb3_actors/sac_hopper-v3_actor.hdf5", 11, 3},
        {"data/sb3_actors/sac_walker2d-v3_actor.hdf5", 17, 6},
        {"data/sb3_actors/tqc_halfcheetah-v3_actor.hdf5", 17, 6},
    };
    enum { ROWS = 100 };
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        PolicyFile p;
        Arena tmp;
        float s[ROWS * 17];
        float a[ROWS * 6];
        Rng rng = rng_make(2, RNG_TEST, 0, (uint32_t)k);
        double spread = 0;

        CHECK_OK(policy_load(shared_file(files[k].name), &p));
        assert_int_equal(p.state_dim, files[k].S);
        assert_int_equal(p.act_dim, files[k].A);
        assert_int_equal(p.actor.hidden, 256);
        assert_int_equal(p.actor.layers, 2);
        CHECK_OK(arena_init(&tmp, policy_act_cost(&p.actor, ROWS)));
        rng_fill_normal(&rng, s, (size_t)ROWS * (size_t)p.state_dim);
        policy_act(&p.actor, &p.squash, p.params, s, NULL, ROWS, &tmp, a, NULL);
        for (int i = 0; i < ROWS * p.act_dim; i++) {
            assert_true(a[i] >= -1.0F && a[i] <= 1.0F);
            spread += fabs((double)a[i]) / (ROWS * p.act_dim);
        }
        assert_true(spread > 0.1); /* trained: far from zero */
        arena_release(&tmp);
        policy_release(&p);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_comes_back),
        TEST(what_a_killed_save_left_goes_with_the_next),
        TEST(all_kinds_come_back),
        TEST(the_critic_that_chooses_comes_back),
        TEST(a_policy_acts_as_its_kind_says),
        TEST(bytes_depend_on_content_only),
        TEST(damage_is_found),
        TEST(the_layout_is_d4rls),
        TEST(what_is_no_such_policy_is_refused),
        TEST(other_files_are_refused),
        TEST(policies_of_others_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
