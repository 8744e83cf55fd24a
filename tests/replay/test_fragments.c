/* What servers tell clients, replayed: fragments derived from documents are the
 * fragments that were sent. Extended and localized ones as a Windows server was
 * recorded; of core no dialogue has both sides, so these are made
 * (tests/support/fragments.py). */
#include "replay/story.h"
#include "unit/recorded.h"

#include "core/gate/private.h"
#include "core/wsus/fragment.h"

#include <glob.h>

#define CLIENT                                                                         \
    "xmlns=\"http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService\""

/* ---- made ones ------------------------------------------------------------------- */

static uint8_t *read_part(const char *document, const char *part, size_t *len)
{
    char path[4096];
    int stem = (int)(strlen(document) - strlen("document.xml"));
    snprintf(path, sizeof path, "%.*s%s.xml", stem, document, part);
    uint8_t *text = unit_read_file(path, len);
    assert_non_null(text);
    return text;
}

static struct sp_facts *derive(const char *document)
{
    size_t n = 0;
    struct sp_facts *f = NULL;
    uint8_t *text = read_part(document, "document", &n);
    assert_ok(sp_facts_new(SP_MIB(1), &f));
    uint8_t sha256[32];
    assert_ok(sp_fragments_derive(sp_view(text, n), f, sha256, NULL));
    free(text);
    return f;
}

static void read_fragment(const char *document, enum sp_derived_kind k,
                          struct sp_derived_parts *out)
{
    size_t n = 0;
    struct sp_why why = {0};
    uint8_t *text = read_part(document, sp_derived_text(k), &n);
    assert_ok(sp_derived_read(sp_view(text, n), out, &why));
    assert_true(out->has[k]);
    free(text);
}

/* A digit anywhere in a core fragment: it is another one. */
static void assert_no_value_may_change(const char *document, const struct sp_facts *f)
{
    size_t n = 0, tried = 0;
    uint8_t *text = read_part(document, "core", &n);
    for (size_t i = 0; i < n; i++) {
        struct sp_derived_parts p;
        if (text[i] < '0' || text[i] > '9') {
            continue;
        }
        text[i] ^= 1;
        bool same = sp_derived_read(sp_view(text, n), &p, NULL) == SP_OK &&
                    p.has[SP_DERIVED_CORE] &&
                    holds(f, SP_DERIVED_CORE, p.sha256[SP_DERIVED_CORE]);
        text[i] ^= 1;
        assert_false(same);
        tried++;
    }
    assert_true(tried > 10);
    free(text);
}

static void b_made_fragments_are_derived_and_no_others(void **state)
{
    (void)state;
    glob_t found;
    char pattern[4096];
    const char *source = getenv("SALLYPORT_SOURCE");
    snprintf(pattern, sizeof pattern, "%s/tests/golden/fragments/*.document.xml",
             source ? source : ".");
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 12); /* three of each kind */
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct sp_facts *f = derive(found.gl_pathv[i]);
        for (size_t other = 0; other < found.gl_pathc; other++) {
            struct sp_derived_parts p;
            read_fragment(found.gl_pathv[other], SP_DERIVED_CORE, &p);
            assert_true(p.has_id);
            assert_int_equal(holds(f, SP_DERIVED_CORE, p.sha256[SP_DERIVED_CORE]),
                             i == other);
        }
        struct sp_derived_parts p;
        read_fragment(found.gl_pathv[i], SP_DERIVED_EXTENDED, &p);
        assert_true(holds(f, SP_DERIVED_EXTENDED, p.sha256[SP_DERIVED_EXTENDED]));
        read_fragment(found.gl_pathv[i], SP_DERIVED_LOCALIZED, &p);
        assert_true(holds(f, SP_DERIVED_LOCALIZED, p.sha256[SP_DERIVED_LOCALIZED]));
        assert_no_value_may_change(found.gl_pathv[i], f);
        sp_facts_free(&f);
    }
    globfree(&found);
}

/* ---- recorded ones --------------------------------------------------------------- */

/* Custody with these documents in it: no recording says which number is which, so a
 * fragment is known where one of them derives it. Fragments of other updates may be
 * equal; what is counted is for how many documents one was sent. */
static void give_custody(struct story *s, struct sp_facts *const documents[DOCUMENTS],
                         size_t sent[SP_DERIVED_KINDS])
{
    const struct sp_effect *e = effect(s, SP_EFFECT_ASK_FILES);
    bool found[SP_DERIVED_KINDS][DOCUMENTS] = {{false}};
    for (size_t i = 0; i < e->files.shown_count; i++) {
        struct sp_shown *f = &e->files.shown[i];
        assert_true(f->is_readable);
        for (size_t d = 0; d < DOCUMENTS; d++) {
            for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
                if (f->parts.has[k] && holds(documents[d], k, f->parts.sha256[k])) {
                    f->says = SP_SHOWN_AGREES;
                    f->has_id = true;
                    sent[k] += !found[k][d];
                    found[k][d] = true;
                }
            }
        }
    }
    sp_gate_files(s->gate, SP_OK, &s->step);
    give_digest(s);
}

static void b_recorded_fragments_are_derived(void **state)
{
    (void)state;
    static const char head[] =
        "POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: gate.example:8531\r\n"
        "Content-Type: text/xml; charset=utf-8\r\nSOAPAction: \"http://"
        "www.microsoft.com/SoftwareDistribution/Server/ClientWebService/"
        "GetExtendedUpdateInfo\"\r\nContent-Length: 1\r\n\r\n";
    static const char ask[] =
        ENVELOPE("<GetExtendedUpdateInfo " CLIENT ">"
                 "<revisionIDs><int>1</int></revisionIDs></GetExtendedUpdateInfo>");
    struct sp_facts *documents[DOCUMENTS] = {0};
    size_t n = 0, sent[SP_DERIVED_KINDS] = {0};
    uint8_t *page = corpus_file("C-wusp/flow-000015/response.body", &n);
    if (!page || read_recorded(documents) == 0) {
        free(page);
        skip();
    }
    struct story s;
    struct sp_fact_value v;
    unblank(page, &n);
    begin(&s,
          "policy test\nupstream-pinned enforce\nreply-wellformed enforce\n"
          "fragment-derived enforce\n",
          head, true);
    give_body(&s, ask);
    give_reply(&s, 200, (const char *)page);
    give_custody(&s, documents, sent);
    s.judged = s.recorded = true; /* nothing new: nothing to record */
    assert_released(&s, (const char *)page);
    assert_int_equal(sent[SP_DERIVED_CORE], 0); /* this operation tells none */
    assert_int_equal(sent[SP_DERIVED_EXTENDED], DOCUMENTS);
    assert_int_equal(sent[SP_DERIVED_LOCALIZED], DOCUMENTS);
    const struct sp_facts *f = s.gate->inspection.reply->facts;
    assert_true(sp_facts_get(f, SP_FACT_FRAGMENT_AGREE, 0, &v));
    assert_true(v.number >= 2 * DOCUMENTS);
    assert_int_equal(sp_facts_count(f, SP_FACT_FRAGMENT_DIFFERS), 0);
    finish(&s);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        sp_facts_free(&documents[i]);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_made_fragments_are_derived_and_no_others),
        cmocka_unit_test(b_recorded_fragments_are_derived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
