/* `mopo sweep --print`: what a sweep will do and take, for people and as JSON. */
#ifndef SWEEP_SWEEP_REPORT_H
#define SWEEP_SWEEP_REPORT_H

#include "base/text.h"
#include "sweep/build.h"
#include "sweep/estimate.h"

typedef struct {
    const Sweep *sweep;
    const char *out;
    const Estimates *est;
    int ranks, cores; /* of each job; of this machine */
} SweepReport;

/* Bytes that sweep_report_text needs at most. */
size_t sweep_report_room(const SweepReport *report);
void sweep_report_text(const SweepReport *report, Text *text);
struct json_t;
/* docs/formats.md; NULL: no memory. */
struct json_t *sweep_report_json(const SweepReport *report);

/* "3 models for 24 cells: sharing saves 21 fits, 12.3 core-hours"; nothing where no model is shared. */
void sweep_add_sharing(const SweepReport *report, Text *text);

#endif
