/* What this program was built from: for `mopo --version` and the manifest of a run.
 * The values are written at build time by cmake/version.cmake.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

typedef struct {
    const char *number;   /* of the project, "0.1.0" */
    const char *commit;   /* git describe --always --dirty; "unknown" when built from a tarball */
    const char *date;     /* of the commit, "2026-11-28", of SOURCE_DATE_EPOCH or the tarball */
    const char *compiler; /* "GNU 12.2.0" */
    const char *march;    /* target of -march, "x86-64-v3" */
    const char *flags;    /* other flags that change the code, without warnings */
} Version;

extern const Version version;

/* The first instruction set this program was compiled for and this CPU lacks, "avx2"; NULL when it
 * can run here. main asks before anything else: the nodes of a cluster may be of different ages. */
const char *version_missing_instructions(void);

#endif
