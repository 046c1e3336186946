#include "run/results.h"

#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/rundir.h"

const char *const result_files[RESULT_FILES] = {
    "model.h5",      "model-report.txt", "model-report.svg", "penalty.txt",
    "metrics.jsonl", "metrics.csv",      "policy.h5"};

Status result_digest(const char *run, const char *name, char digest[SLAB_DIGEST_MAX])
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    unsigned char *bytes = NULL;
    size_t n = 0;

    digest[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/%s", run, name);
    if (!file_exists(path)) {
        return OK;
    }
    TRY(file_read(path, SIZE_MAX - 1, &bytes, &n));
    bytes_digest(bytes, n, digest);
done:
    mem_free(&bytes);
    return st;
}

Status results_json(const char *run, json_t **results)
{
    Status st = OK;
    char digest[SLAB_DIGEST_MAX];

    *results = json_object();
    for (int i = 0; i < RESULT_FILES; i++) {
        TRY(result_digest(run, result_files[i], digest));
        if (digest[0] != '\0') {
            (void)json_object_set_new(*results, result_files[i], json_string(digest));
        }
    }
done:
    return st;
}
