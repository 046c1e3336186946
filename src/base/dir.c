#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/mem.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

static Status grow(DirList *list, int capacity)
{
    char(*names)[DIR_NAME_MAX] = NULL;
    const Status st = mem_alloc(&names, (size_t)capacity, DIR_NAME_MAX, "a list of files");
    if (st == OK) {
        if (list->count > 0) {
            memcpy(names, list->names, (size_t)list->count * DIR_NAME_MAX);
        }
        mem_free(&list->names);
        list->names = names;
    }
    return st;
}

/* *entry is NULL at the end. */
static Status next_entry(DIR *dir, const char *path, const struct dirent **entry)
{
    errno = 0;
    *entry = file_refused() ? NULL : readdir(dir);
    return *entry == NULL && errno != 0 ? file_error(path, "list the directory") : OK;
}

static Status list_all(DirList *list, DIR *dir, const char *path)
{
    Status st = OK;
    int capacity = 0;
    const struct dirent *entry = NULL;

    for (;;) {
        TRY(next_entry(dir, path, &entry));
        if (entry == NULL) {
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (list->count == capacity) {
            capacity = 2 * capacity + 16;
            TRY(grow(list, capacity));
        }
        (void)snprintf(list->names[list->count++], DIR_NAME_MAX, "%s", entry->d_name);
    }
    if (list->count > 0) {
        qsort(list->names, (size_t)list->count, DIR_NAME_MAX, by_bytes);
    }
done:
    return st;
}

Status dir_list(DirList *list, const char *path)
{
    *list = (DirList){0};
    DIR *dir = file_refused() ? NULL : opendir(path);
    if (dir == NULL) {
        return errno == ENOENT ? OK : file_error(path, "open the directory");
    }
    const Status st = list_all(list, dir, path);
    (void)closedir(dir);
    if (st != OK) {
        dir_list_release(list);
    }
    return st;
}

void dir_list_release(DirList *list)
{
    mem_free(&list->names);
    list->count = 0;
}

Status dir_rename(const char *from, const char *to)
{
    char parent[PATH_MAX];

    if (!disk_rename(from, to)) {
        return file_error(to, "give the finished directory this name");
    }
    const char *slash = strrchr(to, '/');
    (void)snprintf(parent, sizeof parent, "%.*s", slash == NULL ? 1 : (int)(slash - to),
                   slash == NULL ? "." : to);
    return file_sync_dir(parent);
}

Status dir_remove(const char *path)
{
    Status st = OK;
    DirList list = {0};
    char name[PATH_MAX];

    if (!file_exists(path)) {
        return OK;
    }
    TRY(dir_list(&list, path));
    for (int i = 0; i < list.count; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", path, list.names[i]);
        if (!disk_unlink(name)) {
            st = file_error(name, "delete the file");
            goto done;
        }
    }
    if (!disk_rmdir(path)) {
        st = file_error(path, "delete the directory");
    }
done:
    dir_list_release(&list);
    return st;
}

/* "<name>.tmp.XXXXXX" */
static bool is_temp_of(const char *name, const char *entry)
{
    static const char mark[] = ".tmp.";
    const size_t n = strlen(name);
    const size_t m = sizeof mark - 1;

    return strncmp(entry, name, n) == 0 && strncmp(entry + n, mark, m) == 0 &&
           strlen(entry + n + m) == 6;
}

Status dir_remove_temps(const char *path)
{
    Status st = OK;
    DirList list = {0};
    char parent[PATH_MAX];
    char temp[PATH_MAX + DIR_NAME_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    (void)snprintf(parent, sizeof parent, "%.*s", (int)(name - path), path); /* with its slash */
    TRY(dir_list(&list, slash == NULL ? "." : parent));
    for (int i = 0; i < list.count; i++) {
        (void)snprintf(temp, sizeof temp, "%s%s", parent, list.names[i]);
        if (is_temp_of(name, list.names[i]) && !disk_unlink(temp)) {
            st = file_error(temp, "delete the file");
            goto done;
        }
    }
done:
    dir_list_release(&list);
    return st;
}
