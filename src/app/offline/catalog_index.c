#include "app/offline/catalog_index.h"

#include "core/pack/archive.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct indexing {
    const struct sp_catalog_input *in;  /* borrowed */
    const struct sp_catalog_sink *sink; /* borrowed */
    char outer[64], inner[64];          /* names of the members at work */
    size_t cabinets;
    int nested;                        /* owned: the nested cabinet, or -1 */
    uint64_t written;                  /* bytes of it */
    struct sp_package_reader *package; /* owned, while package.xml is read */
    enum sp_fragment kind;
    uint64_t revision;
    struct sp_buf fragment;
    struct sp_why why; /* of a reader, without the place */
};

static void indexing_fini(struct indexing *x)
{
    sp_fd_close(&x->nested);
    sp_package_free(&x->package);
    sp_buf_fini(&x->fragment);
}

static void keep_name(char out[64], struct sp_view name)
{
    snprintf(out, 64, "%.*s", (int)(name.len < 63 ? name.len : 63),
             (const char *)name.data);
}

/* ---- a cabinet in a file --------------------------------------------------------- */

struct input {
    int fd; /* borrowed */
    const atomic_bool *stop;
};

static enum sp_err read_input(void *ctx, uint64_t offset, uint8_t *to, size_t n,
                              size_t *got)
{
    const struct input *in = ctx;
    size_t done = 0;
    if (in->stop && atomic_load_explicit(in->stop, memory_order_relaxed)) {
        return SP_E_CANCELLED;
    }
    while (done < n) {
        ssize_t r = pread(in->fd, to + done, n - done, (off_t)(offset + done));
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            return sp_file_err(errno);
        }
        if (r == 0) {
            break;
        }
        done += (size_t)r;
    }
    *got = done;
    return SP_OK;
}

static enum sp_err walk(struct indexing *x, int fd,
                        const struct sp_archive_handler *handler)
{
    struct stat st;
    struct input input = {fd, x->in->stop};
    if (fstat(fd, &st) != 0) {
        return sp_file_err(errno);
    }
    struct sp_archive_source source = {(uint64_t)st.st_size, read_input, &input};
    return sp_archive_walk(&source, handler, &x->why);
}

/* ---- members of nested cabinets -------------------------------------------------- */

static enum sp_err inner_begin(void *ctx, const struct sp_archive_member *m,
                               bool *wanted)
{
    struct indexing *x = ctx;
    keep_name(x->inner, m->name);
    if (sp_view_eq_fold(m->name, SP_VIEW("package.xml"))) {
        SP_TRY(sp_package_new(x->sink, &x->package));
        *wanted = true;
        return SP_OK;
    }
    x->kind = sp_fragment_of(m->name, &x->revision);
    *wanted = x->kind != SP_FRAGMENT_OTHER;
    if (*wanted && m->size > SP_LIMIT_CATALOG_FRAGMENT) {
        return sp_why_set(&x->why, SP_E_LIMIT, "the fragment has %llu bytes",
                          (unsigned long long)m->size);
    }
    return SP_OK;
}

static enum sp_err inner_data(void *ctx, struct sp_view bytes)
{
    struct indexing *x = ctx;
    return x->package ? sp_package_feed(x->package, bytes, &x->why)
                      : sp_buf_append(&x->fragment, bytes);
}

static enum sp_err inner_end(void *ctx)
{
    struct indexing *x = ctx;
    enum sp_err e;
    if (x->package) {
        e = sp_package_finish(x->package, &x->why);
        sp_package_free(&x->package);
        return e;
    }
    e = sp_fragment_read(x->kind, x->revision, sp_buf_view(&x->fragment), x->sink,
                         &x->why);
    sp_buf_clear(&x->fragment);
    return e;
}

/* ---- members of the catalogue ---------------------------------------------------- */

static enum sp_err outer_begin(void *ctx, const struct sp_archive_member *m,
                               bool *wanted)
{
    struct indexing *x = ctx;
    keep_name(x->outer, m->name);
    x->inner[0] = 0;
    x->written = 0;
    size_t tail = m->name.len < 4 ? 0 : m->name.len - 4;
    *wanted =
        sp_view_eq_fold(sp_view_slice(m->name, tail, m->name.len), SP_VIEW(".cab"));
    if (!*wanted) {
        return SP_OK;
    }
    if (++x->cabinets > SP_LIMIT_CATALOG_CABINETS) {
        return sp_why_set(&x->why, SP_E_LIMIT, "there are more than %d cabinets",
                          SP_LIMIT_CATALOG_CABINETS);
    }
    x->nested = open(x->in->scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return x->nested >= 0
               ? SP_OK
               : sp_file_fail(&x->why, "make a file in", x->in->scratch, errno);
}

static enum sp_err outer_data(void *ctx, struct sp_view bytes)
{
    struct indexing *x = ctx;
    SP_TRY(sp_file_write(x->nested, x->written, bytes));
    x->written += bytes.len;
    return SP_OK;
}

static enum sp_err outer_end(void *ctx)
{
    struct indexing *x = ctx;
    const struct sp_archive_handler handler = {inner_begin, inner_data, inner_end, x};
    enum sp_err e = walk(x, x->nested, &handler);
    if (e == SP_OK) {
        x->inner[0] = 0;
        sp_fd_close(&x->nested);
    }
    return e;
}

static enum sp_err read_all(const struct sp_catalog_input *in,
                            const struct sp_catalog_sink *sink, struct sp_why *why)
{
    SP_AUTO(indexing_fini) struct indexing x = {.in = in, .sink = sink, .nested = -1};
    const struct sp_archive_handler handler = {outer_begin, outer_data, outer_end, &x};
    sp_buf_init(&x.fragment, SP_LIMIT_CATALOG_FRAGMENT);
    enum sp_err e = walk(&x, in->fd, &handler);
    if (e == SP_OK || e == SP_E_CANCELLED) {
        return e;
    }
    return sp_why_set(why, e, "%s%s%s%s%s", x.outer, x.inner[0] ? ": " : "", x.inner,
                      x.outer[0] ? ": " : "", sp_why_text(&x.why, e));
}

enum sp_err sp_catalog_index(const struct sp_catalog_input *in, const char *path,
                             struct sp_catalog_about *about, struct sp_why *why)
{
    SP_AUTO(sp_catalog_build_drop) struct sp_catalog_build *b = NULL;
    SP_TRY(sp_catalog_build_new(path, &b, why));
    struct sp_catalog_sink sink = sp_catalog_build_sink(b);
    SP_TRY(read_all(in, &sink, why));
    return sp_catalog_build_finish(&b, about, why);
}
