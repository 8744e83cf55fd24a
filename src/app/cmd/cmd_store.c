/* sallyport store: what the cache holds, and what of it is kept. */
#include "app/base/say.h"
#include "app/cmd/store_ask.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- stats ----------------------------------------------------------------------- */

struct stats {
    struct sp_store_sum sum;
    uint64_t without_tree;
};

static enum sp_err add_object(void *ctx, const struct sp_object_seen *seen)
{
    struct stats *s = ctx;
    s->without_tree += !seen->has_tree;
    return sp_store_add_object(&s->sum, seen);
}

static enum sp_err print_pins(struct sp_store_ask *a)
{
    SP_AUTO(sp_pins_fini) struct sp_pins pins;
    sp_pins_init(&pins);
    SP_TRY(sp_pins_read(a->objects, &pins));
    printf(_("pinned      %zu files\n"), sp_pins_count(&pins));
    return SP_OK;
}

static enum sp_err print_stats(struct sp_store_ask *a)
{
    struct stats objects = {0};
    struct sp_store_sum evidence = {0};
    struct sp_space space;
    SP_TRY(sp_objects_scan(a->objects, add_object, &objects));
    SP_TRY(sp_evidence_scan(a->objects, sp_store_add_evidence, &evidence));
    SP_TRY(sp_objects_space(a->objects, &space));
    printf(_("directory   %s\n"), a->config->cache_dir);
    printf(_("objects     %ju files, %ju bytes\n"), objects.sum.files,
           objects.sum.bytes);
    if (objects.without_tree) {
        printf(_("            %ju of them lack their block tree and will be fetched "
                 "again\n"),
               objects.without_tree);
    }
    SP_TRY(print_pins(a));
    printf(_("quarantine  %ju files, %ju bytes\n"), evidence.files, evidence.bytes);
    printf(_("disk        %ju of %ju bytes free, %u %% stay free\n"), space.available,
           space.total, a->config->cache_floor);
    if (a->config->cache_max) {
        printf(_("limit       %ju bytes\n"), a->config->cache_max);
    }
    return SP_OK;
}

int sp_cmd_store_stats(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 0, SP_STORE_LOOKS);
    status = status ? status : sp_store_open_view(&a);
    return sp_store_finish(&a, status ? SP_OK : print_stats(&a), status);
}

/* ---- list ------------------------------------------------------------------------ */

static enum sp_err print_object(void *ctx, const struct sp_object_seen *seen)
{
    const struct sp_pins *pins = ctx;
    char used[SP_TIME_TEXT];
    sp_time_format(seen->used, used);
    sp_store_print_digest(seen->sha256);
    printf("  %12ju  %s%s%s\n", seen->size, used,
           sp_pins_has(pins, seen->sha256) ? _("  pinned") : "",
           seen->has_tree ? "" : _("  no block tree"));
    return SP_OK;
}

static enum sp_err print_list(struct sp_store_ask *a)
{
    SP_AUTO(sp_pins_fini) struct sp_pins pins;
    sp_pins_init(&pins);
    SP_TRY(sp_pins_read(a->objects, &pins));
    return sp_objects_scan(a->objects, print_object, &pins);
}

int sp_cmd_store_list(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 0, SP_STORE_LOOKS);
    status = status ? status : sp_store_open_view(&a);
    return sp_store_finish(&a, status ? SP_OK : print_list(&a), status);
}

/* ---- pin and unpin --------------------------------------------------------------- */

static enum sp_err change_pin(struct sp_store_ask *a,
                              enum sp_err (*change)(struct sp_objects *,
                                                    const uint8_t[32]),
                              const char *not_there)
{
    uint8_t sha256[32];
    if (sp_hex_parse(sp_view_str(a->words[0]), sha256, sizeof sha256) != SP_OK) {
        return sp_why_set(
            &a->why, SP_E_USAGE,
            _("a stored file is named by the 64 hexadecimal digits of its "
              "SHA-256; `sallyport store list` shows them"));
    }
    enum sp_err e = change(a->objects, sha256);
    return e == SP_OK ? e
                      : sp_why_set(&a->why, e, "%s: %s",
                                   e == SP_E_NOTFOUND ? not_there : _("this failed"),
                                   a->words[0]);
}

int sp_cmd_store_pin(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 1, SP_STORE_LOOKS);
    status = status ? status : sp_store_open_view(&a);
    enum sp_err e =
        status ? SP_OK
               : change_pin(&a, sp_pin_set, _("there is no such file in the cache"));
    return sp_store_finish(&a, e, status);
}

int sp_cmd_store_unpin(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 1, SP_STORE_LOOKS);
    status = status ? status : sp_store_open_view(&a);
    enum sp_err e =
        status ? SP_OK : change_pin(&a, sp_pin_clear, _("this file is not pinned"));
    return sp_store_finish(&a, e, status);
}
