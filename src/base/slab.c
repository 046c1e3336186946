#include "base/slab.h"

#include <stdio.h>
#include <string.h>
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

void slab_digest(const Slab *slabs, int n, char text[SLAB_DIGEST_MAX])
{
    XXH3_state_t *state = XXH3_createState();
    REQUIRE(state != NULL);
    (void)XXH3_128bits_reset(state);
    for (int i = 0; i < n; i++) {
        const uint64_t head[2] = {(uint64_t)slabs[i].type, (uint64_t)slabs[i].n};
        (void)XXH3_128bits_update(state, slabs[i].name, strlen(slabs[i].name) + 1);
        (void)XXH3_128bits_update(state, head, sizeof head);
        (void)XXH3_128bits_update(state, slabs[i].data, slab_bytes(&slabs[i]));
    }
    put_hex(XXH3_128bits_digest(state), text);
    (void)XXH3_freeState(state);
}

void bytes_digest(const void *data, size_t bytes, char text[SLAB_DIGEST_MAX])
{
    put_hex(XXH3_128bits(data, bytes), text);
}

uint64_t bytes_hash(const void *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}
