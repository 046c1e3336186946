/* Every bit of what is saved counts: with any one of them changed, a checkpoint of 1 MB is refused, and so are sealed
 * files. Here: all bits of the manifest, of the state's first and last bytes, and a sample of the rest, through
 * checkpoint_find. With MOPO_ALL_BITS=1 also all 8 million bits of the state, by the digest that is compared (about
 * ten minutes).
 */
#include "support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "run/checkpoint.h"
#include "run/sealed.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

enum { FLOATS = 1 << 18, EDGE = 512, SAMPLE = 1000 };

static int make_checkpoint(void **state)
{
    const int made = temp_dir_setup(state, dir);
    float *params = NULL;
    Rng rng = rng_make(5, RNG_TEST, 0, 0);

    CHECK_OK(mem_alloc(&params, FLOATS, sizeof *params, "a state"));
    rng_fill_normal(&rng, params, FLOATS);
    const Slab slabs[] = {slab_f32("params", params, FLOATS)};
    const CheckpointNote notes[] = {{.key = "updates", .number = 1234567},
                                    {.key = "text", .text = "d\xC3\xA9j\xC3\xA0"}};
    CHECK_OK(checkpoint_save(dir, PHASE_POLICY, 7, slabs, 1, notes, 2, 1));
    mem_free(&params);
    log_set_level(LOG_QUIET); /* each refusal is a warning */
    return made;
}

static int remove_checkpoint(void **state)
{
    log_set_level(LOG_INFO);
    return temp_dir_teardown(state, dir);
}

static bool accepted(void)
{
    Checkpoint ckpt;
    bool found = false;
    const Status st = checkpoint_find(dir, &ckpt, &found);
    const bool taken = st == OK && found;

    assert_true(taken || st == ERR_FORMAT);
    checkpoint_release(&ckpt);
    return taken;
}

/* Change one bit of an open file, and back. */
static void flip(int fd, size_t at, int bit)
{
    unsigned char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= (unsigned char)(1U << bit);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void refused_with(int fd, size_t at, int bit)
{
    flip(fd, at, bit);
    if (accepted()) {
        fail_msg("bit %d of byte %zu does not matter", bit, at);
    }
    flip(fd, at, bit);
}

static int open_part(const char *name, size_t *size)
{
    const int fd = open(temp_path(dir, "ckpt/policy-000007/%s", name), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    *size = (size_t)lseek(fd, 0, SEEK_END);
    return fd;
}

static void every_bit_of_a_manifest_counts(void **state)
{
    (void)state;
    size_t size = 0;
    const int fd = open_part("manifest.json", &size);

    for (size_t bit = 0; bit < 8 * size; bit++) {
        refused_with(fd, bit / 8, (int)(bit % 8));
    }
    assert_true(accepted());
    (void)close(fd);
}

static void bits_of_a_state_count(void **state)
{
    (void)state;
    Rng rng = rng_make(6, RNG_TEST, 0, 0);
    size_t size = 0;
    const int fd = open_part("state.h5", &size);

    assert_true(size > FLOATS * sizeof(float));
    for (size_t at = 0; at < EDGE; at++) { /* the superblock, and the end */
        refused_with(fd, at, (int)(at % 8));
        refused_with(fd, size - 1 - at, (int)(at % 8));
    }
    for (int i = 0; i < SAMPLE; i++) {
        refused_with(fd, rng_below(&rng, (uint32_t)size), (int)rng_below(&rng, 8));
    }
    assert_true(accepted());
    (void)close(fd);
}

static void all_bits_of_a_state_count(void **state)
{
    (void)state;
    unsigned char *bytes = NULL;
    size_t size = 0;
    char right[SLAB_DIGEST_MAX];
    char digest[SLAB_DIGEST_MAX];

    if (getenv("MOPO_ALL_BITS") == NULL) {
        skip();
    }
    CHECK_OK(file_read(temp_path(dir, "ckpt/policy-000007/state.h5"), SIZE_MAX - 1, &bytes, &size));
    bytes_digest(bytes, size, right);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        bytes_digest(bytes, size, digest);
        if (strcmp(digest, right) == 0) {
            fail_msg("bit %zu of byte %zu does not matter", bit % 8, bit / 8);
        }
        bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
    }
    printf("%zu bits\n", 8 * size);
    mem_free(&bytes);
}

static void every_byte_of_a_sealed_file_counts(void **state)
{
    (void)state;
    const float x[16] = {1, 2, 3};
    const H5Item item = {.name = "x", .type = SLAB_F32, .data = x, .rank = 1, .dims = {16}};
    const char *path = temp_path(dir, "sealed.h5");
    H5File *file = NULL;

    CHECK_OK(sealed_write(path, &item, 1, NULL, 0));
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    const size_t size = (size_t)lseek(fd, 0, SEEK_END);
    for (size_t at = 0; at < size; at++) {
        flip(fd, at, (int)(at % 8));
        assert_int_equal(sealed_open(&file, path, true), ERR_FORMAT);
        flip(fd, at, (int)(at % 8));
    }
    CHECK_OK(sealed_open(&file, path, true));
    h5_close(file);
    (void)close(fd);
}

/* Here for want of descriptors; rights and failing disks look the same. Exit code 76 would tell the user to delete it. */
static void what_cannot_be_read_is_not_damaged(void **state)
{
    (void)state;
    const float x[1] = {1};
    const H5Item item = {.name = "x", .type = SLAB_F32, .data = x, .rank = 1, .dims = {1}};
    const char *path = temp_path(dir, "sealed.h5");
    H5File *file = NULL;
    struct rlimit limit;

    CHECK_OK(sealed_write(path, &item, 1, NULL, 0));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const Status st = sealed_open(&file, path, true);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(st, ERR_IO);
    assert_non_null(strstr(status_reason(), "Too many open files"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_a_manifest_counts),
        cmocka_unit_test(bits_of_a_state_count),
        cmocka_unit_test(all_bits_of_a_state_count),
        cmocka_unit_test(every_byte_of_a_sealed_file_counts),
        cmocka_unit_test(what_cannot_be_read_is_not_damaged),
    };
    return cmocka_run_group_tests_name("bit flips", tests, make_checkpoint, remove_checkpoint);
}
