/* manifest.json of a run: what ran, where, on what. */
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "run/manifest.h"
#include "run/results.h"
#include "run/rundir.h"

static const char *words_for(const RunDir *dir)
{
    return dir->shared ? dir->path : "this run";
}

/* Results are promised to be the same bit for bit only where all of these are. */
static void warn_of_changes(const RunDir *dir, const json_t *before, const json_t *after)
{
    for (int i = 0; i < FACT_ROWS; i++) {
        const char *a = facts_text(before, &fact_rows[i]);
        const char *b = facts_text(after, &fact_rows[i]);
        if (fact_rows[i].decides && a != NULL && b != NULL && strcmp(a, b) != 0) {
            log_warn("%s was begun with another %s (%s, now %s): from here on its results may "
                     "differ in their last bits",
                     words_for(dir), fact_rows[i].key, a, b);
        }
    }
}

/* An unreadable old manifest is no reason to stop: it is only written for people. */
static Status compare(const RunDir *dir, const char *path, const json_t *after)
{
    Status st = OK;
    json_t *before = NULL;

    if (manifest_read(path, &before) != OK) {
        log_warn("%s; writing it anew", status_reason());
        return OK;
    }
    const char *a = facts_text(before, &fact_rows[0]);
    const char *b = facts_text(after, &fact_rows[0]);
    if (a != NULL && b != NULL && strcmp(a, b) != 0) {
        const char *file =
            json_string_value(json_object_get(json_object_get(after, "dataset"), "path"));
        st = status_fail(ERR_CONFIG,
                         "%s: the transitions (digest %s) are not those that %s was begun with "
                         "(%s); put the dataset back, or %s",
                         file != NULL ? file : "dataset", b, words_for(dir), a,
                         rundir_elsewhere(dir));
    } else {
        warn_of_changes(dir, before, after);
    }
    json_decref(before);
    return st;
}

Status rundir_write_manifest(const RunDir *dir, const RunFacts *facts)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];

    json_t *manifest = facts_json(facts);
    if (file_exists(rundir_file(dir, "manifest.json", path))) {
        TRY(compare(dir, path, manifest));
    }
    TRY(manifest_write(path, manifest));
done:
    json_decref(manifest);
    return st;
}

Status rundir_note_results(const RunDir *dir)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    json_t *manifest = NULL;
    json_t *results = NULL;

    if (manifest_read(rundir_file(dir, "manifest.json", path), &manifest) != OK) {
        log_warn("the digests of the results are not noted: %s", status_reason());
        return OK;
    }
    TRY(results_json(dir->path, &results));
    (void)json_object_set(manifest, "results", results);
    TRY(manifest_write(path, manifest));
done:
    json_decref(results);
    json_decref(manifest);
    return status_while(st, "noting the results");
}
