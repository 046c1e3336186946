/* manifest.json of a run: a run that goes on beside it, with facts of its own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "run/manifest.h"
#include "run/rundir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value = NULL;
    char digest[SLAB_DIGEST_MAX];
    RunDir dir = {.lock.fd = -1};
    const RunFacts facts = {
        .ranks = 1, .learners = 1, .dataset = "a.hdf5", .dataset_digest = "12ab"};
    const char *path = fuzz_file("manifest.json", data, size);

    log_set_level(LOG_QUIET);
    if (manifest_read(path, &value) == OK) {
        EXPECT(manifest_digest(value, digest) == OK && strlen(digest) == SLAB_DIGEST_MAX - 1);
        json_decref(value);
    }
    (void)snprintf(dir.path, sizeof dir.path, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (rundir_write_manifest(&dir, &facts) == OK) {
        EXPECT(manifest_read(path, &value) == OK);
        json_decref(value);
    }
    return 0;
}
