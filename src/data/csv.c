#include "data/csv.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { COLUMNS_MAX = 4096, NAME_SHOWN = 64 };
static const size_t bytes_most = (size_t)1 << 37;

typedef enum { OBS, ACT, REWARD, NEXT, TERMINAL, TIMEOUT, EPISODE, KINDS } Kind;
static const char *const names[KINDS] = {"observations", "actions",  "rewards", "next_observations",
                                         "terminals",    "timeouts", "episode"};

typedef struct {
    Kind kind;
    int index; /* among the columns of its kind */
} Column;

typedef struct {
    const char *path;
    char *text; /* owned */
    int columns;
    int count[KINDS]; /* columns of each kind */
    Column column[COLUMNS_MAX];
} Csv;

static bool has_index(Kind kind)
{
    return kind == OBS || kind == ACT || kind == NEXT;
}

/* ---- the first line ---- */

/* One name: the kind, and behind '_' the index where its kind has several columns. */
static bool parse_name(const char *name, size_t len, Column *out)
{
    for (int k = 0; k < KINDS; k++) {
        const size_t n = strlen(names[k]);
        if (len < n || strncmp(name, names[k], n) != 0) {
            continue;
        }
        *out = (Column){.kind = (Kind)k};
        if (len == n) {
            return true; /* "observations" alone is the only one */
        }
        char *end = NULL;
        const bool digit =
            has_index((Kind)k) && name[n] == '_' && isdigit((unsigned char)name[n + 1]);
        const long index = digit ? strtol(name + n + 1, &end, 10) : -1;
        out->index = (int)index;
        return digit && end == name + len && index < COLUMNS_MAX;
    }
    return false;
}

/* Every kind's columns are numbered from 0 without gaps, and what is needed is there. */
static Status check_columns(const Csv *csv)
{
    for (int k = 0; k < KINDS; k++) {
        for (int want = 0; want < csv->count[k]; want++) {
            int found = 0;
            for (int c = 0; c < csv->columns; c++) {
                found += (int)csv->column[c].kind == k && csv->column[c].index == want ? 1 : 0;
            }
            if (found != 1) {
                return status_fail(ERR_FORMAT,
                                   "%s:1: column %s%s%d is there %d times; columns of a kind are "
                                   "numbered 0, 1, 2, ..., each once",
                                   csv->path, names[k], "_", want, found);
            }
        }
    }
    if (csv->count[OBS] == 0 || csv->count[ACT] == 0 || csv->count[REWARD] == 0) {
        return status_fail(ERR_FORMAT,
                           "%s:1: the first line must name at least observations_0, actions_0 and "
                           "rewards",
                           csv->path);
    }
    if (csv->count[NEXT] != 0 && csv->count[NEXT] != csv->count[OBS]) {
        return status_fail(ERR_FORMAT,
                           "%s:1: %d columns of next_observations, but %d of observations",
                           csv->path, csv->count[NEXT], csv->count[OBS]);
    }
    if (csv->count[TIMEOUT] != 0 && csv->count[EPISODE] != 0) {
        return status_fail(ERR_FORMAT, "%s:1: give timeouts or episode, not both", csv->path);
    }
    return OK;
}

/* Returns the second line, NULL after an error. */
static char *read_header(Csv *csv, Status *st)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* some spreadsheets put it in front of UTF-8 */
    char *p = csv->text + (strncmp(csv->text, mark, 3) == 0 ? 3 : 0);

    for (;;) {
        p += strspn(p, " \t\"");
        const size_t len = strcspn(p, ",\r\n\" \t");
        if (csv->columns == COLUMNS_MAX || !parse_name(p, len, &csv->column[csv->columns])) {
            *st =
                status_fail(ERR_FORMAT,
                            "%s:1: column %d is called '%.*s'; columns are observations_0, ..., "
                            "actions_0, ..., rewards, and may be next_observations_0, ..., "
                            "terminals, timeouts or episode",
                            csv->path, csv->columns, (int)(len < NAME_SHOWN ? len : NAME_SHOWN), p);
            return NULL;
        }
        csv->count[csv->column[csv->columns++].kind]++;
        p += len + strspn(p + len, " \t\"\r");
        if (*p != ',') {
            break;
        }
        p++;
    }
    *st = check_columns(csv);
    return *st == OK ? p + (*p == '\n' ? 1 : 0) : NULL;
}

/* ---- rows ---- */

/* Behind the empty lines at p, which are counted. */
static char *skip_empty(char *p, int64_t *line)
{
    for (;;) {
        char *end = p + strspn(p, " \t\r");
        if (*end != '\n') {
            return *end == '\0' ? end : p;
        }
        p = end + 1;
        ++*line;
    }
}

static int64_t count_rows(char *p)
{
    int64_t rows = 0;
    int64_t line = 0;
    for (p = skip_empty(p, &line); *p != '\0'; p = skip_empty(p, &line)) {
        rows++;
        p += strcspn(p, "\n");
        p += *p == '\n' ? 1 : 0;
    }
    return rows;
}

static Status allocate(const Csv *csv, int64_t rows, Recording *rec, double **episode)
{
    Status st = OK;
    const size_t n = (size_t)rows;

    *rec = (Recording){.layout = LAYOUT_TABLE,
                       .state_dim = csv->count[OBS],
                       .act_dim = csv->count[ACT],
                       .rows = rows,
                       .iteration = -1};
    const size_t s = n * (size_t)rec->state_dim;
    TRY(mem_alloc(&rec->observations, s, sizeof(double), "a table"));
    TRY(mem_alloc(&rec->actions, n * (size_t)rec->act_dim, sizeof(double), "a table"));
    TRY(mem_alloc(&rec->rewards, n, sizeof(double), "a table"));
    TRY(mem_alloc(&rec->terminals, n, 1, "a table"));
    if (csv->count[NEXT] != 0) {
        TRY(mem_alloc(&rec->next_observations, s, sizeof(double), "a table"));
    }
    if (csv->count[TIMEOUT] != 0 || csv->count[EPISODE] != 0) {
        TRY(mem_alloc(&rec->timeouts, n, 1, "a table"));
    }
    TRY(mem_alloc(episode, n, sizeof(double), "a table"));
done:
    return st;
}

static void store(Recording *rec, double *episode, int64_t row, Column column, double x)
{
    const int64_t S = rec->state_dim;
    const uint8_t flag = x != 0;

    switch (column.kind) {
    case OBS:
        rec->observations[row * S + column.index] = x;
        break;
    case ACT:
        rec->actions[row * rec->act_dim + column.index] = x;
        break;
    case REWARD:
        rec->rewards[row] = x;
        break;
    case NEXT:
        rec->next_observations[row * S + column.index] = x;
        break;
    case TERMINAL:
        rec->terminals[row] = flag;
        rec->odd_flags += x != 0 && x != 1 ? 1 : 0;
        break;
    case TIMEOUT:
        rec->timeouts[row] = flag;
        rec->odd_flags += x != 0 && x != 1 ? 1 : 0;
        break;
    case EPISODE:
        episode[row] = x;
        break;
    case KINDS:
    default:
        break;
    }
}

/* "true" and "false" are numbers, too. */
static double take_value(char *p, char **end)
{
    static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};
    for (int i = 0; i < 6; i++) {
        const size_t len = strlen(words[i]);
        if (strncmp(p, words[i], len) == 0) {
            *end = p + len;
            return i < 3 ? 0 : 1;
        }
    }
    *end = p;
    return isspace((unsigned char)*p) ? 0
                                      : strtod(p, end); /* strtod would go on in the next line */
}

static Status read_rows(const Csv *csv, char *p, Recording *rec, double *episode)
{
    int64_t line = 1;

    for (int64_t row = 0; row < rec->rows; row++) {
        line++;
        p = skip_empty(p, &line);
        for (int c = 0; c < csv->columns; c++) {
            char *end = p;
            p += strspn(p, " \t");
            const double x = take_value(p, &end);
            const char *behind = end + strspn(end, " \t\r");
            const char want = c + 1 < csv->columns ? ',' : '\n';
            if (end == p || (*behind != want && !(want == '\n' && *behind == '\0'))) {
                return status_fail(ERR_FORMAT,
                                   "%s:%lld: column %d (%s_%d): a number and then %s is expected, "
                                   "not '%.*s'; every line has %d numbers",
                                   csv->path, (long long)line, c, names[csv->column[c].kind],
                                   csv->column[c].index, want == ',' ? "a comma" : "the line's end",
                                   (int)strcspn(p, "\n") < 20 ? (int)strcspn(p, "\n") : 20, p,
                                   csv->columns);
            }
            store(rec, episode, row, csv->column[c], x);
            p += behind - p + (*behind != '\0' ? 1 : 0);
        }
    }
    return OK;
}

/* The last row before the number changes, and the last of all, ends an episode. */
static void mark_timeouts(Recording *rec, const double *episode)
{
    for (int64_t i = 0; i < rec->rows; i++) {
        const bool last = i + 1 == rec->rows || episode[i] != episode[i + 1];
        rec->timeouts[i] = last && rec->terminals[i] == 0;
    }
}

Status csv_read(Recording *rec, const char *path)
{
    Status st = OK;
    Csv *csv = NULL;
    double *episode = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0;

    *rec = (Recording){0};
    TRY(mem_alloc(&csv, 1, sizeof *csv, "a table"));
    csv->path = path;
    TRY(file_read(path, bytes_most, &bytes, &size));
    csv->text = (char *)bytes;
    if (strlen(csv->text) != size) {
        st = status_fail(ERR_FORMAT, "%s: this is no text: there is a zero byte in it", path);
        goto done;
    }
    char *p = read_header(csv, &st);
    if (p == NULL) {
        goto done;
    }
    const int64_t rows = count_rows(p);
    if (rows == 0) {
        st = status_fail(ERR_FORMAT, "%s: there is no row behind the first line", path);
        goto done;
    }
    TRY(allocate(csv, rows, rec, &episode));
    TRY(read_rows(csv, p, rec, episode));
    if (csv->count[EPISODE] != 0) {
        mark_timeouts(rec, episode);
    }
done:
    mem_free(&bytes);
    mem_free(&episode);
    mem_free(&csv);
    if (st != OK) {
        recording_release(rec);
    }
    return st;
}
