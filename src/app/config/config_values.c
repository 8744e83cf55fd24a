/* What the keys mean: words to values, and everything that must fit together inside of
 * the file. What needs other files is checked in world.c. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "core/base/text.h"
#include "core/custody/cosign.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

struct place { /* for messages */
    const char *file;
    struct sp_view text;
    const char *section, *title;
    struct sp_why *why;
};

static enum sp_err complain(const struct place *p, const char *key, const char *what)
{
    int line = sp_config_line(p->text, p->section, p->title, key);
    char at[16] = ""; /* what is missing stands in no line */
    if (line) {
        snprintf(at, sizeof at, ":%d", line);
    }
    return sp_why_set(p->why, SP_E_CONFIG, "%s%s: %s%s%s%s%s", p->file, at,
                      p->section ? p->section : "", p->title ? " \"" : "",
                      p->title ? p->title : "",
                      p->title     ? "\": "
                      : p->section ? ": "
                                   : "",
                      what);
}

static enum sp_err take_string(cfg_t *sec, const char *key, char **out)
{
    const char *s = cfg_getstr(sec, key);
    *out = strdup(s ? s : "");
    return *out ? SP_OK : SP_E_NOMEM;
}

static enum sp_err take_strings(cfg_t *sec, const char *key, char ***out, size_t *count)
{
    size_t n = cfg_size(sec, key);
    *out = calloc(n ? n : 1, sizeof **out);
    if (!*out) {
        return SP_E_NOMEM;
    }
    for (; *count < n; (*count)++) {
        (*out)[*count] = strdup(cfg_getnstr(sec, key, (unsigned)*count));
        if (!(*out)[*count]) {
            return SP_E_NOMEM;
        }
    }
    return SP_OK;
}

struct word {
    const char *text;
    int value;
};

static enum sp_err take_word(const struct place *p, cfg_t *sec, const char *key,
                             const struct word *words, size_t count, int *out)
{
    const char *s = cfg_getstr(sec, key);
    char message[256];
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, s) == 0) {
            *out = words[i].value;
            return SP_OK;
        }
    }
    at = (size_t)snprintf(message, sizeof message,
                          _("%s = \"%.40s\": it must be one of"), key, s);
    for (size_t i = 0; i < count && at < sizeof message; i++) {
        at += (size_t)snprintf(message + at, sizeof message - at, "%s %s", i ? "," : "",
                               words[i].text);
    }
    return complain(p, key, message);
}

#define WORDS(array) array, sizeof array / sizeof array[0]

static enum sp_err take_pins(const struct place *p, cfg_t *sec,
                             struct sp_config_upstream *u)
{
    const char *what = NULL;
    enum sp_err e = sp_config_take_pins(sec, u, &what);
    return e == SP_E_CONFIG ? complain(p, "pins", what) : e;
}

static enum sp_err take_cookies(const struct place *p, cfg_t *sec,
                                struct sp_config_upstream *u)
{
    static const struct word ways[] = {{"sealed", 1}, {"relayed", 0}};
    int sealed = 0;
    SP_TRY(take_word(p, sec, "cookies", WORDS(ways), &sealed));
    u->seals_cookies = sealed != 0;
    u->cookie_age = cfg_getint(sec, "cookie_age");
    if (u->cookie_age < 1 || u->cookie_age > SP_LIMIT_COOKIE_AGE_S) {
        return complain(p, "cookie_age", _("cookie_age is 1 to 604800 seconds"));
    }
    return SP_OK;
}

static enum sp_err take_ahead(const struct place *p, cfg_t *sec,
                              struct sp_config_upstream *u)
{
    const char *key = NULL, *what = NULL;
    enum sp_err e = sp_config_take_ahead(sec, &u->ahead, &key, &what);
    return e == SP_E_CONFIG ? complain(p, key, what) : e;
}

static enum sp_err take_keys(const struct place *p, cfg_t *sec, const char *key,
                             bool of_cosigners, struct sp_config_keys *out)
{
    const char *what = NULL;
    enum sp_err e = sp_config_take_keys(sec, key, of_cosigners, out, &what);
    return e == SP_E_CONFIG ? complain(p, key, what) : e;
}

static enum sp_err take_number(const struct place *p, cfg_t *sec, const char *key,
                               long min, long max, long *out)
{
    char message[128];
    long n = cfg_getint(sec, key);
    if (n < min || n > max) {
        snprintf(message, sizeof message, _("%s is %ld to %ld"), key, min, max);
        return complain(p, key, message);
    }
    *out = n;
    return SP_OK;
}

static enum sp_err take_custody_cosigners(const struct place *p, cfg_t *sec,
                                          struct sp_config_upstream *u)
{
    long wanted = 0;
    SP_TRY(take_keys(p, sec, "custody_cosigners", true, &u->custody_cosigners));
    SP_TRY(take_number(p, sec, "custody_cosignatures", 0,
                       (long)u->custody_cosigners.count, &wanted));
    u->custody_cosignatures = (unsigned)wanted;
    return SP_OK;
}

static enum sp_err take_custody(const struct place *p, cfg_t *sec,
                                struct sp_config_upstream *u)
{
    static const struct word modes[] = {{"off", 0}, {"observe", 1}, {"require", 2}};
    int mode = 0;
    struct sp_view key = sp_view_str(cfg_getstr(sec, "custody_key"));
    SP_TRY(take_word(p, sec, "custody", WORDS(modes), &mode));
    u->custody = mode > 0;
    u->custody_required = mode == 2;
    SP_TRY(take_custody_cosigners(p, sec, u));
    if (mode == 0) {
        return SP_OK;
    }
    if (sp_view_starts(key, SP_VIEW("PRIVATE")) ||
        sp_note_key_import(key, &u->custody_key, NULL) != SP_OK) {
        return complain(p, "custody_key",
                        _("custody needs the public key of the upstream's ledger, "
                          "name+hash+base64: ledger/key.pub in its state directory"));
    }
    return SP_OK;
}

/* The list stands where it is not used: its keys are checked all the same. */
static enum sp_err take_hosts(const struct place *p, cfg_t *sec,
                              struct sp_config_sources *s)
{
    SP_TRY(take_strings(sec, "content_hosts", &s->hosts, &s->host_count));
    bool good = s->host_count <= SP_SOURCE_HOSTS;
    for (size_t i = 0; good && i < s->host_count; i++) {
        good = sp_source_is_pattern(sp_view_str(s->hosts[i]));
    }
    return good
               ? SP_OK
               : complain(p, "content_hosts",
                          _("a host is written download.windowsupdate.com or "
                            "*.windowsupdate.com, with :port where it has one; at most "
                            "32 of them"));
}

static enum sp_err take_sources(const struct place *p, cfg_t *sec,
                                struct sp_config_sources *s)
{
    static const struct word orders[] = {{"upstream", 0},
                                         {"upstream-then-microsoft", 1}};
    int more = 0;
    SP_TRY(take_word(p, sec, "content_sources", WORDS(orders), &more));
    SP_TRY(take_hosts(p, sec, s));
    SP_TRY(take_string(sec, "content_ca_file", &s->ca_file));
    SP_TRY(take_string(sec, "content_proxy", &s->proxy));
    s->in_use = more != 0;
    if (more && (s->host_count == 0 || !s->ca_file[0])) {
        return complain(
            p, "content_sources",
            _("upstream-then-microsoft needs content_hosts, whom to ask, and "
              "content_ca_file, whom to trust for them"));
    }
    return SP_OK;
}

static enum sp_err take_upstream(const struct place *p, cfg_t *sec,
                                 struct sp_config_upstream *u)
{
    static const struct word transports[] = {{"https", 0}, {"https-or-http", 1}};
    int over_http = 0;
    u->line = sp_config_line(p->text, p->section, p->title, NULL);
    SP_TRY(take_string(sec, "url", &u->url));
    SP_TRY(take_string(sec, "ca_file", &u->ca_file));
    SP_TRY(take_string(sec, "proxy", &u->proxy));
    SP_TRY(take_string(sec, "client_certificate", &u->client_certificate));
    SP_TRY(take_string(sec, "client_key", &u->client_key));
    u->name = strdup(p->title);
    if (!u->name) {
        return SP_E_NOMEM;
    }
    if (strncmp(u->url, "https://", 8) != 0) {
        return complain(
            p, "url",
            _("the upstream must be https://host[:port]: update metadata over plain "
              "HTTP can be changed by anybody on the path"));
    }
    if (!u->ca_file[0]) {
        return complain(
            p, "ca_file",
            _("ca_file is missing: the CA certificate the upstream's chain leads to"));
    }
    if (!u->client_certificate[0] != !u->client_key[0]) {
        return complain(p, "client_certificate",
                        _("client_certificate and client_key go together"));
    }
    SP_TRY(take_pins(p, sec, u));
    SP_TRY(take_word(p, sec, "content_transport", WORDS(transports), &over_http));
    u->content_over_http = over_http != 0;
    SP_TRY(take_sources(p, sec, &u->sources));
    SP_TRY(take_cookies(p, sec, u));
    SP_TRY(take_custody(p, sec, u));
    return take_ahead(p, sec, u);
}

static enum sp_err take_allow(const struct place *p, cfg_t *sec,
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
            return complain(
                p, "allow",
                _("a network is written 10.0.0.0/8 or 2001:db8::/32, with no bits "
                  "set behind the prefix"));
        }
    }
    return SP_OK;
}

bool sp_config_is_address(const char *bind)
{
    uint64_t port = 0;
    const char *colon = strrchr(bind, ':');
    return colon && colon != bind &&
           sp_u64_parse(sp_view_str(colon + 1), 65535, &port) == SP_OK;
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

static enum sp_err check_listener(const struct place *p, const struct sp_config *c,
                                  const struct sp_config_listener *l)
{
    char message[300];
    if (!sp_config_is_address(l->bind)) {
        snprintf(message, sizeof message,
                 _("bind = \"%.60s\": an address and a port are needed, as *:8531, "
                   "0.0.0.0:8531 or [::]:8531"),
                 l->bind);
        return complain(p, "bind", message);
    }
    if (!has_upstream(c, l->upstream)) {
        snprintf(message, sizeof message,
                 _("upstream = \"%.100s\": there is no such upstream "
                   "section"),
                 l->upstream);
        return complain(p, "upstream", message);
    }
    if (!l->certificate[0] != !l->key[0]) {
        return complain(p, "certificate", _("certificate and key go together"));
    }
    if (l->custody && !l->certificate[0]) {
        return complain(p, "custody",
                        _("the ledger is shown over TLS only: custody needs a "
                          "certificate"));
    }
    if (l->tlog_witness && (!l->certificate[0] || c->cosigns.count == 0)) {
        return complain(p, "tlog_witness",
                        l->certificate[0]
                            ? _("tlog_witness needs cosigns: the ledgers that may ask")
                            : _("cosignatures are given over TLS only: tlog_witness "
                                "needs a certificate"));
    }
    if (l->client_ca[0] && !l->certificate[0]) {
        return complain(p, "client_ca",
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

static enum sp_err take_locations(const struct place *p, cfg_t *sec,
                                  struct sp_config_listener *l)
{
    static const struct word which[] = {{"custody", SP_LOCATIONS_CUSTODY},
                                        {"any", SP_LOCATIONS_ANY},
                                        {"relayed", SP_LOCATIONS_RELAYED}};
    int found = 0;
    SP_TRY(take_word(p, sec, "file_locations", WORDS(which), &found));
    l->file_locations = (enum sp_locations)found;
    SP_TRY(take_string(sec, "content_address", &l->content_address));
    if (l->content_address[0] && !is_content_address(sp_view_str(l->content_address))) {
        return complain(p, "content_address",
                        _("content_address is http://host:port or https://host:port"));
    }
    return SP_OK;
}

static enum sp_err take_listener(const struct place *p, cfg_t *sec, struct sp_config *c,
                                 struct sp_config_listener *l)
{
    static const struct word plain[] = {{"policy", SP_PLAIN_POLICY},
                                        {"enforce", SP_PLAIN_ENFORCE},
                                        {"audit", SP_PLAIN_AUDIT},
                                        {"observe", SP_PLAIN_OBSERVE}};
    static const struct word switches[] = {{"on", 1}, {"off", 0}};
    static const struct word content[] = {{"verified-only", 1}, {"refuse", 0}};
    int plain_http = 0, content_http = 0, custody = 0, witness = 0;
    l->line = sp_config_line(p->text, p->section, p->title, NULL);
    l->name = strdup(p->title);
    if (!l->name) {
        return SP_E_NOMEM;
    }
    SP_TRY(take_string(sec, "bind", &l->bind));
    SP_TRY(take_string(sec, "upstream", &l->upstream));
    SP_TRY(take_string(sec, "certificate", &l->certificate));
    SP_TRY(take_string(sec, "key", &l->key));
    SP_TRY(take_string(sec, "client_ca", &l->client_ca));
    SP_TRY(take_strings(sec, "names", &l->names, &l->name_count));
    SP_TRY(take_allow(p, sec, l));
    SP_TRY(take_word(p, sec, "plain_http", WORDS(plain), &plain_http));
    SP_TRY(take_word(p, sec, "content_http", WORDS(content), &content_http));
    l->plain_http = (enum sp_plain_http)plain_http;
    l->content_http = content_http != 0;
    SP_TRY(take_locations(p, sec, l));
    SP_TRY(take_word(p, sec, "custody", WORDS(switches), &custody));
    l->custody = custody != 0;
    SP_TRY(take_word(p, sec, "tlog_witness", WORDS(switches), &witness));
    l->tlog_witness = witness != 0;
    return check_listener(p, c, l);
}

static enum sp_err take_sections(struct sp_config *c, cfg_t *cfg, struct place p)
{
    size_t upstreams = cfg_size(cfg, "upstream"), listeners = cfg_size(cfg, "listener");
    if (upstreams == 0 || listeners == 0) {
        return complain(
            &p, NULL,
            upstreams == 0
                ? _("there is no upstream section: name the WSUS server to sync from")
                : _("there is no listener section: name an address to serve on"));
    }
    c->upstreams = calloc(upstreams, sizeof *c->upstreams);
    c->listeners = calloc(listeners, sizeof *c->listeners);
    if (!c->upstreams || !c->listeners) {
        return SP_E_NOMEM;
    }
    p.section = "upstream";
    for (unsigned i = 0; i < upstreams; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "upstream", i);
        p.title = cfg_title(sec);
        c->upstream_count++;
        SP_TRY(take_upstream(&p, sec, &c->upstreams[i]));
    }
    p.section = "listener";
    for (unsigned i = 0; i < listeners; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "listener", i);
        p.title = cfg_title(sec);
        c->listener_count++;
        SP_TRY(take_listener(&p, sec, c, &c->listeners[i]));
    }
    return SP_OK;
}

static enum sp_err take_log(struct sp_config *c, cfg_t *cfg, struct place p)
{
    static const struct word formats[] = {
        {"json", SP_LOG_JSON}, {"text", SP_LOG_TEXT}, {"journal", SP_LOG_JOURNAL}};
    static const struct word levels[] = {{"error", SP_LOG_ERROR},
                                         {"warning", SP_LOG_WARNING},
                                         {"info", SP_LOG_INFO},
                                         {"debug", SP_LOG_DEBUG}};
    int format = 0, level = 0;
    p.section = "log";
    cfg_t *sec = cfg_getsec(cfg, "log");
    SP_TRY(take_word(&p, sec, "format", WORDS(formats), &format));
    SP_TRY(take_word(&p, sec, "level", WORDS(levels), &level));
    c->log_format = (enum sp_log_format)format;
    c->log_level = (enum sp_log_level)level;
    return SP_OK;
}

static enum sp_err take_kib(const struct place *p, cfg_t *cfg, const char *key,
                            uint64_t *out)
{
    const long most = 1 << 24; /* 16 GiB, as large as a file may be */
    char message[96];
    long n = cfg_getint(cfg, key);
    if (n < 1 || n > most) {
        snprintf(message, sizeof message, "%s is 1 to %ld (KiB)", key, most);
        return complain(p, key, message);
    }
    *out = (uint64_t)n * 1024;
    return SP_OK;
}

static enum sp_err take_release(struct sp_config *c, cfg_t *cfg, const struct place *p)
{
    static const struct word releases[] = {{"tail-hold", 1}, {"verified", 0}};
    int tail_hold = 0;
    SP_TRY(take_word(p, cfg, "content_release", WORDS(releases), &tail_hold));
    c->release.tail_hold = tail_hold != 0;
    SP_TRY(take_kib(p, cfg, "content_hold_kib", &c->release.hold));
    return take_kib(p, cfg, "content_threshold_kib", &c->release.threshold);
}

static enum sp_err take_cache(struct sp_config *c, cfg_t *cfg, const struct place *p)
{
    static const struct word rechecks[] = {{"first-read", 0}, {"always", 1}};
    long max = 0, low = 0, rate = 0;
    int always = 0;
    SP_TRY(take_number(p, cfg, "cache_max", 0, 1L << 40, &max));
    SP_TRY(take_number(p, cfg, "cache_floor", 0, 50, &low));
    SP_TRY(take_number(p, cfg, "scrub_rate", 1, 1L << 20, &rate));
    SP_TRY(take_word(p, cfg, "recheck", WORDS(rechecks), &always));
    c->cache_max = SP_MIB((uint64_t)max);
    c->cache_floor = (unsigned)low;
    c->scrub_rate = SP_MIB((uint64_t)rate);
    c->recheck_always = always != 0;
    return SP_OK;
}

static enum sp_err take_posture(struct sp_config *c, cfg_t *cfg, const struct place *p)
{
    static const struct word profiles[] = {{"standard", 0}, {"long", 1}, {"off", 2}};
    static const struct sp_posture_profile *const meant[] = {&sp_posture_standard,
                                                             &sp_posture_long, NULL};
    int profile = 0;
    long interval = 0;
    SP_TRY(take_word(p, cfg, "posture", WORDS(profiles), &profile));
    SP_TRY(take_number(p, cfg, "posture_interval", 0, 1000000, &interval));
    SP_TRY(take_number(p, cfg, "freshness_days", 0, 366, &c->freshness_days));
    c->posture = meant[profile];
    c->posture_interval = (unsigned)interval;
    return SP_OK;
}

static enum sp_err take_peers(struct sp_config *c, cfg_t *cfg, const struct place *p)
{
    struct sp_peer_limits *l = &c->peers;
    long rate = 0, metadata = 0, content = 0, mib = 0, content_mib = 0;
    SP_TRY(take_number(p, cfg, "peer_rate", 0, 1000000, &rate));
    SP_TRY(take_number(p, cfg, "peer_at_once", 0, 1000000, &metadata));
    SP_TRY(take_number(p, cfg, "peer_mib", 0, 1L << 20, &mib));
    SP_TRY(take_number(p, cfg, "peer_content_at_once", 0, 1000000, &content));
    SP_TRY(take_number(p, cfg, "peer_content_mib", 0, 1L << 20, &content_mib));
    l->rate = (unsigned)rate;
    l->at_once[SP_PEER_METADATA] = (unsigned)metadata;
    l->at_once[SP_PEER_CONTENT] = (unsigned)content;
    l->bytes[SP_PEER_METADATA] = SP_MIB((uint64_t)mib);
    l->bytes[SP_PEER_CONTENT] = SP_MIB((uint64_t)content_mib);
    return SP_OK;
}

/* ---- the offline catalogue ------------------------------------------------------- */

/* Bytes of a path that nobody writes in two ways. */
static bool is_simple_path(const char *s)
{
    static const char marks[] = "/._-~";
    if (*s != '/' || strlen(s) > 255 || strstr(s, "//") || strstr(s, "/.")) {
        return false;
    }
    for (; *s; s++) {
        bool is_plain = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
                        (*s >= 'A' && *s <= 'Z');
        if (!is_plain && !strchr(marks, *s)) {
            return false;
        }
    }
    return true;
}

/* The url is cut into where the server is and what is asked for there, which has to
 * be simple; wrong says what is wanted else. */
static enum sp_err take_source(const struct place *p, cfg_t *sec,
                               struct sp_config_upstream *u, char **target,
                               const char *wrong)
{
    const size_t lead = sizeof "https://" - 1;
    u->line = sp_config_line(p->text, p->section, p->title, NULL);
    SP_TRY(take_string(sec, "url", &u->url));
    SP_TRY(take_string(sec, "ca_file", &u->ca_file));
    SP_TRY(take_string(sec, "proxy", &u->proxy));
    u->name = strdup(p->title);
    if (!u->name) {
        return SP_E_NOMEM;
    }
    char *slash =
        strncmp(u->url, "https://", lead) == 0 ? strchr(u->url + lead, '/') : NULL;
    if (!slash || !is_simple_path(slash)) {
        return complain(p, "url", wrong);
    }
    *target = strdup(slash);
    *slash = 0;
    if (!u->ca_file[0]) {
        return complain(
            p, "ca_file",
            _("ca_file is missing: the CA certificate the source's chain leads to"));
    }
    return *target ? take_pins(p, sec, u) : SP_E_NOMEM;
}

static enum sp_err take_catalog(const struct place *p, cfg_t *sec,
                                struct sp_config_catalog *k)
{
    enum { LEAST = 60, MOST = 10080 };
    long interval = 0, max = 0;
    k->source.client_certificate = strdup("");
    k->source.client_key = strdup("");
    if (!k->source.client_certificate || !k->source.client_key) {
        return SP_E_NOMEM;
    }
    SP_TRY(take_source(p, sec, &k->source, &k->target,
                       _("the source must be https://host[:port]/path, without a "
                         "query: over plain HTTP "
                         "an old catalogue can be passed off as new")));
    SP_TRY(take_string(sec, "path", &k->path));
    SP_TRY(take_number(p, sec, "interval", 0, 1L << 30, &interval));
    SP_TRY(take_number(p, sec, "max_mib", 1, 4095, &max));
    if (!is_simple_path(k->path) ||
        sp_route(sp_view_str(k->path)).kind != SP_ROUTE_NONE ||
        sp_view_starts(sp_view_str(k->path), SP_VIEW("/Content/"))) {
        return complain(p, "path",
                        _("path is one of letters, digits and / . _ -, as "
                          "/catalog/wsusscn2.cab, and none that WSUS uses"));
    }
    k->asked = (unsigned)interval;
    k->interval = interval < LEAST ? LEAST : interval > MOST ? MOST : k->asked;
    k->ceiling = SP_MIB((uint64_t)max);
    return SP_OK;
}

static enum sp_err take_catalogs(struct sp_config *c, cfg_t *cfg, struct place p)
{
    size_t count = cfg_size(cfg, "catalog");
    if (count == 0) {
        return SP_OK;
    }
    p.section = "catalog";
    cfg_t *sec = cfg_getnsec(cfg, "catalog", (unsigned)count - 1);
    p.title = cfg_title(sec);
    if (count > 1) {
        return complain(&p, NULL,
                        _("there is one catalogue: no second section, please"));
    }
    c->catalog = calloc(1, sizeof *c->catalog);
    return c->catalog ? take_catalog(&p, sec, c->catalog) : SP_E_NOMEM;
}

static enum sp_err take_witnesses(struct sp_config *c, cfg_t *cfg, struct place p)
{
    const char *key = NULL, *what = NULL;
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
        enum sp_err e = sp_config_take_witness(c, sec, w, &key, &what);
        if (e != SP_OK) {
            return e == SP_E_CONFIG ? complain(&p, key, what) : e;
        }
    }
    return SP_OK;
}

static enum sp_err take_cosigner(const struct place *p, const struct sp_config *c,
                                 cfg_t *sec, struct sp_config_cosigner *k)
{
    const char *key = NULL, *what = NULL;
    struct sp_config_upstream *u = &k->source;
    SP_TRY(take_string(sec, "client_certificate", &u->client_certificate));
    SP_TRY(take_string(sec, "client_key", &u->client_key));
    SP_TRY(take_source(p, sec, u, &k->prefix,
                       _("a witness is https://host[:port]/prefix, as "
                         "https://west.example:8531/witness")));
    if (!u->client_certificate[0] != !u->client_key[0]) {
        return complain(p, "client_certificate",
                        _("client_certificate and client_key go together"));
    }
    enum sp_err e = sp_config_take_cosigner(c, sec, k, &key, &what);
    return e == SP_E_CONFIG ? complain(p, key, what) : e;
}

static enum sp_err take_cosigners(struct sp_config *c, cfg_t *cfg, struct place p)
{
    unsigned count = cfg_size(cfg, "cosigner");
    long wanted = cfg_getint(cfg, "cosignatures");
    if (count > SP_LIMIT_COSIGNERS || wanted < (count ? 1 : 0) ||
        wanted > (long)count) {
        return complain(
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

static bool is_loopback(const char *bind)
{
    return strncmp(bind, "127.", 4) == 0 || strncmp(bind, "[::1]:", 6) == 0;
}

static enum sp_err take_sandbox(struct sp_config *c, cfg_t *cfg, const struct place *p)
{
    static const struct word ways[] = {{"on", 1}, {"off", 0}};
    int on = 0;
    SP_TRY(take_word(p, cfg, "sandbox", WORDS(ways), &on));
    c->sandbox = on != 0;
    return SP_OK;
}

static enum sp_err take_admin(struct sp_config *c, cfg_t *cfg, struct place p)
{
    const char *key = NULL, *what = NULL;
    p.section = "admin";
    enum sp_err e =
        sp_config_take_admin(cfg_getsec(cfg, "admin"), &c->admin, &key, &what);
    c->admin.remote.line = sp_config_line(p.text, "admin", NULL, NULL);
    if (e == SP_OK && c->admin.remote.bind[0] && !c->admin_bind[0]) {
        return complain(&p, "remote_bind",
                        _("the commands on this machine need bind as well"));
    }
    return e == SP_E_CONFIG && what ? complain(&p, key, what) : e;
}

enum sp_err sp_config_take(struct sp_config *c, cfg_t *cfg, struct sp_view text,
                           struct sp_why *why)
{
    struct place p = {.file = c->file, .text = text, .why = why};
    SP_TRY(take_string(cfg, "state_dir", &c->state_dir));
    SP_TRY(take_string(cfg, "cache_dir", &c->cache_dir));
    SP_TRY(take_string(cfg, "policy", &c->policy));
    SP_TRY(take_string(cfg, "ledger_name", &c->ledger_name));
    SP_TRY(take_string(cfg, "user", &c->user));
    SP_TRY(take_string(cfg, "group", &c->group));
    SP_TRY(take_string(cfg, "code_signing_pins", &c->signing_pins));
    SP_TRY(take_string(cfg, "code_signing_bundle", &c->signing_bundle));
    SP_TRY(take_strings(cfg, "code_signing_crls", &c->signing_crls,
                        &c->signing_crl_count));
    SP_TRY(take_string(cfg_getsec(cfg, "admin"), "bind", &c->admin_bind));
    if (!c->state_dir[0] || !c->cache_dir[0]) {
        return complain(&p, c->state_dir[0] ? "cache_dir" : "state_dir",
                        _("the directory may not be empty"));
    }
    if (c->admin_bind[0] &&
        !(is_loopback(c->admin_bind) && sp_config_is_address(c->admin_bind))) {
        p.section = "admin";
        return complain(
            &p, "bind",
            _("the admin listener speaks without TLS and without a login, so it "
              "stays on loopback: 127.0.0.1:PORT or [::1]:PORT; remote_bind is for "
              "others"));
    }
    SP_TRY(take_admin(c, cfg, p));
    SP_TRY(take_sandbox(c, cfg, &p));
    if (c->group[0] && (!c->user[0] || strcmp(c->user, "root") == 0)) {
        return complain(&p, "group", _("group goes with user, which is not root"));
    }
    long workers = cfg_getint(cfg, "workers");
    if (workers < 0 || workers > 256) {
        return complain(&p, "workers", _("workers is 0 (one a core) to 256"));
    }
    c->workers = (unsigned)workers;
    long memory = cfg_getint(cfg, "metadata_memory_mib");
    if (memory < 1 || memory > 1 << 20) {
        return complain(&p, "metadata_memory_mib",
                        _("metadata_memory_mib is 1 to 1048576"));
    }
    c->metadata_memory = SP_MIB(memory);
    SP_TRY(take_peers(c, cfg, &p));
    SP_TRY(take_release(c, cfg, &p));
    SP_TRY(take_cache(c, cfg, &p));
    SP_TRY(take_posture(c, cfg, &p));
    SP_TRY(take_keys(&p, cfg, "cosigns", false, &c->cosigns));
    SP_TRY(take_log(c, cfg, p));
    SP_TRY(take_catalogs(c, cfg, p));
    SP_TRY(take_sections(c, cfg, p));
    SP_TRY(take_cosigners(c, cfg, p));
    return take_witnesses(c, cfg, p);
}
