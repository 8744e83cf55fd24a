/* Looking through objects/: every file with its size, or names only. */
#include "io/store/objects_inside.h"

#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 64 };

/* One more than the value of a digit as we write it, 0 for anything else. A start reads
 * the names of every file there is: this is most of what it does itself. */
static const uint8_t digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
    ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* False: these two are no digits; the second is not read where the first is none. */
static bool read_byte(const char *text, uint8_t *out)
{
    unsigned high = digits[(uint8_t)text[0]];
    unsigned low = high ? digits[(uint8_t)text[1]] : 0;
    *out = (uint8_t)((high - 1) << 4 | (low - 1));
    return low;
}

/* As we write it, and in the folder it belongs to; what follows is not looked at. */
static bool read_digest(const char *name, uint8_t first, uint8_t sha256[32])
{
    for (size_t i = 0; i < 32; i++) {
        if (!read_byte(name + 2 * i, &sha256[i])) {
            return false;
        }
    }
    return sha256[0] == first;
}

struct folders {
    enum sp_err (*enter)(void *ctx, int dir, uint8_t first);
    void *ctx; /* borrowed from the caller */
};

static enum sp_err enter_folder(void *ctx, int dir, const char *name)
{
    struct folders *f = ctx;
    SP_AUTO(sp_fd_close) int fd = -1;
    uint8_t first;
    if (!read_byte(name, &first) || name[2] != '\0' ||
        sp_file_open_at(dir, name, O_RDONLY | O_DIRECTORY, &fd) != SP_OK) {
        return SP_OK;
    }
    return f->enter(f->ctx, fd, first);
}

static enum sp_err each_folder(struct sp_objects *o,
                               enum sp_err (*enter)(void *ctx, int dir, uint8_t first),
                               void *ctx)
{
    struct folders f = {enter, ctx};
    return sp_dir_each(o->objects, enter_folder, &f);
}

/* ---- with sizes ------------------------------------------------------------------ */

static enum sp_err look(int dir, const char *name, const char *tree_name,
                        struct sp_object_seen *out)
{
    struct stat st, tree;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return sp_file_err(errno);
    }
    out->has_tree = fstatat(dir, tree_name, &tree, AT_SYMLINK_NOFOLLOW) == 0;
    out->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    out->used = out->has_tree ? tree.st_mtim.tv_sec : st.st_mtim.tv_sec;
    return SP_OK;
}

enum sp_err sp_objects_look(struct sp_objects *o, const uint8_t sha256[32],
                            struct sp_object_seen *out)
{
    SP_AUTO(sp_fd_close) int folder = -1;
    char name[SP_OBJECT_PATH], tree_name[SP_TREE_PATH];
    sp_object_path(sha256, name);
    sp_tree_path(sha256, tree_name);
    memcpy(out->sha256, sha256, sizeof out->sha256);
    SP_TRY(sp_object_folder(o, sha256, &folder));
    return look(folder, name + 3, tree_name + 3, out);
}

struct scan {
    enum sp_err (*each)(void *ctx, const struct sp_object_seen *seen);
    void *ctx;     /* borrowed from the caller */
    uint8_t first; /* of the folder */
};

/* A foreign name is none of ours and left alone. */
static enum sp_err scan_file(void *ctx, int dir, const char *name)
{
    struct scan *s = ctx;
    struct sp_object_seen seen = {0};
    char tree_name[SP_TREE_PATH];
    if (!read_digest(name, s->first, seen.sha256) || name[DIGITS] != '\0') {
        return SP_OK;
    }
    sp_tree_path(seen.sha256, tree_name);
    return look(dir, name, tree_name + 3, &seen) == SP_OK ? s->each(s->ctx, &seen)
                                                          : SP_OK;
}

static enum sp_err scan_folder(void *ctx, int dir, uint8_t first)
{
    ((struct scan *)ctx)->first = first;
    return sp_dir_each(dir, scan_file, ctx);
}

enum sp_err sp_objects_scan(struct sp_objects *o,
                            enum sp_err (*each)(void *ctx,
                                                const struct sp_object_seen *seen),
                            void *ctx)
{
    struct scan s = {.each = each, .ctx = ctx};
    return each_folder(o, scan_folder, &s);
}

/* ---- leftovers ------------------------------------------------------------------- */

struct sweep {
    bool dry;
    uint8_t first; /* of the folder */
    uint64_t count;
};

static bool is_leftover(int dir, const char *name, uint8_t first)
{
    char object[SP_OBJECT_PATH];
    uint8_t sha256[32];
    if (!read_digest(name, first, sha256)) {
        return false;
    }
    snprintf(object, sizeof object, "%.64s", name);
    return strcmp(name + DIGITS, ".tree.new") == 0 ||
           (strcmp(name + DIGITS, ".tree") == 0 && !sp_file_is_there(dir, object));
}

static enum sp_err sweep_file(void *ctx, int dir, const char *name)
{
    struct sweep *s = ctx;
    if (!is_leftover(dir, name, s->first)) {
        return SP_OK;
    }
    s->count++;
    return s->dry || unlinkat(dir, name, 0) == 0 ? SP_OK : sp_file_err(errno);
}

static enum sp_err sweep_folder(void *ctx, int dir, uint8_t first)
{
    ((struct sweep *)ctx)->first = first;
    return sp_dir_each(dir, sweep_file, ctx);
}

enum sp_err sp_objects_sweep(struct sp_objects *o, bool dry, uint64_t *count)
{
    struct sweep s = {.dry = dry};
    if (o->lock < 0 && !dry) {
        return SP_E_DENIED;
    }
    SP_TRY(each_folder(o, sweep_folder, &s));
    *count = s.count;
    return SP_OK;
}

/* ---- names only ------------------------------------------------------------------ */

struct listing {
    const struct sp_object_names *to; /* borrowed */
    struct sp_buf trees;              /* digests of the folder's trees */
    struct sweep sweep;
};

static enum sp_err list_name(void *ctx, int dir, const char *name)
{
    struct listing *l = ctx;
    uint8_t sha256[32];
    if (!read_digest(name, l->sweep.first, sha256)) {
        return SP_OK;
    }
    const char *tail = name + DIGITS;
    if (*tail == '\0') {
        return l->to->object(l->to->ctx, sha256);
    }
    return strcmp(tail, ".tree") == 0 ? sp_buf_append(&l->trees, sp_view(sha256, 32))
                                      : sweep_file(&l->sweep, dir, name);
}

/* Trees whose object was not among the names: those are looked at, and removed. */
static enum sp_err sweep_trees(struct listing *l, int dir)
{
    for (size_t at = 0; at < l->trees.len; at += 32) {
        char path[SP_TREE_PATH];
        if (!l->to->has(l->to->ctx, l->trees.data + at)) {
            sp_tree_path(l->trees.data + at, path);
            SP_TRY(sweep_file(&l->sweep, dir, path + 3));
        }
    }
    sp_buf_clear(&l->trees);
    return SP_OK;
}

static enum sp_err list_folder(void *ctx, int dir, uint8_t first)
{
    struct listing *l = ctx;
    l->sweep.first = first;
    SP_TRY(sp_dir_each(dir, list_name, l));
    return sweep_trees(l, dir);
}

enum sp_err sp_objects_list(struct sp_objects *o, const struct sp_object_names *to)
{
    struct listing l = {.to = to};
    if (o->lock < 0) {
        return SP_E_DENIED;
    }
    sp_buf_init(&l.trees, SP_LIMIT_STORE_FOLDER);
    enum sp_err e = each_folder(o, list_folder, &l);
    sp_buf_fini(&l.trees);
    return e;
}
