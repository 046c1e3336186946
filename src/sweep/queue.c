#include "sweep/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "sweep/launch.h"

enum { QUEUE_BYTES_MAX = 1 << 24, PATH = JOB_PATH_MAX + 64 + DIR_NAME_MAX };

/* What squeue says: lines "<job>_<task>". */
static Status ask(char **text)
{
    static char words[][32] = {"squeue", "--noheader", "--array", "--format=%F_%K", ""};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
    size_t size = 0;
    int code = 0;

    (void)snprintf(words[4], sizeof words[4], "--user=%ld", (long)getuid());
    const Status st = launch_read(argv, QUEUE_BYTES_MAX, text, &size, &code);
    if (st != ERR_NOMEM && (st != OK || code != 0)) {
        mem_free(text);
        return status_fail(ERR_IO,
                           "squeue gives no answer (%s), and what is in the queue already would be "
                           "submitted again: try later; or, if no job of this sweep is there, "
                           "delete submit/*.id in its folder",
                           st != OK ? status_reason() : "it fails");
    }
    return st;
}

/* The tasks of job `id` in the text of squeue; task k is line k of the list. */
static void mark(const char *text, long id, const JobList *list, const JobList *jobs, bool queued[])
{
    for (const char *line = text; *line != '\0'; line += strspn(line, "\n")) {
        char *end = NULL;
        const long job = strtol(line, &end, 10);
        const long task = *end == '_' ? strtol(end + 1, NULL, 10) : 0;
        if (job == id && task >= 0 && task < list->count) {
            const int i = jobs_find(jobs, list->jobs[task].name);
            if (i >= 0) {
                queued[i] = true;
            }
        }
        line += strcspn(line, "\n");
    }
}

static Status read_id(const char *path, long *id)
{
    Status st = OK;
    unsigned char *bytes = NULL;
    size_t size = 0;

    TRY(file_read(path, 4096, &bytes, &size));
    *id = strtol((const char *)bytes, NULL, 10);
done:
    mem_free(&bytes);
    return st;
}

/* "001-cell.id" beside "001-cell.tsv" */
static Status look_at(const char *folder, const char *name, const char *text, const JobList *jobs,
                      bool queued[])
{
    Status st = OK;
    char path[PATH];
    JobList list = {0};
    long id = 0;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    TRY(read_id(path, &id));
    (void)snprintf(path, sizeof path, "%s/%.*s.tsv", folder, (int)(strlen(name) - 3), name);
    TRY(jobs_read(&list, path));
    mark(text, id, &list, jobs, queued);
done:
    jobs_release(&list);
    return st;
}

static bool is_id(const char *name)
{
    const size_t n = strlen(name);
    return n > 3 && strcmp(name + n - 3, ".id") == 0;
}

Status queue_look(const JobList *jobs, const OutDir *out, bool queued[])
{
    Status st = OK;
    char folder[JOB_PATH_MAX + 64];
    DirList names = {0};
    char *text = NULL;
    int submitted = 0;

    memset(queued, 0, (size_t)jobs->count * sizeof *queued);
    TRY(dir_list(&names, outdir_file(out, "submit", folder)));
    for (int i = 0; i < names.count; i++) {
        submitted += is_id(names.names[i]);
    }
    TRY(submitted > 0 ? ask(&text) : OK);
    for (int i = 0; i < names.count && text != NULL; i++) {
        TRY(is_id(names.names[i]) ? look_at(folder, names.names[i], text, jobs, queued) : OK);
    }
done:
    mem_free(&text);
    dir_list_release(&names);
    return st;
}
