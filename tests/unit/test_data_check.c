/* run/data_check: recordings that are right are left in peace, and each kind of fault, planted in a
 * copy of one, is found by its check. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/collect.h"
#include "run/data_check.h"
#include "support/data_faults.h"
#include "support/shared.h"

static const CollectSource uniform = {0};

/* ---- recordings that are right ---- */

/* Episodes are cut short, so that there are many. */
static const struct {
    const char *task;
    int horizon, episodes;
    bool exact;
} bases[TASKS] = {
    [POINT] = {"pointmass", 100, 12, false}, [CHEETAH] = {"halfcheetah", 60, 6, false},
    [HOPPER] = {"hopper", 1000, 12, false},  [WALKER] = {"walker2d", 1000, 12, false},
    [ANT] = {"ant", 30, 4, false},           [JUMP] = {"halfcheetah-jump", 60, 3, false},
    [EXACT] = {"halfcheetah", 60, 3, true},
};

static EnvKind tasks[TASKS];
static Recording clean[TASKS];

static void make(Base b, uint64_t seed, Recording *rec)
{
    CollectRows rows;
    const EnvConfig config = {.exact_inertia = bases[b].exact, .forces = FORCES_ZERO};

    CHECK_OK(env_configure(&tasks[b], bases[b].task, &config));
    tasks[b].horizon = bases[b].horizon;
    CHECK_OK(collect_episodes(&tasks[b], &uniform, seed, 0, bases[b].episodes, &rows));
    CHECK_OK(collect_columns(&rows, rec));
    collect_release(&rows);
}

static int make_all(void **state)
{
    (void)state;
    for (int b = 0; b < TASKS; b++) {
        make((Base)b, 1, &clean[b]);
    }
    return 0;
}

static int release_all(void **state)
{
    (void)state;
    for (int b = 0; b < TASKS; b++) {
        recording_release(&clean[b]);
    }
    return 0;
}

/* ---- ways a file that is right may look ---- */

static void as_collected(Recording *r)
{
    (void)r;
}

static void cut_inside_an_episode(Recording *r)
{
    r->rows -= 5;
}

static const struct {
    const char *name;
    void (*make)(Recording *r);
} forms[] = {
    {"as collected", as_collected},
    {"without infos", recording_drop_infos},
    {"without next_observations", recording_drop_next},
    {"cut inside an episode", cut_inside_an_episode},
};

enum { FORMS = sizeof forms / sizeof *forms, SAMPLES = 60 };

static void print_findings(const char *what, const Findings *all)
{
    for (int i = 0; i < all->count; i++) {
        print_message("  %s: %s %s: %s\n", what, severity_name(all->list[i].severity),
                      all->list[i].check, all->list[i].text);
    }
}

static int alarms_of(const Findings *all)
{
    return (int)(all->number[SEVERITY_WARNING] + all->number[SEVERITY_ERROR]);
}

static int files, alarms;

static void what_is_right_raises_no_alarm(void **state)
{
    (void)state;
    static Findings all;

    for (int b = 0; b < TASKS; b++) {
        for (int k = 0; k < FORMS; k++) {
            Recording rec = recording_copy(&clean[b]);
            const CheckOptions options = {.task = &tasks[b], .samples = SAMPLES};
            forms[k].make(&rec);
            CHECK_OK(data_check(&all, &rec, &options));
            if (alarms_of(&all) > 0) {
                print_message("%s %s\n", bases[b].task, forms[k].name);
                print_findings("false alarm", &all);
                alarms++;
            }
            files++;
            recording_release(&rec);
        }
    }
    assert_int_equal(alarms, 0);
}

/* ---- faults ---- */

/* The file holds what behaving earns, the task is to jump. */
static void earn_as_behavior(Recording *r, const EnvKind *task)
{
    EnvKind behavior = *task;
    behavior.config.behavior_reward = true;
    for (int64_t i = 0; i < r->rows; i++) {
        Motion m = {.healthy = true};
        memcpy(m.before, r->xpos + i * 3, sizeof m.before);
        memcpy(m.after, r->next_xpos + i * 3, sizeof m.after);
        r->rewards[i] = behavior.reward(&behavior, &m, r->actions + i * r->act_dim);
    }
}

static bool is_found(const Fault *f, const Findings *all)
{
    for (int i = 0; i < all->count; i++) {
        const Finding *x = &all->list[i];
        if (strcmp(x->check, f->check) == 0 && x->severity > SEVERITY_NOTE &&
            (f->says == NULL || strstr(x->text, f->says) != NULL)) {
            return true;
        }
    }
    return false;
}

static int planted, hits;

static void every_kind_of_fault_is_found(void **state)
{
    (void)state;
    static Findings all;

    for (const Fault *f = data_faults; f->name != NULL; f++) {
        const EnvKind *task = &tasks[f->as != 0 ? f->as : f->base];
        const CheckOptions options = {.task = task, .samples = SAMPLES};
        Recording rec = recording_copy(&clean[f->base]);
        planted++;
        f->plant(&rec);
        if (f->behavior) {
            earn_as_behavior(&rec, task);
        }
        CHECK_OK(data_check(&all, &rec, &options));
        if (is_found(f, &all)) {
            hits++;
        } else {
            print_message("%s: not found by %s\n", f->name, f->check);
            print_findings("only", &all);
        }
        recording_release(&rec);
    }
    print_message("planted %d kinds, found %d; clean files %d, false alarms %d\n", planted, hits,
                  files, alarms);
    assert_int_equal(hits, planted);
}

static void every_check_finds_a_fault(void **state)
{
    (void)state;
    for (int i = 0; data_check_name(i) != NULL; i++) {
        bool used = false;
        for (const Fault *f = data_faults; f->name != NULL; f++) {
            used = used || strcmp(f->check, data_check_name(i)) == 0;
        }
        if (!used) {
            fail_msg("no fault is planted for check %s", data_check_name(i));
        }
        assert_true(data_check_finds(i)[0] != '\0');
    }
}

/* ---- the rest ---- */

static void the_task_is_guessed_by_its_simulator(void **state)
{
    (void)state;

    for (int b = 0; b < TASKS; b++) {
        EnvKind task;
        bool found_one = false;
        CHECK_OK(data_guess_task(&clean[b], &task, &found_one));
        assert_true(found_one);
        assert_string_equal(task.name, bases[b].task);
        assert_int_equal(task.config.exact_inertia, bases[b].exact);
    }
    Recording rec = recording_copy(&clean[CHEETAH]);
    for (int64_t i = 0; i < rec.rows * rec.state_dim; i++) {
        rec.observations[i] += 0.05 * sin(1.7 * (double)i);
    }
    EnvKind task;
    bool found_one = true;
    CHECK_OK(data_guess_task(&rec, &task, &found_one));
    assert_false(found_one);
    recording_release(&rec);
}

static void without_a_task_only_numbers_and_order_are_judged(void **state)
{
    (void)state;
    static Findings all;
    const CheckOptions options = {.samples = SAMPLES};

    CHECK_OK(data_check(&all, &clean[HOPPER], &options));
    print_findings("without task", &all);
    assert_int_equal(alarms_of(&all), 0);
    Recording rec = recording_copy(&clean[HOPPER]);
    rec.rows = 1;
    CHECK_OK(data_check(&all, &rec, &options));
    rec.rows = 0;
    assert_int_equal(data_check(&all, &rec, &options), ERR_FORMAT);
    rec.rows = clean[HOPPER].rows;
    recording_release(&rec);
}

/* Others recorded these: exact inertia, and actions that nobody clipped. */
static void recordings_of_gym_are_judged_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *task, *file;
    } files_of[] = {{"hopper", "data/berkeley_cs285/hopper_expert_cs285-v4.hdf5"},
                    {"walker2d", "data/berkeley_cs285/walker2d_expert_cs285-v4.hdf5"},
                    {"halfcheetah", "data/berkeley_cs285/halfcheetah_expert_cs285-v4.hdf5"},
                    {"ant", "data/berkeley_cs285/ant_expert_cs285-v4.hdf5"}};
    static Findings all;

    if (shared_file(files_of[0].file) == NULL) {
        skip();
    }
    for (size_t k = 0; k < sizeof files_of / sizeof *files_of; k++) {
        EnvKind task;
        Recording rec;
        CHECK_OK(recording_read(&rec, shared_file(files_of[k].file)));
        CHECK_OK(env_configure(&task, files_of[k].task, &(EnvConfig){.exact_inertia = true}));
        const CheckOptions right = {.task = &task, .any_actions = true, .samples = 100};
        CHECK_OK(data_check(&all, &rec, &right));
        print_findings(files_of[k].task, &all);
        assert_int_equal(alarms_of(&all), 0);

        CHECK_OK(env_configure(&task, files_of[k].task, &(EnvConfig){0}));
        const CheckOptions wrong = {.task = &task, .samples = 100};
        CHECK_OK(data_check(&all, &rec, &wrong));
        assert_int_equal(all.number[SEVERITY_ERROR], 2);
        assert_string_equal(all.list[0].check, "action-range");
        assert_string_equal(all.list[1].check, "settings");
        assert_non_null(strstr(all.list[1].text, "env.inertia=exact"));
        recording_release(&rec);
    }
}

/* Each row of the table stands in docs/data-check.md, word for word. */
static void the_documentation_lists_every_check(void **state)
{
    (void)state;
    unsigned char *text = NULL;
    size_t size = 0;

    CHECK_OK(file_read(MOPO_SOURCE_DIR "/docs/data-check.md", 1 << 20, &text, &size));
    for (int i = 0; data_check_name(i) != NULL; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "\n| `%s` | %s |\n", data_check_name(i),
                       data_check_finds(i));
        if (strstr((const char *)text, line) == NULL) {
            fail_msg("docs/data-check.md lacks:%s", line);
        }
    }
    mem_free(&text);
}

static void memory_refused_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    static Findings all;
    const CheckOptions options = {.task = &tasks[POINT], .samples = 20};
    const int64_t blocks = mem_count();
    Status st = ERR_NOMEM;

    for (int64_t k = 1; st != OK; k++) {
        mem_fail_at(k);
        st = data_check(&all, &clean[POINT], &options);
        mem_fail_at(0);
        assert_int_equal(mem_count(), blocks);
        assert_true(st == OK || st == ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_raises_no_alarm),
        cmocka_unit_test(every_kind_of_fault_is_found),
        cmocka_unit_test(every_check_finds_a_fault),
        cmocka_unit_test(the_task_is_guessed_by_its_simulator),
        cmocka_unit_test(without_a_task_only_numbers_and_order_are_judged),
        cmocka_unit_test(recordings_of_gym_are_judged_as_published),
        cmocka_unit_test(the_documentation_lists_every_check),
        cmocka_unit_test(memory_refused_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make_all, release_all);
}
