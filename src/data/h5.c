#include "data/h5.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <hdf5.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/panic.h"

struct H5File {
    hid_t id;
    char name[400]; /* for messages, cut if longer */
};

static void start(void)
{
    static bool started;
    if (!started) {
        (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        (void)H5PLset_loading_state(0);
        started = true;
    }
}

static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *text)
{
    (void)n;
    (void)snprintf(text, 200, "%s", entry->desc != NULL ? entry->desc : "no reason given");
    return 1; /* stop */
}

/* The message nearest to the cause. */
static const char *hdf5_says(void)
{
    static char text[200];
    (void)snprintf(text, sizeof text, "no reason given");
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, text);
    return text;
}

/* ---- writing ---- */

H5Item h5_item(const char *group, const Slab *slab)
{
    H5Item item = {.type = slab->type, .data = slab->data, .rank = 1, .dims = {(int64_t)slab->n}};
    const int len = snprintf(item.name, sizeof item.name, "%s%s%s", group != NULL ? group : "",
                             group != NULL ? "/" : "", slab->name);
    REQUIRE(len > 0 && len < H5_NAME_MAX);
    return item;
}

static hid_t memory_type(SlabType type)
{
    return type == SLAB_F32   ? H5T_NATIVE_FLOAT
           : type == SLAB_F64 ? H5T_NATIVE_DOUBLE
                              : H5T_NATIVE_INT64;
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

/* How an object is stored: never with times, perhaps in compressed chunks of about a megabyte. */
static hid_t storage(const H5Item *item, size_t element)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_obj_track_times(list, false);
    if (item == NULL || !item->compress || item->rank < 1) {
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
    (void)H5Pset_shuffle(list);
    (void)H5Pset_deflate(list, 1);
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
        st = status_fail(ERR_ARG, "object '%s' cannot be made: %s", name, hdf5_says());
    } else if (H5Sget_simple_extent_npoints(space) > 0 &&
               H5Dwrite(set, mem, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        st = status_fail(ERR_IO, "object '%s' cannot be written: %s", name, hdf5_says());
    }
    (void)H5Dclose(set);
    (void)H5Pclose(links);
    return st;
}

static Status put_item(hid_t file, const H5Item *item)
{
    hsize_t dims[H5_RANK_MAX] = {1, 1, 1};

    REQUIRE(item->rank >= 0 && item->rank <= H5_RANK_MAX);
    for (int i = 0; i < item->rank; i++) {
        REQUIRE(item->dims[i] >= 0);
        dims[i] = (hsize_t)item->dims[i];
    }
    const hid_t flags = flag_type();
    const hid_t type = item->flags ? flags : file_type(item->type);
    const hid_t mem = item->flags ? flags : memory_type(item->type);
    const hid_t space =
        item->rank > 0 ? H5Screate_simple(item->rank, dims, NULL) : H5Screate(H5S_SCALAR);
    const hid_t list = storage(item, H5Tget_size(type));
    const Status st = put_object(file, item->name, type, mem, space, list, item->data);
    (void)H5Pclose(list);
    (void)H5Sclose(space);
    (void)H5Tclose(flags);
    return st;
}

static Status put_attribute(hid_t file, const H5Text *text, hid_t type, hid_t space)
{
    Status st = OK;
    const hid_t attr = H5Acreate2(file, text->name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0 || H5Awrite(attr, type, text->text) < 0) {
        st = status_fail(ERR_ARG, "attribute '%s' cannot be made: %s", text->name, hdf5_says());
    }
    (void)H5Aclose(attr);
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
                          : put_attribute(file, text, type, space);
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
        return status_fail(ERR_IO, "HDF5 cannot make the file: %s", hdf5_says());
    }
    TRY(mem_alloc(bytes, (size_t)n, 1, "the bytes of a file"));
    if (H5Fget_file_image(file, *bytes, (size_t)n) != n) {
        mem_free(bytes);
        return status_fail(ERR_IO, "HDF5 cannot make the file: %s", hdf5_says());
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
    start();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* memory only; grows in steps large enough for few copies */
    (void)H5Pset_fapl_core(access, 65536 + bytes_in_all(items, n) / 8, 0);
    const hid_t file = H5Fcreate("image", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (file < 0) {
        st = status_fail(ERR_NOMEM, "HDF5 cannot start a file in memory: %s", hdf5_says());
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
    TRY(file_write(path, bytes, size));
done:
    mem_free(&bytes);
    return st;
}

/* ---- reading ---- */

static Status check_file(const char *path)
{
    struct stat info;

    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return status_fail(ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    }
    (void)fclose(file);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return status_fail(ERR_IO, "%s: not a regular file", path);
    }
    if (info.st_size == 0) {
        return status_fail(ERR_FORMAT, "%s: the file is empty; an HDF5 file is expected", path);
    }
    return OK;
}

/* `place` for HDF5, `name` for messages. Takes over the access list. */
static Status open_with(H5File **out, const char *place, const char *name, hid_t access)
{
    Status st = OK;
    H5File *file = NULL;

    TRY(mem_alloc(&file, 1, sizeof *file, "an HDF5 file"));
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    file->id = H5Fopen(place, H5F_ACC_RDONLY, access);
    if (file->id < 0) {
        st =
            status_fail(ERR_FORMAT, "%s: not an HDF5 file, or damaged or cut short (HDF5 says: %s)",
                        name, hdf5_says());
        goto done;
    }
    *out = file;
    file = NULL;
done:
    mem_free(&file);
    (void)H5Pclose(access);
    return st;
}

Status h5_open(H5File **file, const char *path)
{
    Status st = OK;

    *file = NULL;
    TRY(check_file(path));
    start();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    (void)H5Pset_file_locking(access, false, true); /* we only read; some network disks refuse */
#endif
    TRY(open_with(file, path, path, access));
done:
    return st;
}

Status h5_open_image(H5File **file, const char *name, const void *bytes, size_t size)
{
    *file = NULL;
    start();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_fapl_core(access, 65536, 0);
    void *copy = NULL; /* HDF5's interface wants it writable, though it copies too */
    memcpy(&copy, &bytes, sizeof copy);
    (void)H5Pset_file_image(access, copy, size);
    /* HDF5 refuses an image whose name is on disk; nothing can be below a device */
    return open_with(file, "/dev/null/image", name, access);
}

void h5_close(H5File *file)
{
    if (file != NULL) {
        (void)H5Fclose(file->id);
        mem_free(&file);
    }
}

bool h5_has(const H5File *file, const char *name)
{
    char part[H5_NAME_MAX];
    const size_t len = strlen(name);

    if (len == 0 || len >= sizeof part) {
        return false;
    }
    for (size_t i = 1; i <= len; i++) { /* H5Lexists wants every group above to exist */
        if (name[i] == '/' || name[i] == '\0') {
            memcpy(part, name, i);
            part[i] = '\0';
            if (H5Lexists(file->id, part, H5P_DEFAULT) <= 0) {
                return false;
            }
        }
    }
    return H5Oexists_by_name(file->id, name, H5P_DEFAULT) > 0;
}

static Status open_object(const H5File *file, const char *name, hid_t *set)
{
    *set = -1;
    if (!h5_has(file, name)) {
        return status_fail(ERR_FORMAT, "%s: there is no object '%s'", file->name, name);
    }
    *set = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (*set < 0) {
        return status_fail(ERR_FORMAT, "%s: '%s' is not an array (HDF5 says: %s)", file->name, name,
                           hdf5_says());
    }
    return OK;
}

static Status check_numbers(const H5File *file, const char *name, hid_t set, bool integers_only)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t class = H5Tget_class(type);
    (void)H5Tclose(type);
    if (class == H5T_INTEGER || class == H5T_ENUM || (class == H5T_FLOAT && !integers_only)) {
        return OK;
    }
    return status_fail(ERR_FORMAT, "%s: '%s' holds no %s", file->name, name,
                       integers_only ? "integers" : "numbers (float, integer or boolean)");
}

/* A few damaged bytes can announce terabytes, or point to other files: believe neither. gzip, the
 * strongest of HDF5's usual filters, packs at most 1032 : 1. */
static Status check_storage(const H5File *file, const char *name, hid_t set, int64_t count)
{
    const hid_t list = H5Dget_create_plist(set);
    const bool elsewhere = H5Pget_layout(list) == H5D_VIRTUAL || H5Pget_external_count(list) > 0;
    (void)H5Pclose(list);
    if (elsewhere) {
        return status_fail(ERR_FORMAT, "%s: the numbers of '%s' are in another file; copy them in",
                           file->name, name);
    }
    const hsize_t stored = H5Dget_storage_size(set);
    if (count > 0 && (hsize_t)count / 1100 > stored) {
        return status_fail(ERR_FORMAT, "%s: '%s' announces %lld numbers but stores %llu bytes",
                           file->name, name, (long long)count, (unsigned long long)stored);
    }
    return OK;
}

static Status get_shape(const H5File *file, const char *name, hid_t set, H5Shape *shape)
{
    Status st = OK;
    hsize_t dims[H5_RANK_MAX] = {1, 1, 1};
    int64_t count = 1;

    const hid_t space = H5Dget_space(set);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > H5_RANK_MAX || H5Sget_simple_extent_type(space) == H5S_NULL ||
        H5Sget_simple_extent_dims(space, dims, NULL) != rank) {
        st = status_fail(ERR_FORMAT, "%s: '%s' has %d dimensions; 0 to %d are allowed", file->name,
                         name, rank, (int)H5_RANK_MAX);
        goto done;
    }
    *shape = (H5Shape){.rank = rank};
    for (int i = 0; i < H5_RANK_MAX; i++) {
        if (dims[i] > INT64_MAX / 8 || __builtin_mul_overflow(count, (int64_t)dims[i], &count) ||
            count > INT64_MAX / 8) {
            st = status_fail(ERR_FORMAT, "%s: '%s' is too large", file->name, name);
            goto done;
        }
        shape->dims[i] = (int64_t)dims[i];
    }
    shape->count = count;
done:
    (void)H5Sclose(space);
    return st;
}

static Status open_checked(const H5File *file, const char *name, bool integers_only, hid_t *set,
                           H5Shape *shape)
{
    Status st = OK;

    TRY(open_object(file, name, set));
    TRY(check_numbers(file, name, *set, integers_only));
    TRY(get_shape(file, name, *set, shape));
    TRY(check_storage(file, name, *set, shape->count));
done:
    return st;
}

Status h5_shape(const H5File *file, const char *name, H5Shape *shape)
{
    hid_t set = -1;
    const Status st = open_checked(file, name, false, &set, shape);
    (void)H5Dclose(set);
    return st;
}

static Status read_failed(const H5File *file, const char *name)
{
    return status_fail(ERR_FORMAT, "%s: '%s' cannot be read, the file is damaged (HDF5 says: %s)",
                       file->name, name, hdf5_says());
}

Status h5_read(const H5File *file, const char *name, SlabType type, void *out, size_t n)
{
    Status st = OK;
    hid_t set = -1;
    H5Shape shape = {0};

    TRY(open_checked(file, name, type == SLAB_I64, &set, &shape));
    if ((uint64_t)shape.count != n) {
        st = status_fail(ERR_FORMAT, "%s: '%s' holds %lld numbers, expected %zu", file->name, name,
                         (long long)shape.count, n);
        goto done;
    }
    if (n > 0 && H5Dread(set, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
        st = read_failed(file, name);
    }
done:
    (void)H5Dclose(set);
    return st;
}

Status h5_read_rows(const H5File *file, const char *name, int64_t rows, int cols, float *out,
                    size_t stride)
{
    Status st = OK;
    hid_t set = -1;
    H5Shape shape = {0};

    TRY(open_checked(file, name, false, &set, &shape));
    if (shape.dims[0] != rows || shape.dims[1] != cols || shape.dims[2] != 1 || shape.rank < 1) {
        st = status_fail(ERR_FORMAT, "%s: '%s' has shape (%lld, %lld, %lld), expected (%lld, %d)",
                         file->name, name, (long long)shape.dims[0], (long long)shape.dims[1],
                         (long long)shape.dims[2], (long long)rows, cols);
        goto done;
    }
    /* HDF5 scatters into the first `cols` columns of a (rows, stride) array */
    const hsize_t all[2] = {(hsize_t)rows, stride};
    const hsize_t from[2] = {0, 0};
    const hsize_t size[2] = {(hsize_t)rows, (hsize_t)cols};
    const hid_t mem = H5Screate_simple(2, all, NULL);
    if (rows > 0 && (H5Sselect_hyperslab(mem, H5S_SELECT_SET, from, NULL, size, NULL) < 0 ||
                     H5Dread(set, H5T_NATIVE_FLOAT, mem, H5S_ALL, H5P_DEFAULT, out) < 0)) {
        st = read_failed(file, name);
    }
    (void)H5Sclose(mem);
done:
    (void)H5Dclose(set);
    return st;
}

Status h5_read_slab(const H5File *file, const char *group, const Slab *slab)
{
    const H5Item item = h5_item(group, slab);
    return h5_read(file, item.name, slab->type, slab->data, slab->n);
}

/* A text of fixed or free length from an attribute or an object, into text. */
static bool copy_text(hid_t from, bool attribute, hid_t type, char *text, size_t size)
{
    const hid_t space = attribute ? H5Aget_space(from) : H5Dget_space(from);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    (void)H5Sclose(space);
    if (H5Tget_class(type) != H5T_STRING || points != 1) {
        return false;
    }
    memset(text, 0, size);
    if (H5Tis_variable_str(type) <= 0) {
        return H5Tget_size(type) <= size &&
               (attribute ? H5Aread(from, type, text)
                          : H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text)) >= 0 &&
               text[size - 1] == '\0';
    }
    char *given = NULL;
    const herr_t got = attribute ? H5Aread(from, type, &given)
                                 : H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &given);
    const bool fits = got >= 0 && given != NULL && strlen(given) < size;
    if (fits) {
        memcpy(text, given, strlen(given));
    }
    (void)H5free_memory(given);
    return fits;
}

Status h5_read_text(const H5File *file, const char *name, char *text, size_t size)
{
    Status st = OK;
    hid_t from = -1;

    text[0] = '\0';
    const bool attribute = H5Aexists(file->id, name) > 0;
    if (attribute) {
        from = H5Aopen(file->id, name, H5P_DEFAULT);
    } else {
        TRY(open_object(file, name, &from));
    }
    const hid_t type = attribute ? H5Aget_type(from) : H5Dget_type(from);
    if (!copy_text(from, attribute, type, text, size)) {
        text[0] = '\0';
        st = status_fail(ERR_FORMAT, "%s: '%s' is no text of less than %zu bytes", file->name, name,
                         size);
    }
    (void)H5Tclose(type);
done:
    (void)(attribute ? H5Aclose(from) : H5Dclose(from));
    return st;
}

const char *h5_version(void)
{
    static char text[32];
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;

    (void)H5get_libversion(&major, &minor, &patch);
    (void)snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
    return text;
}
