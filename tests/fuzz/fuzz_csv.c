/* A table of transitions. */
#include "data/csv.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Recording rec;

    if (csv_read(&rec, fuzz_file("table.csv", data, size)) == OK) {
        EXPECT(rec.rows > 0 && rec.state_dim > 0 && rec.act_dim > 0);
        for (int64_t i = 0; i < rec.rows; i++) {
            EXPECT(rec.terminals[i] <= 1 && (rec.timeouts == NULL || rec.timeouts[i] <= 1));
        }
        recording_release(&rec);
    }
    return 0;
}
