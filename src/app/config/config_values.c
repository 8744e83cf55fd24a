/* What the keys mean: words to values, and everything that must fit together inside of
 * the file. What needs other files is checked in world.c. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sp_err take_sections(struct sp_config *c, cfg_t *cfg,
                                 struct sp_config_place p)
{
    size_t upstreams = cfg_size(cfg, "upstream"), listeners = cfg_size(cfg, "listener");
    if (upstreams == 0 || listeners == 0) {
        return sp_config_wrong(
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
        SP_TRY(sp_config_take_upstream(&p, sec, &c->upstreams[i]));
    }
    p.section = "listener";
    for (unsigned i = 0; i < listeners; i++) {
        cfg_t *sec = cfg_getnsec(cfg, "listener", i);
        p.title = cfg_title(sec);
        c->listener_count++;
        SP_TRY(sp_config_take_listener(&p, sec, c, &c->listeners[i]));
    }
    return SP_OK;
}

static enum sp_err take_log(struct sp_config *c, cfg_t *cfg, struct sp_config_place p)
{
    static const struct sp_config_word formats[] = {
        {"json", SP_LOG_JSON}, {"text", SP_LOG_TEXT}, {"journal", SP_LOG_JOURNAL}};
    static const struct sp_config_word levels[] = {{"error", SP_LOG_ERROR},
                                                   {"warning", SP_LOG_WARNING},
                                                   {"info", SP_LOG_INFO},
                                                   {"debug", SP_LOG_DEBUG}};
    int format = 0, level = 0;
    p.section = "log";
    cfg_t *sec = cfg_getsec(cfg, "log");
    SP_TRY(sp_take_word(&p, sec, "format", SP_WORDS(formats), &format));
    SP_TRY(sp_take_word(&p, sec, "level", SP_WORDS(levels), &level));
    c->log_format = (enum sp_log_format)format;
    c->log_level = (enum sp_log_level)level;
    return SP_OK;
}

static enum sp_err take_kib(const struct sp_config_place *p, cfg_t *cfg,
                            const char *key, uint64_t *out)
{
    const long most = 1 << 24; /* 16 GiB, as large as a file may be */
    char message[96];
    long n = cfg_getint(cfg, key);
    if (n < 1 || n > most) {
        snprintf(message, sizeof message, "%s is 1 to %ld (KiB)", key, most);
        return sp_config_wrong(p, key, message);
    }
    *out = (uint64_t)n * 1024;
    return SP_OK;
}

static enum sp_err take_release(struct sp_config *c, cfg_t *cfg,
                                const struct sp_config_place *p)
{
    static const struct sp_config_word releases[] = {{"tail-hold", 1}, {"verified", 0}};
    int tail_hold = 0;
    SP_TRY(sp_take_word(p, cfg, "content_release", SP_WORDS(releases), &tail_hold));
    c->release.tail_hold = tail_hold != 0;
    SP_TRY(take_kib(p, cfg, "content_hold_kib", &c->release.hold));
    return take_kib(p, cfg, "content_threshold_kib", &c->release.threshold);
}

static enum sp_err take_cache(struct sp_config *c, cfg_t *cfg,
                              const struct sp_config_place *p)
{
    static const struct sp_config_word rechecks[] = {{"first-read", 0}, {"always", 1}};
    long max = 0, low = 0, rate = 0;
    int always = 0;
    SP_TRY(sp_take_number(p, cfg, "cache_max", 0, 1L << 40, &max));
    SP_TRY(sp_take_number(p, cfg, "cache_floor", 0, 50, &low));
    SP_TRY(sp_take_number(p, cfg, "scrub_rate", 1, 1L << 20, &rate));
    SP_TRY(sp_take_word(p, cfg, "recheck", SP_WORDS(rechecks), &always));
    c->cache_max = SP_MIB((uint64_t)max);
    c->cache_floor = (unsigned)low;
    c->scrub_rate = SP_MIB((uint64_t)rate);
    c->recheck_always = always != 0;
    return SP_OK;
}

static enum sp_err take_posture(struct sp_config *c, cfg_t *cfg,
                                const struct sp_config_place *p)
{
    static const struct sp_config_word profiles[] = {
        {"standard", 0}, {"long", 1}, {"off", 2}};
    static const struct sp_posture_profile *const meant[] = {&sp_posture_standard,
                                                             &sp_posture_long, NULL};
    int profile = 0;
    long interval = 0;
    SP_TRY(sp_take_word(p, cfg, "posture", SP_WORDS(profiles), &profile));
    SP_TRY(sp_take_number(p, cfg, "posture_interval", 0, 1000000, &interval));
    SP_TRY(sp_take_number(p, cfg, "freshness_days", 0, 366, &c->freshness_days));
    c->posture = meant[profile];
    c->posture_interval = (unsigned)interval;
    return SP_OK;
}

static enum sp_err take_peers(struct sp_config *c, cfg_t *cfg,
                              const struct sp_config_place *p)
{
    struct sp_peer_limits *l = &c->peers;
    long rate = 0, metadata = 0, content = 0, mib = 0, content_mib = 0, conns = 0;
    SP_TRY(sp_take_number(p, cfg, "peer_rate", 0, 1000000, &rate));
    SP_TRY(sp_take_number(p, cfg, "peer_at_once", 0, 1000000, &metadata));
    SP_TRY(sp_take_number(p, cfg, "peer_connections", 0, SP_LIMIT_CONNECTIONS, &conns));
    SP_TRY(sp_take_number(p, cfg, "peer_mib", 0, 1L << 20, &mib));
    SP_TRY(sp_take_number(p, cfg, "peer_content_at_once", 0, 1000000, &content));
    SP_TRY(sp_take_number(p, cfg, "peer_content_mib", 0, 1L << 20, &content_mib));
    c->peer_connections = (unsigned)conns;
    l->rate = (unsigned)rate;
    l->at_once[SP_PEER_METADATA] = (unsigned)metadata;
    l->at_once[SP_PEER_CONTENT] = (unsigned)content;
    l->bytes[SP_PEER_METADATA] = SP_MIB((uint64_t)mib);
    l->bytes[SP_PEER_CONTENT] = SP_MIB((uint64_t)content_mib);
    return SP_OK;
}

static enum sp_err take_switches(struct sp_config *c, cfg_t *cfg,
                                 const struct sp_config_place *p)
{
    static const struct sp_config_word ways[] = {{"on", 1}, {"off", 0}};
    static const struct sp_config_word where_it_can[] = {{"auto", 1}, {"off", 0}};
    int sandbox = 0, kernel = 0, own = 0;
    SP_TRY(sp_take_word(p, cfg, "sandbox", SP_WORDS(ways), &sandbox));
    SP_TRY(sp_take_word(p, cfg, "kernel_tls", SP_WORDS(where_it_can), &kernel));
    SP_TRY(sp_take_word(p, cfg, "own_records", SP_WORDS(where_it_can), &own));
    c->sandbox = sandbox != 0;
    c->kernel_tls = kernel != 0;
    c->own_records = own != 0;
    return SP_OK;
}

enum sp_err sp_config_take(struct sp_config *c, cfg_t *cfg, struct sp_view text,
                           struct sp_why *why)
{
    struct sp_config_place p = {.file = c->file, .text = text, .why = why};
    SP_TRY(sp_take_string(cfg, "state_dir", &c->state_dir));
    SP_TRY(sp_take_string(cfg, "cache_dir", &c->cache_dir));
    SP_TRY(sp_take_string(cfg, "policy", &c->policy));
    SP_TRY(sp_take_string(cfg, "ledger_name", &c->ledger_name));
    SP_TRY(sp_take_string(cfg, "user", &c->user));
    SP_TRY(sp_take_string(cfg, "group", &c->group));
    SP_TRY(sp_take_string(cfg, "code_signing_pins", &c->signing_pins));
    SP_TRY(sp_take_string(cfg, "code_signing_bundle", &c->signing_bundle));
    SP_TRY(sp_take_strings(cfg, "code_signing_crls", &c->signing_crls,
                           &c->signing_crl_count));
    if (!c->state_dir[0] || !c->cache_dir[0]) {
        return sp_config_wrong(&p, c->state_dir[0] ? "cache_dir" : "state_dir",
                               _("the directory may not be empty"));
    }
    SP_TRY(sp_config_take_admin(c, cfg, p));
    SP_TRY(take_switches(c, cfg, &p));
    if (c->group[0] && (!c->user[0] || strcmp(c->user, "root") == 0)) {
        return sp_config_wrong(&p, "group",
                               _("group goes with user, which is not root"));
    }
    long workers = cfg_getint(cfg, "workers");
    if (workers < 0 || workers > 256) {
        return sp_config_wrong(&p, "workers", _("workers is 0 (one a core) to 256"));
    }
    c->workers = (unsigned)workers;
    long memory = cfg_getint(cfg, "metadata_memory_mib");
    if (memory < 1 || memory > 1 << 20) {
        return sp_config_wrong(&p, "metadata_memory_mib",
                               _("metadata_memory_mib is 1 to 1048576"));
    }
    c->metadata_memory = SP_MIB(memory);
    SP_TRY(take_peers(c, cfg, &p));
    SP_TRY(take_release(c, cfg, &p));
    SP_TRY(take_cache(c, cfg, &p));
    SP_TRY(take_posture(c, cfg, &p));
    SP_TRY(sp_config_take_keys(&p, cfg, "cosigns", false, &c->cosigns));
    SP_TRY(take_log(c, cfg, p));
    SP_TRY(sp_config_take_catalogs(c, cfg, p));
    SP_TRY(take_sections(c, cfg, p));
    SP_TRY(sp_config_take_cosigners(c, cfg, p));
    return sp_config_take_witnesses(c, cfg, p);
}
