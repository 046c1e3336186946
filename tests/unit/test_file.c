/* base/file: whole files arrive unharmed; after a failure at any system call the old content stands
 * and no temporary file is left. */
#include "support/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/mem.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int files_in_dir(void)
{
    DirList list;
    CHECK_OK(dir_list(&list, dir));
    const int count = list.count;
    dir_list_release(&list);
    return count;
}

static int setup(void **state)
{
    (void)state;
    temp_dir_make(dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    file_fail_at(0, 0);
    temp_dir_remove(dir);
    return 0;
}

static void check_content(const char *path, const char *want)
{
    unsigned char *bytes = NULL;
    size_t n = 0;
    CHECK_OK(file_read(path, 1000, &bytes, &n));
    assert_int_equal(n, strlen(want));
    assert_string_equal(bytes, want); /* the '\0' behind is part of the promise */
    mem_free(&bytes);
}

/* No file may become longer; what was allowed before. The program ignores the signal, as main.c does. */
static struct rlimit limit_files(rlim_t bytes)
{
    struct rlimit old;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit now = {.rlim_cur = bytes, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    return old;
}

static void what_killed_writers_left_is_deleted(void **state)
{
    (void)state;
    static const char *const kept[] = {"a.tmp.1234567", "a.tmp", "b.tmp.123456", "aa.tmp.123456"};

    temp_write(temp_path(dir, "a"), "x");
    temp_write(temp_path(dir, "a.tmp.AbC123"), "half");
    temp_write(temp_path(dir, "a.tmp.000000"), "half");
    for (int i = 0; i < 4; i++) {
        temp_write(temp_path(dir, "%s", kept[i]), "y");
    }
    CHECK_OK(dir_remove_temps(temp_path(dir, "a")));
    assert_int_equal(files_in_dir(), 5);
    for (int i = 0; i < 4; i++) {
        assert_true(file_exists(temp_path(dir, "%s", kept[i])));
    }
    CHECK_OK(dir_remove_temps(temp_path(dir, "nowhere/a")));
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "a");
    assert_false(file_exists(path));
    CHECK_OK(file_write(path, "one", 3));
    assert_true(file_exists(path));
    check_content(path, "one");
    CHECK_OK(file_write(path, "", 0));
    check_content(path, "");
    assert_int_equal(files_in_dir(), 1);
}

static void check_rights(const char *path, mode_t want)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, want);
}

/* Results are the owner's and the group's, unless the umask says less. */
static void new_files_are_not_for_everybody(void **state)
{
    (void)state;
    const mode_t masks[] = {0, 022, 077};
    const mode_t files[] = {0640, 0640, 0600};
    const mode_t dirs[] = {0750, 0750, 0700};
    const mode_t old = umask(0);
    for (int i = 0; i < 3; i++) {
        Lines lines;
        (void)umask(masks[i]);
        CHECK_OK(file_write(temp_path(dir, "a%d", i), "x", 1));
        CHECK_OK(lines_open(&lines, temp_path(dir, "l%d", i)));
        lines_close(&lines);
        CHECK_OK(file_make_dirs(temp_path(dir, "d%d/e", i)));
        check_rights(temp_path(dir, "a%d", i), files[i]);
        check_rights(temp_path(dir, "l%d", i), files[i]);
        check_rights(temp_path(dir, "d%d", i), dirs[i]);
        check_rights(temp_path(dir, "d%d/e", i), dirs[i]);
    }
    (void)umask(old);
}

static void a_failure_at_any_call_leaves_the_old_file(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "a");
    CHECK_OK(file_write(path, "old", 3));
    Status st = ERR_IO;
    int calls = 0;
    for (int k = 1; st != OK; k++) {
        file_fail_at(k, ENOSPC);
        st = file_write(path, "new!", 4);
        file_fail_at(0, 0);
        assert_int_equal(files_in_dir(), 1);
        if (st != OK) {
            assert_int_equal(st, ERR_IO);
            assert_non_null(strstr(status_reason(), "No space left on device; free some space"));
            assert_non_null(strstr(status_reason(), "mopo-test-")); /* the path */
            calls = k;
        }
        if (st != OK &&
            strstr(status_reason(), "the directory") == NULL) { /* all after the rename */
            check_content(path, "old");
        }
        assert_true(k < 100);
    }
    check_content(path, "new!");
    assert_true(calls >=
                8); /* create, write, fsync, close, rename; open, fsync, close the directory */
}

static void a_failure_while_reading_gives_nothing(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    unsigned char *bytes = NULL;
    size_t n = 0;
    CHECK_OK(file_write(temp_path(dir, "a"), "abc", 3));
    Status st = ERR_IO;
    for (int k = 1; st != OK; k++) {
        file_fail_at(k, EIO);
        st = file_read(temp_path(dir, "a"), 3, &bytes, &n);
        file_fail_at(0, 0);
        assert_true(st == OK || (st == ERR_IO && bytes == NULL && mem_count() == blocks));
    }
    mem_free(&bytes);
    assert_int_equal(file_read(temp_path(dir, "a"), 2, &bytes, &n), ERR_FORMAT);
    assert_null(bytes);
    assert_non_null(strstr(status_reason(), "3 bytes, at most 2 are expected"));
    assert_int_equal(file_read(temp_path(dir, "none"), 9, &bytes, &n), ERR_IO);
    assert_non_null(strstr(status_reason(), "No such file or directory"));
    assert_int_equal(file_read(dir, 9, &bytes, &n), ERR_IO);
    assert_non_null(strstr(status_reason(), "not a regular file"));
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    CHECK_OK(file_make_dirs(temp_path(dir, "d")));
    CHECK_OK(file_make_dirs(temp_path(dir, "d/e/f/")));
    CHECK_OK(file_make_dirs(temp_path(dir, "d/e")));
    assert_true(file_exists(temp_path(dir, "d/e/f")));
    CHECK_OK(file_sync_dir(temp_path(dir, "d/e")));
    assert_int_equal(rmdir(temp_path(dir, "d/e/f")), 0);
    assert_int_equal(rmdir(temp_path(dir, "d/e")), 0);

    CHECK_OK(file_write(temp_path(dir, "plain"), "x", 1));
    assert_int_equal(file_make_dirs(temp_path(dir, "plain/e")), ERR_IO);
    assert_non_null(
        strstr(status_reason(), "cannot create the directory: a file of this name is there"));
    assert_int_equal(file_make_dirs(""), ERR_IO);
    file_fail_at(1, EACCES);
    assert_int_equal(file_make_dirs(temp_path(dir, "x")), ERR_IO);
    assert_non_null(strstr(status_reason(), "check the rights"));
    assert_int_equal(file_sync_dir(temp_path(dir, "none")), ERR_IO);
}

/* A run outlives its log: half a line goes, the next whole one comes when there is room again. */
static void a_lost_line_leaves_no_half_and_no_error(void **state)
{
    (void)state;
    Lines lines;
    CHECK_OK(lines_open(&lines, temp_path(dir, "log")));
    lines_add(&lines, "%s\n", "one");
    assert_false(lines.lost);
    const struct rlimit old = limit_files(6); /* room for "tw" */
    lines_add(&lines, "%s\n", "two");
    assert_true(lines.lost);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    lines_add(&lines, "%s\n", "three");
    lines_close(&lines);
    lines_add(&lines, "%s\n", "closed");
    assert_string_equal(temp_read(temp_path(dir, "log")), "one\nthree\n");
    assert_int_equal(symlink("log", temp_path(dir, "link")), 0);
    assert_int_equal(lines_open(&lines, temp_path(dir, "link")), ERR_IO);
    lines_close(&lines);
}

static void a_limit_on_sizes_is_told(void **state)
{
    (void)state;
    CHECK_OK(file_write(temp_path(dir, "a"), "old", 3));
    const struct rlimit old = limit_files(100);
    char large[200] = "";
    assert_int_equal(file_write(temp_path(dir, "a"), large, sizeof large), ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_non_null(strstr(status_reason(), "/a: cannot write: File too large; raise the limit"));
    check_content(temp_path(dir, "a"), "old");
    assert_int_equal(files_in_dir(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_killed_writers_left_is_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(new_files_are_not_for_everybody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_at_any_call_leaves_the_old_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_while_reading_gives_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_line_leaves_no_half_and_no_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_on_sizes_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(directories_are_made_with_their_parents, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
