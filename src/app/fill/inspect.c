#include "app/fill/inspect.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "core/crypto/sha1_watch.h"
#include "core/sign/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

struct file {
    const char *path; /* borrowed; how messages call it */
    int fd;           /* borrowed */
    uint64_t size, done;
    uint8_t *piece; /* owned; PIECE bytes */
    const struct sp_progress *progress;
    const struct sp_beside *beside; /* borrowed; may be NULL */
    const atomic_bool *stop;        /* may be NULL */
    struct sp_why *why;
};

static void file_fini(struct file *f)
{
    free(f->piece);
}

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static enum sp_err failed(struct file *f, int err)
{
    return sp_why_set(f->why, err == ENOENT ? SP_E_NOTFOUND : SP_E_IO, "%s: %s",
                      f->path, strerror(err));
}

static enum sp_err look_at(struct file *f)
{
    struct stat st;
    if (f->fd < 0 || fstat(f->fd, &st) != 0) {
        return failed(f, errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return sp_why_set(f->why, SP_E_UNSUPPORTED, "%s is not a regular file",
                          f->path);
    }
    f->size = (uint64_t)st.st_size;
    f->piece = malloc(PIECE);
    return f->piece ? SP_OK : SP_E_NOMEM;
}

/* The next bytes of a range, at most PIECE of them. */
static enum sp_err read_piece(struct file *f, uint64_t at, uint64_t length,
                              struct sp_view *out)
{
    size_t wanted = length < PIECE ? (size_t)length : PIECE;
    ssize_t n;
    if (f->stop && atomic_load(f->stop)) {
        return SP_E_CANCELLED;
    }
    do {
        n = pread(f->fd, f->piece, wanted, (off_t)at);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return failed(f, errno);
    }
    if (n == 0) {
        return sp_why_set(f->why, SP_E_TRUNCATED, "%s became shorter while it was read",
                          f->path);
    }
    *out = sp_view(f->piece, (size_t)n);
    f->done += (uint64_t)n;
    if (f->progress && f->progress->step) {
        f->progress->step(f->progress->ctx, f->done, f->size * 2);
    }
    return SP_OK;
}

static enum sp_err digest(struct file *f, struct sp_facts *facts)
{
    uint8_t sha1[20], sha256[32];
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    SP_TRY(sp_digester_new(&d));
    for (uint64_t at = 0; at < f->size;) {
        struct sp_view bytes;
        SP_TRY(read_piece(f, at, f->size - at, &bytes));
        SP_TRY(sp_digester_update(d, bytes));
        at += bytes.len;
    }
    SP_TRY(sp_digester_finish(d, sha1, sha256));
    SP_TRY(sp_facts_bytes(facts, SP_FACT_FILE_SHA1, sp_view(sha1, sizeof sha1)));
    SP_TRY(sp_facts_bytes(facts, SP_FACT_FILE_SHA256, sp_view(sha256, sizeof sha256)));
    return sp_facts_int(facts, SP_FACT_FILE_SIZE, (int64_t)f->size);
}

static struct sp_view extension_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    return dot ? sp_view_str(dot + 1) : (struct sp_view){0};
}

static enum sp_err look_for_signatures(struct file *f, struct sp_view extension,
                                       const struct sp_trust *trust, int64_t now,
                                       unsigned also, struct sp_facts *facts)
{
    SP_AUTO(sp_sign_free) struct sp_sign *s = NULL;
    uint64_t at, length;
    SP_TRY(sp_sign_new(f->size, extension, &s));
    sp_sign_also(s, also);
    if (f->beside) {
        sp_sign_know(s, f->beside);
    }
    while (sp_sign_wants(s, &at, &length)) {
        struct sp_view bytes;
        SP_TRY(read_piece(f, at, length, &bytes));
        SP_TRY(sp_sign_feed(s, bytes));
    }
    return sp_sign_finish(s, trust, now, facts);
}

enum sp_err sp_inspect_file(const char *path, const struct sp_trust *trust,
                            const struct sp_catalogs *catalogs, int64_t now,
                            const struct sp_progress *progress, struct sp_facts *facts,
                            struct sp_why *why)
{
    SP_AUTO(fd_close)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    SP_AUTO(file_fini)
    struct file f = {.path = path, .fd = fd, .progress = progress, .why = why};
    struct sp_view name = sp_view_str(path);
    SP_TRY(look_at(&f));
    SP_TRY(
        sp_facts_text(facts, SP_FACT_FILE_PATH,
                      sp_utf8_is_valid(name) ? name : SP_VIEW("a name in no UTF-8")));
    SP_TRY(digest(&f, facts));
    SP_TRY(look_for_signatures(&f, extension_of(path), trust, now,
                               catalogs ? sp_catalogs_digests() : 0, facts));
    return catalogs ? sp_catalogs_look_up(catalogs, facts) : SP_OK;
}

enum sp_err sp_inspect_signatures(const struct sp_open_file *i, struct sp_facts *facts,
                                  struct sp_why *why)
{
    SP_AUTO(file_fini)
    struct file f = {.path = "the staged file",
                     .fd = i->fd,
                     .beside = &i->beside,
                     .stop = i->stop,
                     .why = why};
    SP_TRY(look_at(&f));
    return look_for_signatures(&f, sp_view_str(i->ext), i->trust, i->now, 0, facts);
}

static enum sp_err state_collision(const struct sp_sha1_watch *w,
                                   struct sp_facts *facts)
{
    struct sp_sha1_sign sign;
    char text[80] = "none";
    if (sp_sha1_watch_found(w, &sign)) {
        snprintf(text, sizeof text, "the block at %" PRIu64 ", by %s", sign.offset,
                 sign.vector);
    }
    return sp_facts_text(facts, SP_FACT_FILE_SHA1_COLLISION, sp_view_str(text));
}

enum sp_err sp_inspect_collision(const struct sp_open_file *i, struct sp_facts *facts,
                                 struct sp_why *why)
{
    SP_AUTO(sp_sha1_watch_free) struct sp_sha1_watch *w = NULL;
    SP_AUTO(file_fini)
    struct file f = {
        .path = "the staged file", .fd = i->fd, .stop = i->stop, .why = why};
    SP_TRY(look_at(&f));
    SP_TRY(sp_sha1_watch_new(&w));
    for (uint64_t at = 0; at < f.size;) {
        struct sp_view bytes;
        SP_TRY(read_piece(&f, at, f.size - at, &bytes));
        sp_sha1_watch_update(w, bytes);
        at += bytes.len;
    }
    return state_collision(w, facts);
}
