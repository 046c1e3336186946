#include "run/parting.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/manifest.h"
#include "run/model_file.h"
#include "run/policy_file.h"
#include "run/results.h"
#include "run/rundir.h"

/* The file that stands for a part. */
static const char *const files[PART_COUNT] = {[PART_MODEL] = "model.h5",
                                              [PART_MODEL_REPORT] = "model-report.txt",
                                              [PART_PENALTY_REPORT] = "penalty.txt",
                                              [PART_METRICS] = "metrics.csv",
                                              [PART_POLICY] = "policy.h5"};

bool parting_pair_differs(const PartingPair *pair)
{
    return pair->then[0] != '\0' && pair->now[0] != '\0' && strcmp(pair->then, pair->now) != 0;
}

static const char *path_of(const char *run, const char *name, char *path)
{
    (void)snprintf(path, RUNDIR_PATH_MAX, "%s/%s", run, name);
    return path;
}

/* ---- facts and settings ---- */

static void copy_text(char to[PARTING_TEXT_MAX], const char *from)
{
    (void)snprintf(to, PARTING_TEXT_MAX, "%s", from != NULL ? from : "");
}

void parting_facts(const json_t *then, const json_t *now, PartingPair facts[FACT_ROWS])
{
    for (int i = 0; i < FACT_ROWS; i++) {
        copy_text(facts[i].then, facts_text(then, &fact_rows[i]));
        copy_text(facts[i].now, facts_text(now, &fact_rows[i]));
    }
}

/* *manifest NULL where the run has none: it was stopped before it read its dataset. */
static Status read_manifest(const char *run, json_t **manifest)
{
    char path[RUNDIR_PATH_MAX];

    *manifest = NULL;
    return file_exists(path_of(run, "manifest.json", path)) ? manifest_read(path, manifest) : OK;
}

/* Results up to an epoch do not depend on how many follow. */
static bool no_matter(const char *key)
{
    return strcmp(key, "run_dir") == 0 || strcmp(key, "dataset") == 0 ||
           strcmp(key, "train.epochs") == 0 || strcmp(key, "model.share") == 0 ||
           strncmp(key, "ranks.", 6) == 0 || strncmp(key, "checkpoint.", 11) == 0;
}

static Status compare_settings(Parting *p)
{
    Status st = OK;
    Config *both = NULL;

    TRY(mem_alloc(&both, 2, sizeof *both, "the settings of two runs"));
    TRY(rundir_settings(p->then, &both[0]));
    TRY(rundir_settings(p->now, &both[1]));
    p->settings_differ =
        config_diff(&both[0], &both[1], no_matter, p->settings.now, sizeof p->settings.now);
done:
    mem_free(&both);
    return st;
}

/* ---- files ---- */

static Status compare_file(Parting *p, Part part, const json_t *results)
{
    Status st = OK;
    PartingPart *of = &p->parts[part];
    const char *recorded = json_string_value(json_object_get(results, files[part]));

    TRY(result_digest(p->then, files[part], of->then));
    TRY(result_digest(p->now, files[part], of->now));
    of->changed = of->then[0] != '\0' && recorded != NULL && strcmp(of->then, recorded) != 0;
    if (of->then[0] == '\0' && recorded != NULL) { /* kept without the file */
        (void)snprintf(of->then, sizeof of->then, "%.*s", SLAB_DIGEST_MAX - 1, recorded);
    }
    if (of->then[0] != '\0' && of->now[0] != '\0') {
        of->state = strcmp(of->then, of->now) == 0 ? PART_SAME : PART_OTHER;
    }
done:
    return st;
}

static bool have_both(const Parting *p, Part part)
{
    char path[RUNDIR_PATH_MAX];

    return file_exists(path_of(p->then, files[part], path)) &&
           file_exists(path_of(p->now, files[part], path));
}

/* A policy of another epoch is another, of course. */
static Status compare_policy_epochs(Parting *p)
{
    Status st = OK;
    PolicyFile then = {0};
    PolicyFile now = {0};
    char path[RUNDIR_PATH_MAX];

    TRY(policy_load(path_of(p->then, files[PART_POLICY], path), &then));
    TRY(policy_load(path_of(p->now, files[PART_POLICY], path), &now));
    if (then.info.epoch != now.info.epoch) {
        p->parts[PART_POLICY].state = PART_ABSENT;
    }
done:
    policy_release(&then);
    policy_release(&now);
    return st;
}

static Status describe_fit(const char *run, char text[PARTING_TEXT_MAX])
{
    Status st = OK;
    ModelInfo info;
    Ensemble ens = {0};
    char path[RUNDIR_PATH_MAX];

    TRY(model_load(path_of(run, files[PART_MODEL], path), NULL, &info, &ens));
    const int best = (int)ens.elite[0];
    (void)snprintf(text, PARTING_TEXT_MAX, "%lld passes, best member %d with holdout MSE %.9g",
                   (long long)info.passes, best, ens.holdout[best]);
done:
    ensemble_release(&ens);
    return st;
}

/* ---- metrics: lines and their numbers, as text ---- */

typedef struct {
    unsigned char *bytes; /* owned */
    const char *at;       /* the next line */
} CsvLines;

static Status csv_open(CsvLines *lines, const char *run)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    size_t size = 0;

    *lines = (CsvLines){.at = ""};
    if (file_exists(path_of(run, files[PART_METRICS], path))) {
        TRY(file_read(path, SIZE_MAX - 1, &lines->bytes, &size));
        lines->at = (const char *)lines->bytes;
    }
done:
    return st;
}

/* A whole line into `text`, without its end; false: there is none, or half of one. */
static bool csv_next(CsvLines *lines, char *text, size_t size)
{
    const char *end = strchr(lines->at, '\n');

    if (end == NULL) {
        return false;
    }
    (void)snprintf(text, size, "%.*s", (int)(end - lines->at), lines->at);
    lines->at = end + 1;
    return true;
}

/* Field k of a line of the CSV; false: it has fewer. */
static bool field(const char *line, int k, char *text, size_t size)
{
    for (; k > 0 && line != NULL; k--) {
        line = strchr(line, ',');
        line = line != NULL ? line + 1 : NULL;
    }
    if (line == NULL) {
        return false;
    }
    (void)snprintf(text, size, "%.*s", (int)strcspn(line, ","), line);
    return true;
}

static int column_of(const char *header, const char *name)
{
    char text[48];

    for (int k = 0; field(header, k, text, sizeof text); k++) {
        if (strcmp(text, name) == 0) {
            return k;
        }
    }
    return -1;
}

enum { METRICS_LINE_MAX = 8192 };

typedef struct {
    char header[METRICS_LINE_MAX], line[METRICS_LINE_MAX];
} Row;

/* Evaluations follow from the policy, so the cause is in the other numbers, if it is in any. */
static bool is_evaluation(const char *name)
{
    return strncmp(name, "return_", 7) == 0 || strncmp(name, "length_", 7) == 0 ||
           strcmp(name, "score") == 0;
}

/* Number after number, by name: another version may have more of them. */
static void compare_line(Parting *p, const Row *then, const Row *now)
{
    char name[sizeof p->metric];
    PartingPair pair = {0};
    int differ = 0;

    for (int k = 0; field(then->header, k, name, sizeof name); k++) {
        const int at = column_of(now->header, name);
        if (at < 0 || !field(then->line, k, pair.then, sizeof pair.then) ||
            !field(now->line, at, pair.now, sizeof pair.now) || strcmp(pair.then, pair.now) == 0) {
            continue;
        }
        if (differ++ == 0 || (is_evaluation(p->metric) && !is_evaluation(name))) {
            memcpy(p->metric, name, sizeof name);
            p->numbers = pair;
        }
    }
    p->others = differ > 0 ? differ - 1 : 0;
}

static void count_rest(CsvLines *lines, Row *row, int64_t *count)
{
    while (csv_next(lines, row->line, sizeof row->line)) {
        (*count)++;
    }
}

static void compare_lines(Parting *p, CsvLines lines[2], Row rows[2])
{
    PartingPart *part = &p->parts[PART_METRICS];
    int64_t n = 0;

    if (!csv_next(&lines[0], rows[0].header, METRICS_LINE_MAX) ||
        !csv_next(&lines[1], rows[1].header, METRICS_LINE_MAX)) {
        count_rest(&lines[0], &rows[0], &p->epochs_then);
        count_rest(&lines[1], &rows[1], &p->epochs_now);
        return;
    }
    for (;;) {
        const bool a = csv_next(&lines[0], rows[0].line, METRICS_LINE_MAX);
        const bool b = csv_next(&lines[1], rows[1].line, METRICS_LINE_MAX);
        p->epochs_then += a;
        p->epochs_now += b;
        if (!a || !b) {
            break;
        }
        n++;
        if (p->metric[0] == '\0') {
            compare_line(p, &rows[0], &rows[1]);
            p->epoch = p->metric[0] != '\0' ? n : 0;
        }
    }
    count_rest(&lines[0], &rows[0], &p->epochs_then);
    count_rest(&lines[1], &rows[1], &p->epochs_now);
    part->state = n == 0 ? PART_ABSENT : p->epoch > 0 ? PART_OTHER : PART_SAME;
}

static Status compare_metrics(Parting *p)
{
    Status st = OK;
    CsvLines lines[2] = {0};
    Row *rows = NULL;

    p->parts[PART_METRICS].state = PART_ABSENT;
    TRY(mem_alloc(&rows, 2, sizeof *rows, "lines of metrics"));
    TRY(csv_open(&lines[0], p->then));
    TRY(csv_open(&lines[1], p->now));
    compare_lines(p, lines, rows);
done:
    mem_free(&lines[0].bytes);
    mem_free(&lines[1].bytes);
    mem_free(&rows);
    return st;
}

/* ---- all of it ---- */

static void compare_dataset(Parting *p)
{
    const PartingPair *pair = &p->facts[0];
    PartingPart *part = &p->parts[PART_DATASET];

    (void)snprintf(part->then, sizeof part->then, "%.*s", SLAB_DIGEST_MAX - 1, pair->then);
    (void)snprintf(part->now, sizeof part->now, "%.*s", SLAB_DIGEST_MAX - 1, pair->now);
    part->state = part->then[0] == '\0' || part->now[0] == '\0' ? PART_ABSENT
                  : parting_pair_differs(pair)                  ? PART_OTHER
                                                                : PART_SAME;
}

Status parting_find(const char *then, const char *now, Parting *out)
{
    Status st = OK;
    json_t *manifests[2] = {NULL, NULL};
    Parting *p = out;

    *p = (Parting){.then = then, .now = now};
    TRY(compare_settings(p));
    TRY(read_manifest(then, &manifests[0]));
    TRY(read_manifest(now, &manifests[1]));
    parting_facts(manifests[0], manifests[1], p->facts);
    compare_dataset(p);
    for (int part = PART_MODEL; part < PART_COUNT; part++) {
        TRY(compare_file(p, (Part)part, json_object_get(manifests[0], "results")));
    }
    TRY(compare_metrics(p));
    if (p->parts[PART_POLICY].state == PART_OTHER && have_both(p, PART_POLICY)) {
        TRY(compare_policy_epochs(p));
    }
    if (p->parts[PART_MODEL].state == PART_OTHER && have_both(p, PART_MODEL)) {
        TRY(describe_fit(then, p->fit.then));
        TRY(describe_fit(now, p->fit.now));
    }
done:
    json_decref(manifests[0]);
    json_decref(manifests[1]);
    return status_while(st, "comparing %s with %s", then, now);
}

bool parting_none(const Parting *p)
{
    for (int i = 0; i < PART_COUNT; i++) {
        if (p->parts[i].state == PART_OTHER) {
            return false;
        }
    }
    return true;
}
