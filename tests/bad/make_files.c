/* make_bad_files --seal FILE: put the seal behind it that belongs to its bytes (run/sealed.h).
 * make_bad_files DIR: the HDF5 files of tests/bad, each wrong in one way. Uses HDF5 itself: mopo writes no such
 * files. Names are those in the cases: data-WHAT.hdf5 (D4RL's layout), policy-WHAT.h5.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/slab.h"

enum { ROWS = 100, STATES = 4, ACTIONS = 2, OWN_FILTER = 31000 };

static const char *folder;

static hid_t create(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) {
        (void)fprintf(stderr, "make_files: cannot write %s\n", path);
        exit(1);
    }
    return file;
}

/* ---- arrays ---- */

typedef enum {
    RIGHT,
    MISSING,
    EMPTY,
    SHORT,
    LONG,
    RANK_4,
    SCALAR,
    NULL_SPACE,
    NO_COLUMNS,
    MANY_COLUMNS,
    TEXT,
    COMPOUND,
    REFERENCE,
    FREE_LENGTH,
    NOT_A_NUMBER,
    INFINITE,
    HALF,
    TOO_LARGE,
    ANNOUNCED,
    BOMB,
    GROUP,
    TYPE,
    LOOP,
    DANGLING,
    ELSEWHERE,
    OTHER_FILE,
    VIRTUAL,
    UNKNOWN_FILTER,
    FLAWS
} Flaw;

static const char *const flaw_names[FLAWS] = {
    "right",     "missing",     "empty",      "short",         "long", "rank-4",
    "scalar",    "null-space",  "no-columns", "many-columns",  "text", "compound",
    "reference", "free-length", "nan",        "infinite",      "half", "too-large",
    "announced", "bomb",        "group",      "type",          "loop", "dangling",
    "elsewhere", "other-file",  "virtual",    "unknown-filter"};

/* A filter of our own, which no reader has. */
static size_t filter(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *size,
                     void **block)
{
    (void)flags;
    (void)n;
    (void)values;
    (void)size;
    (void)block;
    return bytes;
}

static void write_array(hid_t file, const char *name, int rank, const hsize_t *dims, hid_t plist,
                        const float *x)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL);
    const hid_t set =
        H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    if (x != NULL) {
        (void)H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    }
    (void)H5Dclose(set);
    (void)H5Sclose(space);
}

/* An object of a type without numbers, or without any extent. */
static void write_typed(hid_t file, const char *name, hid_t type, hid_t space)
{
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    (void)H5Dclose(set);
    (void)H5Sclose(space);
}

/* One chunk of zeros that takes 1 MiB in the file and 1 GiB in memory, in an array of a few rows. */
static void write_bomb(hid_t file, const char *name, int cols)
{
    const hsize_t chunk[2] = {(hsize_t)(1 << 28) / (hsize_t)cols, (hsize_t)cols};
    const hsize_t dims[2] = {ROWS, (hsize_t)cols};
    const hsize_t most[2] = {H5S_UNLIMITED, (hsize_t)cols};
    const float zero[ROWS * STATES] = {0};
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_chunk(plist, 2, chunk);
    (void)H5Pset_deflate(plist, 1);
    const hid_t space = H5Screate_simple(2, dims, most);
    const hid_t set =
        H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    (void)H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zero);
    (void)H5Dclose(set);
    (void)H5Sclose(space);
    (void)H5Pclose(plist);
}

static void write_stored(hid_t file, const char *name, Flaw flaw, const hsize_t *dims,
                         const float *x)
{
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t huge[2] = {(hsize_t)1 << 31, dims[1]};

    if (flaw == ELSEWHERE) {
        (void)H5Pset_external(plist, "/etc/hostname", 0, H5F_UNLIMITED);
        write_array(file, name, 2, dims, plist, NULL);
    } else if (flaw == VIRTUAL) {
        const hid_t space = H5Screate_simple(2, dims, NULL);
        (void)H5Pset_virtual(plist, space, "other.hdf5", name, space);
        write_array(file, name, 2, dims, plist, NULL);
        (void)H5Sclose(space);
    } else if (flaw == UNKNOWN_FILTER) {
        (void)H5Pset_chunk(plist, 2, dims);
        (void)H5Pset_filter(plist, OWN_FILTER, H5Z_FLAG_MANDATORY, 0, NULL);
        write_array(file, name, 2, dims, plist, x);
    } else { /* ANNOUNCED */
        (void)H5Pset_chunk(plist, 2, dims);
        write_array(file, name, 2, huge, plist, NULL);
    }
    (void)H5Pclose(plist);
}

static void write_flawed(hid_t file, const char *name, int cols, Flaw flaw, float *x)
{
    const hsize_t rows = flaw == EMPTY   ? 0
                         : flaw == SHORT ? ROWS - 1
                         : flaw == LONG  ? ROWS + 1
                                         : ROWS;
    const hsize_t width = flaw == NO_COLUMNS ? 0 : flaw == MANY_COLUMNS ? 20000 : (hsize_t)cols;
    const hsize_t dims[4] = {rows, width, 1, 2};
    hid_t type = -1;

    switch (flaw) {
    case MISSING:
    case FLAWS:
        break;
    case SCALAR:
        write_array(file, name, 0, NULL, H5P_DEFAULT, x);
        break;
    case RANK_4:
        write_array(file, name, 4, dims, H5P_DEFAULT, NULL);
        break;
    case NULL_SPACE:
        write_typed(file, name, H5T_IEEE_F32LE, H5Screate(H5S_NULL));
        break;
    case TEXT:
        write_typed(file, name, H5T_C_S1, H5Screate_simple(2, dims, NULL));
        break;
    case COMPOUND:
        type = H5Tcreate(H5T_COMPOUND, 8);
        (void)H5Tinsert(type, "x", 0, H5T_IEEE_F32LE);
        write_typed(file, name, type, H5Screate_simple(2, dims, NULL));
        break;
    case REFERENCE:
        write_typed(file, name, H5T_STD_REF_OBJ, H5Screate_simple(2, dims, NULL));
        break;
    case FREE_LENGTH:
        type = H5Tvlen_create(H5T_IEEE_F32LE);
        write_typed(file, name, type, H5Screate_simple(1, dims, NULL));
        break;
    case GROUP:
        (void)H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        break;
    case TYPE:
        type = H5Tcopy(H5T_IEEE_F32LE);
        (void)H5Tcommit2(file, name, type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case LOOP:
        (void)H5Lcreate_soft(name, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case DANGLING:
        (void)H5Lcreate_soft("/nowhere", file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case OTHER_FILE:
        (void)H5Lcreate_external("data-right.hdf5", name, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case BOMB:
        write_bomb(file, name, cols);
        break;
    case ANNOUNCED:
    case ELSEWHERE:
    case VIRTUAL:
    case UNKNOWN_FILTER:
        write_stored(file, name, flaw, dims, x);
        break;
    case NOT_A_NUMBER:
    case INFINITE:
    case HALF:
    case TOO_LARGE:
        x[5 * cols] = flaw == NOT_A_NUMBER ? NAN
                      : flaw == INFINITE   ? INFINITY
                      : flaw == HALF       ? 0.5F
                                           : 9.0F;
        write_array(file, name, 2, dims, H5P_DEFAULT, x);
        break;
    case RIGHT:
    case EMPTY:
    case SHORT:
    case LONG:
    case NO_COLUMNS:
    case MANY_COLUMNS:
    default:
        write_array(file, name, cols == 1 ? 1 : 2, dims, H5P_DEFAULT,
                    rows == ROWS && width == (hsize_t)cols ? x : NULL);
        break;
    }
    if (type >= 0) {
        (void)H5Tclose(type);
    }
}

static const struct {
    const char *name;
    int cols;
} columns[] = {{"observations", STATES}, {"actions", ACTIONS}, {"rewards", 1},
               {"terminals", 1},         {"timeouts", 1},      {"next_observations", STATES}};

/* D4RL's layout with one column that is wrong. */
static void make_dataset(const char *column, Flaw flaw)
{
    char name[256];
    (void)snprintf(name, sizeof name, flaw == RIGHT ? "data-right.hdf5" : "data-%s-%s.hdf5", column,
                   flaw_names[flaw]);
    const hid_t file = create(name);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        float x[ROWS * STATES] = {0};
        for (int i = 0; c < 3 && i < ROWS * columns[c].cols; i++) {
            x[i] = (float)(i % 7) / 10.0F;
        }
        write_flawed(file, columns[c].name, columns[c].cols,
                     strcmp(columns[c].name, column) == 0 ? flaw : RIGHT, x);
    }
    (void)H5Fclose(file);
}

/* ---- policies ---- */

typedef struct {
    const char *name;
    int in, hidden, last_in, out, std_out, bias; /* sizes as written; 0: left out */
    float value;
    const char *nonlinearity;
    int layers;
    int later; /* hidden units of the layers behind the first, as written; 0: the same */
} PolicyFlaw;

static void write_text(hid_t file, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, strlen(text) + 1);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    (void)H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
    (void)H5Dclose(set);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
}

static void write_layer(hid_t file, const char *group, int out, int in, int bias, float value)
{
    char name[128];
    const hsize_t dims[2] = {(hsize_t)out, (hsize_t)in};
    const hsize_t length = (hsize_t)bias;
    const size_t n = (size_t)out * (size_t)in + (size_t)bias;

    (void)snprintf(name, sizeof name, "metadata/policy/%s", group);
    (void)H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    float *x = calloc(n + 1, sizeof *x);
    for (size_t i = 0; x != NULL && i < n; i++) {
        x[i] = value;
    }
    (void)snprintf(name, sizeof name, "metadata/policy/%s/weight", group);
    write_array(file, name, 2, dims, H5P_DEFAULT, x);
    if (bias > 0) {
        (void)snprintf(name, sizeof name, "metadata/policy/%s/bias", group);
        write_array(file, name, 1, &length, H5P_DEFAULT, x);
    }
    free(x);
}

static void make_policy(const PolicyFlaw *p)
{
    char name[128];
    (void)snprintf(name, sizeof name, "policy-%s.h5", p->name);
    const hid_t file = create(name);
    (void)H5Gclose(H5Gcreate2(file, "metadata", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    (void)H5Gclose(H5Gcreate2(file, "metadata/policy", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    for (int k = 0; k < p->layers; k++) {
        (void)snprintf(name, sizeof name, "fc%d", k);
        const int units = k > 0 && p->later > 0 ? p->later : p->hidden;
        write_layer(file, name, units, k == 0 ? p->in : units, p->bias, p->value);
    }
    if (p->out > 0) {
        write_layer(file, "last_fc", p->out, p->last_in, p->out, p->value);
    }
    if (p->std_out > 0) {
        write_layer(file, "last_fc_log_std", p->std_out, p->last_in, p->std_out, p->value);
    }
    if (p->nonlinearity != NULL) {
        write_text(file, "metadata/policy/nonlinearity", p->nonlinearity);
    }
    (void)H5Fclose(file);
}

static const PolicyFlaw policies[] = {
    {"right", 4, 8, 8, 2, 2, 8, 0.1F, NULL, 2, 0},
    {"no-mean", 4, 8, 8, 0, 2, 8, 0.1F, NULL, 2, 0},
    {"no-deviation", 4, 8, 8, 2, 0, 8, 0.1F, NULL, 2, 0},
    {"no-bias", 4, 8, 8, 2, 2, 0, 0.1F, NULL, 2, 0},
    {"long-bias", 4, 8, 8, 2, 2, 9, 0.1F, NULL, 2, 0},
    {"narrow-end", 4, 8, 7, 2, 2, 8, 0.1F, NULL, 2, 0},
    {"unequal-heads", 4, 8, 8, 2, 3, 8, 0.1F, NULL, 2, 0},
    {"nan", 4, 8, 8, 2, 2, 8, NAN, NULL, 2, 0},
    {"gelu", 4, 8, 8, 2, 2, 8, 0.1F, "gelu", 2, 0},
    {"deep", 4, 8, 8, 2, 2, 8, 0.1F, NULL, 12, 0},
    {"wide", 9000, 8, 8, 2, 2, 8, 0.1F, NULL, 1, 0},
    {"other-task", 17, 8, 8, 6, 6, 8, 0.1F, NULL, 2, 0},
    {"announced", 4, 8192, 8, 2, 2, 8, 0.1F, NULL, 7, 8},
};

static int seal(const char *path)
{
    unsigned char *bytes = NULL;
    size_t n = 0;
    char digest[SLAB_DIGEST_MAX];

    if (file_read(path, SIZE_MAX - 1, &bytes, &n) != OK) {
        (void)fprintf(stderr, "%s\n", status_reason());
        return 1;
    }
    bytes_digest(bytes, n, digest);
    mem_free(&bytes);
    FILE *file = fopen(path, "ab");
    if (file == NULL || fprintf(file, "\nmopo-xxh128:%s\n", digest) < 0) {
        return 1;
    }
    return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const H5Z_class2_t own = {.version = H5Z_CLASS_T_VERS,
                              .id = OWN_FILTER,
                              .encoder_present = 1,
                              .decoder_present = 1,
                              .name = "of tests",
                              .filter = filter};
    if (argc == 3 && strcmp(argv[1], "--seal") == 0) {
        return seal(argv[2]);
    }
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_bad_files DIR | --seal FILE\n");
        return 2;
    }
    folder = argv[1];
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5Zregister(&own);
    make_dataset("", RIGHT);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        for (Flaw flaw = MISSING; flaw < FLAWS; flaw++) {
            if (flaw != BOMB || c == 1) { /* it takes a second to write */
                make_dataset(columns[c].name, flaw);
            }
        }
    }
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        make_policy(&policies[i]);
    }
    return 0;
}
