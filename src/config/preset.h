/* Presets of `algo`: each a row of settings over shared parts. Of several names the last counts; its
 * settings come right before the other settings of the place that names it: a file's own keys win over
 * the preset that this file names, a preset on the command line wins over all files.
 */
#ifndef CONFIG_PRESET_H
#define CONFIG_PRESET_H

enum { PRESET_WORDS_MAX = 24 };

typedef struct {
    const char *name;
    const char *source;                  /* of the method, and of the values */
    const char *words[PRESET_WORDS_MAX]; /* "key=value", NULL behind the last */
} Preset;

/* Row i of the table, NULL at its end. */
const Preset *preset_row(int i);
/* NULL when there is no such preset. */
const Preset *preset_find(const char *name);

#endif
