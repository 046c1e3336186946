/* `mopo plan`: what a run will take on 1, 2, 4 ... ranks, from costs measured here; as text, as JSON, and as the line
 * that hands it to SLURM.
 */
#ifndef RUN_PLAN_REPORT_H
#define RUN_PLAN_REPORT_H

#include "base/text.h"
#include "config/config.h"
#include "run/forecast.h"
#include "run/memory.h"

enum { PLAN_RUNS_MAX = 8, PLAN_TEXT_MAX = 1 << 14, PLAN_ROWS = 1000000 };

typedef struct {
    Forecast f;
    double rank_bytes,
        host_bytes; /* memory at most: of the rank that needs most; of all on one host */
} PlannedRun;

typedef struct {
    const Config *cfg; /* borrowed */
    int wanted;        /* -n: 0 = not given */
    int passes;        /* --passes: 0 = not given */
    int ranks, cores;  /* of the measurement: mpirun's; of this host */
    double seconds;    /* that it took */
    Workload work;
    UnitCost cost;
    int count;
    PlannedRun run[PLAN_RUNS_MAX]; /* 1, 2, 4 ... 64 ranks, and `wanted`, in ascending order */
    int best;                      /* index of the recommended one */
    int terms;
    MemoryTerm term[MEMORY_TERMS_MAX];  /* rank 0 of the recommended one */
    double checkpoint_bytes, run_bytes; /* one of the policy; the run directory at the end */
} PlanReport;

/* Measure and forecast, as cfg, wanted and passes of *report say; rank 0 gets the rest. Nothing is left on disk.
 * Collective. Errors, the same on all ranks: ERR_CONFIG (settings that do not go together; task none without a
 * file, which alone knows its sizes), those of unit_cost_measure. */
NODISCARD Status plan_report_make(PlanReport *report);

void plan_report_text(const PlanReport *report, Text *text);
struct json_t;
/* docs/formats.md; NULL: no memory. */
struct json_t *plan_report_json(const PlanReport *report);
/* The sbatch line for `wanted` ranks, or the recommended number; words (count): CONFIG and settings as given. */
void plan_report_slurm(const PlanReport *report, int count, char *const words[], Text *text);

/* "0.4 s", "12 s", "3 min 20 s", "2 h 05 min", "3 d 04 h" */
enum { DURATION_MAX = 32 };
void plan_duration(double seconds, char text[DURATION_MAX]);
/* SLURM's "HH:MM:00" of a quarter more, up to the next five minutes. */
void plan_time_limit(double seconds, char text[DURATION_MAX]);
/* Megabytes of a quarter more, up to the next 64. */
int plan_memory_limit(double bytes);

#endif
