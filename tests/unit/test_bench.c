/* The least of repetitions, reports as text and JSON, and the comparison of two. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bench/measure.h"
#include "bench/parts.h"
#include "bench/products.h"
#include "bench/report.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int set_up(void **state)
{
    return temp_dir_setup(state, dir);
}

static int tear_down(void **state)
{
    return temp_dir_teardown(state, dir);
}

/* ---- measuring ---- */

enum { CALLS_MAX = 8 };

/* Who was called, in order; the call after `refuse` calls fails. */
typedef struct {
    char calls[CALLS_MAX + 1];
    int count, refuse;
} Witness;

static Witness witness;

static Status note(void *ctx)
{
    if (witness.count == witness.refuse) {
        return status_fail(ERR_NUMERIC, "enough");
    }
    witness.calls[witness.count++] = *(const char *)ctx;
    return OK;
}

static char names[] = "ab";
static const Work work[] = {{note, &names[0]}, {note, &names[1]}};

static void work_is_done_in_turn_and_twice_at_least(void **state)
{
    (void)state;
    double least[2] = {-1, -1};

    witness = (Witness){.refuse = -1};
    CHECK_OK(measure_in_turn(work, 2, 0, least));
    assert_string_equal(witness.calls, "abab");
    assert_true(least[0] >= 0 && least[0] < 1 && least[1] >= 0 && least[1] < 1);
}

static void work_that_fails_ends_the_measurement(void **state)
{
    (void)state;
    double least[2];

    witness = (Witness){.refuse = 3};
    assert_int_equal(measure_in_turn(work, 2, 1e9, least), ERR_NUMERIC);
    assert_string_equal(witness.calls, "aba");
}

static Status two_products(void *ctx)
{
    float *x = ctx;
    gemm_nt(2, 3, 4, x, 4, x, 4, 0.0F, x + 32, 5);
    gemm_tn(1, 2, 6, x, 1, x, 2, 0.0F, x + 32, 2);
    return OK;
}

static void the_floor_is_the_products_that_were_made(void **state)
{
    (void)state;
    float x[64] = {0};
    Products p;
    GemmCall calls[4];

    CHECK_OK(products_record(&p, (Work){two_products, x}));
    CHECK_NEAR(p.flops, 2 * (2 * 3 * 4 + 1 * 2 * 6), 0, 0);
    gemm_trace_start(calls, 4);
    CHECK_OK(products_run(&p));
    assert_int_equal(gemm_trace_stop(), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(calls[i].product == p.calls[i].product);
        assert_int_equal(calls[i].M, p.calls[i].M);
        assert_int_equal(calls[i].ldc, p.calls[i].ldc);
    }
    products_release(&p);
}

/* ---- reports ---- */

static Report *new_report(double scale)
{
    Report *r = NULL;

    CHECK_OK(mem_alloc(&r, 1, sizeof *r, "test"));
    *r = (Report){.version = "1.0",
                  .commit = "abc",
                  .compiler = "cc",
                  .cpu = "Z80",
                  .blas = "none",
                  .mpi = "smoke",
                  .ranks = 1,
                  .large = 2e9};
    report_add(r, "update", "update", "products alone",
               &(RowTimes){.seconds = 0.003 * scale, .floor = 0.002, .flops = 3e6});
    report_add(r, "load", "row", "H5Dread", &(RowTimes){.seconds = 4e-7, .floor = 2e-7 * scale});
    report_add(r, "barrier", "call", "", &(RowTimes){.seconds = 5e-6 * scale});
    return r;
}

static const char *text_of(void (*write)(const Report *, Text *), const Report *report)
{
    static char data[REPORT_TABLE_MAX];
    Text text = text_over(data, sizeof data);
    write(report, &text);
    assert_false(text.cut);
    return data;
}

static void times_have_the_unit_people_read(void **state)
{
    (void)state;
    char t[REPORT_TIME_MAX];

    assert_string_equal(report_time(12.5, t), "12.50 s");
    assert_string_equal(report_time(0.00645, t), "6.450 ms");
    assert_string_equal(report_time(350e-6, t), "350.0 us");
    assert_string_equal(report_time(3e-12, t), "0.003 ns");
}

/* 3e6 operations in 3 ms are 1 GFLOP/s, half of the large product's 2. */
static void the_table_shows_ratio_rate_and_share(void **state)
{
    (void)state;
    Report *r = new_report(1);
    char line[200];

    const char *text = text_of(report_text, r);
    (void)snprintf(line, sizeof line, "%-36s %-10s %9s %9s %6s %7s %6s  %s\n", "update", "update",
                   "3.000 ms", "2.000 ms", "1.50", "1.0", "50%", "products alone");
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "Z80"));
    assert_non_null(strstr(text, "need `mpirun -n 2 mopo bench`"));
    r->ranks = 2;
    assert_null(strstr(text_of(report_text, r), "mpirun"));
    mem_free(&r);
}

/* ---- JSON ---- */

/* The report as a file, with `from` replaced by `to` once; from "": as it is. */
static const char *write_json(const Report *report, const char *name, const char *from,
                              const char *to)
{
    json_t *all = report_json(report);
    char *text = json_dumps(all, JSON_REAL_PRECISION(6));
    char edited[8192];
    const char *path = temp_path(dir, "%s", name);
    const char *at = text != NULL ? strstr(text, from) : NULL;

    assert_non_null(at);
    (void)snprintf(edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, to,
                   at + strlen(from));
    temp_write(path, edited);
    free(text);
    json_decref(all);
    return path;
}

static void what_json_says_is_read_again(void **state)
{
    (void)state;
    Report *r = new_report(1);
    Report *again = new_report(7);

    r->quick = true;
    CHECK_OK(report_read(again, write_json(r, "a.json", "", "")));
    again->only = NULL;
    assert_string_equal(text_of(report_text, again), text_of(report_text, r));
    assert_true(again->quick);
    assert_int_equal(again->count, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_NEAR(again->rows[i].t.seconds, r->rows[i].t.seconds, 1e-12, 0);
        CHECK_NEAR(again->rows[i].t.floor, r->rows[i].t.floor, 1e-12, 0);
        CHECK_NEAR(again->rows[i].t.flops, r->rows[i].t.flops, 1e-12, 0);
    }
    mem_free(&r);
    mem_free(&again);
}

static void other_files_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *reason;
    } edits[] = {
        {"\"bench_format\": 1", "\"bench_format\": 2", "not what `mopo bench --json` prints"},
        {"\"rows\": [", "\"lines\": [", "not what `mopo bench --json` prints"},
        {"\"cpu\": \"Z80\"", "\"cpu\": 80", "cpu is missing or no text"},
        {"\"ranks\": 1", "\"ranks\": \"one\"", "Expected integer"},
        {"\"seconds\": 0.003", "\"seconds\": \"fast\"", "rows[0]: Expected"},
        {"\"seconds\": 0.003", "\"seconds\": 0", "rows[0]: seconds must be above 0"},
        {"\"floor_seconds\": 0.002", "\"floor_seconds\": -1", "rows[0]: seconds must be"},
        {"\"unit\": \"row\"", "\"Unit\": \"row\"", "rows[1]: Object item not found: unit"},
        {"}]", "}", "not a JSON object"},
    };
    Report *r = new_report(1);
    Report *got = new_report(1);

    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const char *path = write_json(r, "bad.json", edits[i].from, edits[i].to);
        assert_int_equal(report_read(got, path), ERR_FORMAT);
        assert_non_null(strstr(status_reason(), edits[i].reason));
        assert_non_null(strstr(status_reason(), "bad.json"));
    }
    temp_write(temp_path(dir, "bad.json"), "[1, 2]");
    assert_int_equal(report_read(got, temp_path(dir, "bad.json")), ERR_FORMAT);
    assert_int_equal(report_read(got, temp_path(dir, "none.json")), ERR_IO);
    mem_free(&r);
    mem_free(&got);
}

/* ---- comparing ---- */

/* Updates take twice as long over the same floor; loading as long, over twice the floor. */
static void ratios_are_now_over_then(void **state)
{
    (void)state;
    Report *then = new_report(1);
    Report *now = new_report(2);
    RowChange c[2 * REPORT_ROWS_MAX];

    assert_int_equal(report_compare(then, now, c), 3);
    CHECK_NEAR(c[0].time, 2, 1e-12, 0);
    CHECK_NEAR(c[0].ratio, 2, 1e-12, 0);
    CHECK_NEAR(c[1].time, 1, 1e-12, 0);
    CHECK_NEAR(c[1].ratio, 0.5, 1e-12, 0);
    CHECK_NEAR(c[2].time, 2, 1e-12, 0);
    CHECK_NEAR(c[2].ratio, 0, 0, 0); /* no floor */
    mem_free(&then);
    mem_free(&now);
}

/* Not a row of the same name that counts something else. */
static void rows_of_one_report_alone_are_named(void **state)
{
    (void)state;
    Report *then = new_report(1);
    Report *now = new_report(1);
    RowChange c[2 * REPORT_ROWS_MAX];
    char data[REPORT_TABLE_MAX];
    Text text = text_over(data, sizeof data);

    (void)snprintf(now->rows[1].unit, REPORT_WORD_MAX, "MB");
    (void)snprintf(then->rows[2].name, REPORT_WORD_MAX, "fence");
    assert_int_equal(report_compare(then, now, c), 5);
    report_compare_text(then, now, &text);
    assert_non_null(strstr(data, "only now: load (MB)\n"));
    assert_non_null(strstr(data, "only then: load (row)\n"));
    assert_non_null(strstr(data, "only now: barrier (call)\n"));
    assert_non_null(strstr(data, "only then: fence (call)\n"));
    assert_null(strstr(data, "only now: update"));
    now->only = "up";
    assert_int_equal(report_compare(then, now, c), 1);
    mem_free(&then);
    mem_free(&now);
}

static void what_is_not_the_same_is_said(void **state)
{
    (void)state;
    Report *then = new_report(1);
    Report *now = new_report(1);
    char data[REPORT_TABLE_MAX];
    Text text = text_over(data, sizeof data);

    report_compare_text(then, now, &text);
    assert_null(strstr(data, "other "));
    (void)snprintf(now->cpu, REPORT_FACT_MAX, "6502");
    (void)snprintf(now->commit, REPORT_FACT_MAX, "def");
    now->ranks = 4;
    now->large = 3e9;
    then->quick = true;
    text = text_over(data, sizeof data);
    report_compare_text(then, now, &text);
    assert_non_null(strstr(data, "other CPU: then Z80, now 6502\n"));
    assert_non_null(strstr(data, "other commit: then abc, now def\n"));
    assert_non_null(strstr(data, "other number of ranks: then 1, now 4\n"));
    assert_non_null(strstr(data, "--quick, two repetitions: then\n"));
    assert_non_null(strstr(data, "now / then 1.50"));
    assert_null(strstr(data, "other version"));
    mem_free(&then);
    mem_free(&now);
}

/* ---- the parts ---- */

/* One row of each. Not bench_rollout: to ensemble_freeze refused memory is a broken invariant. */
static const struct {
    Status (*part)(Report *report);
    const char *row; /* "": it adds none */
} cases[] = {
    {bench_update, "gradient tree"}, {bench_model_step, "norm"}, {bench_env, "evaluation"},
    {bench_load, "plain"},           {part_large_product, ""},
};

/* Whatever block is refused, a part says so and gives back what it took. */
static void refused_memory_ends_a_part_and_nothing_leaks(void **state)
{
    (void)state;
    Report *r = new_report(1);
    const int64_t blocks = mem_count();

    r->quick = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Status st = ERR_NOMEM;
        r->only = cases[i].row;
        r->count = 0;
        for (int k = 1; st != OK; k++) {
            mem_fail_at(k);
            st = cases[i].part(r);
            mem_fail_at(0);
            assert_true(st == OK || st == ERR_NOMEM);
            assert_int_equal(mem_count(), blocks);
            assert_int_equal(r->count, st == OK && *cases[i].row != '\0' ? 1 : 0);
        }
    }
    mem_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_done_in_turn_and_twice_at_least),
        cmocka_unit_test(work_that_fails_ends_the_measurement),
        cmocka_unit_test(the_floor_is_the_products_that_were_made),
        cmocka_unit_test(times_have_the_unit_people_read),
        cmocka_unit_test(the_table_shows_ratio_rate_and_share),
        cmocka_unit_test_setup_teardown(what_json_says_is_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_files_are_refused_with_the_reason, set_up, tear_down),
        cmocka_unit_test(ratios_are_now_over_then),
        cmocka_unit_test(rows_of_one_report_alone_are_named),
        cmocka_unit_test(what_is_not_the_same_is_said),
        cmocka_unit_test(refused_memory_ends_a_part_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
