/* An upstream section. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "core/base/text.h"

#include <string.h>

static enum sp_err take_cookies(const struct sp_config_place *p, cfg_t *sec,
                                struct sp_config_upstream *u)
{
    static const struct sp_config_word ways[] = {{"sealed", 1}, {"relayed", 0}};
    int sealed = 0;
    SP_TRY(sp_take_word(p, sec, "cookies", SP_WORDS(ways), &sealed));
    u->seals_cookies = sealed != 0;
    u->cookie_age = cfg_getint(sec, "cookie_age");
    if (u->cookie_age < 1 || u->cookie_age > SP_LIMIT_COOKIE_AGE_S) {
        return sp_config_wrong(p, "cookie_age", _("cookie_age is 1 to 604800 seconds"));
    }
    return SP_OK;
}

static enum sp_err take_custody_cosigners(const struct sp_config_place *p, cfg_t *sec,
                                          struct sp_config_upstream *u)
{
    long wanted = 0;
    SP_TRY(
        sp_config_take_keys(p, sec, "custody_cosigners", true, &u->custody_cosigners));
    SP_TRY(sp_take_number(p, sec, "custody_cosignatures", 0,
                          (long)u->custody_cosigners.count, &wanted));
    u->custody_cosignatures = (unsigned)wanted;
    return SP_OK;
}

static enum sp_err take_custody(const struct sp_config_place *p, cfg_t *sec,
                                struct sp_config_upstream *u)
{
    static const struct sp_config_word modes[] = {
        {"off", 0}, {"observe", 1}, {"require", 2}};
    int mode = 0;
    struct sp_view key = sp_view_str(cfg_getstr(sec, "custody_key"));
    SP_TRY(sp_take_word(p, sec, "custody", SP_WORDS(modes), &mode));
    u->custody = mode > 0;
    u->custody_required = mode == 2;
    SP_TRY(take_custody_cosigners(p, sec, u));
    if (mode == 0) {
        return SP_OK;
    }
    if (sp_view_starts(key, SP_VIEW("PRIVATE")) ||
        sp_note_key_import(key, &u->custody_key, NULL) != SP_OK) {
        return sp_config_wrong(
            p, "custody_key",
            _("custody needs the public key of the upstream's ledger, "
              "name+hash+base64: ledger/key.pub in its state directory"));
    }
    return SP_OK;
}

/* The list stands where it is not used: its keys are checked all the same. */
static enum sp_err take_hosts(const struct sp_config_place *p, cfg_t *sec,
                              struct sp_config_sources *s)
{
    SP_TRY(sp_take_strings(sec, "content_hosts", &s->hosts, &s->host_count));
    bool good = s->host_count <= SP_SOURCE_HOSTS;
    for (size_t i = 0; good && i < s->host_count; i++) {
        good = sp_source_is_pattern(sp_view_str(s->hosts[i]));
    }
    return good ? SP_OK
                : sp_config_wrong(
                      p, "content_hosts",
                      _("a host is written download.windowsupdate.com or "
                        "*.windowsupdate.com, with :port where it has one; at most "
                        "32 of them"));
}

static enum sp_err take_sources(const struct sp_config_place *p, cfg_t *sec,
                                struct sp_config_sources *s)
{
    static const struct sp_config_word orders[] = {{"upstream", 0},
                                                   {"upstream-then-microsoft", 1}};
    int more = 0;
    SP_TRY(sp_take_word(p, sec, "content_sources", SP_WORDS(orders), &more));
    SP_TRY(take_hosts(p, sec, s));
    SP_TRY(sp_take_string(sec, "content_ca_file", &s->ca_file));
    SP_TRY(sp_take_string(sec, "content_proxy", &s->proxy));
    s->in_use = more != 0;
    if (more && (s->host_count == 0 || !s->ca_file[0])) {
        return sp_config_wrong(
            p, "content_sources",
            _("upstream-then-microsoft needs content_hosts, whom to ask, and "
              "content_ca_file, whom to trust for them"));
    }
    return SP_OK;
}

enum sp_err sp_config_take_upstream(const struct sp_config_place *p, cfg_t *sec,
                                    struct sp_config_upstream *u)
{
    static const struct sp_config_word transports[] = {{"https", 0},
                                                       {"https-or-http", 1}};
    int over_http = 0;
    u->line = sp_config_line(p->text, p->section, p->title, NULL);
    SP_TRY(sp_take_string(sec, "url", &u->url));
    SP_TRY(sp_take_string(sec, "ca_file", &u->ca_file));
    SP_TRY(sp_take_string(sec, "proxy", &u->proxy));
    SP_TRY(sp_take_string(sec, "client_certificate", &u->client_certificate));
    SP_TRY(sp_take_string(sec, "client_key", &u->client_key));
    u->name = strdup(p->title);
    if (!u->name) {
        return SP_E_NOMEM;
    }
    if (strncmp(u->url, "https://", 8) != 0) {
        return sp_config_wrong(
            p, "url",
            _("the upstream must be https://host[:port]: update metadata over plain "
              "HTTP can be changed by anybody on the path"));
    }
    if (!u->ca_file[0]) {
        return sp_config_wrong(
            p, "ca_file",
            _("ca_file is missing: the CA certificate the upstream's chain leads to"));
    }
    if (!u->client_certificate[0] != !u->client_key[0]) {
        return sp_config_wrong(p, "client_certificate",
                               _("client_certificate and client_key go together"));
    }
    SP_TRY(sp_config_take_pins(p, sec, u));
    SP_TRY(sp_take_word(p, sec, "content_transport", SP_WORDS(transports), &over_http));
    u->content_over_http = over_http != 0;
    SP_TRY(take_sources(p, sec, &u->sources));
    SP_TRY(take_cookies(p, sec, u));
    SP_TRY(take_custody(p, sec, u));
    return sp_config_take_ahead(p, sec, &u->ahead);
}
