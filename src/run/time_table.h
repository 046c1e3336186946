/* Where the ranks' seconds went: a table of least, mean and most over ranks, as LAMMPS prints it, and what to
 * change where ranks waited for each other too long. Pure functions of the ranks' sheets (base/account.h).
 */
#ifndef RUN_TIME_TABLE_H
#define RUN_TIME_TABLE_H

#include "base/account.h"
#include "comm/plan.h"

typedef struct {
    AccountWay way;
    int kind; /* an AccountKind, or -1: all kinds of this way */
    double min, mean, max;
    double above; /* max / mean - 1: what is lost to imbalance if all wait for the last */
    double share; /* of all ranks' seconds */
} TimeRow;

enum { TIME_ROWS_MAX = (ACCOUNT_KINDS + 1) * ACCOUNT_WAYS, TIME_LINE_MAX = 128 };

/* Of sheets (ranks): a row for each way, each followed by its kinds that took a hundredth of all seconds or
 * more. Returns the number of rows. */
int time_table(const AccountSheet *sheets, int ranks, TimeRow rows[TIME_ROWS_MAX]);
/* The line above the rows, and a row. */
void time_table_head(char line[TIME_LINE_MAX]);
void time_table_line(const TimeRow *row, char line[TIME_LINE_MAX]);

enum { TIME_ADVICE_MAX = 4, TIME_ADVICE_SIZE = 192 };

/* Sentences that say what to change, where waits cost a role a quarter of its phase and a second or more per
 * rank. `cores`: of all hosts. Returns their number, mostly 0. */
int time_advice(const AccountSheet *sheets, const Plan *plan, int cores,
                char text[TIME_ADVICE_MAX][TIME_ADVICE_SIZE]);

#endif
