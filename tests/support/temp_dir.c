#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/check.h"

void temp_dir_make(char *path)
{
    /* in memory where there is such a place: flushing a thousand files to a disk takes long */
    const char *const places[] = {getenv("TMPDIR"), "/dev/shm", "."};
    int i = 0;
    while (places[i] == NULL || access(places[i], W_OK | X_OK) != 0) {
        i++;
        assert_true(i < 3);
    }
    (void)snprintf(path, TEMP_PATH_MAX, "%s/mopo-test-XXXXXX", places[i]);
    assert_non_null(mkdtemp(path));
}

/* Tests make directories of a few levels. */
void temp_dir_remove(const char *path) // NOLINT(misc-no-recursion)
{
    DirList list;
    char name[TEMP_PATH_MAX + DIR_NAME_MAX];
    CHECK_OK(dir_list(&list, path));
    for (int i = 0; i < list.count; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", path, list.names[i]);
        if (unlink(name) != 0) {
            temp_dir_remove(name);
        }
    }
    dir_list_release(&list);
    (void)rmdir(path);
}

const char *temp_path(const char *dir, const char *format, ...)
{
    static char paths[4][2 * TEMP_PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    va_list args;

    const int len = snprintf(path, sizeof paths[0], "%s/", dir);
    va_start(args, format);
    (void)vsnprintf(path + len, sizeof paths[0] - (size_t)len, format, args);
    va_end(args);
    return path;
}

void temp_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

const char *temp_read(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    (void)fclose(file);
    return text;
}

int temp_dir_setup(void **state, char *path)
{
    (void)state;
    temp_dir_make(path);
    return 0;
}

int temp_dir_teardown(void **state, const char *path)
{
    (void)state;
    file_fail_at(0, 0);
    mem_fail_at(0);
    temp_dir_remove(path);
    return 0;
}
