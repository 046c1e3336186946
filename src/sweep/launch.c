#define _GNU_SOURCE /* sched_getaffinity; NOLINT(bugprone-reserved-identifier,readability-identifier-naming) */
#include "sweep/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

extern char **environ;

Status launch_self(char path[LAUNCH_PATH_MAX])
{
    static const char gone[] = " (deleted)";
    const ssize_t n = readlink("/proc/self/exe", path, LAUNCH_PATH_MAX - 1);
    if (n <= 0 || n == LAUNCH_PATH_MAX - 1) {
        return status_fail(ERR_IO, "/proc/self/exe: cannot find the path of this program: %s",
                           n < 0 ? strerror(errno) : "it is too long");
    }
    path[n] = '\0';
    /* while a sweep runs its program may be built anew: then the new one is meant */
    const size_t end = (size_t)n > strlen(gone) ? (size_t)n - strlen(gone) : 0;
    if (strcmp(path + end, gone) == 0) {
        path[end] = '\0';
    }
    return OK;
}

static void add(LaunchLine *line, char *word)
{
    if (line->count < LAUNCH_WORDS_MAX - 1) {
        line->argv[line->count] = word;
    }
    line->count++;
}

static void add_launcher(LaunchLine *line, int ranks)
{
    static char option[] = "-n";
    const char *set = getenv("MOPO_MPIRUN");
    char *rest = NULL;

    (void)snprintf(line->launcher, sizeof line->launcher, "%s",
                   set != NULL && set[0] != '\0' ? set : "mpirun");
    (void)snprintf(line->ranks, sizeof line->ranks, "%d", ranks);
    for (char *word = strtok_r(line->launcher, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        add(line, word);
    }
    add(line, option);
    add(line, line->ranks);
}

Status launch_command(LaunchLine *line, int ranks, int count, char *const words[])
{
    Status st = OK;

    line->count = 0;
    TRY(launch_self(line->self));
    if (ranks > 1) {
        add_launcher(line, ranks);
    }
    add(line, line->self);
    for (int i = 0; i < count; i++) {
        add(line, words[i]);
    }
    if (line->count >= LAUNCH_WORDS_MAX) {
        return status_fail(ERR_CONFIG, "a command of %d words; at most %d are allowed", line->count,
                           LAUNCH_WORDS_MAX - 1);
    }
    line->argv[line->count] = NULL;
done:
    return st;
}

void launch_share_cores(void)
{
    static const char *const set[][2] = {
        {"OMPI_MCA_hwloc_base_binding_policy", "none"}, /* Open MPI 4 */
        {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
        {"PRTE_MCA_hwloc_default_binding_policy", "none"}, /* Open MPI 5 */
        {"PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"},
        {"OPENBLAS_NUM_THREADS", "1"}};

    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        (void)setenv(set[i][0], set[i][1], 0);
    }
}

void launch_forget_rank(void)
{
    static const char *const told[] = {
        "PMIX_",        "PMI_",           "OMPI_COMM_WORLD_", "OMPI_UNIVERSE_SIZE",
        "OMPI_MCA_ess", "OMPI_MCA_orte_", "OMPI_MCA_pmix"};
    char name[128];

    if (getenv("PMIX_RANK") == NULL && getenv("PMI_RANK") == NULL) {
        return; /* such variables are the user's own settings then */
    }
    for (char **at = environ; *at != NULL;) {
        bool found = false;
        for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
            found = found || strncmp(*at, told[i], strlen(told[i])) == 0;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
        if (!found || unsetenv(name) != 0) { /* which moves the next one here */
            at++;
        }
    }
}

int launch_cores(void)
{
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    return n > 0 ? n : 1;
}

/* Signals as a program expects them, whatever this one blocks or ignores. */
static int set_signals(posix_spawnattr_t *attr, bool group)
{
    sigset_t none;
    sigset_t plain;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

    (void)sigemptyset(&none);
    (void)sigemptyset(&plain);
    (void)sigaddset(&plain, SIGPIPE);
    (void)sigaddset(&plain, SIGXFSZ);
    int error = posix_spawnattr_setsigmask(attr, &none);
    error = error != 0 ? error : posix_spawnattr_setsigdefault(attr, &plain);
    if (group) {
        flags |= POSIX_SPAWN_SETPGROUP;
        error = error != 0 ? error : posix_spawnattr_setpgroup(attr, 0);
    }
    return error != 0 ? error : posix_spawnattr_setflags(attr, flags);
}

/* both: standard error goes there, too. */
static Status start(char *const argv[], int output, bool both, bool group, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;

    int error = posix_spawn_file_actions_init(&files);
    if (error == 0) {
        error = posix_spawnattr_init(&attr);
        if (error != 0) {
            (void)posix_spawn_file_actions_destroy(&files);
        }
    }
    if (error != 0) {
        return status_fail(ERR_IO, "%s: cannot be started: %s", argv[0], strerror(error));
    }
    error = set_signals(&attr, group);
    error = error != 0
                ? error
                : posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (both) {
        error =
            error != 0 ? error : posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    }
    error = error != 0 ? error : posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return error == 0 ? OK
                      : status_fail(ERR_IO, "%s: cannot be started: %s%s", argv[0], strerror(error),
                                    error == ENOENT ? "; is it installed, and in PATH?" : "");
}

Status launch_start(char *const argv[], int output, pid_t *pid)
{
    return start(argv, output, true, true, pid);
}

int launch_code(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Everything up to the end of a pipe. */
static Status read_pipe(int fd, const char *name, size_t max, char *text, size_t *size)
{
    for (*size = 0;;) {
        const ssize_t n = read(fd, text + *size, max + 1 - *size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return status_fail(ERR_IO, "%s: cannot read what it prints: %s", name, strerror(errno));
        }
        if (n == 0) {
            text[*size] = '\0';
            return OK;
        }
        *size += (size_t)n;
        if (*size > max) {
            return status_fail(ERR_FORMAT, "%s: prints more than %zu bytes", name, max);
        }
    }
}

static void await(pid_t pid, int *code)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    *code = launch_code(status);
}

Status launch_read(char *const argv[], size_t max, char **text, size_t *size, int *code)
{
    Status st = OK;
    int ends[2] = {-1, -1};
    pid_t pid = 0;

    *text = NULL;
    TRY(mem_alloc(text, max + 2, 1, "what a program prints"));
    if (pipe(ends) != 0) {
        st = status_fail(ERR_IO, "%s: no pipe to it: %s", argv[0], strerror(errno));
        goto done;
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    TRY(start(argv, ends[1], false, false, &pid));
    (void)close(ends[1]);
    ends[1] = -1;
    st = read_pipe(ends[0], argv[0], max, *text, size);
    (void)close(ends[0]); /* who prints too much ends of it */
    ends[0] = -1;
    await(pid, code);
done:
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            (void)close(ends[i]);
        }
    }
    if (st != OK) {
        mem_free(text);
    }
    return st;
}
