/* manifest.json of a run: what ran, where, on what. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/version.h"
#include "run/manifest.h"
#include "run/rundir.h"

/* A text, null where unknown. */
static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *now(void)
{
    char when[32] = "";
    struct tm utc;
    const time_t seconds = time(NULL);
    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    return json_string(when);
}

static json_t *make(const RunFacts *facts)
{
    return json_pack(
        "{s:i, s:o, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:o, s:o, s:o, s:o}, s:{s:o, s:i, s:i}, "
        "s:{s:o, s:o}}",
        "format", 1, "started", now(), /* */
        "program", "version", version.number, "commit", version.commit, "compiler",
        version.compiler, "march", version.march, "flags", version.flags, /* */
        "libraries", "mpi", text_or_null(facts->mpi), "blas", text_or_null(facts->blas), "hdf5",
        text_or_null(facts->hdf5), "mujoco", text_or_null(facts->mujoco), /* */
        "machine", "hosts", text_or_null(facts->hosts), "ranks", facts->ranks, "learners",
        facts->learners, /* */
        "dataset", "path", text_or_null(facts->dataset), "digest",
        text_or_null(facts->dataset_digest));
}

static const char *text_of(const json_t *manifest, const char *group, const char *key)
{
    return json_string_value(json_object_get(json_object_get(manifest, group), key));
}

/* Results are promised to be the same bit for bit only where all of these are. */
static void warn_of_changes(const json_t *before, const json_t *after)
{
    static const char *const facts[][2] = {
        {"program", "version"},  {"program", "commit"}, {"program", "compiler"},
        {"program", "march"},    {"program", "flags"},  {"libraries", "blas"},
        {"libraries", "mujoco"},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const char *a = text_of(before, facts[i][0], facts[i][1]);
        const char *b = text_of(after, facts[i][0], facts[i][1]);
        if (a != NULL && b != NULL && strcmp(a, b) != 0) {
            log_warn("this run was begun with another %s (%s, now %s): from here on its results "
                     "may differ in their last bits",
                     facts[i][1], a, b);
        }
    }
}

/* An unreadable old manifest is no reason to stop: it is only written for people. */
static Status compare(const char *path, const json_t *after)
{
    Status st = OK;
    json_t *before = NULL;

    if (manifest_read(path, &before) != OK) {
        log_warn("%s; writing it anew", status_reason());
        return OK;
    }
    const char *a = text_of(before, "dataset", "digest");
    const char *b = text_of(after, "dataset", "digest");
    if (a != NULL && b != NULL && strcmp(a, b) != 0) {
        const char *file = text_of(after, "dataset", "path");
        st = status_fail(ERR_CONFIG,
                         "%s: the transitions (digest %s) are not those that this run was begun "
                         "with (%s); put the dataset back, or choose another run_dir",
                         file != NULL ? file : "dataset", b, a);
    } else {
        warn_of_changes(before, after);
    }
    json_decref(before);
    return st;
}

Status rundir_write_manifest(const RunDir *dir, const RunFacts *facts)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];

    json_t *manifest = make(facts);
    if (file_exists(rundir_file(dir, "manifest.json", path))) {
        TRY(compare(path, manifest));
    }
    TRY(manifest_write(path, manifest));
done:
    json_decref(manifest);
    return st;
}
