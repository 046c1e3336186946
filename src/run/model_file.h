/* model.h5: a fitted ensemble, with everything needed to use it or to refuse it; with a digest of its
 * bytes (run/sealed.h). Local.
 */
#ifndef RUN_MODEL_FILE_H
#define RUN_MODEL_FILE_H

#include "base/status.h"
#include "model/ensemble.h"

enum { MODEL_TEXT_MAX = 128 };

typedef struct {
    char task[MODEL_TEXT_MAX];
    char dataset_digest[MODEL_TEXT_MAX]; /* Dataset.digest it was fitted to */
    int64_t passes;                      /* over the data, of the fit */
} ModelInfo;

/* The bytes depend on the arguments only. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status model_save(const char *path, const ModelInfo *info, const Ensemble *ens);
/* Read, check shapes, digest, ranges, and freeze for prediction. `want`: settings that the file must
 * have, NULL: any. Errors: ERR_IO; ERR_FORMAT (no model, damaged); ERR_CONFIG (other settings than
 * wanted, named with both values); ERR_NOMEM. After an error *ens is safe to release. */
NODISCARD Status model_load(const char *path, const EnsembleConfig *want, ModelInfo *info,
                            Ensemble *ens);

#endif
