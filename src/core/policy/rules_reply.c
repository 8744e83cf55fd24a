#include "core/policy/rules.h"

#include "core/base/text.h"

enum sp_finding sp_rule_reply_wellformed(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_has_flag(f, SP_FACT_REPLY_WELLFORMED)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "the reply does not have the shape of its operation"));
}

static bool is_alphanumeric(struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9')) {
            return false;
        }
    }
    return v.len > 0;
}

/* v without the ending, which may be in either case; empty where v does not end so. */
static struct sp_view without_ending(struct sp_view v, const char *ending)
{
    struct sp_view e = sp_view_str(ending);
    size_t at = v.len >= e.len ? v.len - e.len : v.len;
    bool ends = sp_view_eq_fold(sp_view_slice(v, at, v.len), e);
    return sp_view_slice(v, 0, ends ? at : 0);
}

/* "SomethingWebService/Something.asmx": letters and digits only, so there is no room
 * for a scheme, a host, a parent folder or an escape. */
static bool is_service_path(struct sp_view v)
{
    size_t slash = sp_view_find(v, '/');
    struct sp_view folder = sp_view_slice(v, 0, slash);
    struct sp_view file = sp_view_slice(v, slash + 1, v.len);
    return is_alphanumeric(without_ending(folder, "WebService")) &&
           is_alphanumeric(without_ending(file, ".asmx"));
}

static bool is_known_service(struct sp_view v)
{
    static const char *const known[] = {
        "DssAuthWebService/DssAuthWebService.asmx",
        "SimpleAuthWebService/SimpleAuth.asmx",
        "ServerSyncWebService/ServerSyncWebService.asmx",
        "ClientWebService/Client.asmx",
        "ReportingWebService/ReportingWebService.asmx",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (sp_view_eq_fold(v, sp_view_str(known[i]))) {
            return true;
        }
    }
    return false;
}

/* Real servers write two slashes in places. RFC 3986 reads the word behind them as a
 * host, so there only names are good that nobody but the services bears. */
static bool is_relative(struct sp_view url)
{
    if (sp_view_starts(url, SP_VIEW("//"))) {
        return is_known_service(sp_view_slice(url, 2, url.len));
    }
    size_t slash = sp_view_starts(url, SP_VIEW("/")) ? 1 : 0;
    return is_service_path(sp_view_slice(url, slash, url.len));
}

enum sp_finding sp_rule_service_url_relative(const struct sp_facts *f,
                                             struct sp_why *why)
{
    struct sp_fact_value v;
    if (sp_facts_count(f, SP_FACT_REPLY_SERVICE_URL) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    for (size_t i = 0; sp_facts_get(f, SP_FACT_REPLY_SERVICE_URL, i, &v); i++) {
        if (!is_relative(v.bytes)) {
            struct sp_view head = sp_view_slice(v.bytes, 0, 120);
            return sp_fails(sp_why_set(
                why, SP_E_MISMATCH,
                "the reply sends callers to \"" SP_VIEW_FMT "\"; a path like "
                "\"SimpleAuthWebService/SimpleAuth.asmx\" was expected, which keeps "
                "them here",
                SP_VIEW_ARG(head)));
        }
    }
    return SP_HOLDS;
}

/* "57,2026-01-02 03:04:10.120": a counter and a time, as every known server writes it.
 * The protocol calls it opaque, so nothing is said about any other. */
struct anchor {
    uint64_t counter;
    struct sp_view time;
};

static bool read_anchor(const struct sp_facts *f, enum sp_fact k, struct anchor *out)
{
    enum { TIME_LEAST = 19 };
    struct sp_fact_value v;
    if (!sp_rule_one(f, k, &v)) {
        return false;
    }
    size_t comma = sp_view_find(v.bytes, ',');
    out->time = sp_view_slice(v.bytes, comma + 1, v.bytes.len);
    return out->time.len >= TIME_LEAST &&
           sp_u64_parse(sp_view_slice(v.bytes, 0, comma), INT64_MAX, &out->counter) ==
               SP_OK;
}

/* threats L4: an old reply that is played again takes the asker back. */
enum sp_finding sp_rule_anchor_not_older(const struct sp_facts *f, struct sp_why *why)
{
    struct anchor asked, came;
    if (!read_anchor(f, SP_FACT_REQUEST_ANCHOR, &asked) ||
        !read_anchor(f, SP_FACT_REPLY_ANCHOR, &came)) {
        return SP_DOES_NOT_APPLY;
    }
    bool older =
        came.counter < asked.counter ||
        (came.counter == asked.counter && sp_view_cmp(came.time, asked.time) < 0);
    if (!older) {
        return SP_HOLDS;
    }
    return sp_fails(
        sp_why_set(why, SP_E_MISMATCH,
                   "the asker stands at %s and the reply ends at %s, which is "
                   "before it: an old reply, or an upstream that was set back",
                   sp_rule_say(f, SP_FACT_REQUEST_ANCHOR).text,
                   sp_rule_say(f, SP_FACT_REPLY_ANCHOR).text));
}
