/* Finding, verifying and loading; saving is in checkpoint.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/h5.h"
#include "run/checkpoint_place.h"
#include "run/manifest.h"

static Status damaged(const char *path, const char *what)
{
    return status_fail(ERR_FORMAT, "%s: %s", path, what);
}

static Status check_manifest(const char *path, json_t *manifest, const Place *at)
{
    Status st = OK;
    char digest[SLAB_DIGEST_MAX];
    const char *recorded = json_string_value(json_object_get(manifest, "digest"));
    const char *phase = json_string_value(json_object_get(manifest, "phase"));
    const json_t *step = json_object_get(manifest, "step");

    TRY(manifest_digest(manifest, digest));
    if (recorded == NULL || strcmp(recorded, digest) != 0) {
        return damaged(path, "does not agree with its own digest: damaged or edited");
    }
    if (json_integer_value(json_object_get(manifest, "format")) != CHECKPOINT_FORMAT) {
        return damaged(path, "not in format 1; it was written by another version of mopo");
    }
    if (phase == NULL || strcmp(phase, phase_name(at->phase)) != 0 || !json_is_integer(step) ||
        json_integer_value(step) != at->step) {
        return damaged(path, "belongs to another checkpoint");
    }
done:
    return st;
}

static Status read_state(const char *path, const json_t *manifest, Checkpoint *ckpt)
{
    Status st = OK;
    char digest[SLAB_DIGEST_MAX];
    const json_t *file = json_object_get(json_object_get(manifest, "files"), "state.h5");
    const json_int_t bytes = json_integer_value(json_object_get(file, "bytes"));
    const char *recorded = json_string_value(json_object_get(file, "xxh128"));

    if (bytes <= 0 || recorded == NULL) {
        return damaged(path, "is not listed in manifest.json");
    }
    TRY(file_read(path, (size_t)bytes, &ckpt->state, &ckpt->size));
    if (ckpt->size != (size_t)bytes) {
        return status_fail(ERR_FORMAT, "%s: has %zu bytes, %lld were written", path, ckpt->size,
                           (long long)bytes);
    }
    bytes_digest(ckpt->state, ckpt->size, digest);
    if (strcmp(recorded, digest) != 0) {
        return damaged(path, "has another digest than when it was written: damaged or edited");
    }
done:
    return st;
}

/* No file: that is damage. Otherwise what failed was the reading of it. */
static bool is_missing(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? !S_ISREG(info.st_mode) : errno == ENOENT || errno == ENOTDIR;
}

/* Everything is checked before *ckpt gets anything. */
static Status checkpoint_read(const char *ckpt_dir, const Place *at, Checkpoint *ckpt)
{
    Status st = OK;
    char name[DIR_NAME_MAX];
    char path[CHECKPOINT_PATH_MAX] = "";
    Checkpoint read = {.phase = at->phase, .step = at->step};

    place_name(at, name);
    TRY(checkpoint_path(read.path, ckpt_dir, name));
    TRY(checkpoint_path(path, read.path, "manifest.json"));
    TRY(manifest_read(path, &read.manifest));
    TRY(check_manifest(path, read.manifest, at));
    TRY(checkpoint_path(path, read.path, "state.h5"));
    TRY(read_state(path, read.manifest, &read));
    *ckpt = read;
    read = (Checkpoint){0};
done:
    checkpoint_release(&read);
    return st == ERR_IO && is_missing(path) ? ERR_FORMAT : st;
}

/* All were tried. What only could not be read, for want of rights or by a failing disk, may be whole. */
static Status none_usable(const char *ckpt_dir, int count, bool unread)
{
    char last[STATUS_REASON_MAX];

    (void)snprintf(last, sizeof last, "%s", status_reason());
    return unread ? status_fail(
                        ERR_IO,
                        "%s: no checkpoint of %d could be used, and not all could be read; start "
                        "again when they can be (the last one tried: %s)",
                        ckpt_dir, count, last)
                  : status_fail(
                        ERR_FORMAT,
                        "%s: no checkpoint of %d is intact; put one back from a copy, or delete "
                        "this directory to start from the beginning (the last one tried: %s)",
                        ckpt_dir, count, last);
}

/* No directory at all: a new run, unless LATEST tells of one that was. */
static Status none_there(const char *ckpt_dir)
{
    Status st = OK;
    char path[CHECKPOINT_PATH_MAX];

    TRY(checkpoint_path(path, ckpt_dir, "LATEST"));
    if (file_exists(path)) {
        st = status_fail(ERR_FORMAT,
                         "%s: there were checkpoints, but none is left; put them back, or delete "
                         "%s to start from the beginning",
                         path, ckpt_dir);
    }
done:
    return st;
}

Status checkpoint_find(const char *run_dir, Checkpoint *ckpt, bool *found)
{
    Status st = OK;
    Places places = {0};
    char dir[CHECKPOINT_PATH_MAX];
    bool unread = false;

    *ckpt = (Checkpoint){0};
    *found = false;
    TRY(checkpoint_path(dir, run_dir, "ckpt"));
    TRY(places_list(&places, dir));
    for (int i = 0; i < places.count && !*found; i++) {
        st = checkpoint_read(dir, &places.at[i], ckpt);
        if (st == ERR_NOMEM) {
            goto done;
        }
        *found = st == OK;
        unread = unread || st == ERR_IO;
        if (!*found) {
            log_warn("checkpoint not used: %s", status_reason());
        } else if (i > 0) {
            log_warn("going on from the older checkpoint %s", ckpt->path);
        }
    }
    if (places.count > 0 && !*found) {
        st = none_usable(dir, places.count, unread);
    } else if (places.count == 0) {
        TRY(none_there(dir));
    }
done:
    mem_free(&places.at);
    return st;
}

void checkpoint_release(Checkpoint *ckpt)
{
    json_decref(ckpt->manifest);
    mem_free(&ckpt->state);
    *ckpt = (Checkpoint){0};
}

static const json_t *slab_entry(const Checkpoint *ckpt, const char *name)
{
    const json_t *list = json_object_get(ckpt->manifest, "slabs");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *known = json_string_value(json_object_get(entry, "name"));
        if (known != NULL && strcmp(known, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

int64_t checkpoint_slab_length(const Checkpoint *ckpt, const char *name)
{
    const json_t *entry = slab_entry(ckpt, name);
    return entry != NULL ? (int64_t)json_integer_value(json_object_get(entry, "length")) : -1;
}

static Status check_slab(const Checkpoint *ckpt, const Slab *slab)
{
    const json_t *entry = slab_entry(ckpt, slab->name);
    const char *type = json_string_value(json_object_get(entry, "type"));
    const int64_t length = checkpoint_slab_length(ckpt, slab->name);

    if (type == NULL) {
        return status_fail(ERR_FORMAT, "%s: has no '%s', which this program needs", ckpt->path,
                           slab->name);
    }
    if (strcmp(type, slab_type_name(slab->type)) != 0 || length < 0 || (size_t)length != slab->n) {
        return status_fail(ERR_FORMAT, "%s: '%s' is %s of length %lld, expected %s of length %zu",
                           ckpt->path, slab->name, type, (long long)length,
                           slab_type_name(slab->type), slab->n);
    }
    return OK;
}

Status checkpoint_load(const Checkpoint *ckpt, const Slab *slabs, int n)
{
    Status st = OK;
    H5File *file = NULL;
    const size_t saved = json_array_size(json_object_get(ckpt->manifest, "slabs"));

    if ((size_t)n != saved) {
        return status_fail(ERR_FORMAT, "%s: holds %zu arrays, expected %d", ckpt->path, saved, n);
    }
    for (int i = 0; i < n; i++) {
        TRY(check_slab(ckpt, &slabs[i]));
    }
    TRY(h5_open_image(&file, ckpt->path, ckpt->state, ckpt->size));
    for (int i = 0; i < n; i++) {
        TRY(h5_read_slab(file, NULL, &slabs[i]));
    }
done:
    h5_close(file);
    return st;
}

Status checkpoint_note_int(const Checkpoint *ckpt, const char *key, int64_t *number)
{
    const json_t *note = json_object_get(json_object_get(ckpt->manifest, "notes"), key);
    if (!json_is_integer(note)) {
        return status_fail(ERR_FORMAT, "%s: manifest.json has no number '%s' among its notes",
                           ckpt->path, key);
    }
    *number = (int64_t)json_integer_value(note);
    return OK;
}

Status checkpoint_note_text(const Checkpoint *ckpt, const char *key, char *text, size_t size)
{
    const char *note =
        json_string_value(json_object_get(json_object_get(ckpt->manifest, "notes"), key));
    if (note == NULL || strlen(note) >= size) {
        return status_fail(ERR_FORMAT,
                           "%s: manifest.json has no text '%s' of less than %zu bytes among its "
                           "notes",
                           ckpt->path, key, size);
    }
    (void)snprintf(text, size, "%s", note);
    return OK;
}
