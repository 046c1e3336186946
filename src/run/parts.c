#include "run/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "data/h5.h"
#include "run/sealed.h"

enum { SLABS_MAX = 32, PART_PATH_MAX = PARTS_PATH_MAX + 32 };

/* What is in a part. */
static const char settings_name[] = "settings";
static const char rows_name[] = "rows";
static const char state_name[] = "state";

static void part_name(int64_t k, char name[DIR_NAME_MAX])
{
    (void)snprintf(name, DIR_NAME_MAX, "part-%06lld.h5", (long long)k);
}

static const char *part_path(const Parts *parts, int64_t k, char path[PART_PATH_MAX])
{
    (void)snprintf(path, PART_PATH_MAX, "%s/part-%06lld.h5", parts->path, (long long)k);
    return path;
}

static Status folder_of(const char *file, char path[PARTS_PATH_MAX])
{
    const int len = snprintf(path, PARTS_PATH_MAX, "%s.parts", file);
    return len < 0 || len >= PARTS_PATH_MAX ? status_fail(ERR_IO, "%s: the path is too long", file)
                                            : OK;
}

/* A part that is whole and belongs here. */
static Status open_part(const Parts *parts, int64_t k, H5File **file)
{
    Status st = OK;
    char path[PART_PATH_MAX];
    char found[SLAB_DIGEST_MAX];

    TRY(sealed_open(file, part_path(parts, k, path), true));
    TRY(h5_read_text(*file, settings_name, found, sizeof found));
    if (strcmp(found, parts->settings) != 0) {
        st = status_fail(ERR_CONFIG,
                         "%s was begun with other settings: give the same ones to go on from "
                         "there, or --force to begin anew",
                         parts->path);
    }
done:
    return st;
}

static Status check_part(const Parts *parts, int64_t k)
{
    H5File *file = NULL;
    const Status st = open_part(parts, k, &file);
    h5_close(file);
    return st;
}

/* Count the parts and delete what a killed process left of the next one. */
static Status count_parts(Parts *parts)
{
    Status st = OK;
    DirList list = {0};
    char next[DIR_NAME_MAX];
    char path[PARTS_PATH_MAX + DIR_NAME_MAX];

    TRY(dir_list(&list, parts->path));
    for (int i = 0; i < list.count; i++) {
        const char *name = list.names[i];
        part_name(parts->count, next);
        if (strcmp(name, next) == 0) {
            parts->count++;
        } else if (strstr(name, ".tmp.") != NULL) {
            (void)snprintf(path, sizeof path, "%s/%s", parts->path, name);
            (void)disk_unlink(path);
        } else if (strncmp(name, "part-", 5) == 0) {
            st = status_fail(ERR_FORMAT,
                             "%s: %s is missing; put it back, or begin anew with --force",
                             parts->path, next);
            goto done;
        }
    }
done:
    dir_list_release(&list);
    return st;
}

/* most: of the parts that are looked at now; parts_load looks at each. */
static Status find_parts(Parts *parts, int64_t most)
{
    Status st = count_parts(parts);
    for (int64_t k = 0; st == OK && k < parts->count && k < most; k++) {
        st = check_part(parts, k);
    }
    return st;
}

Status parts_open(Parts *parts, const char *file, const char *settings, bool force)
{
    Status st = OK;

    *parts = (Parts){0};
    (void)snprintf(parts->settings, sizeof parts->settings, "%s", settings);
    TRY(folder_of(file, parts->path));
    st = find_parts(parts, force ? INT64_MAX : 1);
    if (force && (st == ERR_CONFIG || st == ERR_FORMAT)) {
        log_info("beginning anew: %s", status_reason());
        parts->count = 0;
        st = dir_remove(parts->path);
    }
done:
    return st;
}

Status parts_add(Parts *parts, const CollectRows *rows, const Slab *slabs, int n)
{
    Status st = OK;
    char path[PART_PATH_MAX];
    H5Item items[1 + SLABS_MAX] = {{.type = SLAB_F64,
                                    .data = rows->data,
                                    .rank = 2,
                                    .dims = {rows->rows, (int64_t)rows->stride}}};
    const H5Text text = {settings_name, parts->settings, false};

    REQUIRE(n <= SLABS_MAX);
    (void)snprintf(items[0].name, sizeof items[0].name, "%s", rows_name);
    for (int i = 0; i < n; i++) {
        items[1 + i] = h5_item(state_name, &slabs[i]);
    }
    TRY(file_make_dirs(parts->path));
    TRY(sealed_write(part_path(parts, parts->count, path), items, 1 + n, &text, 1));
    parts->count++;
done:
    return status_while(st, "saving what was collected");
}

Status parts_load(const Parts *parts, int64_t k, CollectRows *rows)
{
    Status st = OK;
    H5File *file = NULL;
    H5Shape shape;
    CollectRows piece = *rows;

    piece.data = NULL;
    TRY(open_part(parts, k, &file));
    TRY(h5_shape(file, rows_name, &shape));
    if (shape.rank != 2 || shape.dims[1] != (int64_t)rows->stride) {
        st = status_fail(ERR_FORMAT, "%s: part %lld is of another task; begin anew with --force",
                         parts->path, (long long)k);
        goto done;
    }
    piece.rows = shape.dims[0];
    TRY(mem_alloc(&piece.data, (size_t)shape.count, sizeof *piece.data, "collected rows"));
    TRY(h5_read(file, rows_name, SLAB_F64, piece.data, (size_t)shape.count));
    TRY(collect_join(rows, &piece, 1, 0));
done:
    mem_free(&piece.data);
    h5_close(file);
    return st;
}

Status parts_state(const Parts *parts, int64_t k, const Slab *slabs, int n)
{
    Status st = OK;
    H5File *file = NULL;

    REQUIRE(k >= 0 && k < parts->count);
    TRY(open_part(parts, k, &file));
    for (int i = 0; i < n; i++) {
        TRY(h5_read_slab(file, state_name, &slabs[i]));
    }
done:
    h5_close(file);
    return st;
}

/* The newest goes first: what is left when this is cut short are parts to go on from. */
Status parts_remove(Parts *parts)
{
    char path[PART_PATH_MAX];

    for (; parts->count > 0; parts->count--) {
        if (!disk_unlink(part_path(parts, parts->count - 1, path))) {
            return file_error(path, "delete the file");
        }
    }
    return dir_remove(parts->path);
}

Status parts_remove_rest(const char *file)
{
    Status st = OK;
    char path[PARTS_PATH_MAX];

    TRY(folder_of(file, path));
    TRY(dir_remove(path));
done:
    return st;
}
