#include "data/starts.h"

#include <string.h>

#include "base/mem.h"

static bool begins(const Dataset *data, int64_t i)
{
    const Record *rec = &data->rec;
    const float *row = data->records + (size_t)i * rec->stride;
    const float *before = row - rec->stride;

    return i == 0 || before[rec->cont] == 0.0F ||
           memcmp(before + rec->s2, row, (size_t)rec->S * sizeof *row) != 0;
}

Status episode_starts(const Dataset *data, EpisodeStarts *starts)
{
    Status st = OK;

    *starts = (EpisodeStarts){0};
    TRY(mem_alloc(&starts->rows, EPISODE_STARTS_MAX, sizeof *starts->rows, "starts of episodes"));
    for (int64_t i = 0; i < data->rows && starts->n < EPISODE_STARTS_MAX; i++) {
        if (begins(data, i)) {
            starts->rows[starts->n++] = i;
        }
    }
done:
    return st;
}

void episode_starts_release(EpisodeStarts *starts)
{
    mem_free(&starts->rows);
    *starts = (EpisodeStarts){0};
}
