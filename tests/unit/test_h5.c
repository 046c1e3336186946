/* data/h5: arrays and texts come back as they were; names, kinds and sizes of objects are checked. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/h5.h"
#include "support/shared.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int setup(void **state)
{
    (void)state;
    temp_dir_make(dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

static void slabs_and_texts_come_back(void **state)
{
    (void)state;
    float w[3] = {1.5F, -2, 3};
    double m[2] = {1e300, 1.0 / 3};
    int64_t step[1] = {INT64_MAX};
    float w2[3];
    double m2[2];
    int64_t step2[1];
    const Slab out[3] = {slab_f32("w", w, 3), slab_f64("adam.m", m, 2), slab_i64("step", step, 1)};
    const Slab in[3] = {slab_f32("w", w2, 3), slab_f64("adam.m", m2, 2),
                        slab_i64("step", step2, 1)};
    const H5Text texts[2] = {{.name = "config", .text = "task: h\xc3\xb6pper\n"},
                             {.name = "meta/empty", .text = "", .object = true}};
    H5Item items[4];
    unsigned char *bytes = NULL;
    size_t n = 0;
    H5File *file = NULL;
    H5Shape shape;
    char text[32];

    for (int i = 0; i < 3; i++) {
        items[i] = h5_item("agent/net", &out[i]);
    }
    items[3] = (H5Item){.name = "cube", .data = w, .rank = 3, .dims = {1, 3, 1}, .compress = true};
    CHECK_OK(h5_image(items, 4, texts, 2, &bytes, &n));
    CHECK_OK(h5_open_image(&file, "image", bytes, n));
    mem_free(&bytes);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(h5_read_slab(file, "agent/net", &in[i]));
    }
    assert_memory_equal(w, w2, sizeof w);
    assert_memory_equal(m, m2, sizeof m);
    assert_int_equal(step2[0], INT64_MAX);
    CHECK_OK(h5_shape(file, "cube", &shape));
    assert_true(shape.rank == 3 && shape.dims[1] == 3 && shape.count == 3);
    CHECK_OK(h5_read_text(file, "config", text, sizeof text));
    assert_string_equal(text, texts[0].text);
    CHECK_OK(h5_read_text(file, "meta/empty", text, sizeof text));
    assert_string_equal(text, "");
    assert_int_equal(h5_read_text(file, "config", text, 5), ERR_FORMAT);
    assert_int_equal(h5_read_text(file, "cube", text, sizeof text), ERR_FORMAT);
    assert_int_equal(h5_read_text(file, "none", text, sizeof text), ERR_FORMAT);
    assert_string_equal(status_reason(), "image: there is no object 'none'");
    assert_int_equal(h5_read(file, "cube", SLAB_F32, w2, 2), ERR_FORMAT);
    assert_string_equal(status_reason(), "image: 'cube' holds 3 numbers, expected 2");
    assert_int_equal(h5_read(file, "cube", SLAB_I64, step2, 3), ERR_FORMAT);
    h5_close(file);
    items[3] = items[0];
    assert_int_equal(h5_image(items, 4, NULL, 0, &bytes, &n), ERR_ARG); /* a name twice */
    assert_null(bytes);
}

/* The shape of a Minari file: groups with attributes, arrays of which only some rows are wanted. */
static void groups_have_attributes_and_arrays_have_slices(void **state)
{
    (void)state;
    const double x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const int64_t steps = 1LL << 40;
    const H5Item items[] = {
        {.name = "episode_0/observations",
         .type = SLAB_F64,
         .data = x,
         .rank = 2,
         .dims = {4, 3},
         .extend = true},
        {.name = "episode_0/total_steps", .type = SLAB_I64, .data = &steps, .attribute = true},
        {.name = "episode_1/rewards", .data = x, .rank = 1, .dims = {2}, .extend = true},
    };
    const H5Text texts[] = {{.name = "episode_0/id", .text = "first"},
                            {.name = "dataset", .text = "d"}};
    unsigned char *bytes = NULL;
    size_t n = 0;
    H5File *file = NULL;
    H5Shape shape;
    int64_t number = 0;
    char text[16];
    H5Array *array = NULL;
    float part[6];

    CHECK_OK(h5_image(items, 3, texts, 2, &bytes, &n));
    CHECK_OK(h5_open_image(&file, "image", bytes, n));
    mem_free(&bytes);
    assert_int_equal(h5_children(file, "/"), 2);
    assert_int_equal(h5_children(file, "episode_0"), 1);
    assert_int_equal(h5_children(file, "episode_7"), 0);

    CHECK_OK(h5_attribute_integer(file, "episode_0", "total_steps", &number));
    assert_true(number == steps);
    CHECK_OK(h5_attribute_text(file, "episode_0", "id", text, sizeof text));
    assert_string_equal(text, "first");
    CHECK_OK(h5_attribute_text(file, "/", "dataset", text, sizeof text));
    assert_string_equal(text, "d");
    assert_false(h5_has_attribute(file, "episode_1", "id"));
    assert_false(h5_has_attribute(file, "episode_7", "id"));
    assert_int_equal(h5_attribute_integer(file, "episode_1", "id", &number), ERR_FORMAT);
    assert_string_equal(status_reason(), "image: 'episode_1' has no attribute 'id'");
    assert_int_equal(h5_attribute_integer(file, "episode_0", "id", &number), ERR_FORMAT);
    assert_int_equal(h5_attribute_text(file, "episode_0", "id", text, 5), ERR_FORMAT);
    assert_int_equal(h5_attribute_text(file, "episode_0", "total_steps", text, 5), ERR_FORMAT);

    CHECK_OK(h5_shape(file, "episode_0/observations", &shape));
    assert_true(shape.wide && shape.dims[0] == 4);
    CHECK_OK(h5_array_open(&array, file, "episode_0/observations", SLAB_F32));
    CHECK_OK(h5_array_read(array, 1, 2, part, 6));
    for (int i = 0; i < 6; i++) {
        CHECK_NEAR(part[i], 3 + i, 0, 0);
    }
    assert_int_equal(h5_array_read(array, 3, 2, part, 6), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "has shape (4, 3, 1), expected 6 numbers in rows 3"));
    assert_int_equal(h5_array_read(array, 0, 1, part, 6), ERR_FORMAT);
    h5_array_close(&array);
    h5_close(file);
}

static void what_is_no_array_is_refused(void **state)
{
    (void)state;
    const float x[2] = {1, 2};
    const H5Item item = {.name = "infos/x", .data = x, .rank = 1, .dims = {2}};
    const H5Text text = {.name = "metadata/algorithm", .text = "random", .object = true};
    H5Shape shape;
    H5File *file = NULL;

    assert_int_equal(h5_open(&file, dir), ERR_IO);
    CHECK_OK(h5_write(temp_path(dir, "a.h5"), &item, 1, &text, 1));
    CHECK_OK(h5_open(&file, temp_path(dir, "a.h5")));
    assert_true(h5_has(file, "infos/x"));
    assert_int_equal(h5_shape(file, "infos", &shape), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "'infos' is not an array"));
    assert_int_equal(h5_shape(file, "metadata/algorithm", &shape), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "holds no numbers"));
    assert_false(h5_has(file, "no/such/thing"));
    assert_false(h5_has(file, ""));
    h5_close(file);
}

/* A file of a kilobyte that announces a trillion numbers must not cost memory. */
static void an_announced_size_is_not_believed(void **state)
{
    (void)state;
    const hsize_t dims[2] = {1000000000, 1000};
    const hsize_t chunk[2] = {1000, 1000};
    H5File *file = NULL;
    H5Shape shape;

    const hid_t id = H5Fcreate(temp_path(dir, "d.hdf5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(2, dims, NULL);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(list, 2, chunk) >= 0);
    const hid_t set =
        H5Dcreate2(id, "observations", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(set >= 0);
    (void)H5Dclose(set);
    (void)H5Pclose(list);
    (void)H5Sclose(space);
    (void)H5Fclose(id);
    CHECK_OK(h5_open(&file, temp_path(dir, "d.hdf5")));
    assert_int_equal(h5_shape(file, "observations", &shape), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "announces 1000000000000 numbers but stores 0 bytes"));
    h5_close(file);
}

/* HDF5 alone gives zeros for what is no longer there. */
static void a_file_that_changes_while_it_is_read_is_told(void **state)
{
    (void)state;
    static float rows[100000];
    H5Item items[2] = {
        {.name = "plain", .type = SLAB_F32, .data = rows, .rank = 1, .dims = {100000}},
        {.name = "gzip",
         .type = SLAB_F32,
         .data = rows,
         .rank = 1,
         .dims = {100000},
         .compress = true}};
    for (int i = 0; i < 100000; i++) {
        rows[i] = (float)i * 0.37F;
    }
    for (int i = 0; i < 2; i++) {
        const char *path = temp_path(dir, "a.hdf5");
        H5File *file = NULL;
        H5Array *array = NULL;
        CHECK_OK(h5_write(path, &items[i], 1, NULL, 0));
        CHECK_OK(h5_open(&file, path));
        CHECK_OK(h5_array_open(&array, file, items[i].name, SLAB_F32));
        CHECK_OK(h5_array_read(array, 0, 100, rows, 100));
        assert_int_equal(truncate(path, 8192), 0);
        assert_int_equal(h5_array_read(array, 90000, 100, rows, 100), ERR_IO);
        assert_non_null(strstr(status_reason(), "a.hdf5: changed while it was read"));
        assert_int_equal(h5_read(file, items[i].name, SLAB_F32, rows, 100000), ERR_IO);
        h5_array_close(&array);
        h5_close(file);
    }
}

/* One that is replaced stays what it was for whoever reads it. */
static void a_file_that_is_replaced_is_read_to_its_end(void **state)
{
    (void)state;
    float x[2] = {1, 2};
    float got[2];
    const H5Item item = {.name = "x", .type = SLAB_F32, .data = x, .rank = 1, .dims = {2}};
    const char *path = temp_path(dir, "a.hdf5");
    H5File *file = NULL;
    CHECK_OK(h5_write(path, &item, 1, NULL, 0));
    CHECK_OK(h5_open(&file, path));
    x[1] = 3;
    CHECK_OK(h5_write(path, &item, 1, NULL, 0));
    CHECK_OK(h5_read(file, "x", SLAB_F32, got, 2));
    assert_true(got[0] == 1 && got[1] == 2);
    h5_close(file);
}

static void a_pipe_is_no_file(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "pipe");
    H5File *file = NULL;
    unsigned char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(h5_open(&file, path), ERR_IO);
    assert_non_null(strstr(status_reason(), "not a regular file"));
    assert_int_equal(file_read(path, 10, &bytes, &n), ERR_IO);
    assert_non_null(strstr(status_reason(), "not a regular file"));
}

/* "x" of `space` in a new file, as `list` says; takes over both. */
static void write_set(hid_t space, hid_t list)
{
    const hid_t id = H5Fcreate(temp_path(dir, "e.hdf5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t set = H5Dcreate2(id, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(set >= 0);
    (void)H5Dclose(set);
    (void)H5Pclose(list);
    (void)H5Sclose(space);
    (void)H5Fclose(id);
}

static void check_refused(const char *part)
{
    H5File *file = NULL;
    H5Shape shape;

    CHECK_OK(h5_open(&file, temp_path(dir, "e.hdf5")));
    assert_int_equal(h5_shape(file, "x", &shape), ERR_FORMAT);
    if (strstr(status_reason(), part) == NULL) {
        fail_msg("no '%s' in: %s", part, status_reason());
    }
    h5_close(file);
}

/* Else a dataset from a stranger could have any file of the reader's read as numbers. */
static void numbers_of_another_file_are_refused(void **state)
{
    (void)state;
    const hsize_t four = 4;

    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_external(list, "/etc/hostname", 0, 16) >= 0);
    write_set(H5Screate_simple(1, &four, NULL), list);
    check_refused("'x' are in another file");

    list = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &four, NULL);
    assert_true(H5Pset_virtual(list, space, "other.hdf5", "y", space) >= 0);
    write_set(space, list);
    check_refused("'x' are in another file");
}

static void shapes_that_nobody_needs_are_refused(void **state)
{
    (void)state;
    const hsize_t four[4] = {2, 2, 2, 2};
    const hsize_t large[3] = {(hsize_t)1 << 40, (hsize_t)1 << 12, (hsize_t)1 << 11};
    const hsize_t chunk[3] = {1, 1, 1};

    write_set(H5Screate_simple(4, four, NULL), H5Pcreate(H5P_DATASET_CREATE));
    check_refused("'x' has 4 dimensions; 0 to 3 are allowed");
    write_set(H5Screate(H5S_NULL), H5Pcreate(H5P_DATASET_CREATE));
    check_refused("0 to 3 are allowed");
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(list, 3, chunk) >= 0);
    write_set(H5Screate_simple(3, large, NULL), list);
    check_refused("'x' is too large");
}

/* As h5py and Julia write texts. */
static void texts_of_any_length_are_read_where_they_fit(void **state)
{
    (void)state;
    const char *words = "max_std";
    char text[8];
    H5File *file = NULL;

    const hid_t id = H5Fcreate(temp_path(dir, "e.hdf5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t type = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(type, H5T_VARIABLE) >= 0);
    const hid_t set = H5Dcreate2(id, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &words) >= 0);
    (void)H5Dclose(set);
    (void)H5Tclose(type);
    (void)H5Sclose(space);
    (void)H5Fclose(id);
    CHECK_OK(h5_open(&file, temp_path(dir, "e.hdf5")));
    CHECK_OK(h5_read_text(file, "x", text, 8));
    assert_string_equal(text, "max_std");
    assert_int_equal(h5_read_text(file, "x", text, 7), ERR_FORMAT); /* no room for its end */
    h5_close(file);
}

static void the_library_says_its_version(void **state)
{
    (void)state;
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;
    char want[32];

    assert_true(H5get_libversion(&major, &minor, &patch) >= 0);
    (void)snprintf(want, sizeof want, "%u.%u.%u", major, minor, patch);
    assert_string_equal(h5_version(), want);
}

static void policies_of_others_have_the_promised_shapes(void **state)
{
    (void)state;
    H5File *file = NULL;
    H5Shape shape;
    float *w = NULL;

    CHECK_OK(h5_open(&file, shared_file("data/sb3_actors/sac_hopper-v3_actor.hdf5")));
    CHECK_OK(h5_shape(file, "policy/fc0/weight", &shape));
    assert_true(shape.rank == 2 && shape.dims[0] == 256 && shape.dims[1] == 11);
    CHECK_OK(mem_alloc(&w, (size_t)shape.count, sizeof *w, "test"));
    CHECK_OK(h5_read(file, "policy/fc0/weight", SLAB_F32, w, (size_t)shape.count));
    mem_free(&w);
    h5_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slabs_and_texts_come_back),
        cmocka_unit_test(groups_have_attributes_and_arrays_have_slices),
        cmocka_unit_test(what_is_no_array_is_refused),
        cmocka_unit_test(an_announced_size_is_not_believed),
        cmocka_unit_test(a_file_that_changes_while_it_is_read_is_told),
        cmocka_unit_test(a_file_that_is_replaced_is_read_to_its_end),
        cmocka_unit_test(a_pipe_is_no_file),
        cmocka_unit_test(numbers_of_another_file_are_refused),
        cmocka_unit_test(shapes_that_nobody_needs_are_refused),
        cmocka_unit_test(texts_of_any_length_are_read_where_they_fit),
        cmocka_unit_test(the_library_says_its_version),
        cmocka_unit_test(policies_of_others_have_the_promised_shapes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
