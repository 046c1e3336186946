/* Minari's HDF5 layout (Younis et al. 2024, dataset format "hdf5"): a group per episode.
 *   episode_<k>                     attributes id (k), total_steps (T)
 *   episode_<k>/observations        (T + 1, S) float64: with the state after the last step
 *   episode_<k>/actions             (T, A) float32
 *   episode_<k>/rewards             (T) float64
 *   episode_<k>/terminations, truncations   (T) booleans
 * Episodes are numbered, and read by number: HDF5 would list episode_10 before episode_2. Local.
 */
#ifndef DATA_MINARI_H
#define DATA_MINARI_H

#include "data/h5.h"
#include "data/recording.h"

/* The episodes of an open file, in order of their number, as one recording; s' is the next of the
 * episode's observations. `path` is for messages. Errors: ERR_FORMAT (also for observations that are
 * no single array), ERR_NOMEM; what *rec then holds, the caller releases. */
NODISCARD Status minari_read(Recording *rec, H5File *file, const char *path);

/* The Arrow variant (a folder per episode, or a metadata.json that says so) is an ERR_FORMAT with
 * advice, anything else OK. For paths that are not HDF5. */
NODISCARD Status minari_refuse_arrow(const char *path);

/* Write a recording. `horizon` cuts episodes where it has no timeouts. An episode that the recording
 * leaves unfinished gets a truncation. infos are not written. *episodes: how many there are.
 * Errors: ERR_CONFIG (no next_observations, or one that is not the following row's state: Minari
 * cannot express either), ERR_IO, ERR_NOMEM. */
NODISCARD Status minari_write(const char *path, const Recording *rec, int horizon,
                              int64_t *episodes);

#endif
