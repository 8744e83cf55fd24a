/* A bundle or an exported ledger, checked for a stranger who has the public key and
 * nothing else, and shown on a page. */
#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/proof/bundle_tools.h"
#include "core/base/text.h"
#include "core/custody/bundle.h"
#include "sallyport/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- one entry on the page ------------------------------------------------------- */

static void put_values(const struct sp_facts *f, enum sp_fact k, const char *label)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        struct sp_guid guid;
        char text[SP_GUID_TEXT];
        printf("    ");
        sp_terminal_pad(label, 12);
        printf(" ");
        switch (sp_fact_kind(k)) {
        case SP_FACT_KIND_TEXT:
            printf(SP_VIEW_FMT, SP_VIEW_ARG(v.bytes));
            break;
        case SP_FACT_KIND_INT:
        case SP_FACT_KIND_FLAG:
            printf("%" PRId64, v.number);
            break;
        case SP_FACT_KIND_DIGEST:
            for (size_t b = 0; b < v.bytes.len; b++) {
                printf("%02x", v.bytes.data[b]);
            }
            break;
        case SP_FACT_KIND_GUID:
            memcpy(guid.bytes, v.bytes.data, sizeof guid.bytes);
            sp_guid_format(&guid, text);
            printf("%s", text);
            break;
        }
        printf("\n");
    }
}

static enum sp_err put_entry(void *ctx, uint64_t index, struct sp_view entry)
{
    static const struct {
        enum sp_fact fact;
        const char *label;
    } rows[] = {
        {SP_FACT_DOCUMENT_TITLE, N_("title")},
        {SP_FACT_UPDATE_ID, N_("update")},
        {SP_FACT_UPDATE_REVISION, N_("revision")},
        {SP_FACT_UPSTREAM_HOST, N_("published by")},
        {SP_FACT_UPSTREAM_TLS, N_("over")},
        {SP_FACT_UPSTREAM_PIN, N_("key pinned")},
        {SP_FACT_UPSTREAM_SPKI, N_("keys shown")},
        {SP_FACT_DOCUMENT_SHA256, N_("document")},
        {SP_FACT_DOCUMENT_SIZE, N_("bytes")},
        {SP_FACT_FILE_CLAIM, N_("names file")},
        {SP_FACT_FILE_SHA1, N_("file SHA-1")},
        {SP_FACT_FILE_SHA256, N_("file SHA-256")},
        {SP_FACT_FILE_SIZE, N_("bytes")},
        {SP_FACT_SIGN_SIGNER, N_("signed by")},
        {SP_FACT_SIGN_TIME, N_("signed at")},
        {SP_FACT_SIGN_ROOT, N_("under root")},
        {SP_FACT_TIER_ORIGIN, N_("tier")},
        {SP_FACT_TIER_ENTRY, N_("tier entry")},
        {SP_FACT_TIER_COSIGNED, N_("cosignatures")},
        {SP_FACT_WITNESS_SAID, N_("witness")},
        {SP_FACT_VERDICT_RULING, N_("verdict")},
        {SP_FACT_VERDICT_RULE, N_("by rule")},
        {SP_FACT_VERDICT_POLICY, N_("policy")},
    };
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_fact_value kind = {0}, time = {0};
    (void)ctx;
    SP_TRY(sp_facts_decode(entry, &f, NULL));
    (void)sp_facts_get(f, SP_FACT_ENTRY_KIND, 0, &kind);
    (void)sp_facts_get(f, SP_FACT_ENTRY_TIME, 0, &time);
    printf(_("\n%.*s, received %.*s, entry %ju\n"), SP_VIEW_ARG(kind.bytes),
           SP_VIEW_ARG(time.bytes), index);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_values(f, rows[i].fact, sp_say(rows[i].label));
    }
    return SP_OK;
}

/* ---- files ----------------------------------------------------------------------- */

/* The key's text, or a file that holds it. */
static enum sp_err load_key(const char *key, struct sp_note_key **out,
                            struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_MIB(1));
    if (strchr(key, '+')) {
        return sp_note_key_import(sp_view_str(key), out, why);
    }
    SP_TRY(sp_file_read(key, &text, why));
    return sp_note_key_import(sp_view_trim(sp_buf_view(&text), " \t\r\n"), out, why);
}

static bool is_bundle(const char *file)
{
    uint8_t head[20] = {0};
    FILE *f = fopen(file, "re");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f) {
        fclose(f);
    }
    return sp_bundle_is(sp_view(head, n));
}

static enum sp_err read_whole(const char *file, struct sp_buf *out, struct sp_why *why)
{
    FILE *f = fopen(file, "re");
    enum sp_err e =
        f ? SP_OK : sp_why_set(why, SP_E_NOTFOUND, _("cannot open %s"), file);
    while (e == SP_OK) {
        uint8_t *to = NULL;
        e = sp_buf_reserve(out, SP_KIB(64), &to);
        size_t n = e == SP_OK ? fread(to, 1, SP_KIB(64), f) : 0;
        if (n == 0) {
            break;
        }
        out->len += n;
    }
    if (f) {
        fclose(f);
    }
    return e;
}

static enum sp_err show_bundle(const char *file, const struct sp_note_key *key,
                               const struct sp_cosigner_keys *cosigners,
                               struct sp_why *why)
{
    struct sp_bundle b;
    struct sp_cosigned said[SP_LIMIT_COSIGNERS];
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_BUNDLE + SP_KIB(64));
    SP_TRY(read_whole(file, &text, why));
    SP_TRY(sp_bundle_check(sp_buf_view(&text), key, &b, NULL, NULL, why));
    SP_TRY(sp_cosigner_keys_check(cosigners, b.note, said, why));
    printf(_("%s: proven\n\n%s, as recorded by %s: %zu of its %ju "
             "entries, each proven against the checkpoint that its key signed.\n"),
           file, b.about, sp_note_key_name(key), b.entries, b.checkpoint.size);
    sp_cosigner_keys_show(cosigners, said);
    return sp_bundle_check(sp_buf_view(&text), key, &b, put_entry, NULL, why);
}

static enum sp_err show_export(const char *file, const struct sp_note_key *key,
                               const struct sp_cosigner_keys *cosigners,
                               struct sp_why *why)
{
    uint64_t entries = 0;
    struct sp_bar bar = {0};
    struct sp_cosigned said[SP_LIMIT_COSIGNERS];
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_export_note(file, key, &note, why));
    SP_TRY(sp_cosigner_keys_check(cosigners, sp_buf_view(&note), said, why));
    enum sp_err e = sp_export_check(file, key, NULL, NULL, &bar, &entries, why);
    if (bar.what) {
        sp_bar_end(&bar);
    }
    SP_TRY(e);
    printf(_("%s: whole: %ju entries of %s, the root and the signature are good\n"),
           file, entries, sp_note_key_name(key));
    sp_cosigner_keys_show(cosigners, said);
    return SP_OK;
}

static bool is_refusal(enum sp_err e)
{
    return e == SP_E_UNPROVEN || e == SP_E_MALFORMED || e == SP_E_TRUNCATED;
}

static int check_file(const char *file, const struct sp_note_key *key,
                      const struct sp_cosigner_keys *cosigners)
{
    struct sp_why why = {0};
    enum sp_err e = is_bundle(file) ? show_bundle(file, key, cosigners, &why)
                                    : show_export(file, key, cosigners, &why);
    if (e == SP_OK) {
        return SP_EXIT_PASSED;
    }
    fprintf(stderr, "%s: %s: %s\n", file,
            is_refusal(e) ? _("NOT PROVEN") : _("could not be checked"),
            sp_why_text(&why, e));
    return is_refusal(e) ? SP_EXIT_REFUSED : SP_EXIT_UNKNOWN;
}

int sp_bundle_verify_file(const char *file, const char *key_text, const char *cosigners,
                          size_t cosignatures)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *key = NULL;
    SP_AUTO(sp_cosigner_keys_fini)
    struct sp_cosigner_keys keys = {.wanted = cosigners ? cosignatures : 0};
    struct sp_why why = {0};
    enum sp_err e = load_key(key_text, &key, &why);
    if (e != SP_OK) {
        fprintf(stderr, _("sallyport: the key %s: %s\n"), key_text,
                sp_why_text(&why, e));
        return SP_EXIT_UNKNOWN;
    }
    e = cosigners ? sp_cosigner_keys_read(cosigners, &keys, &why) : SP_OK;
    if (e != SP_OK) {
        fprintf(stderr, _("sallyport: the cosigners' keys: %s\n"),
                sp_why_text(&why, e));
        return SP_EXIT_UNKNOWN;
    }
    return check_file(file, key, &keys);
}
