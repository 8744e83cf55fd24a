/* A listener section. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sp_config_is_address(const char *bind)
{
    uint64_t port = 0;
    const char *colon = strrchr(bind, ':');
    return colon && colon != bind &&
           sp_u64_parse(sp_view_str(colon + 1), 65535, &port) == SP_OK;
}

static enum sp_err take_allow(const struct sp_config_place *p, cfg_t *sec,
                              struct sp_config_listener *l)
{
    size_t n = cfg_size(sec, "allow");
    l->allow = calloc(n ? n : 1, sizeof *l->allow);
    if (!l->allow) {
        return SP_E_NOMEM;
    }
    for (; l->allow_count < n; l->allow_count++) {
        const char *s = cfg_getnstr(sec, "allow", (unsigned)l->allow_count);
        if (sp_cidr_parse(sp_view_str(s), &l->allow[l->allow_count]) != SP_OK) {
            return sp_config_wrong(
                p, "allow",
                _("a network is written 10.0.0.0/8 or 2001:db8::/32, with no bits "
                  "set behind the prefix"));
        }
    }
    return SP_OK;
}

static bool has_upstream(const struct sp_config *c, const char *name)
{
    for (size_t i = 0; i < c->upstream_count; i++) {
        if (strcmp(c->upstreams[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum sp_err check_listener(const struct sp_config_place *p,
                                  const struct sp_config *c,
                                  const struct sp_config_listener *l)
{
    char message[300];
    if (!sp_config_is_address(l->bind)) {
        snprintf(message, sizeof message,
                 _("bind = \"%.60s\": an address and a port are needed, as *:8531, "
                   "0.0.0.0:8531 or [::]:8531"),
                 l->bind);
        return sp_config_wrong(p, "bind", message);
    }
    if (!has_upstream(c, l->upstream)) {
        snprintf(message, sizeof message,
                 _("upstream = \"%.100s\": there is no such upstream "
                   "section"),
                 l->upstream);
        return sp_config_wrong(p, "upstream", message);
    }
    if (!l->certificate[0] != !l->key[0]) {
        return sp_config_wrong(p, "certificate", _("certificate and key go together"));
    }
    if (l->custody && !l->certificate[0]) {
        return sp_config_wrong(p, "custody",
                               _("the ledger is shown over TLS only: custody needs a "
                                 "certificate"));
    }
    if (l->tlog_witness && (!l->certificate[0] || c->cosigns.count == 0)) {
        return sp_config_wrong(
            p, "tlog_witness",
            l->certificate[0]
                ? _("tlog_witness needs cosigns: the ledgers that may ask")
                : _("cosignatures are given over TLS only: tlog_witness "
                    "needs a certificate"));
    }
    if (l->client_ca[0] && !l->certificate[0]) {
        return sp_config_wrong(p, "client_ca",
                               _("client_ca needs a listener with a certificate"));
    }
    return SP_OK;
}

/* scheme://authority, and nothing that a path could follow wrongly. */
static bool is_content_address(struct sp_view v)
{
    size_t scheme = sp_view_starts(v, SP_VIEW("http://"))    ? 7
                    : sp_view_starts(v, SP_VIEW("https://")) ? 8
                                                             : 0;
    for (size_t i = scheme; scheme && i < v.len; i++) {
        uint8_t c = v.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z') || strchr(".-:[]", c);
        scheme = plain && c ? scheme : 0;
    }
    return scheme && v.len > scheme && v.len < 256;
}

static enum sp_err take_locations(const struct sp_config_place *p, cfg_t *sec,
                                  struct sp_config_listener *l)
{
    static const struct sp_config_word which[] = {{"custody", SP_LOCATIONS_CUSTODY},
                                                  {"any", SP_LOCATIONS_ANY},
                                                  {"relayed", SP_LOCATIONS_RELAYED}};
    int found = 0;
    SP_TRY(sp_take_word(p, sec, "file_locations", SP_WORDS(which), &found));
    l->file_locations = (enum sp_locations)found;
    SP_TRY(sp_take_string(sec, "content_address", &l->content_address));
    if (l->content_address[0] && !is_content_address(sp_view_str(l->content_address))) {
        return sp_config_wrong(
            p, "content_address",
            _("content_address is http://host:port or https://host:port"));
    }
    return SP_OK;
}

enum sp_err sp_config_take_listener(const struct sp_config_place *p, cfg_t *sec,
                                    struct sp_config *c, struct sp_config_listener *l)
{
    static const struct sp_config_word plain[] = {{"policy", SP_PLAIN_POLICY},
                                                  {"enforce", SP_PLAIN_ENFORCE},
                                                  {"audit", SP_PLAIN_AUDIT},
                                                  {"observe", SP_PLAIN_OBSERVE}};
    static const struct sp_config_word switches[] = {{"on", 1}, {"off", 0}};
    static const struct sp_config_word content[] = {{"verified-only", 1},
                                                    {"refuse", 0}};
    int plain_http = 0, content_http = 0, custody = 0, witness = 0;
    l->line = sp_config_line(p->text, p->section, p->title, NULL);
    l->name = strdup(p->title);
    if (!l->name) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_take_string(sec, "bind", &l->bind));
    SP_TRY(sp_take_string(sec, "upstream", &l->upstream));
    SP_TRY(sp_take_string(sec, "certificate", &l->certificate));
    SP_TRY(sp_take_string(sec, "key", &l->key));
    SP_TRY(sp_take_string(sec, "client_ca", &l->client_ca));
    SP_TRY(sp_take_strings(sec, "names", &l->names, &l->name_count));
    SP_TRY(take_allow(p, sec, l));
    SP_TRY(sp_take_word(p, sec, "plain_http", SP_WORDS(plain), &plain_http));
    SP_TRY(sp_take_word(p, sec, "content_http", SP_WORDS(content), &content_http));
    l->plain_http = (enum sp_plain_http)plain_http;
    l->content_http = content_http != 0;
    SP_TRY(take_locations(p, sec, l));
    SP_TRY(sp_take_word(p, sec, "custody", SP_WORDS(switches), &custody));
    l->custody = custody != 0;
    SP_TRY(sp_take_word(p, sec, "tlog_witness", SP_WORDS(switches), &witness));
    l->tlog_witness = witness != 0;
    return check_listener(p, c, l);
}
