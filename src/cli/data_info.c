/* mopo data info: what is in a dataset. */
#include <math.h>
#include <stdio.h>

#include "cli/data_actions.h"
#include "cli/print.h"
#include "data/dataset.h"
#include "data/h5.h"
#include "run/data_info.h"
#include "run/data_options.h"

enum { DEFAULT_HORIZON = 1000 };

typedef struct {
    const DataSubject *subject;
    DataInfo info;
    Dataset data;          /* as training would use it; zero where it refuses */
    Recognition published; /* whether it is a file that is known */
    bool has_policy;
} Report;

static bool scored(const Report *r)
{
    const EnvKind *env = r->subject->env;
    return env != NULL && env->ref_max > env->ref_min;
}

static void print_spread(const char *label, const Spread *s)
{
    printf("  %-12s mean %.1f, deviation %.1f; %.1f [%.1f %.1f %.1f] %.1f\n", label, s->mean,
           s->std, s->min, s->low, s->middle, s->high, s->max);
}

static void print_columns(const char *label, const ColumnInfo *c, int n)
{
    printf("  %-12s %11s %11s %11s %11s\n", label, "min", "max", "mean", "deviation");
    for (int j = 0; j < n; j++) {
        int k = j; /* a run of equal columns is one line */
        while (k + 1 < n && c[k + 1].min == c[j].min && c[k + 1].max == c[j].max &&
               c[k + 1].mean == c[j].mean) {
            k++;
        }
        char name[32];
        (void)(k > j ? snprintf(name, sizeof name, "%d..%d", j, k)
                     : snprintf(name, sizeof name, "%d", j));
        printf("  %12s %11.4g %11.4g %11.4g %11.4g\n", name, c[j].min, c[j].max, c[j].mean,
               c[j].std);
        j = k;
    }
}

static void print_origin(const Report *r)
{
    const Recording *rec = &r->subject->rec;

    printf("  metadata     algorithm %s, iteration ",
           rec->algorithm[0] != '\0' ? rec->algorithm : "not said");
    if (rec->iteration >= 0) {
        printf("%lld", (long long)rec->iteration);
    } else {
        printf("not said");
    }
    printf(", %s policy\n", r->has_policy ? "with its" : "no");
    if (r->published.note[0] != '\0') {
        printf("  published    %s\n", r->published.note);
    }
}

/* In text and in JSON. */
static const char *const layouts[][2] = {[LAYOUT_D4RL] = {"D4RL", "d4rl"},
                                         [LAYOUT_MINARI] = {"Minari", "minari"},
                                         [LAYOUT_TABLE] = {"a table", "table"}};

static void print_text(const Report *r)
{
    const DataSubject *s = r->subject;
    const DataInfo *info = &r->info;

    printf("%s\n", s->path);
    printf("  layout       %s, %s precision, %s next_observations, %s timeouts\n",
           layouts[s->rec.layout][0], s->rec.wide ? "double" : "single",
           s->rec.next_observations != NULL ? "with" : "no",
           s->rec.timeouts != NULL ? "with" : "no");
    printf("  task         %s%s\n", s->env != NULL ? s->env->name : "not named, and none fits",
           s->guessed ? " (guessed: its simulator fits the rows)" : "");
    printf("  dimensions   %d state, %d action\n", s->rec.state_dim, s->rec.act_dim);
    printf("  rows         %lld; %lld terminal, %lld timeouts\n", (long long)info->rows,
           (long long)info->terminals, (long long)info->timeouts);
    printf("  episodes     %lld complete; %lld rows behind the last one\n",
           (long long)info->episodes, (long long)info->open_rows);
    print_spread("length", &info->length);
    print_spread("return", &info->total);
    if (scored(r)) {
        printf("  score        mean %.2f, best %.2f (random policy 0, expert 100)\n",
               env_normalized_score(s->env, info->total.mean),
               env_normalized_score(s->env, info->total.max));
    }
    print_origin(r);
    print_columns("reward", &info->reward, 1);
    print_columns("state", info->states, s->rec.state_dim);
    print_columns("action", info->actions, s->rec.act_dim);
    if (r->data.rows > 0) {
        printf("  training     %lld transitions; %s\n", (long long)r->data.rows, r->data.rule);
        printf("  digest       %s\n", r->data.digest);
    }
}

static json_t *json_spread(const Spread *s)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "mean", s->mean, "std", s->std, "min",
                     s->min, "q25", s->low, "q50", s->middle, "q75", s->high, "max", s->max);
}

static json_t *json_columns(const ColumnInfo *c, int n)
{
    json_t *all = json_array();
    for (int j = 0; j < n; j++) {
        (void)json_array_append_new(all, json_pack("{s:f, s:f, s:f, s:f}", "min", c[j].min, "max",
                                                   c[j].max, "mean", c[j].mean, "std", c[j].std));
    }
    return all;
}

static json_t *json_score(const Report *r, double total)
{
    return scored(r) ? json_real(env_normalized_score(r->subject->env, total)) : json_null();
}

static Status print_json(const Report *r)
{
    const DataSubject *s = r->subject;
    const DataInfo *info = &r->info;
    json_t *iteration = s->rec.iteration >= 0 ? json_integer(s->rec.iteration) : json_null();
    json_t *top = json_pack(
        "{s:s, s:s, s:s?, s:b, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:s, s:o, s:b, s:s, s:I, s:s, s:s}",
        "file", s->path, "layout", layouts[s->rec.layout][1], "task",
        s->env != NULL ? s->env->name : NULL, "task_guessed", (int)s->guessed, "state_dim",
        s->rec.state_dim, "act_dim", s->rec.act_dim, "rows", (json_int_t)info->rows, "terminals",
        (json_int_t)info->terminals, "timeouts", (json_int_t)info->timeouts, "episodes",
        (json_int_t)info->episodes, "open_rows", (json_int_t)info->open_rows, "length",
        json_spread(&info->length), "return", json_spread(&info->total), "score_mean",
        json_score(r, info->total.mean), "score_max", json_score(r, info->total.max), "reward",
        json_columns(&info->reward, 1), "states", json_columns(info->states, s->rec.state_dim),
        "actions", json_columns(info->actions, s->rec.act_dim), "algorithm", s->rec.algorithm,
        "iteration", iteration, "has_policy", (int)r->has_policy, "published", r->published.note,
        "transitions", (json_int_t)r->data.rows, "rule", r->data.rule, "digest", r->data.digest);
    return print_json_object(top, 0);
}

static bool holds_policy(const char *path)
{
    H5File *file = NULL;
    const bool yes = h5_open(&file, path) == OK && h5_has(file, "metadata/policy/fc0/weight");
    h5_close(file);
    return yes;
}

/* What is in the file is told even when training refuses it; the refusal is then the outcome. */
Status data_show(const OptionValues *in)
{
    Status st = OK;
    DataSubject s;
    Report r = {.subject = &s};
    ActionBounds bounds;
    DatasetOptions options;

    TRY(data_subject_open(&s, in));
    const int horizon = s.env != NULL && s.env->horizon > 0 ? s.env->horizon : DEFAULT_HORIZON;
    TRY(data_info(&r.info, &s.rec, horizon));
    TRY(registry_recognize(&r.published, s.path, s.row));
    r.has_policy = holds_policy(s.path);
    const bool any = s.env == NULL || s.env->open == NULL;
    TRY(data_options(&s.config, any ? NULL : s.env, &bounds, &options));
    st = dataset_read(&r.data, s.path, &options);
    if (option_flag(in, "json")) {
        const Status printed = print_json(&r);
        st = st == OK ? printed : st;
    } else {
        print_text(&r);
    }
done:
    dataset_release(&r.data);
    data_info_release(&r.info);
    data_subject_release(&s);
    return st;
}
