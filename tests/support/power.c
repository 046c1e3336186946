#include "support/power.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/slab.h"
#include "support/check.h"
#include "support/temp_dir.h"

enum { CALLS_MAX = 4000, NODES_MAX = 1000, FDS_MAX = 1024, NAME_MAX_HERE = 64, SECTOR = 512 };

/* A recorded call, with nodes in place of paths. */
typedef struct {
    DiskCall call;
    int node;                     /* file or directory that it is about */
    int child;                    /* of a change of names */
    char name[NAME_MAX_HERE];     /* that appears; "": none */
    char old_name[NAME_MAX_HERE]; /* that goes; "": none */
    unsigned char *bytes;         /* owned */
    size_t n;
} Call;

typedef struct {
    int child;
    char name[NAME_MAX_HERE];
} Entry;

typedef struct {
    Entry *at; /* owned */
    int count;
} Entries;

typedef struct {
    unsigned char *at; /* owned */
    size_t size;
} Bytes;

/* A file or a directory: as a process sees it, as it is on disk for certain, and the calls in between. */
typedef struct {
    bool is_dir;
    Entries entries, safe_entries;
    Bytes data, safe_data;
    size_t shortest, longest; /* since the last fsync */
    int *pending;             /* calls, owned */
    int count;
} Node;

static struct {
    char root[TEMP_PATH_MAX];
    Call calls[CALLS_MAX];
    int count, done;
    Node nodes[NODES_MAX];
    int node_count;
    int node_of[FDS_MAX]; /* -1: not ours */
} p;

/* ---- names and bytes ---- */

static void *grown(void *old, size_t bytes)
{
    void *now = realloc(old, bytes > 0 ? bytes : 1);
    assert_non_null(now);
    return now;
}

static void drop_name(Entries *e, const char *name, int child)
{
    for (int i = 0; i < e->count; i++) {
        if (strcmp(e->at[i].name, name) == 0 && (child < 0 || e->at[i].child == child)) {
            e->at[i] = e->at[--e->count];
            return;
        }
    }
}

static void change(Entries *e, const Call *call)
{
    if (call->old_name[0] != '\0') {
        drop_name(e, call->old_name, call->child);
    }
    if (call->name[0] != '\0') {
        drop_name(e, call->name, -1); /* a rename replaces */
        e->at = grown(e->at, (size_t)(e->count + 1) * sizeof *e->at);
        e->at[e->count] = (Entry){.child = call->child};
        memcpy(e->at[e->count++].name, call->name, sizeof call->name);
    }
}

static void copy_entries(Entries *to, const Entries *from)
{
    to->at = grown(to->at, (size_t)from->count * sizeof *to->at);
    if (from->count > 0) {
        memcpy(to->at, from->at, (size_t)from->count * sizeof *to->at);
    }
    to->count = from->count;
}

static void resize(Bytes *b, size_t size)
{
    b->at = grown(b->at, size);
    if (size > b->size) {
        memset(b->at + b->size, 0, size - b->size);
    }
    b->size = size;
}

static void copy_bytes(Bytes *to, const Bytes *from)
{
    resize(to, from->size);
    if (from->size > 0) {
        memcpy(to->at, from->at, from->size);
    }
}

/* ---- recording ---- */

static int find(const Entries *e, const char *name)
{
    for (int i = 0; i < e->count; i++) {
        if (strcmp(e->at[i].name, name) == 0) {
            return e->at[i].child;
        }
    }
    return -1;
}

/* Directory and last name of a path below the root; false for others. */
static bool locate(const char *path, int *dir, char name[NAME_MAX_HERE])
{
    const size_t len = strlen(p.root);

    if (strncmp(path, p.root, len) != 0 || (path[len] != '/' && path[len] != '\0')) {
        return false;
    }
    const char *rest = path + len;
    *dir = 0;
    name[0] = '\0';
    for (;;) {
        rest += strspn(rest, "/");
        const size_t n = strcspn(rest, "/");
        if (n == 0) {
            return true;
        }
        if (name[0] != '\0') {
            *dir = find(&p.nodes[*dir].entries, name);
            assert_true(*dir >= 0 && p.nodes[*dir].is_dir);
        }
        assert_in_range(n, 1, NAME_MAX_HERE - 1);
        memset(name, 0, NAME_MAX_HERE);
        memcpy(name, rest, n);
        rest += n;
    }
}

static int new_node(bool is_dir)
{
    assert_in_range(p.node_count, 0, NODES_MAX - 1);
    p.nodes[p.node_count].is_dir = is_dir;
    return p.node_count++;
}

static Call *add_call(DiskCall kind, int node)
{
    assert_in_range(p.count, 0, CALLS_MAX - 1);
    Call *call = &p.calls[p.count++];
    *call = (Call){.call = kind, .node = node, .child = -1};
    return call;
}

/* A change of names, which the next calls see. */
static void note_change(DiskCall kind, int dir, int child, const char *old_name, const char *name)
{
    Call *call = add_call(kind, dir);
    call->child = child;
    (void)snprintf(call->name, sizeof call->name, "%s", name);
    (void)snprintf(call->old_name, sizeof call->old_name, "%s", old_name);
    change(&p.nodes[dir].entries, call);
}

static void note_open(int fd, int dir, const char *name)
{
    int node = name[0] == '\0' ? 0 : find(&p.nodes[dir].entries, name);

    assert_in_range(fd, 0, FDS_MAX - 1);
    if (node < 0) {
        node = new_node(false);
        note_change(DISK_OPEN, dir, node, "", name);
    }
    p.node_of[fd] = node;
}

static void note_path(const DiskEvent *e)
{
    int dir = 0;
    int to_dir = 0;
    char name[NAME_MAX_HERE];
    char to[NAME_MAX_HERE];

    if (!locate(e->path, &dir, name)) {
        return;
    }
    const int child = find(&p.nodes[dir].entries, name);
    if (e->call == DISK_OPEN) {
        note_open(e->fd, dir, name);
    } else if (e->call == DISK_MKDIR) {
        note_change(e->call, dir, new_node(true), "", name);
    } else if (e->call == DISK_RENAME) {
        assert_true(locate(e->to, &to_dir, to) && to_dir == dir); /* else it is two changes */
        note_change(e->call, dir, child, name, to);
    } else {
        note_change(e->call, dir, child, name, "");
    }
}

static void on_call(const DiskEvent *e)
{
    if (e->path != NULL) {
        note_path(e);
        return;
    }
    const int node = p.node_of[e->fd];
    if (node < 0) {
        return;
    }
    if (e->call == DISK_CLOSE) {
        p.node_of[e->fd] = -1;
        return;
    }
    Call *call = add_call(e->call, node);
    call->n = e->n;
    if (e->call == DISK_WRITE) {
        call->bytes = grown(NULL, e->n);
        memcpy(call->bytes, e->bytes, e->n);
    }
}

void power_start(const char *root)
{
    (void)snprintf(p.root, sizeof p.root, "%s", root);
    for (int i = 0; i < FDS_MAX; i++) {
        p.node_of[i] = -1;
    }
    (void)new_node(true); /* node 0: the root */
    disk_watch(on_call);
}

void power_stop(void)
{
    disk_watch(NULL);
}

int power_calls(void)
{
    return p.count;
}

void power_release(void)
{
    for (int i = 0; i < p.node_count; i++) {
        Node *n = &p.nodes[i];
        free(n->entries.at);
        free(n->safe_entries.at);
        free(n->data.at);
        free(n->safe_data.at);
        free(n->pending);
    }
    for (int i = 0; i < p.count; i++) {
        free(p.calls[i].bytes);
    }
    memset(&p, 0, sizeof p);
}

/* ---- going through it ---- */

void power_rewind(void)
{
    p.done = 0;
    for (int i = 0; i < p.node_count; i++) {
        Node *n = &p.nodes[i];
        n->entries.count = n->safe_entries.count = n->count = 0;
        n->data.size = n->safe_data.size = n->shortest = n->longest = 0;
    }
}

static void make_safe(Node *n)
{
    copy_entries(&n->safe_entries, &n->entries);
    copy_bytes(&n->safe_data, &n->data);
    n->shortest = n->longest = n->data.size;
    n->count = 0;
}

void power_step(void)
{
    const Call *call = &p.calls[p.done];
    Node *n = &p.nodes[call->node];

    if (call->call == DISK_SYNC) {
        make_safe(n);
    } else {
        n->pending = grown(n->pending, (size_t)(n->count + 1) * sizeof *n->pending);
        n->pending[n->count++] = p.done;
    }
    if (call->call == DISK_WRITE) {
        const size_t end = n->data.size;
        resize(&n->data, end + call->n);
        memcpy(n->data.at + end, call->bytes, call->n);
    } else if (call->call == DISK_TRUNCATE) {
        resize(&n->data, call->n);
    } else if (call->call != DISK_SYNC) {
        change(&n->entries, call);
    }
    n->longest = n->data.size > n->longest ? n->data.size : n->longest;
    n->shortest = n->data.size < n->shortest ? n->data.size : n->shortest;
    p.done++;
}

/* ---- states ---- */

/* What is left of the changes since the last fsync of a directory: all, those before some moment, or any. */
static void draw_entries(const Node *n, PowerKind kind, Rng *rng, Entries *out)
{
    const bool any = kind == POWER_ANY && rng_below(rng, 2) == 0;
    const int first = kind == POWER_ANY ? (int)rng_below(rng, (uint32_t)n->count + 1) : n->count;

    copy_entries(out, &n->safe_entries);
    for (int i = 0; i < n->count && kind != POWER_LEAST; i++) {
        if (any ? rng_below(rng, 2) == 0 : i < first) {
            change(out, &p.calls[n->pending[i]]);
        }
    }
}

/* Each sector is as it was, as it should be, or zeros where the file grew. */
static void draw_sectors(const Node *n, Rng *rng, Bytes *out)
{
    for (size_t at = 0; at < out->size; at += SECTOR) {
        const size_t most = out->size - at < SECTOR ? out->size - at : SECTOR;
        if (at < n->data.size && rng_below(rng, 2) == 0) {
            memcpy(out->at + at, n->data.at + at,
                   n->data.size - at < most ? n->data.size - at : most);
        }
    }
}

static size_t between(size_t least, size_t most, Rng *rng)
{
    return least + rng_below(rng, (uint32_t)(most - least) + 1);
}

static void draw_data(const Node *n, PowerKind kind, Rng *rng, Bytes *out)
{
    enum { OLD, NEW, PREFIX, ZEROS, HOLES, WAYS };
    const uint32_t way = n->count == 0         ? NEW
                         : kind == POWER_LEAST ? OLD
                         : kind == POWER_MOST  ? NEW
                                               : rng_below(rng, WAYS);

    copy_bytes(out, way == NEW || way == PREFIX ? &n->data : &n->safe_data);
    if (way == PREFIX) {
        resize(out, between(n->shortest, n->data.size, rng));
    } else if (way == ZEROS) {
        resize(out, n->longest);
    } else if (way == HOLES) {
        resize(out, between(n->shortest, n->longest, rng));
        draw_sectors(n, rng, out);
    }
}

static void put_file(const char *path, const Bytes *bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes->at, bytes->size), bytes->size);
    assert_int_equal(close(fd), 0);
}

static uint64_t put_dir(int node, PowerKind kind, Rng *rng, const char *path);

/* As deep as the directories that a run makes. */
// NOLINTBEGIN(misc-no-recursion)
static uint64_t put_node(int node, PowerKind kind, Rng *rng, const char *path)
{
    Bytes bytes = {0};

    if (p.nodes[node].is_dir) {
        assert_int_equal(mkdir(path, 0700), 0);
        return put_dir(node, kind, rng, path);
    }
    draw_data(&p.nodes[node], kind, rng, &bytes);
    put_file(path, &bytes);
    const uint64_t hash = bytes_hash(bytes.at, bytes.size);
    free(bytes.at);
    return hash;
}

static uint64_t put_dir(int node, PowerKind kind, Rng *rng, const char *path)
{
    Entries entries = {0};
    char name[2 * TEMP_PATH_MAX];
    uint64_t sum = 1; /* in any order of the names */

    draw_entries(&p.nodes[node], kind, rng, &entries);
    for (int i = 0; i < entries.count; i++) {
        const Entry *e = &entries.at[i];
        (void)snprintf(name, sizeof name, "%s/%s", path, e->name);
        const uint64_t both[2] = {bytes_hash(e->name, sizeof e->name),
                                  put_node(e->child, kind, rng, name)};
        sum += bytes_hash(both, sizeof both);
    }
    free(entries.at);
    return sum;
}
// NOLINTEND(misc-no-recursion)

uint64_t power_cut(PowerKind kind, Rng *rng, const char *out)
{
    return put_dir(0, kind, rng, out);
}
