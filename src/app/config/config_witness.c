/* The witness sections: who is asked besides the upstream. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <stdlib.h>
#include <string.h>

static bool take_kind(cfg_t *sec, struct sp_config_witness *w)
{
    static const char *const kinds[SP_WITNESS_KINDS] = {
        [SP_WITNESS_CATALOG] = "catalogue",
        [SP_WITNESS_EXPORT] = "export",
        [SP_WITNESS_LEDGER] = "ledger",
        [SP_WITNESS_UPSTREAM] = "upstream",
    };
    const char *s = cfg_getstr(sec, "kind");
    for (size_t i = 0; i < SP_WITNESS_KINDS; i++) {
        if (strcmp(kinds[i], s) == 0) {
            w->kind = (enum sp_witness_kind)i;
            return true;
        }
    }
    return false;
}

/* It stands before a blank in facts. */
static bool is_name(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n <= 64 && !strpbrk(s, " \t\r\n");
}

static bool take_key(cfg_t *sec, struct sp_config_witness *w)
{
    struct sp_view key = sp_view_str(cfg_getstr(sec, "key"));
    return !sp_view_starts(key, SP_VIEW("PRIVATE")) &&
           sp_note_key_import(key, &w->key, NULL) == SP_OK;
}

static bool take_upstream(const struct sp_config *c, cfg_t *sec,
                          struct sp_config_witness *w)
{
    const char *name = cfg_getstr(sec, "upstream");
    for (w->upstream = 0; w->upstream < c->upstream_count; w->upstream++) {
        if (strcmp(c->upstreams[w->upstream].name, name) == 0) {
            return w->kind == SP_WITNESS_UPSTREAM || c->upstreams[w->upstream].custody;
        }
    }
    return false;
}

static enum sp_err take_witness(const struct sp_config_place *p,
                                const struct sp_config *c, cfg_t *sec,
                                struct sp_config_witness *w)
{
    w->name = strdup(cfg_title(sec));
    w->file = strdup(cfg_getstr(sec, "file"));
    if (!w->name || !w->file) {
        return SP_E_NOMEM;
    }
    if (!is_name(w->name)) {
        return sp_config_wrong(
            p, NULL, _("a witness's name has 1 to 64 characters and no blanks"));
    }
    if (!take_kind(sec, w)) {
        return sp_config_wrong(
            p, "kind", _("kind must be one of catalogue, export, ledger, upstream"));
    }
    if (w->kind == SP_WITNESS_CATALOG && !c->catalog) {
        return sp_config_wrong(p, "kind",
                               _("there is no catalog section that could be asked"));
    }
    if (w->kind == SP_WITNESS_EXPORT && !w->file[0]) {
        return sp_config_wrong(
            p, "file", _("file is missing: what `sallyport ledger export` wrote"));
    }
    if (w->kind == SP_WITNESS_EXPORT && !take_key(sec, w)) {
        return sp_config_wrong(p, "key",
                               _("an exported ledger is proven with its public key, "
                                 "name+hash+base64: ledger/key.pub where it was made"));
    }
    bool is_remote = w->kind == SP_WITNESS_LEDGER || w->kind == SP_WITNESS_UPSTREAM;
    if (is_remote && !take_upstream(c, sec, w)) {
        return sp_config_wrong(
            p, "upstream",
            _("upstream names the upstream section that is asked; for its "
              "ledger it needs custody"));
    }
    return SP_OK;
}

enum sp_err sp_config_take_witnesses(struct sp_config *c, cfg_t *cfg,
                                     struct sp_config_place p)
{
    unsigned count = cfg_size(cfg, "witness");
    c->witnesses = calloc(count + 1, sizeof *c->witnesses);
    if (!c->witnesses) {
        return SP_E_NOMEM;
    }
    p.section = "witness";
    for (unsigned i = 0; i < count; i++) {
        struct sp_config_witness *w = &c->witnesses[c->witness_count++];
        cfg_t *sec = cfg_getnsec(cfg, "witness", i);
        p.title = cfg_title(sec);
        w->line = sp_config_line(p.text, p.section, p.title, NULL);
        SP_TRY(take_witness(&p, c, sec, w));
    }
    return SP_OK;
}

void sp_config_witness_fini(struct sp_config_witness *w)
{
    free(w->name);
    free(w->file);
    sp_note_key_free(&w->key);
}
