#include "sweep/cells.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define FIRST_LINE "# mopo sweep "

static const char *const kinds[JOB_KINDS] = {
    [JOB_DATA] = "data", [JOB_MODEL] = "model", [JOB_CELL] = "cell"};

const char *job_kind_name(JobKind kind)
{
    return kinds[kind];
}

static Status copy_text(char **copy, const char *text, size_t size)
{
    Status st = OK;
    TRY(mem_alloc(copy, size + 1, 1, "the list of jobs"));
    memcpy(*copy, text, size);
done:
    return st;
}

static Status check_text(const char *text, const char *what)
{
    const char *flaw = text_flaw(text, strlen(text));
    return flaw == NULL ? OK
                        : status_fail(ERR_CONFIG, "%s contains %s; a list of jobs holds plain text",
                                      what, flaw);
}

Status jobs_init(JobList *list, const char *grid)
{
    Status st = OK;

    *list = (JobList){0};
    TRY(check_text(grid, "the path of the grid file"));
    TRY(copy_text(&list->grid, grid, strlen(grid)));
done:
    return st;
}

void jobs_release(JobList *list)
{
    for (int i = 0; i < list->count; i++) {
        mem_free(&list->jobs[i].words);
    }
    mem_free(&list->jobs);
    mem_free(&list->grid);
    *list = (JobList){0};
}

/* ---- adding ---- */

static Status make_room(JobList *list)
{
    Status st = OK;
    Job *more = NULL;
    const int room = list->room > 0 ? 2 * list->room : 64;

    if (list->count < list->room) {
        return OK;
    }
    if (list->count >= JOBS_MAX) {
        return status_fail(ERR_CONFIG, "more than %d jobs; make several sweeps of it", JOBS_MAX);
    }
    TRY(mem_alloc(&more, (size_t)room, sizeof *more, "the list of jobs"));
    if (list->count > 0) {
        memcpy(more, list->jobs, (size_t)list->count * sizeof *more);
    }
    mem_free(&list->jobs);
    list->jobs = more;
    list->room = room;
done:
    return st;
}

static Status check_job(const char *name, const char *dir, int count, char *const words[])
{
    Status st = OK;

    if (name[0] == '\0' || strlen(name) >= JOB_NAME_MAX || strchr(name, '/') != NULL) {
        return status_fail(ERR_CONFIG,
                           "the name of a job, %.220s, must have 1 to %d characters, and no /",
                           name, JOB_NAME_MAX - 1);
    }
    if (dir[0] == '\0' || strlen(dir) >= JOB_PATH_MAX) {
        return status_fail(ERR_CONFIG, "%s: the path of its files must have 1 to %d characters",
                           name, JOB_PATH_MAX - 1);
    }
    if (count > JOB_WORDS_MAX) {
        return status_fail(ERR_CONFIG, "%s: more than %d words", name, JOB_WORDS_MAX);
    }
    TRY(check_text(name, "the name of a job"));
    TRY(check_text(dir, dir));
    for (int i = 0; i < count; i++) {
        TRY(check_text(words[i], words[i]));
    }
done:
    return st;
}

/* Copies a text behind the others of a block. */
static char *put(char **at, const char *text)
{
    char *start = *at;
    const size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *at += size;
    return start;
}

Status jobs_add(JobList *list, JobKind kind, const char *name, const char *dir, int count,
                char *const words[])
{
    Status st = OK;
    Job job = {.kind = kind, .count = count, .data = -1, .model = -1};
    const size_t head = ((size_t)count + 1) * sizeof *job.words;
    size_t size = head + strlen(name) + strlen(dir) + 2;

    TRY(check_job(name, dir, count, words));
    TRY(make_room(list));
    for (int i = 0; i < count; i++) {
        size += strlen(words[i]) + 1;
    }
    TRY(mem_alloc(&job.words, size, 1, "a job"));
    char *at = (char *)job.words + head;
    job.name = put(&at, name);
    job.dir = put(&at, dir);
    for (int i = 0; i < count; i++) {
        job.words[i] = put(&at, words[i]);
    }
    list->jobs[list->count++] = job;
done:
    return st;
}

int jobs_find(const JobList *list, const char *name)
{
    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->jobs[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- the file ---- */

/* What a job needs as it stands in the file. */
static const char *need(const JobList *list, int number)
{
    return number >= 0 ? list->jobs[number].dir : "-";
}

static int find_need(const JobList *list, JobKind kind, const char *dir)
{
    for (int i = 0; i < list->count && list->jobs[i].kind <= kind; i++) {
        if (list->jobs[i].kind == kind && strcmp(list->jobs[i].dir, dir) == 0) {
            return i;
        }
    }
    return -1;
}

static size_t line_size(const JobList *list, const Job *job)
{
    size_t size = strlen(kinds[job->kind]) + strlen(job->name) + strlen(job->dir) +
                  strlen(need(list, job->data)) + strlen(need(list, job->model)) + 6;
    for (int i = 0; i < job->count; i++) {
        size += strlen(job->words[i]) + 1;
    }
    return size;
}

static bool holds(const char *path, const char *text, size_t size)
{
    unsigned char *there = NULL;
    size_t n = 0;
    const bool same = file_exists(path) && file_read(path, JOBS_BYTES_MAX, &there, &n) == OK &&
                      n == size && memcmp(there, text, size) == 0;
    mem_free(&there);
    return same;
}

Status jobs_write(const JobList *list, const char *path, const int chosen[], int count)
{
    Status st = OK;
    char *data = NULL;
    size_t size = strlen(FIRST_LINE) + strlen(list->grid) + 2;

    for (int i = 0; i < count; i++) {
        size += line_size(list, &list->jobs[chosen != NULL ? chosen[i] : i]);
    }
    TRY(mem_alloc(&data, size, 1, "the list of jobs as text"));
    Text text = text_over(data, size);
    text_add(&text, FIRST_LINE "%s\n", list->grid);
    for (int i = 0; i < count; i++) {
        const Job *job = &list->jobs[chosen != NULL ? chosen[i] : i];
        text_add(&text, "%s\t%s\t%s\t%s\t%s", kinds[job->kind], job->name, job->dir,
                 need(list, job->data), need(list, job->model));
        for (int k = 0; k < job->count; k++) {
            text_add(&text, "\t%s", job->words[k]);
        }
        text_add(&text, "\n");
    }
    if (!holds(path, text.data, text.used)) {
        TRY(file_write(path, text.data, text.used));
    }
done:
    mem_free(&data);
    return st;
}

/* One line without its end; TABs become the ends of words. */
static Status parse_line(JobList *list, char *line)
{
    enum { COLUMNS = 5 };
    Status st = OK;
    char *words[JOB_WORDS_MAX + COLUMNS] = {NULL};
    int count = 0;
    int kind = 0;

    for (bool last = false; !last;) {
        if (count == JOB_WORDS_MAX + COLUMNS) {
            return status_fail(ERR_FORMAT, "more than %d words", JOB_WORDS_MAX);
        }
        words[count++] = line;
        line += strcspn(line, "\t");
        last = *line == '\0';
        *line++ = '\0';
    }
    while (kind < JOB_KINDS && strcmp(words[0], kinds[kind]) != 0) {
        kind++;
    }
    if (kind == JOB_KINDS || count <= COLUMNS) {
        return status_fail(ERR_FORMAT, "%s",
                           kind == JOB_KINDS
                               ? "does not begin with data, model or cell"
                               : "a kind, a name, three paths and words are expected");
    }
    TRY(jobs_add(list, (JobKind)kind, words[1], words[2], count - COLUMNS, words + COLUMNS));
    list->jobs[list->count - 1].data = find_need(list, JOB_DATA, words[3]);
    list->jobs[list->count - 1].model = find_need(list, JOB_MODEL, words[4]);
done:
    return st;
}

static Status parse_lines(JobList *list, const char *path, char *text, size_t size)
{
    Status st = OK;
    const size_t lead = strlen(FIRST_LINE);

    if (size < lead || memcmp(text, FIRST_LINE, lead) != 0 || strlen(text) != size ||
        text[size - 1] != '\n') {
        return status_fail(
            ERR_FORMAT,
            "%s: no complete list of jobs: `mopo sweep` writes them, with \"" FIRST_LINE
            "...\" as the first line",
            path);
    }
    for (int number = 1; *text != '\0'; number++) {
        char *end = text + strcspn(text, "\n");
        *end = '\0';
        st = number == 1 ? jobs_init(list, text + lead) : parse_line(list, text);
        if (st != OK) {
            st = status_while(st, "%s:%d", path, number);
            return st == ERR_CONFIG ? ERR_FORMAT : st;
        }
        text = end + 1;
    }
    return st;
}

Status jobs_parse(JobList *list, const char *path, const char *text, size_t size)
{
    Status st = OK;
    char *copy = NULL;

    *list = (JobList){0};
    TRY(copy_text(&copy, text, size));
    TRY(parse_lines(list, path, copy, size));
done:
    mem_free(&copy);
    if (st != OK) {
        jobs_release(list);
    }
    return st;
}

Status jobs_read(JobList *list, const char *path)
{
    Status st = OK;
    unsigned char *text = NULL;
    size_t size = 0;

    *list = (JobList){0};
    TRY(file_read(path, JOBS_BYTES_MAX, &text, &size));
    TRY(jobs_parse(list, path, (const char *)text, size));
done:
    mem_free(&text);
    return st;
}
