/* Datasets by name, against the published files (names, sizes and checksums in data/registry_table.h
 * are their own source; here: that names lead to them), and SHA-256 against FIPS 180-4's examples. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/registry.h"
#include "data/registry_table.h"
#include "support/check.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int set_up(void **state)
{
    const int made = temp_dir_setup(state, dir);
    /* nothing of this machine's own is found */
    return made != 0 || setenv("HOME", dir, 1) != 0 || unsetenv("MOPO_DATA") != 0 ||
           unsetenv("D4RL_DATASET_DIR") != 0 || unsetenv("MINARI_DATASETS_PATH") != 0;
}

static int tear_down(void **state)
{
    return temp_dir_teardown(state, dir);
}

/* A file in a folder of the temporary directory, with its parents. */
static void put(const char *folder, const char *name, const char *text)
{
    CHECK_OK(file_make_dirs(temp_path(dir, "%s", folder)));
    temp_write(temp_path(dir, "%s/%s", folder, name), text);
}

static void check_sha256(const char *path, const char *want)
{
    char hex[CHECKSUM_SHA256_HEX];
    CHECK_OK(checksum_sha256(path, hex));
    assert_string_equal(hex, want);
}

static void sha256_gives_the_published_digests(void **state)
{
    (void)state;
    static char million[1000001];
    const char *path = temp_path(dir, "text");

    temp_write(path, "abc");
    check_sha256(path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    temp_write(path, "");
    check_sha256(path, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    memset(million, 'a', 1000000);
    temp_write(path, million);
    check_sha256(path, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_says_what_cannot_be_read(void **state)
{
    (void)state;
    char hex[CHECKSUM_SHA256_HEX];
    const char *path = temp_path(dir, "text");

    assert_int_equal(checksum_sha256(temp_path(dir, "absent"), hex), ERR_IO);
    assert_string_equal(hex, "");
    assert_int_equal(checksum_sha256(dir, hex), ERR_IO); /* a folder */
    temp_write(path, "abc");
    for (int k = 1; k <= 2; k++) { /* open, read */
        file_fail_at(k, EIO);
        assert_int_equal(checksum_sha256(path, hex), ERR_IO);
        assert_non_null(strstr(status_reason(), "text: cannot"));
    }
    file_fail_at(0, 0);
    mem_fail_at(1);
    assert_int_equal(checksum_sha256(path, hex), ERR_NOMEM);
    mem_fail_at(0);
}

static void check_found(const char *word, const char *name, const char *folder, const char *file)
{
    const RegistryRow *row = NULL;
    CHECK_OK(registry_find(word, &row));
    assert_string_equal(row->name, name);
    assert_string_equal(row->folder, folder);
    assert_string_equal(row->file, file);
}

static void names_are_found_as_users_write_them(void **state)
{
    (void)state;
    check_found("halfcheetah-medium-replay-v2", "halfcheetah-medium-replay-v2", "gym_mujoco_v2",
                "halfcheetah_medium_replay-v2.hdf5");
    check_found("halfcheetah-mixed-v0", "halfcheetah-medium-replay-v0", "gym_mujoco",
                "halfcheetah_mixed.hdf5");
    check_found("walker2d-mixed-v0", "walker2d-medium-replay-v0", "gym_mujoco",
                "walker_mixed.hdf5");
    check_found("hopper-full-replay-v1", "hopper-full-replay-v1", "gym_mujoco_v1",
                "hopper_full_replay-v1.hdf5");
    check_found("mujoco/halfcheetah/medium-v0", "mujoco/halfcheetah/medium-v0",
                "mujoco/halfcheetah/medium-v0/data", "main_data.hdf5");
}

static void check_refused(const char *word, const char *text)
{
    const RegistryRow *row = NULL;
    assert_int_equal(registry_find(word, &row), ERR_CONFIG);
    assert_null(row);
    if (strstr(status_reason(), text) == NULL) {
        print_error("%s\n", status_reason());
    }
    assert_non_null(strstr(status_reason(), text));
}

static void other_names_are_refused_with_what_there_is(void **state)
{
    (void)state;
    check_refused("hopper-random",
                  "there are hopper-random-v0, hopper-random-v1, hopper-random-v2");
    check_refused("hopper-mixed", "there are hopper-medium-replay-v0");
    check_refused("walker2d-full-replay",
                  "there are walker2d-full-replay-v1, walker2d-full-replay-v2");
    check_refused("mujoco/ant/expert", "there are mujoco/ant/expert-v0");
    check_refused("halfcheeta-medium-v2", "did you mean halfcheetah-medium-v2?");
    check_refused("mujoco/hoper/simple-v0", "did you mean mujoco/hopper/simple-v0?");
    check_refused("frankakitchen", "names are like hopper-medium-v2");
}

static void check_located(const char *word, const char *path, const char *name)
{
    char got[512];
    const RegistryRow *row = NULL;
    CHECK_OK(registry_locate(word, got, sizeof got, &row));
    assert_string_equal(got, path);
    if (name == NULL) {
        assert_null(row);
    } else {
        assert_non_null(row);
        assert_string_equal(row->name, name);
    }
}

static void words_that_look_like_files_are_paths(void **state)
{
    (void)state;
    char here[TEMP_PATH_MAX];

    check_located("data/mine", "data/mine", NULL); /* is not looked at */
    check_located("hopper-random-v2.hdf5", "hopper-random-v2.hdf5", NULL);
    check_located("/absent.h5", "/absent.h5", NULL);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(dir), 0);
    put(".", "hopper-random", "");
    check_located("hopper-random", "hopper-random", NULL);
    put("runs/set/data", "main_data.hdf5", "");
    check_located("runs/set", "runs/set/data/main_data.hdf5", NULL); /* Minari's layout */
    put("set/data", "main_data.hdf5", "");
    check_located("set", "set/data/main_data.hdf5", NULL);
    assert_int_equal(chdir(here), 0);
}

static void own_folder_comes_before_the_caches(void **state)
{
    (void)state;
    const char *word = "walker2d-mixed-v0";
    const char *name = "walker2d-medium-replay-v0";
    static const struct {
        const char *folder, *file;
    } places[] = {
        {".d4rl/datasets", "walker_mixed.hdf5"},   {"own", "walker_mixed.hdf5"},
        {"own/gym_mujoco", "walker_mixed.hdf5"},   {"own", "walker2d-mixed-v0.hdf5"},
        {"own", "walker2d-medium-replay-v0.hdf5"},
    };

    assert_int_equal(setenv("MOPO_DATA", temp_path(dir, "own"), 1), 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        put(places[i].folder, places[i].file, "");
        check_located(word, temp_path(dir, "%s/%s", places[i].folder, places[i].file), name);
    }
    assert_int_equal(setenv("D4RL_DATASET_DIR", temp_path(dir, "cache"), 1), 0);
    assert_int_equal(unsetenv("MOPO_DATA"), 0);
    put("cache", "walker_mixed.hdf5", "");
    check_located(word, temp_path(dir, "cache/walker_mixed.hdf5"), name);
}

static void minari_sets_lie_below_their_id(void **state)
{
    (void)state;
    const char *id = "mujoco/ant/simple-v0";

    put(".minari/datasets/mujoco/ant/simple-v0/data", "main_data.hdf5", "");
    check_located(id, temp_path(dir, ".minari/datasets/mujoco/ant/simple-v0/data/main_data.hdf5"),
                  id);
    put("cache/mujoco/ant/simple-v0/data", "main_data.hdf5", "");
    assert_int_equal(setenv("MINARI_DATASETS_PATH", temp_path(dir, "cache"), 1), 0);
    check_located(id, temp_path(dir, "cache/mujoco/ant/simple-v0/data/main_data.hdf5"), id);
    put("own/mujoco/ant", "simple-v0.hdf5", "");
    assert_int_equal(setenv("MOPO_DATA", temp_path(dir, "own"), 1), 0);
    check_located(id, temp_path(dir, "own/mujoco/ant/simple-v0.hdf5"), id);
}

static void check_nowhere(const char *word, int count, const char *const texts[])
{
    char path[512];
    const RegistryRow *row = NULL;

    assert_int_equal(registry_locate(word, path, sizeof path, &row), ERR_CONFIG);
    for (int i = 0; i < count; i++) {
        if (strstr(status_reason(), texts[i]) == NULL) {
            print_error("no \"%s\" in: %s\n", texts[i], status_reason());
        }
        assert_non_null(strstr(status_reason(), texts[i]));
    }
}

static void what_is_nowhere_is_told_how_to_get(void **state)
{
    (void)state;
    const char *const file[] = {
        "http://rail.eecs.berkeley.edu/datasets/offline_rl/gym_mujoco/hopper_mixed.hdf5",
        "10983879 bytes",
        "901797e3f21a963b88ced7ab36ed8361ad548b470c38a0855bc265bb4dfb3de9",
        "$MOPO_DATA (not set)",
        dir,
        "/.d4rl/datasets",
        "FOLDER/hopper_mixed.hdf5 instead"};
    const char *const set[] = {"/own)", "SHA-256 not known"};
    const char *const minari[] = {"minari download mujoco/hopper/expert-v0", "/.minari/datasets"};
    char path[8];
    const RegistryRow *row = NULL;

    check_nowhere("hopper-mixed-v0", 7, file);
    check_nowhere("mujoco/hopper/expert-v0", 2, minari);
    assert_int_equal(setenv("MOPO_DATA", temp_path(dir, "own"), 1), 0);
    check_nowhere("hopper-expert-v1", 2, set);
    put("own/hopper-expert-v1.hdf5", "a-folder", ""); /* is no file */
    check_nowhere("hopper-expert-v1", 2, set);
    assert_int_equal(registry_locate("long/path.hdf5", path, sizeof path, &row), ERR_CONFIG);
}

static void check_note(const char *path, const RegistryRow *expected, const RegistryRow *rows,
                       int count, bool suspect, const char *const texts[3])
{
    Recognition rec;

    CHECK_OK(registry_recognize_in(&rec, path, expected, rows, count));
    assert_int_equal(rec.suspect, suspect);
    for (int i = 0; i < 3 && texts[i] != NULL; i++) {
        if (strstr(rec.note, texts[i]) == NULL) {
            print_error("no \"%s\" in: %s\n", texts[i], rec.note);
        }
        assert_non_null(strstr(rec.note, texts[i]));
    }
    assert_true(texts[0] != NULL || rec.note[0] == '\0');
    assert_true(!suspect || rec.row == NULL);
}

static void files_are_recognized_by_size_and_checksum(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "set.hdf5");
    const RegistryRow rows[] = {
        {.name = "hopper-medium-v1", .bytes = 1, .sha256 = ""},
        {.name = "halfcheetah-medium-v0",
         .bytes = 3,
         .rows = 7,
         .sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    const char *const known[] = {"it is D4RL's halfcheetah-medium-v0, 7 rows; known defects: Time",
                                 "episodes have 999 rows. One row is marked terminal"};
    const char *const other[3] = {"the size of D4RL's halfcheetah-medium-v0 but another SHA-256",
                                  "damaged"};
    const char *const by_size[3] = {"hopper-medium-v1, by its size", "swapped."};
    const char *const cut[3] = {"has 2 bytes, not 3: a cut or altered download?"};
    const char *const wrong[3] = {"has 1 bytes, not 3: the size of hopper-medium-v1"};
    const char *const nothing[3] = {NULL};

    temp_write(path, "abc");
    check_note(path, NULL, rows, 2, false, (const char *const[3]){known[0], known[1]});
    check_note(path, &rows[1], rows, 2, false, (const char *const[3]){known[0], known[1]});
    temp_write(path, "abd");
    check_note(path, NULL, rows, 2, true, other);
    check_note(path, &rows[1], rows, 2, true, other);
    temp_write(path, "ab");
    check_note(path, NULL, rows, 2, false, nothing);
    check_note(path, &rows[1], rows, 2, true, cut);
    temp_write(path, "a");
    check_note(path, NULL, rows, 2, false, by_size);
    check_note(path, &rows[1], rows, 2, true, wrong);
}

static void what_cannot_be_recognized_is_no_crash(void **state)
{
    (void)state;
    Recognition rec;
    const RegistryRow *row = NULL;
    const char *path = temp_path(dir, "set.hdf5");

    assert_int_equal(registry_recognize(&rec, path, NULL), ERR_IO);
    temp_write(path, "abc");
    file_fail_at(1, EIO);
    assert_int_equal(registry_recognize(&rec, path, NULL), ERR_IO);
    file_fail_at(0, 0);
    CHECK_OK(registry_recognize(&rec, path, NULL));
    assert_string_equal(rec.note, "");
    CHECK_OK(registry_find("mujoco/hopper/expert-v0", &row));
    CHECK_OK(registry_recognize(&rec, path, row)); /* nothing is known of its bytes */
    assert_false(rec.suspect);
}

/* A row of one digit too few would never be recognized, of two equal sizes only the first. */
static void the_table_is_sound(void **state)
{
    (void)state;
#define SET_BYTES(name, stem, bytes, rows, sha) bytes,
#define SET_SHA(name, stem, bytes, rows, sha)   sha,
    const int64_t bytes[] = {REGISTRY_D4RL_V0(SET_BYTES) REGISTRY_D4RL_V1(SET_BYTES)
                                 REGISTRY_D4RL_V2(SET_BYTES)};
    const char *const sha[] = {REGISTRY_D4RL_V0(SET_SHA) REGISTRY_D4RL_V1(SET_SHA)
                                   REGISTRY_D4RL_V2(SET_SHA)};
    const size_t n = sizeof bytes / sizeof *bytes;

    assert_int_equal(n, 15 + 18 + 18);
    for (size_t i = 0; i < n; i++) {
        const size_t digits = strspn(sha[i], "0123456789abcdef");
        assert_true(digits == strlen(sha[i]) && (digits == 64 || digits == 0));
        for (size_t k = 0; k < i; k++) {
            assert_true(bytes[i] != bytes[k]);
            assert_true(sha[i][0] == '\0' || strcmp(sha[i], sha[k]) != 0);
        }
    }
}

static void the_documentation_lists_every_defect(void **state)
{
    (void)state;
#define LINE(names, sentence, source) "\n| `" names "` | " sentence " | " source " |\n",
    static const char *const lines[] = {REGISTRY_DEFECTS(LINE)};
    const char *text = temp_read(MOPO_SOURCE_DIR "/docs/datasets.md");

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strstr(text, lines[i]) == NULL) {
            print_error("docs/datasets.md lacks:%s", lines[i]);
        }
        assert_non_null(strstr(text, lines[i]));
    }
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_DIR(sha256_gives_the_published_digests),
        IN_DIR(sha256_says_what_cannot_be_read),
        IN_DIR(names_are_found_as_users_write_them),
        IN_DIR(other_names_are_refused_with_what_there_is),
        IN_DIR(words_that_look_like_files_are_paths),
        IN_DIR(own_folder_comes_before_the_caches),
        IN_DIR(minari_sets_lie_below_their_id),
        IN_DIR(what_is_nowhere_is_told_how_to_get),
        IN_DIR(files_are_recognized_by_size_and_checksum),
        IN_DIR(what_cannot_be_recognized_is_no_crash),
        IN_DIR(the_table_is_sound),
        cmocka_unit_test(the_documentation_lists_every_defect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
