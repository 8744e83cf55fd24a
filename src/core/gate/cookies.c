/* Cookies at the gate: sealed on their way out, opened on their way in. */
#include "core/gate/private.h"

static struct sp_seal_bond bond_of(const struct sp_gate *g, enum sp_cookie_kind kind)
{
    const struct sp_asker *a = &g->asker;
    return (struct sp_seal_bond){.kind = kind,
                                 .upstream = sp_view_str(g->door->upstream_name),
                                 .has_pin = a->has_pin,
                                 .peer = a->has_pin ? sp_view(a->pin, sizeof a->pin)
                                                    : sp_view_str(a->address)};
}

static enum sp_err open_cookie(void *ctx, unsigned kinds, struct sp_view sealed,
                               struct sp_buf *plain, enum sp_cookie_kind *kind)
{
    struct sp_gate *g = ctx;
    enum sp_err e = SP_E_UNPROVEN;
    for (enum sp_cookie_kind k = 0; k < SP_COOKIE_COUNT && e == SP_E_UNPROVEN; k++) {
        struct sp_seal_bond bond = bond_of(g, k);
        if (kinds >> k & 1) {
            *kind = k;
            e = sp_unseal(g->asker.seals, &bond, g->asker.now, g->door->cookie_age,
                          sealed, plain);
        }
    }
    return e;
}

const struct sp_cookie_reader *sp_gate_cookies(struct sp_gate *g,
                                               struct sp_cookie_reader *out)
{
    *out = (struct sp_cookie_reader){.open = open_cookie, .ctx = g};
    return g->door->seals_cookies ? out : NULL;
}

static enum sp_err seal(struct sp_gate *g, enum sp_cookie_kind kind,
                        struct sp_buf *sealed, struct sp_buf *text)
{
    const struct sp_reply *r = g->inspection.reply;
    struct sp_seal_bond bond = bond_of(g, kind);
    SP_TRY(
        sp_seal(g->asker.seals, &bond, g->now, g->asker.seal_nonce, r->cookie, sealed));
    SP_TRY(sp_base64_append(text, sp_buf_view(sealed)));
    return sp_splices_add(&g->edits, r->cookie_place.from, r->cookie_place.to,
                          sp_buf_view(text));
}

enum sp_err sp_gate_seal_cookie(struct sp_gate *g)
{
    struct sp_buf sealed, text;
    enum sp_cookie_kind kind;
    if (!g->door->seals_cookies || !g->inspection.reply->has_cookie ||
        !sp_cookie_given(g->route.service, &kind)) {
        return SP_OK;
    }
    sp_buf_init(&sealed, SP_LIMIT_COOKIE);
    sp_buf_init(&text, 2 * SP_LIMIT_COOKIE);
    enum sp_err e = seal(g, kind, &sealed, &text);
    sp_buf_fini(&sealed);
    sp_buf_fini(&text);
    return e;
}
