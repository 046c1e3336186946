/* tail: the text files of a job, whole, torn or strange. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "run/rundir.h"
#include "run/tables.h"
#include "support/temp_dir.h"
#include "sweep/tail.h"

static char dir[TEMP_PATH_MAX];
static Tail tail;

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static LogNews news_of(const char *text)
{
    char copy[4096];
    LogNews news;

    (void)snprintf(copy, sizeof copy, "%s", text);
    log_news(copy, &news);
    return news;
}

static void only_whole_lines_of_the_end_count(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "log.txt");
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    for (int i = 0; i < 3000; i++) {
        (void)fprintf(file, "line %d\n", i);
    }
    (void)fputs("half a li", file);
    assert_int_equal(fclose(file), 0);
    tail_read(path, &tail);
    assert_true(tail.there);
    assert_true(tail.size > TAIL_ROOM - 32 && tail.size < TAIL_ROOM);
    assert_int_equal(strlen(tail.text), tail.size);
    assert_memory_equal(tail.text, "line ", 5);
    assert_string_equal(tail.text + tail.size - 10, "line 2999\n");
}

static void a_short_file_is_read_from_its_beginning(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "log.txt");

    temp_write(path, "one\ntwo\n");
    tail_read(path, &tail);
    assert_string_equal(tail.text, "one\ntwo\n");
    temp_write(path, "no line");
    tail_read(path, &tail);
    assert_string_equal(tail.text, "");
    tail_read_head(path, &tail);
    assert_string_equal(tail.text, "no line");
    assert_true(fabs(tail.changed - (double)time(NULL)) < 100);
}

static void what_is_no_file_is_not_there(void **state)
{
    (void)state;
    const char *pipe = temp_path(dir, "pipe");

    tail_read(temp_path(dir, "nothing"), &tail);
    assert_false(tail.there);
    assert_string_equal(tail.text, "");
    tail_read(dir, &tail);
    assert_false(tail.there);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    tail_read(pipe, &tail); /* nobody writes: it must not wait */
    assert_false(tail.there);
}

static void epochs_of_the_last_start_count(void **state)
{
    (void)state;
    const LogNews news = news_of("    0.00  run r\n"
                                 "    1.00  epoch    1/9  return  1\n"
                                 "    9.00  epoch    2/9  return  1\n"
                                 "    0.00  the process before this one (...) was killed\n"
                                 "    0.01  run r (going on)\n"
                                 "  100.00  epoch    3/30  return  1\n"
                                 "  104.00  epoch    4/30  return  1\n"
                                 "  108.00  epoch    5/30  return  1\n"
                                 "  109.50  warning: something\n");

    assert_int_equal(news.unit, UNIT_EPOCH);
    assert_int_equal(news.at, 5);
    assert_int_equal(news.of, 30);
    CHECK_NEAR(news.rate, 4, 1e-12, 0);
    CHECK_NEAR(news.age, 1.5, 1e-12, 0);
    assert_int_equal(news.end, LOG_GOES_ON);
}

static void the_rate_is_that_of_the_last_ten(void **state)
{
    (void)state;
    char text[4096];
    Text all = text_over(text, sizeof text);
    double seconds = 0;

    for (int i = 1; i <= 40; i++) { /* it becomes faster */
        seconds += i <= 25 ? 60 : 3;
        text_add(&all, "%8.2f  epoch %4d/100  return\n", seconds, i);
    }
    LogNews news = news_of(text);
    CHECK_NEAR(news.rate, 3, 1e-9, 0);
    news = news_of("    7.00  epoch 1/100\n");
    CHECK_NEAR(news.rate, 0, 0, 0); /* one line has no rate */
}

static void every_unit_is_known_and_a_new_one_starts_to_count(void **state)
{
    (void)state;
    LogNews news =
        news_of("    1.00  model pass   1  holdout\n    3.00  model pass   2  holdout\n");

    assert_int_equal(news.unit, UNIT_PASS);
    assert_int_equal(news.at, 2);
    assert_int_equal(news.of, 0);
    CHECK_NEAR(news.rate, 2, 1e-12, 0);
    news = news_of(
        "    1.00  model pass   9  holdout\n    3.00  behavior's model: update 100/5000, loss\n");
    assert_int_equal(news.unit, UNIT_UPDATE);
    assert_int_equal(news.at, 100);
    assert_int_equal(news.of, 5000);
    CHECK_NEAR(news.rate, 0, 0, 0);
    news = news_of("    1.00  step 1000 of 20000: return 3\n");
    assert_int_equal(news.unit, UNIT_STEP);
    assert_int_equal(news.of, 20000);
    assert_string_equal(progress_unit_name(news.unit), "step");
}

static void an_end_is_known_by_its_reason(void **state)
{
    (void)state;
    LogNews news = news_of("    1.00  run r\n    2.00  error: the disk is full\n");

    assert_int_equal(news.end, LOG_ERROR);
    assert_string_equal(news.reason, "the disk is full");
    news = news_of("    2.00  error: x\n    0.00  run r\n    3.00  stopped: as \033asked\n");
    assert_int_equal(news.end, LOG_STOPPED);
    assert_string_equal(news.reason, "as ?asked");
    news = news_of("    2.00  error: x\n    0.00  run r\n");
    assert_int_equal(news.end, LOG_GOES_ON);
    assert_string_equal(news.reason, "");
}

static void who_waits_for_a_model_says_so_until_it_has_it(void **state)
{
    (void)state;
    const char *waits =
        "    0.10  model: another process (host n1, pid 7, since x) fits the shared model\n";
    char text[512];

    assert_true(news_of(waits).waits);
    (void)snprintf(text, sizeof text, "%s    0.20  model: taken from models/x/model.h5\n", waits);
    assert_false(news_of(text).waits);
    (void)snprintf(text, sizeof text, "%s    0.20  model: fitted in models/x, for all\n", waits);
    assert_false(news_of(text).waits);
}

static void another_owner_of_a_shared_fit_is_another_start(void **state)
{
    (void)state;
    const LogNews news = news_of("    5.00  model: fitted in models/x, for all runs that share it\n"
                                 "    6.00  model pass   1  holdout\n"
                                 "  900.00  model: fitted in models/x, for all runs that share it\n"
                                 "  902.00  model pass   2  holdout\n"
                                 "  904.00  model pass   3  holdout\n");
    CHECK_NEAR(news.rate, 2, 1e-12, 0);
}

static void strange_lines_tell_nothing(void **state)
{
    (void)state;
    const LogNews news =
        news_of("epoch 3/4\n\n    nan  epoch 1/4\n 1.0 epoch 1/4\n    1.00  epoch x/4\n"
                "    1.00  epoch 3\n    1.00  epoch 3/0\n    1.00  epoch -3/4\n"
                "    1.00  epochs 3/4\n    1.00  an error: no\n");

    assert_int_equal(news.unit, UNIT_NONE);
    assert_int_equal(news.end, LOG_GOES_ON);
}

static MarkNews marks_of(const char *text)
{
    char copy[1024];
    MarkNews news;

    (void)snprintf(copy, sizeof copy, "%s", text);
    mark_news(copy, &news);
    return news;
}

static void the_last_marker_counts(void **state)
{
    (void)state;
    MarkNews news = marks_of("# start 2026-11-28T12:00:00Z host n1 job -\noutput\n");

    assert_int_equal(news.last, MARK_START);
    assert_string_equal(news.host, "n1");
    assert_false(news.slurm);
    CHECK_NEAR(news.at, 1795867200, 0, 0);
    news = marks_of("# start 2026-11-28T12:00:00Z host n1 job 7_3\n"
                    "# end 1 failed 2026-11-28T12:00:09Z mopo train: no such file\n");
    assert_int_equal(news.last, MARK_FAILED);
    assert_true(news.slurm);
    assert_int_equal(news.code, 1);
    assert_string_equal(news.reason, "mopo train: no such file");
    news = marks_of("# end 137 again 2026-11-28T12:00:09Z\n");
    assert_int_equal(news.last, MARK_AGAIN);
    assert_int_equal(news.code, 137);
    assert_string_equal(news.reason, "");
    assert_int_equal(marks_of("# end 0 done 2026-11-28T12:00:09Z \n").last, MARK_DONE);
    assert_int_equal(marks_of("# end 0 perhaps x\n# started\n#end 1 failed\n").last, MARK_NONE);
}

static void times_are_those_of_date(void **state)
{
    (void)state;
    /* date -u -d ... +%s */
    CHECK_NEAR(utc_seconds("1970-01-01T00:00:00Z"), 0, 0, 0);
    CHECK_NEAR(utc_seconds("2000-02-29T23:59:59Z"), 951868799, 0, 0);
    CHECK_NEAR(utc_seconds("2024-03-01T00:00:00Z"), 1709251200, 0, 0);
    CHECK_NEAR(utc_seconds("2026-12-31T12:30:15Z"), 1798720215, 0, 0);
    CHECK_NEAR(utc_seconds("2100-03-01T00:00:00Z"), 4107542400, 0, 0);
    CHECK_NEAR(utc_seconds("yesterday"), 0, 0, 0);
    CHECK_NEAR(utc_seconds("2024-13-01T00:00:00Z"), 0, 0, 0);
    CHECK_NEAR(utc_seconds("2024-03-01T00:00:00"), 0, 0, 0);
}

static MetricNews metrics_of(const char *text)
{
    char copy[1024];
    MetricNews news;

    (void)snprintf(copy, sizeof copy, "%s", text);
    metric_news(copy, &news);
    return news;
}

static void the_last_return_may_be_older_than_the_last_epoch(void **state)
{
    (void)state;
    MetricNews news = metrics_of("{\"epoch\": 1, \"return_mean\": 5.5, \"score\": 2}\n"
                                 "{\"epoch\": 2, \"return_mean\": null, \"score\": null}\n");

    assert_int_equal(news.epoch, 2);
    CHECK_NEAR(news.mean, 5.5, 1e-12, 0);
    CHECK_NEAR(news.score, 2, 1e-12, 0);
    news = metrics_of(
        "{\"epoch\": 1, \"return_mean\": 5, \"score\": null}\n{\"epoch\": 2, \"ret\n[3]\n");
    assert_int_equal(news.epoch, 1);
    CHECK_NEAR(news.mean, 5, 1e-12, 0);
    assert_true(isnan(news.score));
    assert_true(isnan(metrics_of("").mean));
}

static void settings_are_read_as_a_run_writes_them(void **state)
{
    (void)state;
    RunDir run;
    Config config;

    config_default(&config);
    config.train.epochs = 123;
    config.ranks.patience = 7;
    CHECK_OK(rundir_open(&run, dir, &config, NULL));
    tail_read_head(temp_path(dir, "used.yaml"), &tail);
    assert_int_equal(used_number(tail.text, "train", "epochs", -1), 123);
    assert_int_equal(used_number(tail.text, "ranks", "patience", -1), 7);
    assert_int_equal(used_number(tail.text, "model", "hidden", -1), config.model.hidden);
    assert_int_equal(used_number(tail.text, "train", "horizon", -1), -1); /* in another section */
    assert_int_equal(used_number(tail.text, "no", "epochs", -1), -1);
    assert_int_equal(used_number("", "train", "epochs", -1), -1);
    assert_int_equal(used_number("train:\n  epochs: many\n", "train", "epochs", -1), -1);
    rundir_close(&run);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(only_whole_lines_of_the_end_count),
        TEST(a_short_file_is_read_from_its_beginning),
        TEST(what_is_no_file_is_not_there),
        TEST(epochs_of_the_last_start_count),
        TEST(the_rate_is_that_of_the_last_ten),
        TEST(every_unit_is_known_and_a_new_one_starts_to_count),
        TEST(an_end_is_known_by_its_reason),
        TEST(who_waits_for_a_model_says_so_until_it_has_it),
        TEST(another_owner_of_a_shared_fit_is_another_start),
        TEST(strange_lines_tell_nothing),
        TEST(the_last_marker_counts),
        TEST(times_are_those_of_date),
        TEST(the_last_return_may_be_older_than_the_last_epoch),
        TEST(settings_are_read_as_a_run_writes_them),
    };
    tables_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
