/* A checkpoint whose manifest is any JSON object with the right digest: what lies behind that check. Bytes that
 * are no JSON are tried as they are.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "run/checkpoint.h"
#include "run/manifest.h"

enum { N = 5 };
static float params[N];
static int64_t steps;

static void list(Slab slabs[2])
{
    slabs[0] = slab_f32("params", params, N);
    slabs[1] = slab_i64("steps", &steps, 1);
}

static json_t *files; /* as they were saved: the size and digest of the state */

static void save(void)
{
    Slab slabs[2];
    json_t *manifest = NULL;

    list(slabs);
    EXPECT(mkdir(fuzz_path("run"), 0777) == 0);
    EXPECT(checkpoint_save(fuzz_path("run"), PHASE_POLICY, 7, slabs, 2, NULL, 0, 1) == OK);
    EXPECT(manifest_read(fuzz_path("run/ckpt/policy-000007/manifest.json"), &manifest) == OK);
    files = json_incref(json_object_get(manifest, "files"));
    json_decref(manifest);
}

/* With the digests that belong to it. */
static void put(const char *path, const uint8_t *data, size_t size)
{
    json_error_t error;
    char digest[SLAB_DIGEST_MAX];
    json_t *value = json_loadb((const char *)data, size, 0, &error);

    if (json_is_object(json_object_get(value, "files"))) {
        (void)json_object_set(value, "files", files);
    }
    if (json_is_object(value) && manifest_digest(value, digest) == OK) {
        (void)json_object_set_new(value, "digest", json_string(digest));
        EXPECT(manifest_write(path, value) == OK);
    } else {
        (void)fuzz_file("run/ckpt/policy-000007/manifest.json", data, size);
    }
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Checkpoint ckpt;
    Slab slabs[2];
    bool found = false;
    int64_t number = 0;
    char text[8];

    log_set_level(LOG_QUIET);
    list(slabs);
    if (files == NULL) {
        save();
    }
    put(fuzz_path("run/ckpt/policy-000007/manifest.json"), data, size);
    if (checkpoint_find(fuzz_path("run"), &ckpt, &found) == OK && found) {
        const Status all[] = {checkpoint_load(&ckpt, slabs, 2), checkpoint_load(&ckpt, slabs, 1),
                              checkpoint_note_int(&ckpt, "epoch", &number),
                              checkpoint_note_text(&ckpt, "digest", text, sizeof text)};
        EXPECT(all[1] != OK || all[0] != OK);
        EXPECT(checkpoint_slab_length(&ckpt, "none") <= INT64_MAX);
    }
    checkpoint_release(&ckpt);
    return 0;
}
