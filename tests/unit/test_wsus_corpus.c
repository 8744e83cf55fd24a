/* The recorded dialogues of real agents and servers: nothing of them may be refused. */
#include "unit.h"

#include "core/crypto/crypto.h"
#include "core/wsus/wsus.h"
#include "core/xml/xml.h"

#include <dirent.h>

struct dialogue {
    enum sp_op op;
    int status;
    uint8_t *request, *reply;
    size_t request_len, reply_len;
};

static const char *const folders[] = {"C-wsusss-dialogue", "C-wusp"};

/* ---- reading a recorded exchange ----------------------------------------------- */

static uint8_t *read_part(const char *folder, const char *file, size_t *len)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    *len = 0;
    return unit_read_file(path, len);
}

/* The value of a header, or the empty view. */
static struct sp_view header(struct sp_view head, const char *name)
{
    for (size_t at = 0; at < head.len;) {
        struct sp_view rest = sp_view_slice(head, at, head.len);
        struct sp_view line = sp_view_slice(rest, 0, sp_view_find(rest, '\n'));
        size_t colon = sp_view_find(line, ':');
        if (colon < line.len &&
            sp_view_eq_fold(sp_view_slice(line, 0, colon), sp_view_str(name))) {
            return sp_view_trim(sp_view_slice(line, colon + 1, line.len), " \r");
        }
        at += line.len + 1;
    }
    return SP_VIEW("");
}

/* False for an exchange that is no SOAP call. */
static bool read_dialogue(const char *folder, struct dialogue *d)
{
    size_t n = 0, m = 0;
    uint8_t *request = read_part(folder, "request.headers", &n);
    uint8_t *reply = read_part(folder, "response.headers", &m);
    assert_non_null(request);
    assert_non_null(reply);
    struct sp_view head = sp_view(request, n);
    bool is_post = sp_view_starts(head, SP_VIEW("POST "));
    if (is_post) {
        struct sp_view target = sp_view_slice(head, 5, head.len);
        struct sp_route r =
            sp_route(sp_view_slice(target, 0, sp_view_find(target, ' ')));
        assert_int_equal(r.kind, SP_ROUTE_SERVICE);
        assert_true(sp_op_find(r.service, header(head, "SOAPAction"), &d->op));
        uint64_t status = 0;
        struct sp_view line = sp_view(reply, m);
        assert_ok(sp_u64_parse(sp_view_slice(line, 9, 12), 999, &status));
        d->status = (int)status;
        d->request = read_part(folder, "request.body", &d->request_len);
        d->reply = read_part(folder, "response.body", &d->reply_len);
    } else {
        struct sp_view target = sp_view_slice(head, 4, head.len);
        struct sp_route r =
            sp_route(sp_view_slice(target, 0, sp_view_find(target, ' ')));
        assert_int_equal(r.kind, SP_ROUTE_CONTENT);
    }
    free(request);
    free(reply);
    return is_post;
}

static void free_dialogue(struct dialogue *d)
{
    free(d->request);
    free(d->reply);
}

typedef void visit(struct dialogue *d, const char *name);

static size_t each_dialogue(visit *v)
{
    size_t seen = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char top[4096];
        const char *found = unit_corpus(folders[i]);
        if (!found) {
            continue;
        }
        snprintf(top, sizeof top, "%s", found);
        DIR *dir = opendir(top);
        assert_non_null(dir);
        for (struct dirent *e; (e = readdir(dir));) {
            char folder[4400];
            struct dialogue d = {0};
            snprintf(folder, sizeof folder, "%s/%s", top, e->d_name);
            if (e->d_name[0] != '.' && read_dialogue(folder, &d)) {
                v(&d, e->d_name);
                free_dialogue(&d);
                seen++;
            }
        }
        closedir(dir);
    }
    return seen;
}

/* ---- the meaning of an envelope ------------------------------------------------ */

/* What a server's reader gets: names with their namespaces, text, no prefixes and no
 * blanks between elements. */
struct meaning {
    struct sp_buf out, text;
};

static enum sp_err mean_start(void *ctx, struct sp_xml *x,
                              const struct sp_xml_element *e)
{
    struct meaning *m = ctx;
    (void)x;
    SP_TRY(sp_buf_printf(&m->out, "<{" SP_VIEW_FMT "}" SP_VIEW_FMT,
                         SP_VIEW_ARG(e->name.ns), SP_VIEW_ARG(e->name.local)));
    for (size_t i = 0; i < e->attr_count; i++) {
        SP_TRY(sp_buf_printf(&m->out, " " SP_VIEW_FMT "=" SP_VIEW_FMT,
                             SP_VIEW_ARG(e->attrs[i].name.local),
                             SP_VIEW_ARG(e->attrs[i].value)));
    }
    sp_buf_clear(&m->text);
    return sp_buf_append_byte(&m->out, '>');
}

static enum sp_err mean_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    (void)x;
    return sp_buf_append(&((struct meaning *)ctx)->text, text);
}

static enum sp_err mean_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct meaning *m = ctx;
    (void)x, (void)name;
    if (sp_view_trim(sp_buf_view(&m->text), " \t\r\n").len) {
        SP_TRY(sp_buf_append(&m->out, sp_buf_view(&m->text)));
    }
    sp_buf_clear(&m->text);
    return sp_buf_append_str(&m->out, "</>");
}

static struct sp_buf meaning_of(struct sp_view envelope)
{
    static const struct sp_xml_handler handler = {mean_start, mean_text, mean_end};
    struct meaning m;
    sp_buf_init(&m.out, SP_MIB(16));
    sp_buf_init(&m.text, SP_MIB(16));
    assert_ok(sp_xml_read(envelope, &sp_xml_rules_reply, &handler, &m, NULL));
    sp_buf_fini(&m.text);
    return m.out;
}

/* GUIDs are written in lower case: the texts are compared without case. */
static void assert_same_meaning(struct sp_view a, struct sp_view b)
{
    struct sp_buf left = meaning_of(a), right = meaning_of(b);
    assert_true(sp_view_eq_fold(sp_buf_view(&left), sp_buf_view(&right)));
    sp_buf_fini(&left);
    sp_buf_fini(&right);
}

/* ---- tests --------------------------------------------------------------------- */

static void accept(struct dialogue *d, const char *name)
{
    struct sp_soap_request r;
    struct sp_soap_refusal refusal;
    if (!d->request) {
        return;
    }
    enum sp_err e = sp_soap_request_read(d->op, sp_view(d->request, d->request_len),
                                         NULL, &r, &refusal);
    if (e != SP_OK) {
        print_error("%s: %s: %s\n", name, refusal.member, refusal.why.text);
    }
    assert_ok(e);
    assert_same_meaning(sp_view(d->request, d->request_len), sp_buf_view(&r.body));
    if (d->op == SP_OP_GET_UPDATE_DATA) {
        assert_int_equal(r.asked_count, 1);
    }
    struct sp_soap_request again;
    assert_ok(
        sp_soap_request_read(d->op, sp_buf_view(&r.body), NULL, &again, &refusal));
    assert_true(sp_view_eq(sp_buf_view(&r.body), sp_buf_view(&again.body)));
    sp_soap_request_fini(&again);
    sp_soap_request_fini(&r);
}

static void c_every_recorded_request_passes(void **state)
{
    (void)state;
    size_t seen = each_dialogue(accept);
    assert_true(seen == 0 || seen >= 30);
}

static void inspect(struct dialogue *d, const char *name)
{
    SP_AUTO(sp_reply_free) struct sp_reply *reply = NULL;
    struct sp_soap_request request = {0};
    struct sp_soap_refusal refusal;
    struct sp_why why = {0};
    if (!d->reply || !d->request) {
        return;
    }
    assert_ok(sp_soap_request_read(d->op, sp_view(d->request, d->request_len), NULL,
                                   &request, &refusal));
    assert_ok(sp_reply_inspect(d->op, d->status, sp_view(d->reply, d->reply_len),
                               request.asked, request.asked_count, &reply, &why));
    if (!sp_facts_has_flag(reply->facts, SP_FACT_REPLY_WELLFORMED)) {
        print_error("%s: %s\n", name, why.text);
    }
    assert_true(sp_facts_has_flag(reply->facts, SP_FACT_REPLY_WELLFORMED));
    assert_int_equal(reply->is_fault, d->status == 500);
    bool has_data = d->op == SP_OP_GET_UPDATE_DATA && !reply->is_fault;
    assert_int_equal(reply->revision_count, has_data ? 1 : 0);
    for (size_t i = 0; i < reply->revision_count; i++) {
        struct sp_facts *f = reply->revisions[i].facts;
        assert_int_equal(sp_facts_count(f, SP_FACT_DOCUMENT_ERROR), 0);
        assert_true(sp_facts_has_flag(f, SP_FACT_UPDATE_ASKED));
        assert_true(sp_facts_has_flag(f, SP_FACT_DOCUMENT_DIGESTS_SOUND));
        assert_true(sp_facts_same_set(f, SP_FACT_UPDATE_ID, SP_FACT_DOCUMENT_ID));
        assert_true(sp_facts_same_set(f, SP_FACT_UPDATE_FILE_DIGEST,
                                      SP_FACT_DOCUMENT_FILE_DIGEST));
        assert_int_equal(reply->revisions[i].claim_count,
                         sp_facts_count(f, SP_FACT_DOCUMENT_FILE_DIGEST));
    }
    bool announces = d->op == SP_OP_GET_AUTH_CONFIG || d->op == SP_OP_GET_CONFIG;
    assert_int_equal(sp_facts_count(reply->facts, SP_FACT_REPLY_SERVICE_URL),
                     announces);
    sp_soap_request_fini(&request);
}

static void c_every_recorded_reply_is_wellformed(void **state)
{
    (void)state;
    (void)each_dialogue(inspect);
}

static void compare(const char *reply_file, const char *document_file, const char *blob)
{
    size_t n = 0, m = 0;
    const char *path = unit_corpus(reply_file);
    uint8_t *reply_bytes = path ? unit_read_file(path, &n) : NULL;
    path = unit_corpus(document_file);
    uint8_t *document = path ? unit_read_file(path, &m) : NULL;
    if (reply_bytes && document) {
        SP_AUTO(sp_reply_free) struct sp_reply *reply = NULL;
        struct sp_fact_value v;
        uint8_t sha256[32];
        assert_ok(sp_reply_inspect(SP_OP_GET_UPDATE_DATA, 200, sp_view(reply_bytes, n),
                                   NULL, 0, &reply, NULL));
        assert_int_equal(reply->revision_count, 1);
        sp_sha256(sp_view(document, m), sha256);
        assert_memory_equal(reply->revisions[0].document_sha256, sha256, 32);
        assert_false(
            sp_facts_has_flag(reply->revisions[0].facts, SP_FACT_UPDATE_ASKED));
        assert_true(
            sp_facts_get(reply->revisions[0].facts, SP_FACT_DOCUMENT_SIZE, 0, &v));
        assert_int_equal(v.number, m);
        assert_true(
            sp_facts_get(reply->revisions[0].facts, SP_FACT_UPDATE_BLOB, 0, &v));
        assert_true(sp_view_eq_str(v.bytes, blob));
    }
    free(reply_bytes);
    free(document);
}

static void c_documents_decode_to_the_byte(void **state)
{
    (void)state;
    compare("C-wsusss/000013.GetUpdateData.bundle.response.xml",
            "C-wsusss/000013.GetUpdateData.bundle.update.xml", "cabinet");
    compare("C-wsusss/000014.GetUpdateData.leaf.response.xml",
            "C-wsusss/000014.GetUpdateData.leaf.update.xml", "cabinet");
}

static void c_a_reply_with_file_locations(void **state)
{
    (void)state;
    size_t n = 0;
    const char *path = unit_corpus("C-metadata/get-file-locations.response.xml");
    uint8_t *bytes = path ? unit_read_file(path, &n) : NULL;
    if (bytes) {
        SP_AUTO(sp_reply_free) struct sp_reply *reply = NULL;
        assert_ok(sp_reply_inspect(SP_OP_GET_FILE_LOCATIONS, 200, sp_view(bytes, n),
                                   NULL, 0, &reply, NULL));
        assert_true(sp_facts_has_flag(reply->facts, SP_FACT_REPLY_WELLFORMED));
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_recorded_request_passes),
        cmocka_unit_test(c_every_recorded_reply_is_wellformed),
        cmocka_unit_test(c_documents_decode_to_the_byte),
        cmocka_unit_test(c_a_reply_with_file_locations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
