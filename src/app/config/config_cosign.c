/* Cosignatures: whom this sallyport cosigns, and who cosigns for it. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "core/custody/cosign.h"

#include <stdlib.h>
#include <string.h>

static const char *const says[2] = {
    N_("a ledger's public key is written name+hash+base64, as in ledger/key.pub where "
       "it "
       "was made; at most 256 of them, no two of one name"),
    N_("a cosigner's public key is written name+hash+base64, as in witness/key.pub "
       "where "
       "it was made; at most 16 of them, none twice"),
};

/* A name that stands twice would be two ledgers of one name, or one cosigner that
 * counts twice; so would a key. */
static bool is_new(const struct sp_config_keys *k, const struct sp_note_key *other)
{
    for (size_t i = 0; i < k->count; i++) {
        if (strcmp(k->at[i]->name, other->name) == 0 ||
            memcmp(k->at[i]->public_key, other->public_key, 32) == 0) {
            return false;
        }
    }
    return true;
}

enum sp_err sp_config_take_keys(const struct sp_config_place *p, cfg_t *sec,
                                const char *key, bool of_cosigners,
                                struct sp_config_keys *out)
{
    size_t n = cfg_size(sec, key), most = of_cosigners ? SP_LIMIT_COSIGNERS : 256;
    out->at = calloc(n + 1, sizeof *out->at);
    if (!out->at) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        struct sp_view text = sp_view_str(cfg_getnstr(sec, key, (unsigned)i));
        struct sp_note_key *k = NULL;
        bool good = n <= most && !sp_view_starts(text, SP_VIEW("PRIVATE")) &&
                    (of_cosigners ? sp_cosigner_key_import(text, &k, NULL)
                                  : sp_note_key_import(text, &k, NULL)) == SP_OK &&
                    is_new(out, k);
        if (!good) {
            sp_note_key_free(&k);
            return sp_config_wrong(p, key, sp_say(says[of_cosigners]));
        }
        out->at[out->count++] = k;
    }
    return SP_OK;
}

static enum sp_err take_key(const struct sp_config_place *p, const struct sp_config *c,
                            cfg_t *sec, struct sp_config_cosigner *out)
{
    struct sp_view text = sp_view_str(cfg_getstr(sec, "key"));
    if (sp_view_starts(text, SP_VIEW("PRIVATE")) ||
        sp_cosigner_key_import(text, &out->key, NULL) != SP_OK) {
        return sp_config_wrong(p, "key", sp_say(says[1]));
    }
    for (size_t i = 0; &c->cosigners[i] != out; i++) {
        struct sp_note_key *known = c->cosigners[i].key;
        if (!is_new(&(struct sp_config_keys){&known, 1}, out->key)) {
            return sp_config_wrong(p, "key", sp_say(says[1]));
        }
    }
    return SP_OK;
}

static enum sp_err take_cosigner(const struct sp_config_place *p,
                                 const struct sp_config *c, cfg_t *sec,
                                 struct sp_config_cosigner *k)
{
    struct sp_config_upstream *u = &k->source;
    SP_TRY(sp_take_string(sec, "client_certificate", &u->client_certificate));
    SP_TRY(sp_take_string(sec, "client_key", &u->client_key));
    SP_TRY(sp_config_take_source(p, sec, u, &k->prefix,
                                 _("a witness is https://host[:port]/prefix, as "
                                   "https://west.example:8531/witness")));
    if (!u->client_certificate[0] != !u->client_key[0]) {
        return sp_config_wrong(p, "client_certificate",
                               _("client_certificate and client_key go together"));
    }
    return take_key(p, c, sec, k);
}

enum sp_err sp_config_take_cosigners(struct sp_config *c, cfg_t *cfg,
                                     struct sp_config_place p)
{
    unsigned count = cfg_size(cfg, "cosigner");
    long wanted = cfg_getint(cfg, "cosignatures");
    if (count > SP_LIMIT_COSIGNERS || wanted < (count ? 1 : 0) ||
        wanted > (long)count) {
        return sp_config_wrong(
            &p, "cosignatures",
            _("cosignatures is how many of the cosigner sections have to sign a "
              "checkpoint: 1 to as many as there are, which are at most 16; 0 without "
              "any"));
    }
    c->cosignatures = (unsigned)wanted;
    c->cosigners = calloc(count + 1, sizeof *c->cosigners);
    if (!c->cosigners) {
        return SP_E_NOMEM;
    }
    p.section = "cosigner";
    for (unsigned i = 0; i < count; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "cosigner", i);
        p.title = cfg_title(sec);
        SP_TRY(take_cosigner(&p, c, sec, &c->cosigners[c->cosigner_count++]));
    }
    return SP_OK;
}

void sp_config_keys_fini(struct sp_config_keys *k)
{
    for (size_t i = 0; i < k->count; i++) {
        sp_note_key_free(&k->at[i]);
    }
    free(k->at);
}
