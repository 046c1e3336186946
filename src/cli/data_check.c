/* mopo data check: the verdict on a dataset. */
#include <stdio.h>

#include "cli/data_actions.h"
#include "cli/print.h"
#include "run/data_check.h"

static void print_rows(const Finding *f)
{
    printf(", %lld row%s:", (long long)f->rows, f->rows == 1 ? "" : "s");
    for (int64_t k = 0; k < f->rows && k < FINDING_ROWS; k++) {
        printf(" %lld", (long long)f->first[k]);
    }
    printf("%s", f->rows > FINDING_ROWS ? " ..." : "");
}

/* Text in lines of at most 100 characters, indented. */
static void print_wrapped(const char *text)
{
    enum { INDENT = 4, WIDTH = 100 };
    int column = 0;

    for (const char *word = text; *word != '\0';) {
        int n = 0;
        while (word[n] != '\0' && word[n] != ' ') {
            n++;
        }
        if (column > 0 && column + 1 + n > WIDTH) {
            printf("\n");
            column = 0;
        }
        column += printf("%*s%.*s", column == 0 ? INDENT : 1, "", n, word);
        word += n + (word[n] == ' ');
    }
    printf("\n");
}

static int checks(void)
{
    int n = 0;
    while (data_check_name(n) != NULL) {
        n++;
    }
    return n;
}

static void print_text(const DataSubject *s, const Findings *all)
{
    printf("%s: %lld rows", s->path, (long long)s->rec.rows);
    if (s->env != NULL) {
        printf(", task %s%s", s->env->name, s->guessed ? " (guessed: the simulator fits)" : "");
    } else {
        printf(", no task was named and none fits: its simulator is not asked");
    }
    if (s->rec.layout == LAYOUT_TABLE) {
        printf("; training wants a dataset made of this table: mopo data convert");
    }
    printf("\n");
    for (int i = 0; i < all->count; i++) {
        const Finding *f = &all->list[i];
        printf("%s  %s", severity_name(f->severity), f->check);
        if (f->rows > 0) {
            print_rows(f);
        }
        printf("\n");
        print_wrapped(f->text);
    }
    printf("%d checks", checks());
    for (int k = SEVERITY_ERROR; k >= 0; k--) {
        const long long n = (long long)all->number[k];
        printf("%s %lld %s%s", k == SEVERITY_ERROR ? ":" : ",", n, severity_name((Severity)k),
               n == 1 ? "" : "s");
    }
    printf("\n");
}

static json_t *json_of(const Finding *f)
{
    json_t *rows = json_array();
    for (int64_t k = 0; k < f->rows && k < FINDING_ROWS; k++) {
        (void)json_array_append_new(rows, json_integer(f->first[k]));
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:s}", "check", f->check, "severity",
                     severity_name(f->severity), "rows", (json_int_t)f->rows, "first_rows", rows,
                     "text", f->text);
}

static Status print_json(const DataSubject *s, const Findings *all)
{
    json_t *findings = json_array();
    for (int i = 0; i < all->count; i++) {
        (void)json_array_append_new(findings, json_of(&all->list[i]));
    }
    json_t *top = json_pack("{s:s, s:s?, s:b, s:I, s:i, s:I, s:I, s:I, s:o}", "file", s->path,
                            "task", s->env != NULL ? s->env->name : NULL, "task_guessed",
                            (int)s->guessed, "rows", (json_int_t)s->rec.rows, "checks", checks(),
                            "errors", (json_int_t)all->number[SEVERITY_ERROR], "warnings",
                            (json_int_t)all->number[SEVERITY_WARNING], "notes",
                            (json_int_t)all->number[SEVERITY_NOTE], "findings", findings);
    return print_json_object(top, 0);
}

Status data_judge(const OptionValues *in)
{
    Status st = OK;
    DataSubject s;
    Findings all;

    TRY(data_subject_open(&s, in));
    const CheckOptions options = {.task = s.env,
                                  .guessed = s.guessed,
                                  .any_actions = s.config.data.action_low[0] != '\0' ||
                                                 s.config.data.action_high[0] != '\0'};
    TRY(data_check(&all, &s.rec, &options));
    if (option_flag(in, "json")) {
        TRY(print_json(&s, &all));
    } else {
        print_text(&s, &all);
    }
    if (all.number[SEVERITY_ERROR] > 0) {
        st = status_fail(ERR_FORMAT, "%s is not fit for training as it is", s.path);
    }
done:
    data_subject_release(&s);
    return st;
}
