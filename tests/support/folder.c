#include "support/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"

static char folder[256];

const char *folder_make(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/mopo-test-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    return folder;
}

const char *folder_file(const char *name)
{
    static char paths[8][600];
    static int next;
    next = (next + 1) % 8;
    (void)snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

/* Count the entries, and delete them if told so. */
static int each(int delete)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            count++;
            if (delete) {
                assert_int_equal(remove(folder_file(entry->d_name)), 0);
            }
        }
    }
    (void)closedir(dir);
    return count;
}

int folder_count(void)
{
    return each(0);
}

void folder_remove(void)
{
    (void)each(1);
    assert_int_equal(rmdir(folder), 0);
}
