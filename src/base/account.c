#include "base/account.h"

#include "base/timer.h"

static AccountSheet sheet;
static AccountKind kind_now = ACCOUNT_OTHER;
static AccountWay way_now = ACCOUNT_COMPUTE;
static double last;

static void charge(double when)
{
    sheet.of[kind_now][way_now] += when - last;
    last = when;
}

void account_start(AccountKind kind)
{
    sheet = (AccountSheet){0};
    kind_now = kind;
    way_now = ACCOUNT_COMPUTE;
    last = timer_now();
}

AccountKind account_kind(AccountKind kind)
{
    const AccountKind before = kind_now;

    if (kind != before) {
        charge(timer_now());
        kind_now = kind;
    }
    return before;
}

AccountWay account_way_from(AccountWay way, double when)
{
    const AccountWay before = way_now;

    charge(when);
    way_now = way;
    return before;
}

AccountWay account_way(AccountWay way)
{
    return way == way_now ? way : account_way_from(way, timer_now());
}

AccountKind account_current_kind(void)
{
    return kind_now;
}

AccountWay account_current_way(void)
{
    return way_now;
}

AccountSheet account_sheet(void)
{
    charge(timer_now());
    return sheet;
}

double account_outside(void)
{
    double sum = 0;

    charge(timer_now());
    for (int k = 0; k < ACCOUNT_KINDS; k++) {
        sum += sheet.of[k][ACCOUNT_EXCHANGE] + sheet.of[k][ACCOUNT_WAIT];
    }
    return sum;
}

const char *account_kind_name(AccountKind kind)
{
    static const char *const words[] = {
#define ACCOUNT_WORD(name, word, text) word,
        ACCOUNT_LIST(ACCOUNT_WORD)
#undef ACCOUNT_WORD
    };
    return words[kind];
}

const char *account_way_name(AccountWay way)
{
    static const char *const words[] = {"compute", "exchange", "wait"};
    return words[way];
}
