/* Reading a dataset and saving a checkpoint, in a folder of their own below TMPDIR that is deleted at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/timer.h"
#include "data/dataset.h"
#include "data/h5.h"
#include "run/checkpoint.h"
#include "run/history.h"
#include "run/unit_cost.h"

enum { ROWS = 30000, PATH = 512, SAVES = 4 };

typedef struct {
    Session *s;
    char folder[PATH], file[2 * PATH];
    int64_t rows;
    History history; /* as long as a run's */
} Files;

/* The session's first rows in D4RL's layout, compressed as `mopo collect` does. */
static Status write_rows(const Files *f)
{
    enum { ARRAYS = 5 };
    static const char *const names[ARRAYS] = {"observations", "actions", "rewards",
                                              "next_observations", "terminals"};
    Status st = OK;
    const Record *rec = &f->s->data.rec;
    const size_t from[ARRAYS] = {0, rec->a, rec->r, rec->s2, rec->cont};
    const int widths[ARRAYS] = {rec->S, rec->A, 1, rec->S, 1};
    const size_t n = (size_t)f->rows;
    H5Item items[ARRAYS];
    float *block = NULL;
    unsigned char *flags = NULL;

    TRY(mem_alloc(&block, n * rec->stride, sizeof *block, "rows of a file"));
    TRY(mem_alloc(&flags, n, 1, "flags"));
    float *to = block;
    for (int i = 0; i < ARRAYS; i++) {
        const size_t width = (size_t)widths[i];
        items[i] = (H5Item){.data = i + 1 < ARRAYS ? (void *)to : flags,
                            .rank = widths[i] > 1 ? 2 : 1,
                            .dims = {f->rows, widths[i]},
                            .flags = i + 1 == ARRAYS,
                            .compress = true};
        (void)snprintf(items[i].name, sizeof items[i].name, "%s", names[i]);
        for (size_t k = 0; k < n; k++, to += width) {
            memcpy(to, f->s->data.records + k * rec->stride + from[i], width * sizeof *to);
        }
    }
    TRY(h5_write(f->file, items, ARRAYS, NULL, 0));
done:
    mem_free(&block);
    mem_free(&flags);
    return st;
}

static Status load_run(void *ctx, double *units)
{
    Files *f = ctx;
    Dataset set = {0};
    const Record *rec = &f->s->data.rec;
    const DatasetOptions options = {.state_dim = rec->S, .act_dim = rec->A};
    const Status st = dataset_read(&set, f->file, &options);

    dataset_release(&set);
    *units = (double)f->rows;
    return st;
}

/* By the wall clock: most of it is the disk's. */
static Status time_saves(Files *f, double *seconds)
{
    Status st = OK;
    Slab slabs[CHECKPOINT_SLABS_MAX];
    int n = agent_slabs(&f->s->agent, slabs);

    n += history_slabs(&f->history, slabs + n);
    for (int i = 0; i < SAVES; i++) {
        const double start = timer_now();
        TRY(checkpoint_save(f->folder, PHASE_POLICY, 1 + i, slabs, n, NULL, 0, 1));
        *seconds += (timer_now() - start) / SAVES;
    }
done:
    return st;
}

static Status open(Files *f)
{
    Session *s = f->s;
    Status st = OK;
    const char *tmp = getenv("TMPDIR");
    UnitReport none = {0};

    (void)snprintf(f->folder, sizeof f->folder, "%s/mopo-plan-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(f->folder) == NULL) {
        const Status failed = file_error(f->folder, "be made");
        f->folder[0] = '\0';
        return failed;
    }
    (void)snprintf(f->file, sizeof f->file, "%s/rows.hdf5", f->folder);
    f->rows = s->data.rows < ROWS ? s->data.rows : ROWS;
    TRY(history_init(&f->history, s->plan.shards, s->agent.actor.count, s->cfg.rollout.retain + 2));
    for (int i = 0; s->uses_model && i < s->cfg.rollout.retain + s->cfg.rollout.lag; i++) {
        TRY(history_add(&f->history, i, agent_actor(&s->agent), &none, 1));
    }
done:
    return st;
}

/* All that was written, whatever happened. */
static Status clean(Files *f)
{
    Status st = OK;
    DirList list = {0};
    char ckpt[2 * PATH];
    char path[3 * PATH];

    history_release(&f->history);
    if (f->folder[0] == '\0') {
        return OK;
    }
    (void)snprintf(ckpt, sizeof ckpt, "%s/ckpt", f->folder);
    TRY(dir_list(&list, ckpt));
    for (int i = 0; i < list.count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", ckpt, list.names[i]);
        if (unlink(path) != 0) { /* a folder */
            TRY(dir_remove(path));
        }
    }
    TRY(dir_remove(ckpt));
    TRY(dir_remove(f->folder));
done:
    dir_list_release(&list);
    return st;
}

Status unit_cost_files(Session *s, UnitCost *cost)
{
    Status st = OK;
    Files f = {.s = s};

    TRY(open(&f));
    const double start = timer_now();
    TRY(write_rows(&f));
    cost->store = (timer_now() - start) / (double)f.rows;
    TRY(unit_cost_typical(&(CostPiece){load_run, &f}, 1, 0.2, &cost->load));
    TRY(time_saves(&f, &cost->save));
done:
    st = st != OK ? st : clean(&f);
    if (st != OK && f.folder[0] != '\0') {
        (void)clean(&f);
    }
    return st;
}
