/* Stages that outlive the process, or the try that began them.
 *
 * Whoever fills one holds a lock on it, so that a sweep can tell. The lock is let go by
 * name and not with the descriptor: readers of the stage share that. */
#include "io/store/objects_inside.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "io/loop/loop.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHA1_DIGITS = 40 };

static bool is_ours(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_uid == geteuid();
}

static bool is_fresh(const struct stat *st)
{
    int64_t age = sp_clock_wall_s() - st->st_mtim.tv_sec;
    return age < SP_LIMIT_STAGE_AGE;
}

/* What the record says of this file, if it says anything that can be true. */
static void read_mark(int dir, const char *name, const struct stat *part,
                      struct sp_stage_mark *out)
{
    struct sp_buf text;
    sp_buf_init(&text, SP_STAGE_MARK_TEXT);
    bool is_good = sp_file_read_at(dir, name, &text) == SP_OK &&
                   sp_stage_mark_parse(sp_buf_view(&text), out) == SP_OK &&
                   out->prefix <= (uint64_t)part->st_size;
    if (!is_good) {
        *out = (struct sp_stage_mark){0};
    }
    sp_buf_fini(&text);
}

/* ---- taking ---------------------------------------------------------------------- */

static void names_of(struct sp_stage *s, const uint8_t sha1[20])
{
    char hex[SHA1_DIGITS + 1];
    for (size_t i = 0; i < 20; i++) {
        snprintf(hex + 2 * i, 3, "%02x", sha1[i]);
    }
    snprintf(s->name, sizeof s->name, "%s.part", hex);
    snprintf(s->mark, sizeof s->mark, "%s.mark", hex);
    snprintf(s->map, sizeof s->map, "%s.map", hex);
}

/* The file under its name, locked; what is planted there is put away. */
static enum sp_err open_part(struct sp_stage *s, struct stat *st)
{
    int dir = s->objects->staging;
    enum sp_err e = sp_file_open_at(dir, s->name, O_RDWR | O_CREAT, &s->fd);
    if (e == SP_OK && fstat(s->fd, st) == 0 && is_ours(st)) {
        return flock(s->fd, LOCK_EX | LOCK_NB) == 0 ? SP_OK : SP_E_CONFLICT;
    }
    sp_fd_close(&s->fd);
    if (e != SP_OK && e != SP_E_CORRUPT) {
        return e;
    }
    if (unlinkat(dir, s->name, 0) != 0) {
        return sp_file_err(errno);
    }
    SP_TRY(sp_file_open_at(dir, s->name, O_RDWR | O_CREAT | O_EXCL, &s->fd));
    return fstat(s->fd, st) == 0 && flock(s->fd, LOCK_EX | LOCK_NB) == 0
               ? SP_OK
               : SP_E_CONFLICT;
}

static enum sp_err remove_name(int dir, const char *name)
{
    return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? SP_OK : sp_file_err(errno);
}

/* What stands behind the prefix is left where a map may know some of it; what it does
 * not know is written over. */
static enum sp_err cut_to(struct sp_stage *s, uint64_t prefix)
{
    struct stat st;
    int dir = s->objects->staging;
    s->written = prefix;
    sp_buf_clear(&s->tree);
    if (prefix == 0) {
        SP_TRY(remove_name(dir, s->mark));
        SP_TRY(remove_name(dir, s->map));
    } else if (sp_file_is_there(dir, s->map) && fstat(s->fd, &st) == 0 &&
               (uint64_t)st.st_size <= s->size) {
        return SP_OK;
    }
    return ftruncate(s->fd, (off_t)prefix) == 0 ? SP_OK : sp_file_err(errno);
}

/* Not ours as long as this fails: dropping it must not remove what another fills. */
static void disown(struct sp_stage **s)
{
    if (*s) {
        sp_fd_close(&(*s)->fd);
        sp_buf_fini(&(*s)->tree);
        free(*s);
        *s = NULL;
    }
}

enum sp_err sp_stage_take(struct sp_objects *o, const uint8_t sha1[20], uint64_t size,
                          struct sp_stage **out, struct sp_stage_mark *kept,
                          struct sp_why *why)
{
    SP_AUTO(disown) struct sp_stage *s = calloc(1, sizeof *s);
    struct stat st;
    if (!s) {
        return SP_E_NOMEM;
    }
    *s = (struct sp_stage){.objects = o, .fd = -1, .size = size};
    sp_buf_init(&s->tree, SP_LIMIT_BLOCK_TREE);
    names_of(s, sha1);
    enum sp_err e = open_part(s, &st);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot make a file in the cache's staging folder");
    }
    read_mark(o->staging, s->mark, &st, kept);
    if (kept->size != size || !is_fresh(&st)) {
        *kept = (struct sp_stage_mark){0};
    }
    SP_TRY(cut_to(s, kept->prefix));
    e = sp_stage_reserve(s, why);
    if (e != SP_OK) {
        sp_stage_drop(&s);
        return e;
    }
    *out = s;
    s = NULL;
    return SP_OK;
}

enum sp_err sp_stage_empty(struct sp_stage *s)
{
    SP_TRY(cut_to(s, 0));
    return sp_stage_reserve(s, NULL);
}

enum sp_err sp_stage_note(const struct sp_stage *s, uint64_t prefix,
                          const uint8_t sha256[32])
{
    struct sp_stage_mark m = {.size = s->size, .prefix = prefix};
    char text[SP_STAGE_MARK_TEXT];
    SP_ASSERT(s->mark[0] && prefix > 0);
    memcpy(m.sha256, sha256, 32);
    sp_stage_mark_format(&m, text);
    if (fdatasync(s->fd) != 0) {
        return sp_file_err(errno);
    }
    return sp_file_replace_at(s->objects->staging, s->mark, sp_view_str(text), 0600,
                              SP_FILE_VIEW);
}

enum sp_err sp_stage_map(const struct sp_stage *s, const struct sp_stage_block *b)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    char line[SP_STAGE_MAP_LINE];
    struct stat st;
    SP_ASSERT(s->map[0]);
    sp_stage_map_format(b, line);
    SP_TRY(sp_file_open_at(s->objects->staging, s->map, O_RDWR | O_CREAT, &fd));
    if (fstat(fd, &st) != 0) {
        return sp_file_err(errno);
    }
    if (!is_ours(&st)) {
        return SP_E_CORRUPT;
    }
    return sp_file_write(fd, (uint64_t)st.st_size, sp_view_str(line));
}

enum sp_err sp_stage_read_map(const struct sp_stage *s, struct sp_buf *out)
{
    enum sp_err e = sp_file_read_at(s->objects->staging, s->map, out);
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

void sp_stage_regain(struct sp_stage *s, uint64_t bytes)
{
    s->written += bytes;
}

void sp_stage_leave(struct sp_stage **s)
{
    if (*s && (*s)->mark[0] && sp_file_is_there((*s)->objects->staging, (*s)->mark)) {
        flock((*s)->fd, LOCK_UN);
        disown(s);
    }
    sp_stage_drop(s);
}

/* ---- sweeping -------------------------------------------------------------------- */

struct sweep {
    bool at_start, all;
};

/* Is this "<sha1>" and that ending? */
static bool is_named(const char *name, const char *ending)
{
    uint8_t sha1[20];
    size_t digits = strnlen(name, SHA1_DIGITS);
    return sp_hex_parse(sp_view(name, digits), sha1, sizeof sha1) == SP_OK &&
           strcmp(name + digits, ending) == 0;
}

static void beside(const char *name, const char *ending, char out[48])
{
    snprintf(out, 48, "%.*s%s", SHA1_DIGITS, name, ending);
}

/* Free to be looked at: nobody fills it, and it is a file of ours. */
static bool can_be_taken(int dir, const char *name, const char *mark)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    struct sp_stage_mark m;
    struct stat st;
    if (sp_file_open_at(dir, name, O_RDONLY, &fd) != SP_OK || fstat(fd, &st) != 0) {
        return false;
    }
    read_mark(dir, mark, &st, &m);
    return is_ours(&st) && is_fresh(&st) && m.prefix > 0;
}

static bool is_being_filled(int dir, const char *name)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    return sp_file_open_at(dir, name, O_RDONLY, &fd) == SP_OK &&
           flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

static enum sp_err sweep_part(const struct sweep *s, int dir, const char *name)
{
    char mark[48];
    beside(name, ".mark", mark);
    if (is_being_filled(dir, name) || (!s->all && can_be_taken(dir, name, mark))) {
        return SP_OK;
    }
    char map[48];
    beside(name, ".map", map);
    SP_TRY(remove_name(dir, mark));
    SP_TRY(remove_name(dir, map));
    return remove_name(dir, name);
}

static enum sp_err sweep_one(void *ctx, int dir, const char *name)
{
    const struct sweep *s = ctx;
    if (is_named(name, ".part")) {
        return sweep_part(s, dir, name);
    }
    char part[48];
    beside(name, ".part", part);
    bool is_mark = is_named(name, ".mark") || is_named(name, ".map");
    if (is_mark ? sp_file_is_there(dir, part) : !s->at_start) {
        return SP_OK;
    }
    return remove_name(dir, name);
}

void sp_stages_sweep(struct sp_objects *o, bool all)
{
    struct sweep s = {.all = all};
    enum sp_err e = o->lock < 0 ? SP_OK : sp_dir_each(o->staging, sweep_one, &s);
    (void)e; /* whoever makes the next stage will see what is wrong */
}

enum sp_err sp_stages_clean(struct sp_objects *o)
{
    struct sweep s = {.at_start = true};
    return sp_dir_each(o->staging, sweep_one, &s);
}
