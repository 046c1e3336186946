#include "run/timing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "comm/comm.h"
#include "run/memory.h"
#include "run/time_table.h"

static Lines file = {.fd = -1};

void timing_open(const RunDir *dir)
{
    char path[RUNDIR_PATH_MAX];

    timing_close();
    if (lines_open(&file, rundir_file(dir, "timing.jsonl", path)) != OK) {
        log_warn("%s; the run goes on without it", status_reason());
    }
}

void timing_close(void)
{
    lines_close(&file);
}

void timing_line(const char *format, ...)
{
    char line[LINES_LENGTH_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    lines_add(&file, "%s\n", line);
}

/* n numbers of each rank, (ranks, n), on all ranks; NULL when memory is refused. */
static void *gather(const double *mine, int n)
{
    double *all = NULL;
    const size_t ranks = (size_t)comm_size();
    const size_t each = (size_t)n;

    if (comm_agree(mem_alloc(&all, ranks * each, sizeof *all, "numbers of all ranks")) != OK) {
        mem_free(&all);
        return NULL;
    }
    memcpy(all + (size_t)comm_rank() * each, mine, each * sizeof *all);
    coll_sum(all, (int)(ranks * each));
    return all;
}

void timing_phase(const char *phase, double busy, double wait)
{
    double *all = gather((const double[]){busy, wait}, 2);

    for (int r = 0; all != NULL && r < comm_size(); r++) {
        const double *of = all + (size_t)r * 2;
        timing_line("{\"rank\": %d, \"phase\": \"%s\", \"busy\": %.4f, \"wait\": %.4f}", r, phase,
                    of[0], of[1]);
    }
    mem_free(&all);
}

/* ---- the end of a run ---- */

/* What the ranks tell of themselves besides their sheets. */
typedef struct {
    double seconds; /* since the start of the run */
    double peak;    /* MB, the most that was resident, memory shared with other ranks included */
    double shared;  /* MB of that memory now */
    double formula; /* MB, the peak that run/memory.h computes from sizes */
    double cores;   /* of its host; 0 but on the host's first rank */
} RankFacts;

static const double MB = 1 << 20;

enum {
    FACTS = sizeof(RankFacts) / sizeof(double),
    SECONDS = sizeof(AccountSheet) / sizeof(double)
};

static void write_sheets(const AccountSheet *sheets, const RankFacts *facts, int ranks)
{
    char line[2048];

    for (int r = 0; r < ranks; r++) {
        Text text = text_over(line, sizeof line);
        text_add(&text, "{\"rank\": %d, \"phase\": \"run\", \"seconds\": %.6f", r,
                 facts[r].seconds);
        for (int w = 0; w < ACCOUNT_WAYS; w++) {
            text_add(&text, ", \"%s\": {", account_way_name((AccountWay)w));
            for (int k = 0; k < ACCOUNT_KINDS; k++) {
                text_add(&text, "%s\"%s\": %.6f", k > 0 ? ", " : "",
                         account_kind_name((AccountKind)k), sheets[r].of[k][w]);
            }
            text_add(&text, "}");
        }
        timing_line("%s, \"peak_mb\": %.1f, \"shared_mb\": %.1f, \"formula_mb\": %.1f}", line,
                    facts[r].peak, facts[r].shared, facts[r].formula);
    }
}

static void log_times(const AccountSheet *sheets, const Plan *plan, int cores)
{
    TimeRow rows[TIME_ROWS_MAX];
    char line[TIME_LINE_MAX];
    char advice[TIME_ADVICE_MAX][TIME_ADVICE_SIZE];
    const int n = time_table(sheets, plan->ranks, rows);

    time_table_head(line);
    log_info("%s", line);
    for (int i = 0; i < n; i++) {
        time_table_line(&rows[i], line);
        log_info("%s", line);
    }
    const int count = time_advice(sheets, plan, cores, advice);
    for (int i = 0; i < count; i++) {
        log_info("balance: %s", advice[i]);
    }
}

static void log_memory(const RankFacts *facts, int ranks)
{
    int most = 0;
    int least = 0;
    double all = 0;

    for (int r = 0; r < ranks; r++) {
        most = facts[r].peak > facts[most].peak ? r : most;
        least = facts[r].peak < facts[least].peak ? r : least;
        /* what is shared is counted on the first rank of a host */
        all += facts[r].cores > 0 ? facts[r].peak : facts[r].peak - facts[r].shared;
    }
    if (ranks == 1) {
        log_info("memory: peak %.0f MB, by the formula %.0f MB", facts[0].peak, facts[0].formula);
    } else {
        log_info("memory: peak %.0f MB in rank %d, %.0f MB in rank %d (the least), by the formula "
                 "%.0f and %.0f MB; %.0f MB of it shared on a host; %.0f MB in all",
                 facts[most].peak, most, facts[least].peak, least, facts[most].formula,
                 facts[least].formula, facts[most].shared, all);
    }
}

/* MB of this rank by the formula. */
static double formula(const Session *s)
{
    MemoryTerm terms[MEMORY_TERMS_MAX];
    const int n = memory_terms(s, &s->plan, comm_rank(), s->data.rows, memory_base(), terms);
    return memory_peak(terms, n) / MB;
}

void timing_report(const Session *s, double seconds)
{
    const Plan *plan = &s->plan;
    const AccountSheet sheet = account_sheet();
    const RankFacts mine = {.seconds = seconds,
                            .peak = memory_status("VmHWM") / MB,
                            .shared = memory_status("RssShmem") / MB,
                            .formula = formula(s),
                            .cores = comm_local_rank() == 0 ? comm_cores() : 0};
    AccountSheet *sheets = gather(&sheet.of[0][0], SECONDS);
    RankFacts *facts = gather(&mine.seconds, FACTS);
    double cores = 0;

    if (sheets != NULL && facts != NULL) {
        for (int r = 0; r < plan->ranks; r++) {
            cores += facts[r].cores;
        }
        write_sheets(sheets, facts, plan->ranks);
        log_times(sheets, plan, (int)cores);
        log_memory(facts, plan->ranks);
    }
    mem_free(&sheets);
    mem_free(&facts);
}
