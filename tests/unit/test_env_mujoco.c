/* What MuJoCo warns of or stops at, provoked for real: a warning means that it has put the state back to its start,
 * which would silently falsify an episode, so it is an error of ours; an error of its own ends the process with one
 * message, and neither waits for the Enter key nor leaves MUJOCO_LOG.TXT. */
#include "support/check.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "env/env.h"
#include "env/mj.h"

enum { DIM_MAX = 128, STEPS = 20 };

static const char *const robots[] = {"halfcheetah", "hopper", "walker2d", "ant"};
enum { ROBOTS = sizeof robots / sizeof *robots };

/* The observation after some steps from a state. */
static void play(const EnvKind *kind, Env *env, const double *qpos, const double *qvel, float *s)
{
    float action[DIM_MAX] = {0.3F, -0.2F};
    EnvStep step = {0};

    CHECK_OK(kind->set_state(env, qpos, qvel));
    for (int t = 0; t < STEPS; t++) {
        CHECK_OK(kind->step(env, action, &step));
    }
    kind->observe(env, s);
}

/* A speed that is finite, and that no step survives. */
static void check_runaway(const EnvKind *kind, double speed)
{
    double qpos[DIM_MAX] = {0};
    double qvel[DIM_MAX] = {0};
    double fast[DIM_MAX] = {0};
    float want[DIM_MAX] = {0};
    float got[DIM_MAX] = {0};
    float action[DIM_MAX] = {0};
    EnvStep step = {0};
    Env *env = NULL;
    Rng rng = rng_make(5, RNG_TEST, 0, 0);

    CHECK_OK(kind->open(&env, kind));
    CHECK_OK(kind->reset(env, &rng));
    kind->get_state(env, qpos, qvel);
    play(kind, env, qpos, qvel, want);
    fast[1] = speed;
    Status st = kind->set_state(env, qpos, fast);
    st = st != OK ? st : kind->step(env, action, &step);
    if (st != ERR_ENV) {
        fail_msg("%s at speed %g: %s", kind->name, speed, status_name(st));
    }
    assert_non_null(strstr(status_reason(), kind->name));
    assert_non_null(strstr(status_reason(), "MuJoCo warns during "));
    play(kind, env, qpos, qvel, got); /* nothing of it stays */
    assert_memory_equal(got, want, sizeof got);
    kind->close(env);
}

static void a_robot_that_runs_away_is_told_and_does_not_stick(void **state)
{
    (void)state;
    for (int i = 0; i < ROBOTS; i++) {
        check_runaway(env_find(robots[i]), 1e12); /* MuJoCo's limit is 1e10 */
    }
    assert_false(file_exists("MUJOCO_LOG.TXT"));
}

static const double no_motors = 0;

static const char boxes[] =
    "<mujoco><size nconmax='1' njmax='500' nstack='100000'/><worldbody>"
    "<geom type='plane' size='5 5 1'/>"
    "<body pos='0 0 .1'><freejoint/><geom type='box' size='.1 .1 .1'/></body>"
    "<body pos='1 0 .1'><freejoint/><geom type='box' size='.1 .1 .1'/></body>"
    "</worldbody></mujoco>";

/* Where contacts are left out, bodies sink into each other. */
static void contacts_that_do_not_fit_are_told(void **state)
{
    (void)state;
    MjSim *sim = NULL;
    Status st = OK;

    if (mj_library_version()[0] != '2') { /* later ones take the room they need */
        skip();
    }
    CHECK_OK(mjsim_open(&sim, "boxes", boxes, 1));
    for (int t = 0; t < STEPS && st == OK; t++) {
        st = mjsim_step(sim, &no_motors);
    }
    mjsim_close(sim);
    assert_int_equal(st, ERR_ENV);
    assert_non_null(strstr(status_reason(), "boxes: MuJoCo warns during a control step: "));
    assert_non_null(strstr(status_reason(), "ontact"));
    assert_false(file_exists("MUJOCO_LOG.TXT"));
}

/* In a process of its own, with an open pipe where a terminal would be, and its messages into another. */
static _Noreturn void stop_inside(int input, int messages)
{
    MjSim *sim = NULL;
    (void)dup2(input, STDIN_FILENO);
    (void)dup2(messages, STDERR_FILENO);
    (void)dup2(messages, STDOUT_FILENO);
    (void)alarm(20); /* instead of waiting for Enter */
    _exit((int)mjsim_open(&sim, "empty", "",
                          1)); /* a file of no bytes, which MuJoCo 2 does not take */
}

static void an_error_of_its_own_ends_the_process_at_once(void **state)
{
    (void)state;
    int input[2];
    int messages[2];
    int status = 0;
    char text[4096] = "";
    size_t n = 0;
    ssize_t got = 0;

    if (mj_library_version()[0] != '2') { /* later ones return an error */
        skip();
    }
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(messages), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        stop_inside(input[0], messages[1]);
    }
    (void)close(messages[1]);
    while ((got = read(messages[0], text + n, sizeof text - 1 - n)) > 0) {
        n += (size_t)got;
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(input[0]);
    (void)close(input[1]);
    (void)close(messages[0]);
    assert_true(WIFSIGNALED(status) &&
                WTERMSIG(status) == SIGABRT); /* with MPI: exit code 1 of all ranks */
    assert_non_null(strstr(text, "MuJoCo stops: "));
    assert_non_null(strstr(text, "filesize"));
    assert_null(strstr(text, "Enter"));
    const char *end = strchr(text, '\n');
    assert_true(end != NULL && end[1] == '\0'); /* one line */
    assert_false(file_exists("MUJOCO_LOG.TXT"));
}

static void a_model_that_does_not_load_leaves_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "no XML", "<mujoco><worldbody><geom type='box' size='-1 1 1'/></worldbody></mujoco>",
        "<mujoco><include file='absent.xml'/></mujoco>",
        "<mujoco><asset><mesh file='absent.stl'/></asset></mujoco>"};
    const int64_t blocks = mem_count();

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        MjSim *sim = NULL;
        assert_int_equal(mjsim_open(&sim, "wrong", wrong[i], 1), ERR_ENV);
        assert_null(sim);
        assert_non_null(strstr(status_reason(), "wrong: MuJoCo does not take the model: "));
        assert_true(strlen(strrchr(status_reason(), ':')) > 2); /* and says why */
    }
    assert_int_equal(mem_count(), blocks);
    assert_false(file_exists("MUJOCO_LOG.TXT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_robot_that_runs_away_is_told_and_does_not_stick),
        cmocka_unit_test(contacts_that_do_not_fit_are_told),
        cmocka_unit_test(an_error_of_its_own_ends_the_process_at_once),
        cmocka_unit_test(a_model_that_does_not_load_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
