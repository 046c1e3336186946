/* A directory for a test's files. */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

/* Make it, empty; ends the test on failure. Path valid until folder_remove. */
const char *folder_make(void);
/* <folder>/<name>, valid for eight more calls. */
const char *folder_file(const char *name);
/* How many entries it has. */
int folder_count(void);
/* Delete it with everything inside, which must be plain files or empty directories. */
void folder_remove(void);

#endif
