/* Datasets in both layouts: as training reads them, and as `mopo data` does. */
#include <math.h>

#include "data/dataset.h"
#include "data/recording.h"
#include "fuzz/fuzz.h"

enum { N = 10, S = 3, A = 2 };
#define EPISODE(k)                                                           \
    {k "/observations", 2, {N + 1, S}, 0.5}, {k "/actions", 2, {N, A}, 0.5}, \
        {k "/rewards", 1, {N}, 1}, {k "/terminations", 1, {N}, 0},           \
    {                                                                        \
        k "/truncations", 1, {N}, 0                                          \
    }

static const FuzzArray d4rl[] = {{"observations", 2, {N, S}, 0.5},
                                 {"actions", 2, {N, A}, 0.5},
                                 {"rewards", 1, {N}, 1},
                                 {"terminals", 1, {N}, 0},
                                 {"timeouts", 1, {N}, 0},
                                 {"next_observations", 2, {N, S}, 0.5},
                                 {"infos/qpos", 2, {N, 5}, 0},
                                 {"infos/qvel", 2, {N, 5}, 0},
                                 {"infos/action_log_probs", 1, {N}, 0},
                                 {"metadata/iteration", 0, {0}, 3}};
static const FuzzArray minari[] = {EPISODE("episode_0"), EPISODE("episode_1")};

static void check(const Dataset *set)
{
    EXPECT(set->rows > 0 && set->rec.S > 0 && set->rec.A > 0);
    const size_t n = (size_t)set->rows * set->rec.stride;
    for (size_t i = 0; i < n; i++) {
        EXPECT(isfinite(set->records[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzBytes in = {data, size};
    const unsigned how = fuzz_byte(&in);
    const DatasetOptions options = {.next = (NextRule)((how >> 1) % 4),
                                    .max_rows = (how & 8) != 0 ? 4 : 0,
                                    .horizon = (how & 16) != 0 ? 3 : 0};
    Dataset set;
    Recording rec;
    const char *path =
        (how & 1) != 0
            ? fuzz_h5("minari.hdf5", false, &in, minari, sizeof minari / sizeof *minari, NULL, 0)
            : fuzz_h5("d4rl.hdf5", false, &in, d4rl, sizeof d4rl / sizeof *d4rl, NULL, 0);

    if (path != NULL && dataset_read(&set, path, &options) == OK) {
        check(&set);
        dataset_release(&set);
    }
    if (path != NULL && recording_read(&rec, path) == OK) {
        EXPECT(rec.rows > 0 && rec.state_dim > 0 && rec.act_dim > 0);
        recording_release(&rec);
    }
    return 0;
}
