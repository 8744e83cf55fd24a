/* sallyport store scrub: every stored file, read to its end. */
#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/store_ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scrub {
    struct sp_store_ask *ask; /* borrowed */
    uint8_t *block;           /* owned */
    struct sp_bar bar;
    uint64_t files, bytes, damaged, unread;
};

static enum sp_err read_through(struct scrub *s, struct sp_object *o,
                                struct sp_digester *d)
{
    uint8_t sha1[20], sha256[32];
    for (uint64_t at = 0; at < o->size; at += SP_BLOCK_SIZE) {
        ssize_t n = pread(o->fd, s->block, SP_BLOCK_SIZE, (off_t)at);
        struct sp_view bytes = sp_view(s->block, n > 0 ? (size_t)n : 0);
        SP_TRY(sp_object_check(o, at, bytes));
        SP_TRY(sp_digester_update(d, bytes));
        s->bytes += bytes.len;
        sp_bar_at(&s->bar, s->bytes);
    }
    SP_TRY(sp_digester_finish(d, sha1, sha256));
    return memcmp(sha256, o->sha256, sizeof sha256) == 0 ? SP_OK : SP_E_CORRUPT;
}

static enum sp_err check_object(struct scrub *s, const struct sp_object_seen *seen)
{
    static const uint8_t unknown[20] = {0};
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    SP_TRY(sp_objects_get(s->ask->objects, seen->sha256, unknown, seen->size, &o));
    SP_TRY(sp_digester_new(&d));
    if (!sp_object_read_begin(o)) {
        return SP_E_INTERNAL;
    }
    enum sp_err e = read_through(s, o, d);
    sp_object_read_end(o);
    return e;
}

static enum sp_err scrub_object(void *ctx, const struct sp_object_seen *seen)
{
    struct scrub *s = ctx;
    enum sp_err e = check_object(s, seen);
    if (e == SP_E_NOTFOUND) {
        return SP_OK; /* the daemon evicted it meanwhile */
    }
    s->files++;
    if (e == SP_OK) {
        return SP_OK;
    }
    s->damaged += e == SP_E_CORRUPT;
    s->unread += e != SP_E_CORRUPT;
    sp_store_print_digest(seen->sha256);
    printf("  %s\n", e == SP_E_CORRUPT ? _("DAMAGED") : sp_say(sp_err_text(e)));
    return e == SP_E_CORRUPT && !s->ask->beside
               ? sp_objects_quarantine(s->ask->objects, seen->sha256, "damaged")
               : SP_OK;
}

static enum sp_err scrub_all(struct sp_store_ask *a, int *status)
{
    struct scrub s = {.ask = a, .block = malloc(SP_BLOCK_SIZE)};
    struct sp_store_sum all = {0};
    enum sp_err e =
        s.block ? sp_objects_scan(a->objects, sp_store_add_object, &all) : SP_E_NOMEM;
    sp_bar_init(&s.bar, _("checked"), all.bytes);
    s.bar.is_bytes = true;
    if (e == SP_OK) {
        e = sp_objects_scan(a->objects, scrub_object, &s);
    }
    sp_bar_end(&s.bar);
    free(s.block);
    SP_TRY(e);
    printf(_("%ju files, %ju bytes checked: %ju damaged%s"), s.files, s.bytes,
           s.damaged,
           s.damaged == 0 ? ""
           : a->beside    ? _(", left where they are")
                          : _(", in quarantine"));
    if (s.unread) {
        printf(_(", %ju could not be read"), s.unread);
    }
    printf("\n");
    *status = s.damaged ? SP_EXIT_REFUSED : s.unread ? SP_EXIT_UNKNOWN : SP_EXIT_PASSED;
    return SP_OK;
}

int sp_cmd_store_scrub(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 0, SP_STORE_REMOVES);
    status = status ? status : sp_store_open_alone(&a);
    enum sp_err e = status ? SP_OK : scrub_all(&a, &status);
    return sp_store_finish(&a, e, status);
}
