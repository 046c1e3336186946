#include "run/facts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stamp.h"
#include "base/version.h"
#include "comm/comm.h"
#include "data/h5.h"
#include "env/env.h"
#include "nn/gemm.h"

const FactRow fact_rows[FACT_ROWS] = {
    {"dataset", "digest", "dataset", true},   {"program", "version", "version", true},
    {"program", "commit", "commit", true},    {"program", "compiler", "compiler", true},
    {"program", "march", "-march", true},     {"program", "flags", "flags", true},
    {"libraries", "blas", "BLAS", true},      {"libraries", "mujoco", "MuJoCo", true},
    {"libraries", "libc", "C library", true}, {"machine", "cpu", "CPU", false},
    {"libraries", "hdf5", "HDF5", false},     {"libraries", "mpi", "MPI", false},
};

enum { NAME_MAX_BYTES = 128 };

/* "AMD EPYC 7763 64-Core Processor"; NULL where /proc does not say. */
static const char *cpu_name(void)
{
    static char name[NAME_MAX_BYTES];
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");

    name[0] = '\0';
    while (file != NULL && name[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return name[0] != '\0' ? name : NULL;
}

/* "glibc 2.36": its exp and tanh are in the results. */
static const char *libc_name(void)
{
    static char name[NAME_MAX_BYTES];
    return confstr(_CS_GNU_LIBC_VERSION, name, sizeof name) > 0 ? name : NULL;
}

RunFacts facts_here(void)
{
    static char blas[NAME_MAX_BYTES];

    (void)snprintf(blas, sizeof blas, "%s %s, core %s", gemm_name(), gemm_version(), gemm_core());
    return (RunFacts){.mpi = comm_library(),
                      .blas = blas,
                      .libc = libc_name(),
                      .hdf5 = h5_version(),
                      .mujoco = env_simulator_version(),
                      .cpu = cpu_name()};
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *now(void)
{
    char when[STAMP_TIME];
    return json_string(stamp_time(when));
}

json_t *facts_json(const RunFacts *facts)
{
    return json_pack("{s:i, s:o, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:o, s:o, s:o, s:o, s:o}, "
                     "s:{s:o, s:o, s:i, s:i}, s:{s:o, s:o}}",
                     "format", 1, "started", now(), /* */
                     "program", "version", version.number, "commit", version.commit, "compiler",
                     version.compiler, "march", version.march, "flags", version.flags, /* */
                     "libraries", "mpi", text_or_null(facts->mpi), "blas",
                     text_or_null(facts->blas), "libc", text_or_null(facts->libc), "hdf5",
                     text_or_null(facts->hdf5), "mujoco", text_or_null(facts->mujoco), /* */
                     "machine", "cpu", text_or_null(facts->cpu), "hosts",
                     text_or_null(facts->hosts), "ranks", facts->ranks, "learners",
                     facts->learners, /* */
                     "dataset", "path", text_or_null(facts->dataset), "digest",
                     text_or_null(facts->dataset_digest));
}

const char *facts_text(const json_t *manifest, const FactRow *row)
{
    return json_string_value(json_object_get(json_object_get(manifest, row->group), row->key));
}
