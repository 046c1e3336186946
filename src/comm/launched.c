/* What launchers tell their processes by the environment. */
#include <stdlib.h>

#include "comm/comm.h"

/* Open MPI's mpirun; MPICH's and others'; srun, whose name for the size a batch script does not have. */
static const struct {
    const char *size, *rank;
} launchers[] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                 {"PMI_SIZE", "PMI_RANK"},
                 {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};

static int number(const char *name)
{
    const char *text = getenv(name);
    const long value = text != NULL ? strtol(text, NULL, 10) : 0;
    return value > 0 && value < 1 << 24 ? (int)value : 0;
}

int comm_launched(int *rank)
{
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
        const int size = number(launchers[i].size);
        if (size > 1) {
            *rank = number(launchers[i].rank);
            return size;
        }
    }
    *rank = 0;
    return 1;
}
