#include "run/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "data/h5.h"
#include "run/checkpoint_place.h"
#include "run/manifest.h"

static json_t *slabs_json(const Slab *slabs, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "name", slabs[i].name, "type",
                                                  slab_type_name(slabs[i].type), "length",
                                                  (json_int_t)slabs[i].n)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *notes_json(const CheckpointNote *notes, int m)
{
    json_t *all = json_object();
    for (int i = 0; i < m; i++) {
        REQUIRE(json_object_get(all, notes[i].key) == NULL);
        json_t *value = notes[i].text != NULL ? json_string(notes[i].text)
                                              : json_integer((json_int_t)notes[i].number);
        if (json_object_set_new(all, notes[i].key, value) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

/* Where a checkpoint is made, and under what it will be found. */
typedef struct {
    Place at;
    char dir[CHECKPOINT_PATH_MAX]; /* .../ckpt */
    char name[DIR_NAME_MAX];
    char final[CHECKPOINT_PATH_MAX], temp[CHECKPOINT_PATH_MAX], old[CHECKPOINT_PATH_MAX];
} Site;

static Status site_make(Site *site, const char *run_dir, Phase phase, int64_t step)
{
    Status st = OK;
    char name[DIR_NAME_MAX];

    site->at = (Place){.phase = phase, .step = step};
    TRY(checkpoint_path(site->dir, run_dir, "ckpt"));
    place_name(&site->at, site->name);
    TRY(checkpoint_path(site->final, site->dir, site->name));
    place_name(&(Place){phase, step, true}, name);
    TRY(checkpoint_path(site->old, site->dir, name));
    (void)snprintf(name, sizeof name, "%s-%06" PRId64 ".tmp", phase_name(phase), step);
    TRY(checkpoint_path(site->temp, site->dir, name));
done:
    return st;
}

static Status write_manifest(const Site *site, const unsigned char *image, size_t size,
                             const Slab *slabs, int n, const CheckpointNote *notes, int m)
{
    Status st = OK;
    char path[CHECKPOINT_PATH_MAX];
    char digest[SLAB_DIGEST_MAX];

    bytes_digest(image, size, digest);
    json_t *all =
        json_pack("{s:i, s:s, s:I, s:{s:{s:I, s:s}}, s:o, s:o}", "format", CHECKPOINT_FORMAT,
                  "phase", phase_name(site->at.phase), "step", (json_int_t)site->at.step, "files",
                  "state.h5", "bytes", (json_int_t)size, "xxh128", digest, "slabs",
                  slabs_json(slabs, n), "notes", notes_json(notes, m));
    TRY(manifest_digest(all, digest));
    (void)json_object_set_new(all, "digest", json_string(digest));
    TRY(checkpoint_path(path, site->temp, "manifest.json"));
    TRY(manifest_write(path, all));
done:
    json_decref(all);
    return st;
}

static Status write_state(const char *dir, const Slab *slabs, int n, unsigned char **image,
                          size_t *size)
{
    Status st = OK;
    char path[CHECKPOINT_PATH_MAX];
    H5Item items[CHECKPOINT_SLABS_MAX];

    for (int i = 0; i < n; i++) {
        items[i] = h5_item(NULL, &slabs[i]);
    }
    TRY(h5_image(items, n, NULL, 0, image, size));
    TRY(checkpoint_path(path, dir, "state.h5"));
    TRY(file_write(path, *image, *size));
done:
    return st;
}

static Status clean(const char *ckpt_dir)
{
    Status st = OK;
    DirList list = {0};
    char path[CHECKPOINT_PATH_MAX];

    TRY(dir_list(&list, ckpt_dir));
    for (int i = 0; i < list.count; i++) {
        const char *name = list.names[i];
        const char *dot = strrchr(name, '.');
        TRY(checkpoint_path(path, ckpt_dir, name));
        if (dot != NULL && strcmp(dot, ".tmp") == 0) {
            TRY(dir_remove(path));
        } else if (strncmp(name, "LATEST.tmp.", 11) == 0) {
            (void)disk_unlink(path);
        }
    }
done:
    dir_list_release(&list);
    return st;
}

Status checkpoint_clean(const char *run_dir)
{
    Status st = OK;
    char dir[CHECKPOINT_PATH_MAX];

    TRY(checkpoint_path(dir, run_dir, "ckpt"));
    TRY(clean(dir));
done:
    return st;
}

/* Whether a checkpoint may go, now that `saved` is there; `newer` checkpoints are newer than it. */
static bool superfluous(const Place *at, const Place *saved, int newer, int keep)
{
    const bool tenth =
        at->phase == PHASE_POLICY && at->step > 0 && at->step % CHECKPOINT_EVERY_TENTH == 0;
    const int order = place_order(at, saved);
    return at->old || order < 0 || (order > 0 && newer >= keep && !tenth);
}

/* Out of sight first, then away: a half deleted one never looks like a checkpoint. */
static Status discard(const char *dir, const Place *at)
{
    Status st = OK;
    char name[DIR_NAME_MAX];
    char path[CHECKPOINT_PATH_MAX];
    char temp[CHECKPOINT_PATH_MAX + 8];

    place_name(at, name);
    TRY(checkpoint_path(path, dir, name));
    (void)snprintf(temp, sizeof temp, "%s.tmp", path);
    TRY(dir_rename(path, temp));
    TRY(dir_remove(temp));
done:
    return st;
}

static Status prune(const Site *site, int keep)
{
    Status st = OK;
    Places places = {0};
    int kept = 0;

    TRY(places_list(&places, site->dir));
    for (int i = 0; i < places.count; i++) {
        if (superfluous(&places.at[i], &site->at, kept, keep)) {
            TRY(discard(site->dir, &places.at[i]));
        } else {
            kept++;
        }
    }
done:
    mem_free(&places.at);
    return st;
}

Status checkpoint_delete_all(const char *run_dir)
{
    Status st = OK;
    char dir[CHECKPOINT_PATH_MAX];
    char latest[CHECKPOINT_PATH_MAX];
    Places places = {0};

    TRY(checkpoint_path(dir, run_dir, "ckpt"));
    TRY(checkpoint_path(latest, dir, "LATEST"));
    if (!file_exists(dir)) {
        return OK;
    }
    if (file_exists(latest) &&
        !disk_unlink(latest)) { /* first: it must not name one that is gone */
        st = file_error(latest, "delete the file");
        goto done;
    }
    TRY(places_list(&places, dir));
    for (int i = 0; i < places.count; i++) {
        TRY(discard(dir, &places.at[i]));
    }
    TRY(clean(dir));
    st = disk_rmdir(dir) ? OK : file_error(dir, "delete the directory");
done:
    mem_free(&places.at);
    return st;
}

static Status put_in_place(const Site *site)
{
    Status st = OK;
    char path[CHECKPOINT_PATH_MAX];
    char line[DIR_NAME_MAX + 1];

    if (file_exists(site->final)) {
        TRY(dir_remove(site->old));
        TRY(dir_rename(site->final, site->old));
    }
    TRY(dir_rename(site->temp, site->final));
    TRY(checkpoint_path(path, site->dir, "LATEST"));
    const int len = snprintf(line, sizeof line, "%s\n", site->name);
    TRY(file_write(path, line, (size_t)len));
done:
    return st;
}

Status checkpoint_save(const char *run_dir, Phase phase, int64_t step, const Slab *slabs, int n,
                       const CheckpointNote *notes, int m, int keep)
{
    Status st = OK;
    Site site;
    unsigned char *image = NULL;
    size_t size = 0;

    REQUIRE(step >= 0 && n >= 0 && n <= CHECKPOINT_SLABS_MAX && keep >= 1);
    TRY(site_make(&site, run_dir, phase, step));
    TRY(file_make_dirs(site.dir));
    if (clean(site.dir) != OK) {
        log_warn("rests of an interrupted save could not be deleted: %s", status_reason());
    }
    TRY(file_make_dirs(site.temp));
    TRY(write_state(site.temp, slabs, n, &image, &size));
    TRY(write_manifest(&site, image, size, slabs, n, notes, m));
    TRY(put_in_place(&site));
    if (prune(&site, keep) != OK) {
        log_warn("an old checkpoint could not be deleted: %s", status_reason());
    }
done:
    mem_free(&image);
    return status_while(st, "saving checkpoint %s-%06" PRId64, phase_name(phase), step);
}
