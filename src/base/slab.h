/* A slab is a named array of a module's state. A module lists its state once, as slabs; checkpoint,
 * broadcast, digest and comparison are loops over that list.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

typedef enum { SLAB_F32, SLAB_F64, SLAB_I64 } SlabType;

enum { SLAB_NAME_MAX = 48, SLAB_DIGEST_MAX = 33 };

typedef struct {
    char name[SLAB_NAME_MAX]; /* letters, digits, '_' and '.'; unique within a list */
    SlabType type;
    void *data; /* borrowed */
    size_t n;   /* elements */
} Slab;

Slab slab_f32(const char *name, float *data, size_t n);
Slab slab_f64(const char *name, double *data, size_t n);
Slab slab_i64(const char *name, int64_t *data, size_t n);
size_t slab_bytes(const Slab *slab);
/* 128-bit xxHash over names, types, lengths and bytes of the list, as 32 hex digits. */
void slab_digest(const Slab *slabs, int n, char text[SLAB_DIGEST_MAX]);
/* The same where the bytes come in pieces: slabs in order, the last one's data (NULL) piece by piece. */
typedef struct SlabDigest SlabDigest;
SlabDigest *slab_digest_open(void);
void slab_digest_add(SlabDigest *digest, const Slab *slab);
void slab_digest_bytes(SlabDigest *digest, const void *data, size_t bytes);
void slab_digest_close(SlabDigest *digest, char text[SLAB_DIGEST_MAX]);
/* 128-bit xxHash of one memory block, as 32 hex digits. */
void bytes_digest(const void *data, size_t bytes, char text[SLAB_DIGEST_MAX]);
/* 64-bit xxHash of one memory block. */
uint64_t bytes_hash(const void *data, size_t bytes);

#endif
