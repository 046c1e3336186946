/* Memory refused to one rank at its k-th request, for every k that whole commands come to: each ends with
 * ERR_NOMEM on all ranks and says what was wanted; nothing leaks, nothing stays open, and the same command
 * afterwards goes on to the bytes of a run that was never refused anything.
 *
 * Where a command asks very often, a part of the requests is refused, evenly spread; MOPO_EVERY_REQUEST=1 in
 * the environment takes them all. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "nn/gemm.h"
#include "run/tables.h"
#include "support/mpi_check.h"
#include "support/temp_dir.h"

enum { WORDS_MAX = 48, WORD_MAX = 600, REFUSALS = MOPO_ASSERTS ? 48 : 240, FILES_MAX = 8 };

static char folder[TEMP_PATH_MAX];
static char out[TEMP_PATH_MAX]; /* what a command writes lies there */
static int quiet;               /* /dev/null */

typedef struct {
    const Command *command;
    const char *words[WORDS_MAX]; /* @ in them stands for the folder, ^ for out */
    const char *files[FILES_MAX]; /* below out: what must come out the same */
} Job;

static Status run(const Job *job)
{
    static char text[WORDS_MAX][WORD_MAX];
    char *argv[WORDS_MAX];
    int argc = 0;
    OptionValues values;
    Status st = OK;

    for (; job->words[argc] != NULL; argc++) {
        const char *at = strchr(job->words[argc], '@');
        at = at != NULL ? at : strchr(job->words[argc], '^');
        const int head = at != NULL ? (int)(at - job->words[argc]) : WORD_MAX;
        const char *where = at == NULL ? "" : *at == '@' ? folder : out;
        (void)snprintf(text[argc], WORD_MAX, "%.*s%s%s", head, job->words[argc], where,
                       at != NULL ? at + 1 : "");
        argv[argc] = text[argc];
    }
    const int screen = dup(STDOUT_FILENO);
    (void)dup2(quiet, STDOUT_FILENO);
    TRY(options_parse(job->command, argc, argv, &values));
    TRY(job->command->run(&values));
done:
    (void)fflush(stdout);
    (void)dup2(screen, STDOUT_FILENO);
    (void)close(screen);
    log_close_file(); /* as main does */
    return st;
}

static void clear_out(void)
{
    comm_barrier();
    if (comm_rank() == 0) {
        temp_dir_remove(out);
        (void)mkdir(out, 0777);
    }
    comm_barrier();
}

static int open_descriptors(void)
{
    DirList list = {0};
    MPI_CHECK_OK(dir_list(&list, "/proc/self/fd"));
    const int n = list.count;
    dir_list_release(&list);
    return n;
}

static int temporary_files(const char *path) // NOLINT(misc-no-recursion): a few levels
{
    DirList list = {0};
    int n = 0;

    if (dir_list(&list, path) != OK) {
        return 0; /* a file */
    }
    for (int i = 0; i < list.count; i++) {
        char name[TEMP_PATH_MAX + DIR_NAME_MAX];
        (void)snprintf(name, sizeof name, "%s/%s", path, list.names[i]);
        if (strstr(list.names[i], ".tmp") != NULL) {
            (void)fprintf(stderr, "left behind: %s\n", name);
            n++;
        }
        n += temporary_files(name);
    }
    dir_list_release(&list);
    return n;
}

/* Of all files that the job makes, on rank 0. */
static uint64_t outcome(const Job *job)
{
    uint64_t hash = 0;

    for (int i = 0; comm_rank() == 0 && job->files[i] != NULL; i++) {
        unsigned char *bytes = NULL;
        size_t n = 0;
        MPI_CHECK_OK(file_read(temp_path(out, "%s", job->files[i]), 1 << 24, &bytes, &n));
        hash = hash * 31 + bytes_hash(bytes, n);
        mem_free(&bytes);
    }
    return hash;
}

/* The k-th request of rank `who` is refused. */
static void refuse(const Job *job, int who, int64_t k, uint64_t want)
{
    const int64_t blocks = mem_count();
    const int descriptors = open_descriptors();

    clear_out();
    mem_fail_at(comm_rank() == who ? k : 0);
    const Status st = run(job);
    mem_fail_at(0);
    const char *reason = st == OK ? "" : status_reason();
    bool held = MPI_CHECK(st == OK || st == ERR_NOMEM);
    held = MPI_CHECK(st == OK || (strstr(reason, "no memory for ") != NULL &&
                                  strstr(reason, "bytes") != NULL)) &&
           held;
    held = MPI_CHECK(mem_count() == blocks) && held;
    held = MPI_CHECK(open_descriptors() == descriptors) && held;
    held = (st == OK || MPI_CHECK_OK(run(job))) && held;
    if (comm_rank() == 0) {
        held = MPI_CHECK(outcome(job) == want) && held;
        /* an old checkpoint that could not be deleted is a warning; the next save does it */
        held = MPI_CHECK(st == OK || temporary_files(out) == 0) && held;
    }
    if (!held) {
        (void)fprintf(stderr, "rank %d: request %lld of rank %d of `%s %s`: %s: %s\n", comm_rank(),
                      (long long)k, who, job->command->verb, job->words[0], status_name(st),
                      reason);
    }
}

static void refuse_each(const Job *job, int who, int most)
{
    clear_out();
    const int64_t before = mem_asked();
    if (!MPI_CHECK_OK(run(job))) {
        return;
    }
    const bool every = getenv("MOPO_EVERY_REQUEST") != NULL;
    int64_t asked = mem_asked() - before;
    const uint64_t want = outcome(job);
    coll_bcast(&asked, sizeof asked, who);
    /* where tests run in several builds and on several numbers of ranks, one of these takes more */
    const bool again = getenv("MOPO_TEST_AGAIN") != NULL || comm_size() != 2;
    const int64_t taken = again ? (most + 2) / 3 : most;
    const int64_t step = every ? 1 : (asked + taken - 1) / taken;
    for (int64_t k = 1; k <= asked; k += step) {
        refuse(job, who, k, want);
    }
    if (every && comm_rank() == 0) {
        printf("%s %s: %lld requests of rank %d\n", job->command->verb, job->words[0],
               (long long)asked, who);
        (void)fflush(stdout); /* before a command's output goes nowhere */
    }
}

/* Refused to the first rank, then to the last, so often at most. */
static void refuse_some(const Job *job, int most)
{
    refuse_each(job, 0, most);
    if (comm_size() > 1) {
        refuse_each(job, comm_size() - 1, most);
    }
}

static void refuse_all(const Job *job)
{
    refuse_some(job, REFUSALS / comm_size());
}

#define SIZES                                                                                  \
    "task=pointmass", "model.members=2", "model.elites=1", "model.hidden=8", "model.layers=1", \
        "model.max_epochs=1", "rollout.batch=16", "rollout.units=4", "rollout.horizon=2",      \
        "train.epochs=2", "train.updates_per_epoch=2", "train.batch=16", "sac.hidden=8",       \
        "rollout.retain=1", "eval.episodes=2"
#define RESULTS "run/policy.h5", "run/model.h5", "run/metrics.csv", "run/penalty.txt"

/* One learner, so that the last rank is a worker. */
static void a_training(void)
{
    const Job job = {
        &cmd_train, {SIZES, "dataset=@/data.hdf5", "run_dir=^/run", "ranks.learners=1"}, {RESULTS}};
    refuse_all(&job);
}

/* All ranks learn, and roll out besides; the dataset is collected first, the termination rule is fitted. */
static void a_training_that_collects(void)
{
    const Job job = {&cmd_train,
                     {SIZES, "dataset=^/own.hdf5", "run_dir=^/run", "collect.rows=300",
                      comm_size() % 2 == 0 ? "ranks.learners=2" : "ranks.learners=1",
                      "termination.rule=learned", "termination.updates=2", "penalty.type=oracle",
                      "rollout.starts=initial"},
                     {RESULTS, "own.hdf5"}};
    refuse_all(&job);
}

/* The model is fitted in a folder for several runs; once more by a command of its own. */
static void a_shared_model(void)
{
    enum { MOST = 12 };
    const Job train = {
        &cmd_train,
        {SIZES, "dataset=@/data.hdf5", "run_dir=^/run", "ranks.learners=1", "model.share=^/models"},
        {RESULTS}};
    const Job fit = {
        &cmd_model, {"fit", SIZES, "dataset=@/data.hdf5", "model.share=^/models"}, {NULL}};
    refuse_some(&train, MOST / comm_size());
    refuse_some(&fit, MOST / comm_size());
}

/* BRAC: a clone of the behavior first. */
static void a_training_without_a_model(void)
{
    const Job job = {&cmd_train,
                     {SIZES, "dataset=@/data.hdf5", "run_dir=^/run", "train.agent=brac",
                      "train.real_ratio=1", "brac.clone_updates=4", "brac.actor_hidden=8",
                      "brac.critic_hidden=8"},
                     {"run/policy.h5", "run/metrics.csv"}};
    refuse_all(&job);
}

static void an_evaluation(void)
{
    const Job job = {&cmd_eval, {"@/plain", "--episodes", "3"}, {NULL}};
    refuse_all(&job);
}

static void a_collection(void)
{
    const Job job = {
        &cmd_collect, {"^/data.hdf5", "task=pointmass", "--rows", "250"}, {"data.hdf5"}};
    refuse_all(&job);
}

static void a_collection_online(void)
{
    const Job job = {&cmd_collect,
                     {"^/online", "--online", "task=pointmass", "collect.steps=60",
                      "collect.start_steps=20", "collect.eval_every=30", "collect.save_every=30",
                      "sac.hidden=8", "eval.episodes=1", "train.batch=8"},
                     {"online/progress.csv"}};
    refuse_all(&job);
}

static void looks_at_data(void)
{
    const Job info = {&cmd_data, {"info", "@/data.hdf5"}, {NULL}};
    const Job check = {&cmd_data, {"check", "@/data.hdf5", "task=pointmass"}, {NULL}};
    const Job convert = {&cmd_data, {"convert", "@/data.hdf5", "^/copy.hdf5"}, {"copy.hdf5"}};

    refuse_all(&info);
    refuse_all(&check);
    refuse_all(&convert);
}

static void a_report_of_a_model(void)
{
    const Job job = {
        &cmd_model, {"report", "@/plain", "--out", "^/report"}, {"report/model-report.txt"}};
    refuse_all(&job);
}

/* It measures, for seconds. */
static void a_plan(void)
{
    const Job job = {&cmd_plan, {SIZES, "dataset=@/data.hdf5"}, {NULL}};
    refuse_some(&job, 2);
}

/* Data and a run for the commands that read them. */
static bool prepare(void)
{
    const Job data = {&cmd_collect, {"@/data.hdf5", "task=pointmass", "--rows", "300"}, {NULL}};
    const Job plain = {&cmd_train, {SIZES, "dataset=@/data.hdf5", "run_dir=@/plain"}, {NULL}};

    return MPI_CHECK_OK(run(&data)) && MPI_CHECK_OK(run(&plain));
}

static void data_and_a_run_are_made(void)
{
    (void)prepare();
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    log_start(comm_rank(), comm_size());
    log_set_level(LOG_QUIET);
    gemm_setup();
    tables_register();
    if (comm_rank() == 0) {
        temp_dir_make(folder);
    }
    coll_bcast(folder, sizeof folder, 0);
    (void)snprintf(out, sizeof out, "%.500s/out", folder);
    (void)mkdir(out, 0777);
    quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    MPI_CASE(data_and_a_run_are_made);
    MPI_CASE(a_training);
    MPI_CASE(a_training_that_collects);
    MPI_CASE(a_shared_model);
    MPI_CASE(a_training_without_a_model);
    MPI_CASE(an_evaluation);
    MPI_CASE(a_collection);
    MPI_CASE(a_collection_online);
    MPI_CASE(looks_at_data);
    MPI_CASE(a_report_of_a_model);
    MPI_CASE(a_plan);
    if (comm_rank() == 0) {
        temp_dir_remove(folder);
    }
    const int code = mpi_check_end();
    comm_close();
    return code;
}
