#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/panic.h"
#include "data/h5_internal.h"

H5Item h5_item(const char *group, const Slab *slab)
{
    H5Item item = {.type = slab->type, .data = slab->data, .rank = 1, .dims = {(int64_t)slab->n}};
    const int len = snprintf(item.name, sizeof item.name, "%s%s%s", group != NULL ? group : "",
                             group != NULL ? "/" : "", slab->name);
    REQUIRE(len > 0 && len < H5_NAME_MAX);
    return item;
}

static hid_t file_type(SlabType type)
{
    return type == SLAB_F32 ? H5T_IEEE_F32LE : type == SLAB_F64 ? H5T_IEEE_F64LE : H5T_STD_I64LE;
}

/* numpy's bool as h5py stores it */
static hid_t flag_type(void)
{
    const int8_t no = 0;
    const int8_t yes = 1;
    const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
    (void)H5Tenum_insert(type, "FALSE", &no);
    (void)H5Tenum_insert(type, "TRUE", &yes);
    return type;
}

/* How an object is stored: never with times, perhaps in chunks of about a megabyte. */
static hid_t storage(const H5Item *item, size_t element)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_obj_track_times(list, false);
    if (item == NULL || !(item->compress || item->extend) || item->rank < 1) {
        return list;
    }
    hsize_t chunk[H5_RANK_MAX] = {1, 1, 1};
    hsize_t row = element;
    for (int i = 1; i < item->rank; i++) {
        chunk[i] = item->dims[i] > 0 ? (hsize_t)item->dims[i] : 1;
        row *= chunk[i];
    }
    const hsize_t most = row < (1U << 20) ? (1U << 20) / row : 1;
    const hsize_t rows = item->dims[0] > 0 ? (hsize_t)item->dims[0] : 1;
    chunk[0] = rows < most ? rows : most;
    (void)H5Pset_chunk(list, item->rank, chunk);
    if (item->compress) {
        (void)H5Pset_shuffle(list);
        (void)H5Pset_deflate(list, 1);
    }
    return list;
}

static Status put_object(hid_t file, const char *name, hid_t type, hid_t mem, hid_t space,
                         hid_t list, const void *data)
{
    Status st = OK;
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    (void)H5Pset_create_intermediate_group(links, 1);
    const hid_t set = H5Dcreate2(file, name, type, space, links, list, H5P_DEFAULT);
    if (set < 0) {
        st = status_fail(ERR_ARG, "object '%s' cannot be made: %s", name, h5_says());
    } else if (H5Sget_simple_extent_npoints(space) > 0 &&
               H5Dwrite(set, mem, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        st = status_fail(ERR_IO, "object '%s' cannot be written: %s", name, h5_says());
    }
    (void)H5Dclose(set);
    (void)H5Pclose(links);
    return st;
}

/* "owner/attribute", or an attribute of the root group. */
static Status put_attribute(hid_t file, const char *name, hid_t type, hid_t mem, hid_t space,
                            const void *data)
{
    Status st = OK;
    char owner[H5_NAME_MAX];
    const char *slash = strrchr(name, '/');

    (void)snprintf(owner, sizeof owner, "%.*s", slash != NULL ? (int)(slash - name) : 1,
                   slash != NULL ? name : "/");
    const hid_t attr = H5Acreate_by_name(file, owner, slash != NULL ? slash + 1 : name, type, space,
                                         H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0 || H5Awrite(attr, mem, data) < 0) {
        st = status_fail(ERR_ARG, "attribute '%s' cannot be made: %s", name, h5_says());
    }
    (void)H5Aclose(attr);
    return st;
}

static Status put_item(hid_t file, const H5Item *item)
{
    hsize_t dims[H5_RANK_MAX] = {1, 1, 1};
    hsize_t most[H5_RANK_MAX] = {1, 1, 1};

    REQUIRE(item->rank >= 0 && item->rank <= H5_RANK_MAX);
    for (int i = 0; i < item->rank; i++) {
        REQUIRE(item->dims[i] >= 0);
        dims[i] = (hsize_t)item->dims[i];
        most[i] = i == 0 && item->extend ? H5S_UNLIMITED : dims[i];
    }
    const hid_t flags = flag_type();
    const hid_t type = item->flags ? flags : file_type(item->type);
    const hid_t mem = item->flags ? flags : h5_memory_type(item->type);
    const hid_t space =
        item->rank > 0 ? H5Screate_simple(item->rank, dims, most) : H5Screate(H5S_SCALAR);
    const hid_t list = storage(item, H5Tget_size(type));
    const Status st = item->attribute
                          ? put_attribute(file, item->name, type, mem, space, item->data)
                          : put_object(file, item->name, type, mem, space, list, item->data);
    (void)H5Pclose(list);
    (void)H5Sclose(space);
    (void)H5Tclose(flags);
    return st;
}

static Status put_text(hid_t file, const H5Text *text)
{
    const size_t len = strlen(text->text);
    if (len > H5_TEXT_MAX) {
        return status_fail(ERR_ARG, "text '%s' has %zu bytes; at most %d fit", text->name, len,
                           (int)H5_TEXT_MAX);
    }
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, len + 1);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t list = storage(NULL, 1);
    const Status st = text->object
                          ? put_object(file, text->name, type, type, space, list, text->text)
                          : put_attribute(file, text->name, type, type, space, text->text);
    (void)H5Pclose(list);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    return st;
}

static Status take_image(hid_t file, unsigned char **bytes, size_t *size)
{
    Status st = OK;

    const ssize_t n = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    if (n <= 0) {
        return status_fail(ERR_IO, "HDF5 cannot make the file: %s", h5_says());
    }
    TRY(mem_alloc(bytes, (size_t)n, 1, "the bytes of a file"));
    if (H5Fget_file_image(file, *bytes, (size_t)n) != n) {
        mem_free(bytes);
        return status_fail(ERR_IO, "HDF5 cannot make the file: %s", h5_says());
    }
    *size = (size_t)n;
done:
    return st;
}

static size_t bytes_in_all(const H5Item *items, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++) {
        size_t count = 1;
        for (int d = 0; d < items[i].rank; d++) {
            count *= (size_t)items[i].dims[d];
        }
        sum += count * (items[i].flags ? 1 : items[i].type == SLAB_F32 ? 4 : 8);
    }
    return sum;
}

Status h5_image(const H5Item *items, int n, const H5Text *texts, int m, unsigned char **bytes,
                size_t *size)
{
    Status st = OK;

    *bytes = NULL;
    *size = 0;
    h5_start();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* memory only; grows in steps large enough for few copies */
    (void)H5Pset_fapl_core(access, 65536 + bytes_in_all(items, n) / 8, 0);
    const hid_t file = H5Fcreate("image", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (file < 0) {
        st = status_fail(ERR_NOMEM, "HDF5 cannot start a file in memory: %s", h5_says());
        goto done;
    }
    for (int i = 0; i < n; i++) {
        TRY(put_item(file, &items[i]));
    }
    for (int i = 0; i < m; i++) {
        TRY(put_text(file, &texts[i]));
    }
    TRY(take_image(file, bytes, size));
done:
    (void)H5Fclose(file);
    (void)H5Pclose(access);
    return st;
}

Status h5_write(const char *path, const H5Item *items, int n, const H5Text *texts, int m)
{
    Status st = OK;
    unsigned char *bytes = NULL;
    size_t size = 0;

    TRY(h5_image(items, n, texts, m, &bytes, &size));
    TRY(dir_remove_temps(path)); /* first: they may be what fills the disk */
    TRY(file_write(path, bytes, size));
done:
    mem_free(&bytes);
    return st;
}
