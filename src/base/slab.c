#include "base/slab.h"

#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL /* made for the instructions that we compile for */
#include <xxhash.h>

#include "base/panic.h"

static Slab make(const char *name, SlabType type, void *data, size_t n)
{
    Slab slab = {.type = type, .data = data, .n = n};
    const int len = snprintf(slab.name, sizeof slab.name, "%s", name);
    REQUIRE(len > 0 && len < SLAB_NAME_MAX);
    return slab;
}

Slab slab_f32(const char *name, float *data, size_t n)
{
    return make(name, SLAB_F32, data, n);
}

Slab slab_f64(const char *name, double *data, size_t n)
{
    return make(name, SLAB_F64, data, n);
}

Slab slab_i64(const char *name, int64_t *data, size_t n)
{
    return make(name, SLAB_I64, data, n);
}

size_t slab_bytes(const Slab *slab)
{
    return slab->n * (slab->type == SLAB_F32 ? sizeof(float) : sizeof(double));
}

static void put_hex(XXH128_hash_t hash, char text[SLAB_DIGEST_MAX])
{
    (void)snprintf(text, SLAB_DIGEST_MAX, "%016llx%016llx", (unsigned long long)hash.high64,
                   (unsigned long long)hash.low64);
}

/* A SlabDigest is xxHash's state under another name. */
static XXH3_state_t *state_of(SlabDigest *digest)
{
    return (XXH3_state_t *)digest;
}

SlabDigest *slab_digest_open(void)
{
    XXH3_state_t *state = XXH3_createState(); /* aligned as it must be */
    REQUIRE(state != NULL);
    (void)XXH3_128bits_reset(state);
    return (SlabDigest *)state;
}

void slab_digest_bytes(SlabDigest *digest, const void *data, size_t bytes)
{
    (void)XXH3_128bits_update(state_of(digest), data, bytes);
}

void slab_digest_add(SlabDigest *digest, const Slab *slab)
{
    const uint64_t head[2] = {(uint64_t)slab->type, (uint64_t)slab->n};
    slab_digest_bytes(digest, slab->name, strlen(slab->name) + 1);
    slab_digest_bytes(digest, head, sizeof head);
    if (slab->data != NULL) {
        slab_digest_bytes(digest, slab->data, slab_bytes(slab));
    }
}

void slab_digest_close(SlabDigest *digest, char text[SLAB_DIGEST_MAX])
{
    put_hex(XXH3_128bits_digest(state_of(digest)), text);
    (void)XXH3_freeState(state_of(digest));
}

void slab_digest(const Slab *slabs, int n, char text[SLAB_DIGEST_MAX])
{
    SlabDigest *digest = slab_digest_open();
    for (int i = 0; i < n; i++) {
        slab_digest_add(digest, &slabs[i]);
    }
    slab_digest_close(digest, text);
}

void bytes_digest(const void *data, size_t bytes, char text[SLAB_DIGEST_MAX])
{
    put_hex(XXH3_128bits(data, bytes), text);
}

uint64_t bytes_hash(const void *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}
