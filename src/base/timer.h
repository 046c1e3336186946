/* Seconds on the monotonic clock. Results never depend on it; timing.jsonl and logs do. */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

double timer_now(void);

#endif
