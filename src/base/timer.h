/* Seconds. Results never depend on them; timing.jsonl, logs and measurements do. */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

/* On the monotonic clock. */
double timer_now(void);
/* Of CPU that this process has used: others may run on the same core. */
double timer_cpu(void);

#endif
