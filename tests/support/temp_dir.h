/* A directory that a test may fill; removed with everything in it. */
#ifndef SUPPORT_TEMP_DIR_H
#define SUPPORT_TEMP_DIR_H

enum { TEMP_PATH_MAX = 512 };

/* Make a new empty directory in $TMPDIR, else in memory, else here; its path into
 * path[TEMP_PATH_MAX]. */
void temp_dir_make(char *path);
void temp_dir_remove(const char *path);
/* The two as cmocka fixtures; the second also switches off injected faults of files and memory. */
int temp_dir_setup(void **state, char *path);
int temp_dir_teardown(void **state, const char *path);
/* "dir/name" with a printf format for the name, in one of four buffers used in turn. */
const char *temp_path(const char *dir, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Put a text file there. */
void temp_write(const char *path, const char *text);
/* The whole file as text, in one static buffer of 64 KiB. */
const char *temp_read(const char *path);

#endif
