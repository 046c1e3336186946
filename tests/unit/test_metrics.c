/* metrics: exact bytes of both files, truncation to what a checkpoint recorded, full disks. */
#include "support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "run/metrics.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static Metrics epoch_metrics(int epoch)
{
    Metrics m;
    metrics_clear(&m);
    m.value[METRIC_EPOCH] = epoch;
    m.value[METRIC_UPDATES] = 1e12 + epoch; /* more digits than %.9g gives */
    m.value[METRIC_RETURN_MEAN] = -1.0 / 3;
    m.value[METRIC_ALPHA] = 1e-20;
    m.value[METRIC_Q_MEAN] = (double)INFINITY;
    return m;
}

static void append_epochs(MetricsLog *log, int first, int last)
{
    for (int e = first; e <= last; e++) {
        const Metrics m = epoch_metrics(e);
        CHECK_OK(metrics_append(log, &m));
    }
}

static void lines_have_these_bytes(void **state)
{
    (void)state;
    MetricsLog log;
    CHECK_OK(metrics_open(&log, dir, NULL));
    append_epochs(&log, 7, 7);
    metrics_close(&log);
    assert_string_equal(
        temp_read(temp_path(dir, "metrics.jsonl")),
        "{\"epoch\": 7, \"updates\": 1000000000007, \"return_mean\": -0.333333333, \"return_std\": "
        "null, \"return_min\": null, \"return_max\": null, \"length_mean\": null, \"score\": null, "
        "\"critic_loss\": null, \"actor_loss\": null, \"alpha_loss\": null, \"alpha\": 1e-20, "
        "\"entropy\": null, \"q_mean\": null, \"penalty_mean\": null, \"penalty_max\": null, "
        "\"model_reward\": null, \"model_rows\": null, \"buffer_rows\": null, \"terminations\": "
        "null, \"dropped_rows\": null, \"uncertainty_mean\": null, \"uncertainty_max\": null, "
        "\"halted\": null, \"divergence\": null, \"behavior_loss\": null, \"lag\": null}\n");
    assert_string_equal(
        temp_read(temp_path(dir, "metrics.csv")),
        "epoch,updates,return_mean,return_std,return_min,return_max,length_mean,score,critic_loss,"
        "actor_loss,alpha_loss,alpha,entropy,q_mean,penalty_mean,penalty_max,model_reward,"
        "model_rows,buffer_rows,terminations,dropped_rows,uncertainty_mean,uncertainty_max,halted,"
        "divergence,behavior_loss,lag\n"
        "7,1000000000007,-0.333333333,,,,,,,,,1e-20,,,,,,,,,,,,,,,\n");
}

/* Read back by a parser that is not ours. */
static void each_line_is_json_with_every_metric(void **state)
{
    (void)state;
    MetricsLog log;
    CHECK_OK(metrics_open(&log, dir, NULL));
    append_epochs(&log, 1, 3);
    metrics_close(&log);
    const char *text = temp_read(temp_path(dir, "metrics.jsonl"));
    for (int e = 1; e <= 3; e++) {
        const char *end = strchr(text, '\n');
        assert_non_null(end);
        json_t *line = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(line);
        assert_int_equal(json_object_size(line), METRIC_COUNT);
        assert_int_equal(json_integer_value(json_object_get(line, "epoch")), e);
        CHECK_NEAR(json_real_value(json_object_get(line, "return_mean")), -1.0 / 3, 1e-9, 0);
        json_decref(line);
        text = end + 1;
    }
    assert_int_equal(*text, '\0');
}

/* Killed after epoch 4 with a checkpoint of epoch 2: the files end as if nothing had happened. */
static void resumed_runs_end_with_the_same_bytes(void **state)
{
    (void)state;
    MetricsLog log;
    int64_t kept[METRICS_FILES];
    CHECK_OK(metrics_open(&log, dir, NULL));
    append_epochs(&log, 1, 5);
    metrics_close(&log);
    char *json = strdup(temp_read(temp_path(dir, "metrics.jsonl")));
    char *csv = strdup(temp_read(temp_path(dir, "metrics.csv")));

    CHECK_OK(metrics_open(&log, dir, NULL)); /* a new run: both start empty */
    append_epochs(&log, 1, 2);
    CHECK_OK(metrics_lengths(&log, kept));
    append_epochs(&log, 3, 4);
    metrics_close(&log);
    for (int kill = 0; kill < 3; kill++) {
        CHECK_OK(metrics_open(&log, dir, kept));
        append_epochs(&log, 3, 5);
        metrics_close(&log);
        assert_string_equal(temp_read(temp_path(dir, "metrics.jsonl")), json);
        assert_string_equal(temp_read(temp_path(dir, "metrics.csv")), csv);
    }
    free(json);
    free(csv);
}

static void lost_and_shortened_files(void **state)
{
    (void)state;
    MetricsLog log;
    int64_t kept[METRICS_FILES];
    CHECK_OK(metrics_open(&log, dir, NULL));
    append_epochs(&log, 1, 2);
    CHECK_OK(metrics_lengths(&log, kept));
    metrics_close(&log);

    assert_int_equal(truncate(temp_path(dir, "metrics.jsonl"), 10), 0);
    assert_int_equal(metrics_open(&log, dir, kept), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "metrics.jsonl: has 10 bytes"));
    assert_int_equal(unlink(temp_path(dir, "metrics.jsonl")), 0);
    assert_int_equal(unlink(temp_path(dir, "metrics.csv")), 0);
    CHECK_OK(metrics_open(&log, dir, kept)); /* starts anew, with its header */
    append_epochs(&log, 3, 3);
    metrics_close(&log);
    assert_int_equal(strncmp(temp_read(temp_path(dir, "metrics.csv")), "epoch,updates", 13), 0);
}

static void full_disk_is_an_error_with_advice(void **state)
{
    (void)state;
    MetricsLog log;
    const Metrics m = epoch_metrics(2);
    CHECK_OK(metrics_open(&log, dir, NULL));
    append_epochs(&log, 1, 1);
    for (int k = 1; k <= 2; k++) { /* either file */
        file_fail_at(k, ENOSPC);
        assert_int_equal(metrics_append(&log, &m), ERR_IO);
        assert_non_null(strstr(status_reason(), strerror(ENOSPC)));
        assert_non_null(strstr(status_reason(), "free some space"));
        assert_non_null(strstr(status_reason(), k == 1 ? "metrics.jsonl" : "metrics.csv"));
    }
    append_epochs(&log, 2, 2); /* space is back: no half lines, no epoch twice */
    metrics_close(&log);
    const char *csv = temp_read(temp_path(dir, "metrics.csv"));
    const char *second = strchr(strchr(csv, '\n') + 1, '\n') + 1;
    assert_int_equal(strncmp(second, "2,", 2), 0);
    assert_null(strchr(strchr(second, '\n') + 1, '\n'));
}

/* A device that is always full, so that the system itself refuses. */
static void the_systems_own_refusal_is_reported(void **state)
{
    (void)state;
    MetricsLog log;
    const Metrics m = epoch_metrics(1);
    const int full = open("/dev/full", O_WRONLY);
    if (full < 0) {
        print_message("skipped: no /dev/full here\n");
        skip();
    }
    CHECK_OK(metrics_open(&log, dir, NULL));
    assert_int_equal(dup2(full, log.fd[METRICS_JSONL]), log.fd[METRICS_JSONL]);
    assert_int_equal(close(full), 0);
    assert_int_equal(metrics_append(&log, &m), ERR_IO);
    assert_non_null(strstr(status_reason(), strerror(ENOSPC)));
    metrics_close(&log);
}

/* Nobody else who may write to the folder can direct our lines elsewhere. */
static void links_are_not_followed(void **state)
{
    (void)state;
    MetricsLog log;
    char target[2 * TEMP_PATH_MAX];
    (void)snprintf(target, sizeof target, "%s", temp_path(dir, "precious"));
    temp_write(target, "x");
    assert_int_equal(symlink(target, temp_path(dir, "metrics.csv")), 0);
    assert_int_equal(metrics_open(&log, dir, NULL), ERR_IO);
    assert_non_null(strstr(status_reason(), "metrics.csv: cannot open"));
    assert_non_null(strstr(status_reason(), "may be a symbolic link"));
    assert_string_equal(temp_read(target), "x");
}

static void opening_may_fail_anywhere(void **state)
{
    (void)state;
    MetricsLog log;
    int k = 1;
    for (;; k++) {
        file_fail_at(k, EIO);
        const Status st = metrics_open(&log, dir, NULL);
        file_fail_at(0, 0);
        if (st == OK) {
            break;
        }
        assert_int_equal(st, ERR_IO);
        assert_int_equal(log.fd[0], -1);
        assert_int_equal(log.fd[1], -1);
    }
    metrics_close(&log);
    assert_in_range(k, 6, 20);
}

/* docs/formats.md carries the table as the program prints it. */
static void the_documented_table_is_this_one(void **state)
{
    (void)state;
    char printed[1 << 14];
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    metrics_print_table(out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strncmp(printed, "| name | kind | unit | meaning |\n", 33), 0);
    const char *docs = temp_read(MOPO_SOURCE_DIR "/docs/formats.md");
    if (strstr(docs, printed) == NULL) {
        print_error("docs/formats.md does not have this table:\n%s", printed);
        fail();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_have_these_bytes),
        TEST(each_line_is_json_with_every_metric),
        TEST(resumed_runs_end_with_the_same_bytes),
        TEST(lost_and_shortened_files),
        TEST(full_disk_is_an_error_with_advice),
        TEST(the_systems_own_refusal_is_reported),
        TEST(links_are_not_followed),
        TEST(opening_may_fail_anywhere),
        cmocka_unit_test(the_documented_table_is_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
