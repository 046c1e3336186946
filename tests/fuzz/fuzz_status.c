/* The files of a job that mopo status reads, of any bytes: a state comes out, texts that a terminal may get, and JSON.
 * The first byte says which file the rest becomes; the others are right.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "sweep/status_report.h"

static const struct {
    const char *folder, *name, *text;
} files[] = {
    {"", "used.yaml", "run_dir: r\ntrain:\n  epochs: 30\nranks:\n  patience: 40\n"},
    {"", "lock", "host node1, pid 1234, since 2024-05-01T12:00:00Z\n"},
    {"", "log.txt", "    3.00  epoch    1/30  return  1\n    5.00  epoch    2/30  return  1\n"},
    {"", "metrics.jsonl", "{\"epoch\": 1, \"return_mean\": 5.5, \"score\": null}\n"},
    {"/ckpt", "LATEST", "policy-000030\n"},
    {"", "manifest.json", "{\"machine\": {\"ranks\": 3}, \"results\": {\"policy.h5\": \"0\"}}\n"},
    {"", "job.txt", "# start 2026-11-28T12:00:00Z host n1 job -\n"},
    {"/beat", "0", "mopo-beat 1 7-1 1795867200 16\n0 n1 77 updates - 0 9 9\n"}};
enum { FILES = sizeof files / sizeof *files };

static void put(const char *dir, unsigned which, const void *data, size_t size)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s%s", dir, files[which].folder);
    EXPECT(file_make_dirs(path) == OK);
    (void)snprintf(path, sizeof path, "%s%s/%s", dir, files[which].folder, files[which].name);
    FILE *file = fopen(path, "wb");
    EXPECT(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static bool plain(const char *text)
{
    return text_flaw(text, strlen(text)) == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[1 << 18];
    const bool all[JOB_STATE_COUNT] = {true, true, true, true, true};
    char dir[256];
    char log[512];
    FuzzBytes in = {data, size};
    StatusReport report = {0};

    log_set_level(LOG_QUIET);
    (void)snprintf(dir, sizeof dir, "%s", fuzz_path("job"));
    (void)snprintf(log, sizeof log, "%s/job.txt", dir);
    const unsigned which = fuzz_byte(&in) % FILES;
    for (unsigned i = 0; i < FILES; i++) {
        put(dir, i, i == which ? (const void *)in.data : files[i].text,
            i == which ? in.left : strlen(files[i].text));
    }
    for (int kind = 0; kind < JOB_KINDS; kind++) {
        const ProgressJob job = {.kind = (JobKind)kind, .dir = dir, .log = log};
        Progress p = {0};
        progress_look(&job, 1.8e9, &p);
        EXPECT(p.state < JOB_STATE_COUNT && p.unit < UNIT_COUNT && p.rate >= 0);
        EXPECT(plain(p.reason) && plain(p.saved) && plain(p.life.host) && plain(p.life.phase));
    }
    EXPECT(status_look(&report, dir) == OK);
    Text text = text_over(room, sizeof room);
    status_add_table(&report, all, 0, &text);
    json_t *json = status_json(&report, all);
    EXPECT(report.count == 1 && !text.cut && json != NULL);
    json_decref(json);
    status_release(&report);
    return 0;
}
