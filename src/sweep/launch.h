/* The only place that starts other programs: mopo itself, mpirun and sbatch. No shell is involved: a program gets its
 * words one by one. Local.
 */
#ifndef SWEEP_LAUNCH_H
#define SWEEP_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

enum { LAUNCH_PATH_MAX = 4096, LAUNCH_WORDS_MAX = 1300 };

/* Path of this program. Error: ERR_IO. */
NODISCARD Status launch_self(char path[LAUNCH_PATH_MAX]);

/* A command line: argv ends with NULL; the words are borrowed but for those of MOPO_MPIRUN. */
typedef struct {
    int count;
    char *argv[LAUNCH_WORDS_MAX];
    char self[LAUNCH_PATH_MAX], ranks[16], launcher[LAUNCH_PATH_MAX];
} LaunchLine;

/* `mopo words` on so many ranks: as a plain process for one, else by mpirun, or by what MOPO_MPIRUN says: a program
 * and options, with blanks between. Errors: ERR_IO, ERR_CONFIG (too many words). */
NODISCARD Status launch_command(LaunchLine *line, int ranks, int count, char *const words[]);

/* Ranks of several jobs share a machine: Open MPI would put each job's first rank on the first core, and refuse more
 * ranks than cores. For all that is started from now on; what the environment says already is left. */
void launch_share_cores(void);

/* Of `mpirun -n 1 mopo sweep`, or of a shell that srun started: what that told this process alone. What is started
 * from now on would take itself for the same rank, and fail or hang. */
void launch_forget_rank(void);

/* Cores that this process may use. */
int launch_cores(void);

/* Start it as a process group of its own, its output appended to a file. Error: ERR_IO. */
NODISCARD Status launch_start(char *const argv[], int output, pid_t *pid);

/* Run it to its end and keep what it prints, at most `max` bytes, with '\0' behind it; what it says on stderr goes to
 * ours. *text is to be freed with mem_free. Errors: ERR_IO (it cannot be started), ERR_FORMAT (more than max),
 * ERR_NOMEM. *code: its exit code, 128 and the signal that ended it. */
NODISCARD Status launch_read(char *const argv[], size_t max, char **text, size_t *size, int *code);

/* The exit code of a wait status, 128 and the number of a signal. */
int launch_code(int wait_status);

#endif
