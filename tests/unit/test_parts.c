/* run/parts: what was saved comes back, only under the same settings; damage, gaps and failing disks are
 * found and cost nothing that was saved before. */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/parts.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];
static const char settings[] = "00112233445566778899aabbccddeeff";

static int make_dir(void **state)
{
    log_set_level(LOG_QUIET);
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static const char *file(void)
{
    return temp_path(dir, "data.hdf5");
}

static CollectRows episodes(const char *task, int64_t first, int64_t count)
{
    CollectRows rows;
    CHECK_OK(collect_episodes(env_find(task), &(CollectSource){0}, 7, first, count, &rows));
    return rows;
}

/* Part k: episodes 2 k and 2 k + 1, and the state that says so. */
static Status add(Parts *parts)
{
    CollectRows rows = episodes("pointmass", 2 * parts->count, 2);
    int64_t next = 2 * parts->count + 2;
    double x[3] = {0.5, -1, (double)next};
    const Slab state[] = {slab_i64("next", &next, 1), slab_f64("x", x, 3)};
    const Status st = parts_add(parts, &rows, state, 2);
    collect_release(&rows);
    return st;
}

static Parts made(int64_t count)
{
    Parts parts;
    CHECK_OK(parts_open(&parts, file(), settings, false));
    while (parts.count < count) {
        CHECK_OK(add(&parts));
    }
    return parts;
}

/* Opens with so many parts, which hold what `add` put there. */
static void check_parts(int64_t count)
{
    Parts parts;
    CollectRows got;
    CollectRows want = episodes("pointmass", 0, 2 * count);
    int64_t next = 0;
    double x[3] = {0};
    const Slab state[] = {slab_i64("next", &next, 1), slab_f64("x", x, 3)};

    CHECK_OK(parts_open(&parts, file(), settings, false));
    assert_int_equal(parts.count, count);
    CHECK_OK(collect_init(&got, env_find("pointmass"), 0));
    for (int64_t k = 0; k < count; k++) {
        CHECK_OK(parts_load(&parts, k, &got));
    }
    assert_int_equal(got.rows, want.rows);
    assert_memory_equal(got.data, want.data, (size_t)want.rows * want.stride * sizeof(double));
    if (count > 0) {
        CHECK_OK(parts_state(&parts, parts.count - 1, state, 2));
        assert_int_equal(next, 2 * count);
        assert_true(x[0] == 0.5 && x[1] == -1 && x[2] == (double)next);
    }
    collect_release(&got);
    collect_release(&want);
}

static void what_was_saved_comes_back(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    Parts parts = made(3);

    check_parts(3);
    CHECK_OK(parts_remove(&parts));
    assert_false(file_exists(temp_path(dir, "data.hdf5.parts")));
    assert_int_equal(mem_count(), blocks);
}

static void a_short_job_leaves_no_trace(void **state)
{
    (void)state;
    Parts parts = made(0);

    assert_false(file_exists(parts.path));
    CHECK_OK(parts_remove(&parts));
}

static void no_rows_are_a_part_too(void **state)
{
    (void)state;
    Parts parts = made(0);
    CollectRows rows;

    CHECK_OK(collect_init(&rows, env_find("pointmass"), 0));
    CHECK_OK(parts_add(&parts, &rows, NULL, 0));
    CHECK_OK(parts_load(&parts, 0, &rows));
    assert_int_equal(rows.rows, 0);
    collect_release(&rows);
}

static void other_settings_are_refused(void **state)
{
    (void)state;
    Parts parts = made(2);

    assert_int_equal(parts_open(&parts, file(), "others", false), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "data.hdf5.parts was begun with other settings"));
    assert_non_null(strstr(status_reason(), "--force"));
    check_parts(2);
    CHECK_OK(
        parts_open(&parts, file(), settings, true)); /* the same ones lose nothing by --force */
    assert_int_equal(parts.count, 2);
    CHECK_OK(parts_open(&parts, file(), "others", true));
    assert_int_equal(parts.count, 0);
    assert_false(file_exists(parts.path));
}

static void parts_of_another_task_are_refused(void **state)
{
    (void)state;
    Parts parts = made(1);
    CollectRows rows;
    double other[2];
    const Slab slab = slab_f64("x", other, 2);

    CHECK_OK(collect_init(&rows, env_find("hopper"), 0));
    assert_int_equal(parts_load(&parts, 0, &rows), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "another task"));
    assert_int_equal(parts_state(&parts, parts.count - 1, &slab, 1), ERR_FORMAT);
    collect_release(&rows);
}

static void damage_is_found(void **state)
{
    (void)state;
    Parts parts = made(3);
    CollectRows rows;
    FILE *part = fopen(temp_path(dir, "data.hdf5.parts/part-000001.h5"), "r+b");

    assert_non_null(part);
    assert_int_equal(fseek(part, 5000, SEEK_SET), 0);
    assert_true(fputs("damage", part) >= 0);
    assert_int_equal(fclose(part), 0);
    CHECK_OK(parts_open(&parts, file(), settings, false));
    CHECK_OK(collect_init(&rows, env_find("pointmass"), 0));
    CHECK_OK(parts_load(&parts, 0, &rows));
    assert_int_equal(parts_load(&parts, 1, &rows), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "part-000001.h5"));
    collect_release(&rows);
    CHECK_OK(parts_open(&parts, file(), settings, true));
    assert_int_equal(parts.count, 0);
    (void)made(1);
    check_parts(1);
}

static void a_missing_part_is_no_fresh_start(void **state)
{
    (void)state;
    Parts parts = made(3);

    assert_int_equal(remove(temp_path(dir, "data.hdf5.parts/part-000000.h5")), 0);
    assert_int_equal(parts_open(&parts, file(), settings, false), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "part-000000.h5 is missing"));
}

static void what_a_killed_process_left_is_deleted(void **state)
{
    (void)state;
    (void)made(1);
    char left[TEMP_PATH_MAX];

    (void)snprintf(left, sizeof left, "%s",
                   temp_path(dir, "data.hdf5.parts/part-000001.h5.tmp.a1b2c3"));
    temp_write(left, "half a part");
    check_parts(1);
    assert_false(file_exists(left));
}

static void a_failing_disk_loses_nothing_saved(void **state)
{
    (void)state;
    Parts parts = made(2);
    Status st = ERR_IO;
    int failures = 0;

    for (int64_t k = 1; st != OK; k++) {
        file_fail_at(k, ENOSPC);
        st = add(&parts);
        file_fail_at(0, 0);
        if (st != OK) {
            failures++;
            assert_int_equal(st, ERR_IO);
            assert_int_equal(parts.count, 2);
            assert_non_null(strstr(status_reason(), strerror(ENOSPC)));
        }
    }
    assert_true(failures >= 4); /* open, write, sync, rename */
    check_parts(3);
}

static void refused_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    Parts parts = made(2);
    const int64_t blocks = mem_count();
    Status st = ERR_NOMEM;

    for (int64_t k = 1; st != OK; k++) {
        CollectRows rows = {0};
        mem_fail_at(k);
        st = parts_open(&parts, file(), settings, true);
        st = st != OK ? st : collect_init(&rows, env_find("pointmass"), 0);
        st = st != OK ? st : parts_load(&parts, 1, &rows);
        mem_fail_at(0);
        assert_true(st == OK || st == ERR_NOMEM);
        collect_release(&rows);
        assert_int_equal(mem_count(), blocks);
    }
    check_parts(2);
}

static void a_removal_cut_short_leaves_parts_to_go_on_from(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 3; k++) {
        Parts parts = made(3);
        file_fail_at(k, EIO);
        assert_int_equal(parts_remove(&parts), ERR_IO);
        file_fail_at(0, 0);
        check_parts(4 - k);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_comes_back),
        TEST(a_short_job_leaves_no_trace),
        TEST(no_rows_are_a_part_too),
        TEST(other_settings_are_refused),
        TEST(parts_of_another_task_are_refused),
        TEST(damage_is_found),
        TEST(a_missing_part_is_no_fresh_start),
        TEST(what_a_killed_process_left_is_deleted),
        TEST(a_failing_disk_loses_nothing_saved),
        TEST(refused_memory_leaves_nothing_behind),
        TEST(a_removal_cut_short_leaves_parts_to_go_on_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
