#include "run/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/panic.h"
#include "data/h5.h"
#include "run/sealed.h"

enum { SLABS_MAX = 32, PART_PATH_MAX = PARTS_PATH_MAX + 32 };

/* What is in a part. */
static const char settings_name[] = "settings";
static const char rows_name[] = "rows";
static const char state_name[] = "state";

static const char *part_path(const Parts *parts, int64_t k, char path[PART_PATH_MAX])
{
    (void)snprintf(path, PART_PATH_MAX, "%s/part-%06lld.h5", parts->path, (long long)k);
    return path;
}

static Status open_part(const Parts *parts, int64_t k, H5File **file)
{
    char path[PART_PATH_MAX];
    return sealed_open(file, part_path(parts, k, path), true);
}

static Status check_settings(const Parts *parts)
{
    Status st = OK;
    H5File *file = NULL;
    char found[SLAB_DIGEST_MAX];

    TRY(open_part(parts, 0, &file));
    TRY(h5_read_text(file, settings_name, found, sizeof found));
    if (strcmp(found, parts->settings) != 0) {
        st = status_fail(ERR_CONFIG,
                         "%s was begun with other settings: give the same ones to go on from "
                         "there, or --force to begin anew",
                         parts->path);
    }
done:
    h5_close(file);
    return st;
}

Status parts_open(Parts *parts, const char *file, const char *settings, bool force)
{
    Status st = OK;
    char path[PART_PATH_MAX];

    *parts = (Parts){0};
    const int len = snprintf(parts->path, sizeof parts->path, "%s.parts", file);
    (void)snprintf(parts->settings, sizeof parts->settings, "%s", settings);
    if (len < 0 || (size_t)len >= sizeof parts->path) {
        return status_fail(ERR_IO, "%s: the path is too long", file);
    }
    if (force || !file_exists(part_path(parts, 0, path))) {
        TRY(dir_remove(parts->path)); /* with what a removal may have left there */
    }
    TRY(file_make_dirs(parts->path));
    while (file_exists(part_path(parts, parts->count, path))) {
        parts->count++;
    }
    if (parts->count > 0) {
        TRY(check_settings(parts));
    }
done:
    return st;
}

Status parts_add(Parts *parts, const CollectRows *rows, const Slab *slabs, int n)
{
    char path[PART_PATH_MAX];
    H5Item items[1 + SLABS_MAX] = {{.type = SLAB_F64,
                                    .data = rows->data,
                                    .rank = 2,
                                    .dims = {rows->rows, (int64_t)rows->stride},
                                    .compress = rows->rows > 0}};
    const H5Text text = {settings_name, parts->settings, false};

    REQUIRE(n <= SLABS_MAX);
    (void)snprintf(items[0].name, sizeof items[0].name, "%s", rows_name);
    for (int i = 0; i < n; i++) {
        items[1 + i] = h5_item(state_name, &slabs[i]);
    }
    const Status st = sealed_write(part_path(parts, parts->count, path), items, 1 + n, &text, 1);
    parts->count += st == OK ? 1 : 0;
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

Status parts_state(const Parts *parts, const Slab *slabs, int n)
{
    Status st = OK;
    H5File *file = NULL;

    REQUIRE(parts->count > 0);
    TRY(open_part(parts, parts->count - 1, &file));
    for (int i = 0; i < n; i++) {
        TRY(h5_read_slab(file, state_name, &slabs[i]));
    }
done:
    h5_close(file);
    return st;
}

Status parts_remove(Parts *parts)
{
    return dir_remove(parts->path);
}
