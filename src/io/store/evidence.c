/* Quarantine: what was refused or found damaged, kept for whoever wants to know. */
#include "io/store/objects_inside.h"

#include "core/base/text.h"
#include "io/store/files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A hostile upstream must not fill the disk with what was refused. The newest are kept:
 * the oldest were seen by somebody or by nobody. */
enum { QUARANTINE_KEPT = 64 };

struct oldest {
    unsigned count;
    char name[256];
};

static enum sp_err find_oldest(void *ctx, int dir, const char *name)
{
    struct oldest *o = ctx;
    (void)dir;
    o->count++;
    if (!o->name[0] || strcmp(name, o->name) < 0) {
        snprintf(o->name, sizeof o->name, "%s", name);
    }
    return SP_OK;
}

/* A folder that somebody planted is removed like the rest where it is empty. */
static enum sp_err remove_one(int quarantine, const char *name)
{
    if (unlinkat(quarantine, name, 0) == 0 ||
        (errno == EISDIR && unlinkat(quarantine, name, AT_REMOVEDIR) == 0)) {
        return SP_OK;
    }
    return sp_file_err(errno);
}

/* Names begin with the time, so the smallest name is the oldest. */
enum sp_err sp_evidence_prune(int quarantine)
{
    struct oldest o;
    do {
        o = (struct oldest){0};
        SP_TRY(sp_dir_each(quarantine, find_oldest, &o));
        if (o.count > QUARANTINE_KEPT) {
            enum sp_err e = remove_one(quarantine, o.name);
            if (e != SP_OK && e != SP_E_NOTFOUND) {
                return e;
            }
        }
    } while (o.count > QUARANTINE_KEPT + 1);
    return SP_OK;
}

void sp_evidence_name(const uint8_t sha256[32], const char *reason,
                      char out[SP_EVIDENCE_NAME])
{
    char time[SP_TIME_TEXT], path[SP_OBJECT_PATH];
    sp_time_format(sp_clock_wall_s(), time);
    sp_object_path(sha256, path);
    int n = snprintf(out, SP_EVIDENCE_NAME, "%s-%s.", time, path + 3);
    for (; *reason && n < SP_EVIDENCE_NAME - 1; reason++) {
        out[n++] = isalnum((unsigned char)*reason) ? *reason : '-';
    }
    out[n] = '\0';
}

/* Neither rename is made durable: an object that comes back after a power cut is as
 * damaged as before and is found again. */
enum sp_err sp_objects_quarantine(struct sp_objects *o, const uint8_t sha256[32],
                                  const char *reason)
{
    SP_AUTO(sp_fd_close) int folder = -1;
    char from[SP_OBJECT_PATH], tree[SP_TREE_PATH], to[SP_EVIDENCE_NAME];
    sp_object_path(sha256, from);
    sp_tree_path(sha256, tree);
    sp_evidence_name(sha256, reason, to);
    if (o->lock < 0) {
        return SP_E_DENIED;
    }
    SP_TRY(sp_object_folder(o, sha256, &folder));
    if (renameat(folder, from + 3, o->quarantine, to) != 0) {
        return sp_file_err(errno);
    }
    unlinkat(folder, tree + 3, 0);
    return sp_evidence_prune(o->quarantine);
}

struct scan {
    enum sp_err (*each)(void *ctx, const struct sp_evidence_seen *seen);
    void *ctx; /* borrowed from the caller */
};

static enum sp_err scan_one(void *ctx, int dir, const char *name)
{
    struct scan *s = ctx;
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return SP_OK; /* pruned in the meantime */
    }
    return s->each(
        s->ctx, &(struct sp_evidence_seen){.name = name, .size = (uint64_t)st.st_size});
}

enum sp_err sp_evidence_scan(struct sp_objects *o,
                             enum sp_err (*each)(void *ctx,
                                                 const struct sp_evidence_seen *seen),
                             void *ctx)
{
    struct scan s = {each, ctx};
    return sp_dir_each(o->quarantine, scan_one, &s);
}

enum sp_err sp_evidence_open(struct sp_objects *o, const char *name, int *out,
                             uint64_t *size)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    struct stat st;
    if (strchr(name, '/')) {
        return SP_E_MALFORMED;
    }
    SP_TRY(sp_file_open_at(o->quarantine, name, O_RDONLY, &fd));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return SP_E_CORRUPT;
    }
    *size = (uint64_t)st.st_size;
    *out = fd;
    fd = -1;
    return SP_OK;
}

enum sp_err sp_evidence_remove(struct sp_objects *o, const char *name)
{
    return strchr(name, '/') ? SP_E_MALFORMED : remove_one(o->quarantine, name);
}
