#include "app/shared/hot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

void sp_hot_init(struct sp_hot *h, size_t places)
{
    h->places = places < SP_HOT_OBJECTS ? places : SP_HOT_OBJECTS;
    h->places = h->places ? h->places : 1;
}

/* A digest is random enough to be its own hash. */
static struct sp_hot_place *place(struct sp_hot *h, const uint8_t sha1[20])
{
    size_t key = (size_t)sha1[0] << 8 | sha1[1];
    return &h->at[key % h->places];
}

struct sp_object *sp_hot_find(struct sp_hot *h, const uint8_t sha1[20])
{
    struct sp_object *o = place(h, sha1)->object;
    return o && memcmp(o->sha1, sha1, 20) == 0 ? o : NULL;
}

/* ---- files in memory ------------------------------------------------------------- */

void sp_hot_file_unref(struct sp_hot_file **f)
{
    if (*f && --(*f)->refs == 0) {
        free(*f);
    }
    *f = NULL;
}

static void forget(struct sp_hot *h, struct sp_hot_place *p)
{
    h->held -= p->file ? p->file->len : 0;
    sp_hot_file_unref(&p->file);
}

static void make_room(struct sp_hot *h, size_t bytes)
{
    while (h->held + bytes > SP_HOT_BYTES) {
        forget(h, &h->at[h->hand]);
        h->hand = (h->hand + 1) % h->places;
    }
}

static enum sp_err describe(struct sp_hot_file *f, const struct sp_object *o)
{
    struct sp_buf lines;
    f->shown = (struct sp_gate_object){
        .size = o->size, .etag = o->etag, .last_modified = o->last_modified};
    memcpy(f->etag, o->etag, sizeof f->etag);
    f->shown.etag = f->etag;
    sp_buf_init(&lines, SP_HOT_FIELDS);
    enum sp_err e = sp_gate_object_fields(&f->shown, &lines);
    if (e == SP_OK) {
        memcpy(f->fields, lines.data, lines.len);
        f->shown.fields = sp_view(f->fields, lines.len);
    }
    sp_buf_fini(&lines);
    return e;
}

/* Only what the page cache has: nobody waits here. Damage is told and remembered by the
 * check, and the file is then out of service. */
static enum sp_err fill(struct sp_hot_file *f, struct sp_object *o)
{
    struct iovec part = {.iov_base = f->bytes, .iov_len = f->len};
    if (preadv2(o->fd, &part, 1, 0, RWF_NOWAIT) != (ssize_t)f->len) {
        return SP_E_AGAIN;
    }
    SP_TRY(sp_object_check(o, 0, sp_view(f->bytes, f->len)));
    return describe(f, o);
}

static struct sp_hot_file *load(struct sp_object *o)
{
    struct sp_hot_file *f = calloc(1, sizeof *f + (size_t)o->size);
    if (!f || !sp_object_read_begin(o)) {
        free(f);
        return NULL;
    }
    f->refs = 1;
    f->len = (size_t)o->size;
    if (fill(f, o) != SP_OK) {
        sp_hot_file_unref(&f);
    }
    sp_object_read_end(o);
    return f;
}

struct sp_hot_file *sp_hot_file(struct sp_hot *h, struct sp_object *o)
{
    struct sp_hot_place *p = place(h, o->sha1);
    if (p->object != o || o->size == 0 || o->size > SP_HOT_SMALL ||
        !sp_object_use(o)) {
        return NULL;
    }
    if (!p->file) {
        make_room(h, (size_t)o->size);
        p->file = load(o);
        h->held += p->file ? p->file->len : 0;
    }
    if (p->file) {
        p->file->refs++;
    }
    return p->file;
}

/* ---- places ---------------------------------------------------------------------- */

void sp_hot_put(struct sp_hot *h, struct sp_object *o)
{
    struct sp_hot_place *p = place(h, o->sha1);
    struct sp_object *old = p->object;
    if (old != o) {
        forget(h, p);
    }
    p->object = sp_object_ref(o);
    sp_object_unref(&old);
}

void sp_hot_clear(struct sp_hot *h)
{
    for (size_t i = 0; i < SP_HOT_OBJECTS; i++) {
        forget(h, &h->at[i]);
        sp_object_unref(&h->at[i].object);
    }
}
