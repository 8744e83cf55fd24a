/* sallyport store gc: what the ledger does not know is removed. */
#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/store_ask.h"
#include "app/cmd/store_orphans.h"

#include <inttypes.h>
#include <stdio.h>

struct gc {
    struct sp_store_ask *ask;     /* borrowed */
    struct sp_verified *verified; /* owned */
    struct sp_bar bar;
    uint64_t looked_at, files, bytes;
};

static enum sp_err gc_object(void *ctx, const struct sp_object_seen *seen)
{
    struct gc *g = ctx;
    sp_bar_at(&g->bar, ++g->looked_at);
    if (sp_verified_has(g->verified, seen->sha256)) {
        return SP_OK;
    }
    g->files++;
    g->bytes += seen->size;
    sp_store_print_digest(seen->sha256);
    printf(_("  %12ju  no entry of the ledger\n"), seen->size);
    return g->ask->dry ? SP_OK : sp_objects_remove(g->ask->objects, seen->sha256);
}

static enum sp_err scan(struct gc *g)
{
    struct sp_store_sum all = {0};
    SP_TRY(sp_objects_scan(g->ask->objects, sp_store_add_object, &all));
    sp_bar_init(&g->bar, _("looked at"), all.files);
    enum sp_err e = sp_objects_scan(g->ask->objects, gc_object, g);
    sp_bar_end(&g->bar);
    return e;
}

static enum sp_err collect(struct sp_store_ask *a)
{
    struct gc g = {.ask = a};
    uint64_t leftovers = 0;
    SP_TRY(sp_verified_read(a->config->state_dir, !a->dry, &g.verified, &a->why));
    enum sp_err e = sp_objects_sweep(a->objects, a->dry, &leftovers);
    if (e == SP_OK) {
        e = scan(&g);
    }
    sp_verified_free(&g.verified);
    SP_TRY(e);
    printf(_("%s %ju files, %ju bytes, and %ju leftovers\n"),
           a->dry ? _("would remove") : _("removed"), g.files, g.bytes, leftovers);
    return SP_OK;
}

int sp_cmd_store_gc(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 0, SP_STORE_REMOVES);
    status = status ? status : sp_store_open_alone(&a);
    return sp_store_finish(&a, status ? SP_OK : collect(&a), status);
}
