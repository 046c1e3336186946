#include "base/account.h"

#include <stddef.h>

#include "base/timer.h"

/* One thread writes; a relaxed load or store is an ordinary one. */
#define GET(x)        atomic_load_explicit(&(x), memory_order_relaxed)
#define SET(x, value) atomic_store_explicit(&(x), (value), memory_order_relaxed)

static AccountSheet sheet;
static AccountBoard own = {.kind = ACCOUNT_OTHER, .way = ACCOUNT_COMPUTE};
static AccountBoard *board = &own;
static double last;

static void charge(double when)
{
    sheet.of[GET(board->kind)][GET(board->way)] += when - last;
    last = when;
}

static void note_change(void)
{
    SET(board->changes, GET(board->changes) + 1);
}

void account_start(AccountKind kind)
{
    sheet = (AccountSheet){0};
    SET(board->kind, (int)kind);
    SET(board->way, ACCOUNT_COMPUTE);
    note_change();
    last = timer_now();
}

AccountKind account_kind(AccountKind kind)
{
    const AccountKind before = account_current_kind();

    if (kind != before) {
        charge(timer_now());
        SET(board->kind, (int)kind);
        note_change();
    }
    return before;
}

AccountWay account_way_from(AccountWay way, double when)
{
    const AccountWay before = account_current_way();

    charge(when);
    if (way != before) {
        SET(board->way, (int)way);
        note_change();
    }
    return before;
}

AccountWay account_way(AccountWay way)
{
    return way == account_current_way() ? way : account_way_from(way, timer_now());
}

AccountKind account_current_kind(void)
{
    return (AccountKind)GET(board->kind);
}

AccountWay account_current_way(void)
{
    return (AccountWay)GET(board->way);
}

void account_show(AccountBoard *to)
{
    AccountBoard *next = to != NULL ? to : &own;

    SET(next->kind, GET(board->kind));
    SET(next->way, GET(board->way));
    SET(next->changes, GET(board->changes));
    board = next;
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
