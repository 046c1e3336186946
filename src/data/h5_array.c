#include <stdio.h>

#include "base/mem.h"
#include "data/h5_internal.h"

struct H5Array {
    const H5File *file;
    char name[H5_NAME_MAX];
    SlabType type; /* in memory */
    hid_t set;
    hid_t space; /* of the file */
    H5Shape shape;
};

/* Bytes of the chunks that one row is in, if they are compressed; else 0. */
static size_t band_bytes(hid_t set, const H5Shape *shape)
{
    size_t bytes = 0;
    hsize_t chunk[H5_RANK_MAX] = {1, 1, 1};
    const hid_t list = H5Dget_create_plist(set);
    const hid_t type = H5Dget_type(set);

    if (H5Pget_layout(list) == H5D_CHUNKED && H5Pget_nfilters(list) > 0 &&
        H5Pget_chunk(list, H5_RANK_MAX, chunk) == shape->rank) {
        bytes = H5Tget_size(type) * (size_t)chunk[0];
        for (int i = 1; i < shape->rank; i++) {
            bytes *= (size_t)((((hsize_t)shape->dims[i] + chunk[i] - 1) / chunk[i]) * chunk[i]);
        }
    }
    (void)H5Tclose(type);
    (void)H5Pclose(list);
    return bytes;
}

/* Open again with a cache that holds all chunks of a row, so that the next piece finds them. */
static void enlarge_cache(H5Array *a)
{
    enum { SLOTS = 10007, LEAST = 1 << 20 };
    const size_t bytes = band_bytes(a->set, &a->shape);

    if (bytes <= LEAST) {
        return;
    }
    const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    (void)H5Pset_chunk_cache(access, SLOTS, bytes, H5D_CHUNK_CACHE_W0_DEFAULT);
    (void)H5Dclose(a->set); /* while it is open, an array keeps its first cache */
    a->set = H5Dopen2(a->file->id, a->name, access);
    (void)H5Pclose(access);
}

Status h5_array_open(H5Array **array, const H5File *file, const char *name, SlabType type)
{
    Status st = OK;
    H5Array *a = NULL;

    *array = NULL;
    TRY(mem_alloc(&a, 1, sizeof *a, "an open array"));
    a->file = file;
    (void)snprintf(a->name, sizeof a->name, "%s", name);
    a->type = type;
    a->space = -1;
    TRY(h5_open_checked(file, name, type == SLAB_I64, &a->set, &a->shape));
    enlarge_cache(a);
    a->space = H5Dget_space(a->set);
    TRY(a->space < 0 ? h5_read_failed(file, name) : OK);
    *array = a;
    a = NULL;
done:
    h5_array_close(&a);
    return st;
}

void h5_array_close(H5Array **array)
{
    if (*array != NULL) {
        (void)H5Sclose((*array)->space);
        (void)H5Dclose((*array)->set);
        mem_free(array);
    }
}

Status h5_array_read(const H5Array *a, int64_t first, int64_t count, void *out, size_t n)
{
    Status st = OK;
    const H5Shape *shape = &a->shape;
    const int64_t end = first + count;

    if (shape->rank < 1 || first < 0 || count < 0 || first > shape->dims[0] - count ||
        (uint64_t)(count * shape->dims[1] * shape->dims[2]) != n) {
        return status_fail(
            ERR_FORMAT,
            "%s: '%s' has shape (%lld, %lld, %lld), expected %zu numbers in rows %lld to %lld",
            a->file->name, a->name, (long long)shape->dims[0], (long long)shape->dims[1],
            (long long)shape->dims[2], n, (long long)first, (long long)end);
    }
    const hsize_t from[H5_RANK_MAX] = {(hsize_t)first, 0, 0};
    const hsize_t size[H5_RANK_MAX] = {(hsize_t)count, (hsize_t)shape->dims[1],
                                       (hsize_t)shape->dims[2]};
    const hid_t mem = H5Screate_simple(shape->rank, size, NULL);
    if (n > 0 && H5Sselect_hyperslab(a->space, H5S_SELECT_SET, from, NULL, size, NULL) < 0) {
        st = h5_read_failed(a->file, a->name);
    } else if (n > 0) {
        st = h5_read_part(a->file, a->name, a->set, h5_memory_type(a->type), mem, a->space, out);
    }
    (void)H5Sclose(mem);
    return st;
}
