#include "sweep/slurm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sweep/launch.h"
#include "sweep/queue.h"
#include "sweep/select.h"
#include "sweep/words.h"

enum {
    ARRAY_MAX = 1000, /* tasks of an array: SLURM's MaxArraySize is 1001 by default */
    LISTS_MAX = JOBS_MAX / ARRAY_MAX + JOB_KINDS,
    PATH = JOB_PATH_MAX + 128,
    LINE_BYTES = 4 * PATH, /* of a line of sbatch */
    ANSWER_MAX = 4096      /* of what it prints */
};

/* A job array: some jobs of one kind, in a file of their own. */
typedef struct {
    JobKind kind;
    int first, count; /* in `chosen` */
    char path[PATH];
    long id; /* SLURM's number; 0: not submitted */
} List;

typedef struct {
    const SlurmRun *run;
    int *chosen; /* (count) owned: numbers of jobs, in order */
    int count, lists;
    List list[LISTS_MAX];
    int number; /* of the first list */
    char script[LAUNCH_PATH_MAX], self[LAUNCH_PATH_MAX];
} Slurm;

/* ---- what ---- */

/* In the current folder, or where the program was installed. */
static Status find_script(Slurm *s)
{
    Status st = OK;
    static const char own[] = "slurm/sweep.sbatch";

    TRY(launch_self(s->self));
    (void)snprintf(s->script, sizeof s->script, "%s", own);
    if (file_exists(s->script)) {
        return OK;
    }
    const char *slash = strrchr(s->self, '/');
    (void)snprintf(s->script, sizeof s->script, "%.*s/../share/mopo/%s", (int)(slash - s->self),
                   s->self, own);
    if (!file_exists(s->script)) {
        st = status_fail(
            ERR_CONFIG,
            "%s is neither here nor where mopo was installed (%s): call `mopo sweep` in the "
            "repository's root",
            own, s->script);
    }
done:
    return st;
}

/* Jobs to submit, in order; why the others are not is told. */
static Status choose(Slurm *s)
{
    Status st = OK;
    const JobList *jobs = s->run->jobs;
    bool *wanted = NULL;
    bool *queued = NULL;
    bool *failed = NULL;
    char reason[TAIL_REASON];
    int of[JOB_STATE_COUNT] = {0};
    int waiting = 0;
    int blocked = 0;

    TRY(mem_alloc(&wanted, (size_t)jobs->count, sizeof *wanted, "the jobs of a sweep"));
    TRY(mem_alloc(&queued, (size_t)jobs->count, sizeof *queued, "the jobs of a sweep"));
    TRY(mem_alloc(&failed, (size_t)jobs->count, sizeof *failed, "the jobs of a sweep"));
    TRY(mem_alloc(&s->chosen, (size_t)jobs->count, sizeof *s->chosen, "the jobs of a sweep"));
    TRY(select_jobs(jobs, s->run->only, wanted));
    TRY(queue_look(jobs, s->run->out, queued));
    for (int i = 0; i < jobs->count; i++) {
        if (!wanted[i]) {
            continue;
        }
        const JobState state = job_state(&jobs->jobs[i], s->run->out->path, reason);
        const bool free =
            state == JOB_WAITING || state == JOB_STALE || (state == JOB_FAILED && s->run->retry);
        failed[i] = state == JOB_FAILED && !free;
        if (queued[i]) {
            waiting++;
        } else if (jobs->jobs[i].data >= 0 && failed[jobs->jobs[i].data]) {
            blocked++;
        } else if (free) {
            s->chosen[s->count++] = i;
        } else {
            of[state]++;
        }
    }
    log_info("%d job%s to submit; %d done, %d running, %d in the queue, %d need a dataset that "
             "failed, %d failed%s",
             s->count, s->count == 1 ? "" : "s", of[JOB_DONE], of[JOB_RUNNING], waiting, blocked,
             of[JOB_FAILED], of[JOB_FAILED] > 0 ? " (--retry failed)" : "");
done:
    mem_free(&wanted);
    mem_free(&queued);
    mem_free(&failed);
    return st;
}

/* One more than the highest number in OUT/submit. */
static Status find_number(Slurm *s)
{
    Status st = OK;
    DirList names = {0};
    char folder[JOB_PATH_MAX + 64];

    s->number = 1;
    TRY(dir_list(&names, outdir_file(s->run->out, "submit", folder)));
    for (int i = 0; i < names.count; i++) {
        const int number = (int)strtol(names.names[i], NULL, 10);
        s->number = number >= s->number ? number + 1 : s->number;
    }
done:
    dir_list_release(&names);
    return st;
}

static Status write_lists(Slurm *s)
{
    Status st = OK;
    char name[64];
    char path[JOB_PATH_MAX + 64];
    const Job *jobs = s->run->jobs->jobs;

    for (int i = 0; i < s->count;) {
        List *list = &s->list[s->lists];
        *list = (List){.kind = jobs[s->chosen[i]].kind, .first = i};
        while (i < s->count && jobs[s->chosen[i]].kind == list->kind && list->count < ARRAY_MAX) {
            list->count++;
            i++;
        }
        (void)snprintf(name, sizeof name, "submit/%03d-%s.tsv", s->number + s->lists,
                       job_kind_name(list->kind));
        (void)snprintf(list->path, sizeof list->path, "%s", outdir_file(s->run->out, name, path));
        TRY(jobs_write(s->run->jobs, list->path, s->chosen + list->first, list->count));
        s->lists++;
    }
done:
    return st;
}

/* ---- how ---- */

/* The lists that list k waits for: those of the nearest kind before it. */
static bool waits_for(const Slurm *s, int k, int before)
{
    int last = k - 1;
    while (last >= 0 && s->list[last].kind == s->list[k].kind) {
        last--;
    }
    return before <= last && last >= 0 && s->list[before].kind == s->list[last].kind;
}

/* A line of sbatch. */
typedef struct {
    Words words;
    int depends; /* the number of the word with --dependency, -1: none */
} SbatchLine;

/* The line of list k. shell: with variables j1, j2 ... where numbers of jobs belong. */
static void make_line(const Slurm *s, int k, bool shell, SbatchLine *line)
{
    const List *list = &s->list[k];
    Words *w = &line->words;
    char word[PATH];
    Text depends = text_over(word, sizeof word);

    line->depends = -1;
    words_begin(w);
    words_add(w, "sbatch");
    words_add(w, "--parsable");
    if (s->run->at_once > 0) {
        words_add(w, "--array=0-%d%%%d", list->count - 1, s->run->at_once);
    } else {
        words_add(w, "--array=0-%d", list->count - 1);
    }
    words_add(w, "--ntasks=%d", s->run->ranks);
    for (int i = 0; i < k; i++) {
        if (waits_for(s, k, i) && shell) {
            text_add(&depends, ":${j%d%%%%;*}", i + 1);
        } else if (waits_for(s, k, i)) {
            text_add(&depends, ":%ld", s->list[i].id);
        }
    }
    if (depends.used > 0) {
        line->depends = w->count;
        words_add(w, "--dependency=afterany%s",
                  word); /* whatever came of them: a failed one stops only its own */
    }
    words_add(w, "%s", s->script);
    words_add(w, "%s", list->path);
}

/* "submit/003-cell.tsv" becomes "submit/003-cell.id". */
static void id_path(const List *list, char path[PATH])
{
    (void)snprintf(path, PATH, "%.*s.id", (int)(strlen(list->path) - strlen(".tsv")), list->path);
}

/* OUT/submit/NNN.sh: the same for people, and for submitting by hand. */
static Status write_script(const Slurm *s, char **text_out)
{
    Status st = OK;
    SbatchLine line;
    char folder[PATH];
    char name[64];
    char path[JOB_PATH_MAX + 64];
    char id[PATH];
    const size_t room = (size_t)(s->lists + 2) * 2 * LINE_BYTES;

    *text_out = NULL;
    TRY(mem_alloc(text_out, room, 1, "the lines for sbatch"));
    Text text = text_over(*text_out, room);
    if (getcwd(folder, sizeof folder) == NULL) {
        st = file_error(".", "find the path of the current folder");
        goto done;
    }
    text_add(&text, "#!/bin/sh\n# What `mopo sweep %s --slurm` hands to SLURM.\ncd",
             s->run->jobs->grid);
    text_add_word(&text, folder);
    text_add(&text, " || exit 1\nexport MOPO=\"${MOPO:-%s}\"\n", s->self);
    for (int k = 0; k < s->lists; k++) {
        make_line(s, k, true, &line);
        text_add(&text, "j%d=$(", k + 1);
        for (int i = 0; i < line.words.count; i++) {
            if (i == line.depends) {
                text_add(&text, " %s", line.words.words[i]);
            } else {
                text_add_word(&text, line.words.words[i]);
            }
        }
        id_path(&s->list[k], id);
        text_add(&text, " | tee");
        text_add_word(&text, id);
        text_add(&text, ")\n");
    }
    (void)snprintf(name, sizeof name, "submit/%03d.sh", s->number);
    TRY(file_write(outdir_file(s->run->out, name, path), text.data, text.used));
done:
    if (st != OK) {
        mem_free(text_out);
    }
    return st;
}

/* Hand list k over, and note its number beside it: the next `mopo sweep --slurm` asks the queue for it. */
static Status submit(Slurm *s, int k)
{
    static const char *const nouns[JOB_KINDS] = {
        [JOB_DATA] = "dataset", [JOB_MODEL] = "model", [JOB_CELL] = "cell"};
    Status st = OK;
    List *list = &s->list[k];
    SbatchLine line;
    char path[PATH];
    char *answer = NULL;
    size_t size = 0;
    int code = 0;

    make_line(s, k, false, &line);
    TRY(launch_read(line.words.words, ANSWER_MAX, &answer, &size, &code));
    list->id = code == 0 ? strtol(answer, NULL, 10) : 0;
    if (list->id <= 0) {
        st = status_fail(
            ERR_IO,
            "sbatch refused %s (exit code %d, and it printed '%.80s'); what was submitted before "
            "stays, and the same command submits the rest",
            list->path, code, answer);
        goto done;
    }
    id_path(list, path);
    st = file_write(path, answer, size);
    if (st != OK) {
        st = status_while(st,
                          "job %ld is submitted (%s), but unless its number is noted the next call "
                          "submits it again: scancel it",
                          list->id, list->path);
        goto done;
    }
    (void)printf("job %ld: %d %s%s of %s%s\n", list->id, list->count, nouns[list->kind],
                 list->count == 1 ? "" : "s", list->path,
                 line.depends >= 0 ? ", after those before" : "");
done:
    mem_free(&answer);
    return st;
}

/* Where the program and keep.sh lie: sbatch hands the environment on. A thousand tasks that begin at once would ask
 * the controller for it, which may not answer all. */
static void tell_scripts(const Slurm *s)
{
    char folder[LAUNCH_PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(s->script, '/') - s->script),
                   s->script);
    (void)setenv("MOPO", s->self, 0);
    (void)setenv("MOPO_SLURM", folder, 0);
}

Status slurm_run(const SlurmRun *run)
{
    Status st = OK;
    Slurm *s = NULL;
    char *text = NULL;

    TRY(mem_alloc(&s, 1, sizeof *s, "what is submitted"));
    s->run = run;
    TRY(find_script(s));
    TRY(choose(s));
    TRY(find_number(s));
    if (s->count == 0) {
        goto done;
    }
    TRY(write_lists(s));
    TRY(write_script(s, &text));
    if (run->print) {
        (void)fputs(text, stdout);
        goto done;
    }
    tell_scripts(s);
    for (int k = 0; k < s->lists; k++) {
        TRY(submit(s, k));
    }
    log_info("how far they are: mopo status %s", run->out->path);
done:
    if (s != NULL) {
        mem_free(&s->chosen);
    }
    mem_free(&s);
    mem_free(&text);
    return st;
}
