#include "data/d4rl.h"

#include <stddef.h>

static Status check_present(const H5File *file, const char *path)
{
    static const char *const required[] = {"observations", "actions", "rewards", "terminals"};

    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (!h5_has(file, required[i])) {
            return status_fail(ERR_FORMAT,
                               "%s: there is no '%s'; a dataset has observations, actions, rewards "
                               "and terminals, and may have timeouts and next_observations",
                               path, required[i]);
        }
    }
    return OK;
}

Status d4rl_check(const H5File *file, const char *path, const char *name, int64_t rows,
                  int64_t cols)
{
    Status st = OK;
    H5Shape shape = {0};

    TRY(h5_shape(file, name, &shape));
    if (shape.dims[0] != rows) {
        return status_fail(ERR_FORMAT,
                           "%s: '%s' has %lld rows, 'observations' has %lld; every "
                           "array needs one row per transition",
                           path, name, (long long)shape.dims[0], (long long)rows);
    }
    if (shape.dims[1] != cols || shape.dims[2] != 1) {
        return status_fail(ERR_FORMAT, "%s: '%s' has %lld x %lld columns, expected %lld", path,
                           name, (long long)shape.dims[1], (long long)shape.dims[2],
                           (long long)cols);
    }
done:
    return st;
}

/* N, S and A out of 'observations' and 'actions'. */
static Status measure(const H5File *file, const char *path, D4rlShape *shape)
{
    Status st = OK;
    H5Shape obs = {0};
    H5Shape act = {0};

    TRY(h5_shape(file, "observations", &obs));
    TRY(h5_shape(file, "actions", &act));
    if (obs.rank < 1 || obs.dims[0] < 1 || obs.dims[0] > UINT32_MAX) {
        return status_fail(ERR_FORMAT,
                           "%s: 'observations' has %lld rows; 1 to 2^32 - 1 are allowed", path,
                           obs.rank < 1 ? 0LL : (long long)obs.dims[0]);
    }
    if (obs.dims[1] < 1 || obs.dims[1] > 10000 || act.dims[1] < 1 || act.dims[1] > 10000) {
        return status_fail(ERR_FORMAT, "%s: %lld state and %lld action columns; 1 to 10000 allowed",
                           path, (long long)obs.dims[1], (long long)act.dims[1]);
    }
    shape->rows = obs.dims[0];
    shape->state_dim = (int)obs.dims[1];
    shape->act_dim = (int)act.dims[1];
    shape->wide = obs.wide;
done:
    return st;
}

Status d4rl_shape(const H5File *file, const char *path, D4rlShape *shape)
{
    Status st = OK;

    *shape = (D4rlShape){0};
    TRY(check_present(file, path));
    TRY(measure(file, path, shape));
    TRY(d4rl_check(file, path, "observations", shape->rows, shape->state_dim));
    TRY(d4rl_check(file, path, "actions", shape->rows, shape->act_dim));
    TRY(d4rl_check(file, path, "rewards", shape->rows, 1));
    TRY(d4rl_check(file, path, "terminals", shape->rows, 1));
    shape->has_timeouts = h5_has(file, "timeouts");
    if (shape->has_timeouts) {
        TRY(d4rl_check(file, path, "timeouts", shape->rows, 1));
    }
    shape->has_next = h5_has(file, "next_observations");
    if (shape->has_next) {
        TRY(d4rl_check(file, path, "next_observations", shape->rows, shape->state_dim));
    }
done:
    return st;
}
