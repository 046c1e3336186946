/* mopo status: how far runs and sweeps are, from the disk, without a word to them. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/print.h"
#include "sweep/seed_group.h"
#include "sweep/status_report.h"

enum { SECONDS = 3 };

/* "failed,stale" */
static Status read_states(const OptionValues *in, bool wanted[JOB_STATE_COUNT])
{
    const char *text = option_text(in, "only");
    char word[TEXT_WORD_MAX];

    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        wanted[s] = text == NULL;
    }
    while (text != NULL) {
        const size_t n = strcspn(text, ",");
        int s = 0;
        (void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1),
                       text);
        while (s < JOB_STATE_COUNT && strcmp(job_state_names[s], word) != 0) {
            s++;
        }
        if (s == JOB_STATE_COUNT) {
            const char *near = text_nearest(word, job_state_names, JOB_STATE_COUNT);
            return status_fail(ERR_USAGE,
                               "--only=%s: done, running, waiting, stale and failed are allowed, "
                               "with commas between several%s%s%s",
                               word, near != NULL ? "; did you mean " : "",
                               near != NULL ? near : "", near != NULL ? "?" : "");
        }
        wanted[s] = true;
        text = text[n] == ',' ? text + n + 1 : NULL;
    }
    return OK;
}

/* Bytes of the table at most: a job's line, a reason, a command with the paths in it. */
static size_t table_room(const StatusReport *report)
{
    enum { HEAD = 1 << 16, JOB = 2048, QUOTED = 4 };
    const size_t grid = report->grid != NULL ? strlen(report->grid) : 0;
    size_t room = HEAD;

    for (int i = 0; i < report->count; i++) {
        room += JOB + QUOTED * (grid + 2 * strlen(report->row[i].dir));
    }
    return room;
}

static Status print_table(const StatusReport *report, const bool wanted[JOB_STATE_COUNT], int lines)
{
    Status st = OK;
    char *data = NULL;
    const size_t room = table_room(report);

    TRY(mem_alloc(&data, room, 1, "the table of states"));
    Text text = text_over(data, room);
    status_add_table(report, wanted, lines, &text);
    (void)fputs(data, stdout);
done:
    mem_free(&data);
    return st;
}

/* ---- --means, --json ---- */

static Status print_means(const StatusReport *report)
{
    enum { LINE = 2 * JOB_NAME_MAX + 256 };
    Status st = OK;
    SeedGroup *groups = NULL;
    char *data = NULL;
    int count = 0;

    if (report->grid == NULL) {
        return status_fail(ERR_USAGE,
                           "--means: %s is not the folder of a sweep (it has no cells.tsv)",
                           report->dir);
    }
    TRY(seed_groups(report, &groups, &count));
    const size_t room = (size_t)(count + 1) * LINE;
    TRY(mem_alloc(&data, room, 1, "the table of means"));
    Text text = text_over(data, room);
    seed_groups_add_table(groups, count, &text);
    (void)fputs(data, stdout);
done:
    mem_free(&data);
    mem_free(&groups);
    return st;
}

static Status print_json(const StatusReport *report, const bool wanted[JOB_STATE_COUNT])
{
    Status st = OK;
    SeedGroup *groups = NULL;
    int count = 0;

    TRY(seed_groups(report, &groups, &count));
    json_t *all = status_json(report, wanted);
    if (all != NULL && json_object_set_new(all, "means", seed_groups_json(groups, count)) != 0) {
        json_decref(all);
        all = NULL;
    }
    TRY(print_json_object(all, JSON_INDENT(2)));
done:
    mem_free(&groups);
    return st;
}

/* ---- --watch ---- */

/* A screen: from its corner, what is left of the screen before cleared. */
static Status redraw(const StatusReport *report, const bool wanted[JOB_STATE_COUNT])
{
    enum { REST = 6 }; /* the lines of a last row in trouble, what is hidden, summary, cursor */
    struct winsize size = {0};
    int lines = 24;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) {
        lines = size.ws_row;
    }
    (void)fputs("\033[H\033[2J", stdout);
    return print_table(report, wanted, lines > 2 * REST ? lines - REST : REST);
}

enum { COUNTS = JOB_KINDS * JOB_STATE_COUNT * 12 };

/* One line, where it says something new; when it ends is new too often. */
static void print_change(const StatusReport *report, char last[COUNTS])
{
    char counts[COUNTS];
    char data[1024];
    char now[16] = "";
    struct tm here;
    const time_t seconds = (time_t)report->now;
    Text all = text_over(counts, sizeof counts);
    Text line = text_over(data, sizeof data);

    for (int k = 0; k < JOB_KINDS; k++) {
        int jobs = 0;
        for (int s = 0; s < JOB_STATE_COUNT; s++) {
            jobs += report->states[k][s];
            text_add(&all, "%d ", report->states[k][s]);
        }
        if (k != JOB_CELL && jobs > report->states[k][JOB_DONE]) {
            status_add_kind(report, (JobKind)k, &line);
            text_add(&line, "; ");
        }
    }
    if (strcmp(counts, last) != 0) {
        memcpy(last, counts, sizeof counts);
        if (localtime_r(&seconds, &here) != NULL) {
            (void)strftime(now, sizeof now, "%H:%M:%S", &here);
        }
        status_add_summary(report, &line);
        (void)printf("%s  %s\n", now, data);
    }
}

/* A terminal that can be told to clear itself. */
static bool is_screen(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) != 0 && term != NULL && term[0] != '\0' &&
           strcmp(term, "dumb") != 0;
}

static Status watch(const char *dir, StatusReport *report, const bool wanted[JOB_STATE_COUNT])
{
    Status st = OK;
    char last[COUNTS] = "";
    const bool screen = is_screen();
    const struct timespec rest = {.tv_sec = SECONDS};

    for (;;) {
        TRY(status_look(report, dir));
        if (screen) {
            TRY(redraw(report, wanted));
        } else {
            print_change(report, last);
        }
        if (fflush(stdout) != 0 || !status_goes_on(report)) {
            break; /* main tells what a write failed of */
        }
        (void)nanosleep(&rest, NULL);
    }
done:
    return st;
}

/* ---- the command ---- */

/* The table has said all: an exit code without a sentence. */
static Status verdict(const StatusReport *report)
{
    const int code = status_code(report);
    return code == 0 ? OK : status_told(code == 1 ? ERR_JOB : ERR_INTERRUPTED);
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    StatusReport report = {0};
    bool wanted[JOB_STATE_COUNT];
    const bool json = option_flag(in, "json");
    const bool means = option_flag(in, "means");

    TRY(options_count(in, 1, 1));
    TRY(read_states(in, wanted));
    if (json && option_flag(in, "watch")) {
        return status_fail(ERR_USAGE, "--json prints one look; it cannot stand beside --watch");
    }
    if (means && (json || option_flag(in, "watch") || option_text(in, "only") != NULL)) {
        return status_fail(ERR_USAGE, "--means stands alone; --json has the same, as `means`");
    }
    if (option_flag(in, "watch")) {
        TRY(watch(in->words[0], &report, wanted));
    } else {
        TRY(status_look(&report, in->words[0]));
        TRY(means  ? print_means(&report)
            : json ? print_json(&report, wanted)
                   : print_table(&report, wanted, 0));
    }
    st = verdict(&report);
done:
    status_release(&report);
    return st;
}

static const Option options[] = {
    {"watch", 'w', NULL,
     "look every three seconds until nothing runs or waits any more: the table again on a "
     "terminal, a line for each change elsewhere"},
    {"only", 'o', "STATE",
     "show only these: done, running, waiting, stale, failed, or several with commas"},
    {"means", 'm', NULL,
     "of a sweep: mean and standard deviation of the results over seeds, a line for each "
     "combination of the other settings"},
    {"json", 'j', NULL, "print one JSON object (docs/formats.md)"},
    {0},
};

const Command cmd_status = {
    .verb = "status",
    .args = "DIR",
    .summary = "show how far runs and sweeps are",
    .detail =
        "DIR is the folder of a sweep, a run directory, or any folder: then all run directories in "
        "the three levels below it. For each: done, running (epoch or pass, last return, seconds "
        "for one, when it ends, host), waiting (not begun, or saved and free to go on), stale "
        "(killed or lost: no sign of life) or failed, with the reason and the command that starts "
        "it again. All is read from the disk; runs are not disturbed, and nothing is written.\n"
        "Exit code 0: all done, 1: something failed, 75: neither (docs/status.md).\n"
        "\n"
        "  mopo status runs/lambda\n"
        "  mopo status runs --only running,failed\n"
        "  mopo status runs/lambda --watch\n"
        "  mopo status runs/lambda --means\n",
    .options = options,
    .run = run,
    .alone = true,
};
