#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/config/trust_files.h"
#include "app/fill/inspect.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "sallyport/policy.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct digest {
    enum sp_fact claim;
    uint8_t bytes[32];
};
struct wanted {
    struct digest at[32];
    size_t count;
};

/* All that the command line says. */
struct verify {
    struct wanted wanted;
    const char *catalogs[SP_CATALOGS_MAX]; /* borrowed from argv */
    size_t catalog_count;
    const char *config_file, *trust_file, *bundle, *at; /* borrowed from argv */
    bool as_json, is_quiet;
    struct sp_config *config;   /* owned; NULL where none is named */
    struct sp_trust *trust;     /* owned */
    struct sp_policy *policy;   /* owned */
    struct sp_catalogs *listed; /* owned; NULL where none is named */
    int64_t now;
};

static void verify_fini(struct verify *v)
{
    sp_config_free(&v->config);
    sp_trust_free(&v->trust);
    sp_policy_free(&v->policy);
    sp_catalogs_free(&v->listed);
}

/* "sha256:HEX", "sha1:HEX", or a bare hex or base64 digest of either length. */
static enum sp_err digest_parse(const char *text, struct digest *out)
{
    struct sp_view v = sp_view_str(text);
    if (sp_view_starts(v, SP_VIEW("sha256:"))) {
        v = sp_view_slice(v, 7, v.len);
    } else if (sp_view_starts(v, SP_VIEW("sha1:"))) {
        v = sp_view_slice(v, 5, v.len);
    }
    bool is_sha256 = v.len == 64 || v.len == 44;
    size_t n = is_sha256 ? 32 : 20;
    out->claim = is_sha256 ? SP_FACT_FILE_CLAIM_SHA256 : SP_FACT_FILE_CLAIM_SHA1;
    return v.len == 64 || v.len == 40 ? sp_hex_parse(v, out->bytes, n)
                                      : sp_base64_parse_exact(v, out->bytes, n);
}

static bool take_digest(struct verify *v, const char *value)
{
    struct wanted *w = &v->wanted;
    if (!value || w->count == sizeof w->at / sizeof w->at[0] ||
        digest_parse(value, &w->at[w->count]) != SP_OK) {
        fprintf(stderr,
                _("sallyport: --digest takes sha1:HEX or sha256:HEX (or base64), "
                  "at most 32 times\n"));
        return false;
    }
    w->count++;
    return true;
}

static bool take_catalog(struct verify *v, const char *value)
{
    if (!value || v->catalog_count == SP_CATALOGS_MAX) {
        fprintf(stderr, _("sallyport: --catalog takes a file, at most %d times\n"),
                SP_CATALOGS_MAX);
        return false;
    }
    v->catalogs[v->catalog_count++] = value;
    return true;
}

/* Takes what may stand several times out of argv, which sp_options gives only once. */
static bool take_repeated(int *argc, char **argv, struct verify *v)
{
    int left = 0;
    for (int i = 0; i < *argc; i++) {
        bool is_digest = strcmp(argv[i], "--digest") == 0;
        if (!is_digest && strcmp(argv[i], "--catalog") != 0) {
            argv[left++] = argv[i];
            continue;
        }
        const char *value = ++i < *argc ? argv[i] : NULL;
        if (!(is_digest ? take_digest(v, value) : take_catalog(v, value))) {
            return false;
        }
    }
    *argc = left;
    return true;
}

static bool wants_signatures(const struct verify *v)
{
    return v->trust_file || v->bundle || v->wanted.count == 0;
}

/* A line about what metadata claims; there is none here. */
static bool is_about_claims(struct sp_view line)
{
    struct sp_view rule = sp_view_slice(line, 0, sp_view_find(line, ' '));
    return sp_view_eq_str(rule, sp_rule_text(SP_RULE_FILE_SIZE)) ||
           sp_view_eq_str(rule, sp_rule_text(SP_RULE_FILE_SHA1)) ||
           sp_view_eq_str(rule, sp_rule_text(SP_RULE_FILE_SHA256));
}

/* The configured policy without those lines. */
static enum sp_err print_configured(const struct verify *v, struct sp_buf *out,
                                    struct sp_why *why)
{
    SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_POLICY);
    SP_TRY(sp_policy_load(v->config->policy, &p, why));
    SP_TRY(sp_policy_print(p, &text));
    for (struct sp_view rest = sp_buf_view(&text); rest.len > 0;) {
        size_t end = sp_view_find(rest, '\n') + 1;
        struct sp_view line = sp_view_slice(rest, 0, end);
        SP_TRY(is_about_claims(line) ? SP_OK : sp_buf_append(out, line));
        rest = sp_view_slice(rest, end, rest.len);
    }
    return SP_OK;
}

static enum sp_err print_own(const struct verify *v, struct sp_buf *out)
{
    return sp_buf_printf(out, "policy verify\n%s",
                         wants_signatures(v)
                             ? "file-not-revoked enforce\nfile-signed enforce\n"
                               "file-signature-strict enforce\nfile-type-agrees "
                               "enforce\nfile-digest-strong enforce\n"
                             : "");
}

/* What is asked for is demanded: digests where some were named, and what the configured
 * policy demands; without one signatures, where it was said whom to trust or nothing
 * else was asked. */
static enum sp_err make_policy(const struct verify *v, struct sp_policy **out,
                               struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    bool sha1 = false, sha256 = false;
    sp_buf_init(&text, SP_LIMIT_POLICY);
    for (size_t i = 0; i < v->wanted.count; i++) {
        bool is_sha256 = v->wanted.at[i].claim == SP_FACT_FILE_CLAIM_SHA256;
        sha256 = sha256 || is_sha256;
        sha1 = sha1 || !is_sha256;
    }
    SP_TRY(v->config ? print_configured(v, &text, why) : print_own(v, &text));
    SP_TRY(sp_buf_printf(&text, "%s%s", sha1 ? "file-sha1 enforce\n" : "",
                         sha256 ? "file-sha256 enforce\n" : ""));
    return sp_policy_parse(sp_buf_view(&text), out, why);
}

static enum sp_err load_trust(struct verify *v, struct sp_why *why)
{
    struct sp_trust_files files = {.pins = v->trust_file, .bundle = v->bundle};
    if (!v->config_file) {
        return sp_trust_load(&files, &v->trust, why);
    }
    if (v->trust_file || v->bundle) {
        return sp_why_set(
            why, SP_E_USAGE,
            _("-c says whom to trust: --trust and --bundle do not go with it"));
    }
    SP_TRY(sp_config_load(v->config_file, &v->config, why));
    return sp_trust_load_config(v->config, &v->trust, why);
}

static enum sp_err load_catalogs(struct verify *v, struct sp_why *why)
{
    SP_TRY(v->catalog_count ? sp_catalogs_new(&v->listed) : SP_OK);
    for (size_t i = 0; i < v->catalog_count; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf bytes = {0};
        SP_TRY(sp_file_read_most(v->catalogs[i], SP_LIMIT_SIGNATURE, &bytes, why));
        SP_TRY(
            sp_catalogs_add(v->listed, v->catalogs[i], &bytes, v->trust, v->now, why));
    }
    return SP_OK;
}

static enum sp_err prepare(struct verify *v, struct sp_why *why)
{
    v->now = (int64_t)time(NULL);
    if (v->at && sp_time_parse(sp_view_str(v->at), &v->now) != SP_OK) {
        return sp_why_set(why, SP_E_USAGE,
                          _("--at takes a time as 2026-01-02T03:04:05Z"));
    }
    SP_TRY(load_trust(v, why));
    SP_TRY(load_catalogs(v, why));
    return make_policy(v, &v->policy, why);
}

enum { LARGE = 64 << 20 }; /* bytes to read for which it is shown how far it is */

/* The first step tells how much there is to read. */
static void show_progress(void *ctx, uint64_t done, uint64_t all)
{
    struct sp_bar *bar = ctx;
    if (!bar->out) {
        sp_bar_init(bar, _("read"), all >= LARGE ? all : 0);
        bar->is_bytes = true;
    }
    sp_bar_at(bar, done);
}

/* ---- saying it ---- */

static void print_text(const struct sp_facts *f, const char *label, enum sp_fact k)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        printf("  %s" SP_VIEW_FMT, label, SP_VIEW_ARG(v.bytes));
    }
}

static void print_hex(const struct sp_facts *f, const char *label, enum sp_fact k)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        printf("  %s ", label);
        for (size_t j = 0; j < v.bytes.len; j++) {
            printf("%02x", v.bytes.data[j]);
        }
    }
}

static void print_line(const char *path, const struct sp_facts *f,
                       const struct sp_verdict *v)
{
    struct sp_fact_value size;
    printf("%s  %s", sp_ruling_text(v->ruling), path);
    if (sp_facts_get(f, SP_FACT_FILE_SIZE, 0, &size)) {
        printf(_("  %jd bytes"), size.number);
    }
    print_text(f, "", SP_FACT_SIGN_FORMAT);
    print_hex(f, "sha1", SP_FACT_FILE_SHA1);
    print_hex(f, "sha256", SP_FACT_FILE_SHA256);
    print_text(f, "", SP_FACT_SIGN_SIGNATURE);
    print_text(f, "", SP_FACT_SIGN_CATALOG);
    if (v->ruling == SP_REFUSED) {
        printf("  %s: %s\n", sp_rule_text(v->rule), v->why.text);
        return;
    }
    print_text(f, _("note: "), SP_FACT_SIGN_ERROR);
    printf("\n");
}

static json_t *json_of(enum sp_fact k, const struct sp_fact_value *v)
{
    char hex[2 * 64 + 1] = "";
    switch (sp_fact_kind(k)) {
    case SP_FACT_KIND_TEXT:
        return json_stringn((const char *)v->bytes.data, v->bytes.len);
    case SP_FACT_KIND_INT:
        return json_integer(v->number);
    case SP_FACT_KIND_FLAG:
        return json_boolean(v->number != 0);
    case SP_FACT_KIND_DIGEST:
    case SP_FACT_KIND_GUID:
        for (size_t i = 0; i < v->bytes.len && i < 64; i++) {
            snprintf(hex + 2 * i, 3, "%02x", v->bytes.data[i]);
        }
        return json_string(hex);
    }
    return NULL;
}

/* One object a line: every fact by its key, a list where there may be several. */
static void print_json(const struct sp_facts *f)
{
    json_t *all = json_object();
    for (enum sp_fact k = 0; k < SP_FACT_COUNT; k++) {
        struct sp_fact_value v;
        json_t *list = json_array();
        for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
            json_array_append_new(list, json_of(k, &v));
        }
        if (json_array_size(list) > 0) {
            json_object_set(all, sp_fact_key(k), list);
        }
        json_decref(list);
    }
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(all);
}

static enum sp_err add_claims(const struct wanted *w, struct sp_facts *facts)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct digest *d = &w->at[i];
        size_t n = d->claim == SP_FACT_FILE_CLAIM_SHA256 ? 32 : 20;
        SP_TRY(sp_facts_bytes(facts, d->claim, sp_view(d->bytes, n)));
    }
    return SP_OK;
}

/* What carries no signature is proven by nothing but a digest. */
static void judge(const struct verify *v, const struct sp_facts *facts,
                  struct sp_verdict *out)
{
    struct sp_fact_value class;
    sp_policy_judge(v->policy, SP_SUBJECT_FILE, facts, out);
    bool is_hash_only = sp_facts_get(facts, SP_FACT_SIGN_CLASS, 0, &class) &&
                        sp_view_eq(class.bytes, SP_VIEW("hash-only"));
    if (out->ruling == SP_PASSED && is_hash_only && v->wanted.count == 0 &&
        !sp_facts_has_flag(facts, SP_FACT_SIGN_LISTED)) {
        out->ruling = SP_UNPROVEN;
    }
}

static enum sp_err verify_file(const struct verify *v, const char *path,
                               struct sp_verdict *verdict, struct sp_why *why)
{
    struct sp_bar bar = {0};
    struct sp_progress progress = {v->is_quiet ? NULL : show_progress, &bar};
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    SP_TRY(sp_facts_new(SP_MIB(1), &facts));
    SP_TRY(add_claims(&v->wanted, facts));
    enum sp_err e =
        sp_inspect_file(path, v->trust, v->listed, v->now, &progress, facts, why);
    if (bar.out) {
        sp_bar_at(&bar, e == SP_OK ? bar.all : 0); /* not every file is read twice */
        sp_bar_end(&bar);
    }
    SP_TRY(e);
    judge(v, facts, verdict);
    if (v->as_json) {
        SP_TRY(sp_verdict_to_facts(verdict, v->policy, facts));
        print_json(facts);
    } else if (!v->is_quiet || verdict->ruling != SP_PASSED) {
        print_line(path, facts, verdict);
    }
    return SP_OK;
}

static int verify_one(const struct verify *v, const char *path)
{
    struct sp_verdict verdict;
    struct sp_why why = {0};
    enum sp_err e = verify_file(v, path, &verdict, &why);
    if (e != SP_OK) {
        fprintf(stderr, "sallyport: %s\n", sp_why_text(&why, e));
        return SP_EXIT_UNKNOWN;
    }
    return verdict.ruling == SP_REFUSED ? SP_EXIT_REFUSED : SP_EXIT_PASSED;
}

int sp_cmd_verify(int argc, char **argv)
{
    SP_AUTO(verify_fini) struct verify v = {0};
    char **files = NULL;
    struct sp_why why = {0};
    const struct sp_option options[] = {
        {"-c", &v.config_file, NULL},  {"--trust", &v.trust_file, NULL},
        {"--bundle", &v.bundle, NULL}, {"--at", &v.at, NULL},
        {"--json", NULL, &v.as_json},  {"--quiet", NULL, &v.is_quiet}};
    if (!take_repeated(&argc, argv, &v)) {
        return SP_EXIT_USAGE;
    }
    int count =
        sp_options(argc, argv, options, sizeof options / sizeof options[0], &files);
    if (count <= 0) {
        return sp_cmd_usage("verify", count);
    }
    enum sp_err e = prepare(&v, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    int status = SP_EXIT_PASSED;
    for (int i = 0; i < count; i++) {
        int one = verify_one(&v, files[i]);
        status = one > status ? one : status;
    }
    return status;
}
