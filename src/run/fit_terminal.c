#include "run/fit_terminal.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/timer.h"
#include "run/sealed.h"

static const char file_name[] = "termination.h5";

static Status write_head(Session *s, const char *path)
{
    const Slab slab = terminal_head_slab(&s->head);
    const H5Item item = h5_item(NULL, &slab);
    const H5Text texts[] = {{"dataset_digest", s->data.digest, false}};
    return sealed_write(path, &item, 1, texts, 1);
}

static Status read_head(Session *s, const char *path)
{
    Status st = OK;
    H5File *file = NULL;
    char digest[64] = "";
    const Slab slab = terminal_head_slab(&s->head);

    TRY(sealed_open(&file, path, true));
    TRY(h5_read_text(file, "dataset_digest", digest, sizeof digest));
    if (strcmp(digest, s->data.digest) != 0) {
        st = status_fail(ERR_CONFIG,
                         "%s was fitted to other data than %s; choose another run_dir or delete it",
                         path, s->cfg.top.dataset);
        goto done;
    }
    TRY(h5_read_slab(file, NULL, &slab));
done:
    h5_close(file);
    return st;
}

static Status fit(Session *s, const char *path)
{
    Status st = OK;
    TerminalReport r;
    const double start = timer_now();

    TRY(terminal_head_fit(&s->head, s->data.records, s->data.rows, s->cfg.termination.updates,
                          (uint64_t)s->cfg.top.seed, &r));
    if (r.trained_on == 0) {
        log_warn("termination.rule is learned, but the dataset has no terminal row: rollouts end "
                 "only by their horizon and rollout.guard");
    } else {
        log_info("termination: learned from %lld terminal rows in %.1f s; of the rows held out it "
                 "finds %lld of %lld, and ends %lld of %lld others",
                 (long long)r.trained_on, timer_now() - start, (long long)r.found,
                 (long long)r.terminals, (long long)r.false_ends, (long long)r.others);
    }
    TRY(write_head(s, path));
done:
    return st;
}

static Status provide(Session *s, const RunDir *dir, bool may_fit)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];

    if (s->roll.end.rule != END_LEARNED) {
        return OK;
    }
    if (comm_rank() == 0) {
        (void)rundir_file(dir, file_name, path);
        if (file_exists(path)) {
            st = read_head(s, path);
        } else if (may_fit) {
            st = fit(s, path);
        } else {
            st = status_fail(ERR_CONFIG,
                             "%s is not there: the run has not fitted its termination rule yet",
                             path);
        }
    }
    TRY(comm_agree(st));
    const Slab slab = terminal_head_slab(&s->head);
    coll_bcast(slab.data, slab_bytes(&slab), 0);
done:
    return st;
}

Status fit_terminal(Session *s, const RunDir *dir)
{
    return provide(s, dir, true);
}

Status fetch_terminal(Session *s, const RunDir *dir)
{
    return provide(s, dir, false);
}
