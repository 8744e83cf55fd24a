#include "core/policy/peer.h"

#include "core/policy/place.h"

#include <string.h>

static const char *const proofs[] = {"network", "key", "name"};
enum { PROOFS = sizeof proofs / sizeof proofs[0] };

static bool is_name(struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '-' && c != '.' && c != '_' && c != ':') {
            return false;
        }
    }
    return v.len > 0 && v.len <= SP_PEER_NAME_MAX;
}

static enum sp_err read_value(struct sp_view value, struct sp_peer_line *l,
                              struct sp_why *why)
{
    switch (l->proof) {
    case SP_PEER_BY_NETWORK:
        return sp_cidr_parse(value, &l->network) == SP_OK
                   ? SP_OK
                   : sp_why_set(
                         why, SP_E_CONFIG,
                         "a network is written 10.0.0.0/8 or 2001:db8::/32, with "
                         "no bits set behind the prefix");
    case SP_PEER_BY_KEY:
        return sp_pin_parse(value, &l->key) == SP_OK
                   ? SP_OK
                   : sp_why_set(
                         why, SP_E_CONFIG,
                         "a peer's key is \"sha256//\" and 44 characters of base64");
    case SP_PEER_BY_NAME:
        if (!is_name(value)) {
            return sp_why_set(
                why, SP_E_CONFIG,
                "a peer's name is one that its certificate is made out to, "
                "without wildcards");
        }
        memcpy(l->name, value.data, value.len);
        return SP_OK;
    }
    return SP_E_CONFIG;
}

enum sp_err sp_peer_line_read(struct sp_view service, struct sp_view proof,
                              struct sp_view value, struct sp_peer_line *out,
                              struct sp_why *why)
{
    struct sp_peer_line l = {.service = sp_place_service(service)};
    size_t p = 0;
    if (!l.service && !sp_view_eq_str(service, "any")) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "behind \"peer\" stands a service, as server-sync, or \"any\"");
    }
    while (p < PROOFS && !sp_view_eq_str(proof, proofs[p])) {
        p++;
    }
    if (p == PROOFS) {
        return sp_why_set(why, SP_E_CONFIG,
                          "a peer is known by \"network\", \"key\" or \"name\"");
    }
    l.proof = (enum sp_peer_proof)p;
    SP_TRY(read_value(value, &l, why));
    *out = l;
    return SP_OK;
}

static enum sp_err print_network(const struct sp_cidr *c, struct sp_buf *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *b = c->bytes;
    if (c->bits >= 96 && memcmp(b, mapped, sizeof mapped) == 0) {
        return sp_buf_printf(out, "%u.%u.%u.%u/%u", b[12], b[13], b[14], b[15],
                             c->bits - 96);
    }
    for (size_t i = 0; i < 16; i += 2) {
        SP_TRY(sp_buf_printf(out, "%s%x", i ? ":" : "", b[i] << 8 | b[i + 1]));
    }
    return sp_buf_printf(out, "/%u", c->bits);
}

static enum sp_err print_value(const struct sp_peer_line *l, struct sp_buf *out)
{
    char key[SP_PIN_TEXT];
    switch (l->proof) {
    case SP_PEER_BY_NETWORK:
        return print_network(&l->network, out);
    case SP_PEER_BY_KEY:
        sp_pin_format(&l->key, key);
        return sp_buf_append_str(out, key);
    case SP_PEER_BY_NAME:
        return sp_buf_append_str(out, l->name);
    }
    return SP_OK;
}

enum sp_err sp_peer_line_print(const struct sp_peer_line *l, struct sp_buf *out)
{
    SP_TRY(sp_buf_printf(out, "peer %s %s ", l->service ? l->service : "any",
                         proofs[l->proof]));
    SP_TRY(print_value(l, out));
    return sp_buf_append_byte(out, '\n');
}

/* ---- judging ------------------------------------------------------------------- */

static bool is_about(const struct sp_peer_line *l, const struct sp_facts *f)
{
    struct sp_place place = {.service = l->service};
    return sp_place_fits(&place, f);
}

static bool has_name(const struct sp_facts *f, const char *name)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_PEER_NAME, i, &v); i++) {
        if (sp_view_eq_fold(v.bytes, sp_view_str(name))) {
            return true;
        }
    }
    return false;
}

static bool is_in(const struct sp_facts *f, const struct sp_cidr *network)
{
    struct sp_fact_value v;
    uint8_t address[16];
    unsigned width = 0;
    return sp_rule_one(f, SP_FACT_PEER_ADDRESS, &v) &&
           sp_address_parse(v.bytes, address, &width) == SP_OK &&
           sp_cidr_holds(network, address);
}

static bool is_meant(const struct sp_peer_line *l, const struct sp_facts *f)
{
    struct sp_fact_value key = {.bytes = sp_view(l->key.sha256, sizeof l->key.sha256)};
    switch (l->proof) {
    case SP_PEER_BY_NETWORK:
        return is_in(f, &l->network);
    case SP_PEER_BY_KEY:
        return sp_rule_has(f, SP_FACT_PEER_SPKI, &key);
    case SP_PEER_BY_NAME:
        return has_name(f, l->name);
    }
    return false;
}

static enum sp_finding find(const struct sp_facts *f, struct sp_peer_lines lines,
                            bool by_network)
{
    enum sp_finding found = SP_DOES_NOT_APPLY;
    for (size_t i = 0; i < lines.count && found != SP_HOLDS; i++) {
        const struct sp_peer_line *l = &lines.at[i];
        if ((l->proof == SP_PEER_BY_NETWORK) == by_network && is_about(l, f)) {
            found = is_meant(l, f) ? SP_HOLDS : SP_FAILS;
        }
    }
    return found;
}

enum sp_finding sp_rule_peer_network(const struct sp_facts *f,
                                     struct sp_peer_lines lines, struct sp_why *why)
{
    enum sp_finding found = find(f, lines, true);
    return found != SP_FAILS ? found
                             : sp_fails(sp_why_set(
                                   why, SP_E_MISMATCH,
                                   "%s is in none of the networks that may ask for %s",
                                   sp_rule_say(f, SP_FACT_PEER_ADDRESS).text,
                                   sp_rule_say(f, SP_FACT_SERVICE).text));
}

enum sp_finding sp_rule_peer_identity(const struct sp_facts *f,
                                      struct sp_peer_lines lines, struct sp_why *why)
{
    enum sp_finding found = find(f, lines, false);
    return found != SP_FAILS
               ? found
               : sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                     "%s may be asked for with certain certificates "
                                     "only; %s showed the key %s, made out to %s",
                                     sp_rule_say(f, SP_FACT_SERVICE).text,
                                     sp_rule_say(f, SP_FACT_PEER_ADDRESS).text,
                                     sp_rule_say(f, SP_FACT_PEER_SPKI).text,
                                     sp_rule_say(f, SP_FACT_PEER_NAME).text));
}
