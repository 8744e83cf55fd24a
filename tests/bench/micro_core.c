/* What one item costs in the modules of core that a request or a reply goes through.
 * What a hit needs allocates nothing once it is warm; that is tested in test_hit. */
#include "core/custody/blocks.h"
#include "core/gate/gate.h"
#include "core/http/http.h"
#include "core/pack/pack.h"
#include "core/wsus/wsus.h"
#include "core/xml/xml.h"
#include "sallyport/facts.h"
#include "sallyport/ledger.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include "micro.h"

/* ---- what is worked on, made once ------------------------------------------------ */

static const char REQUEST[] =
    "GET /Content/15/0102030405060708090A0B0C0D0E0F1011121315.cab HTTP/1.1\r\n"
    "Connection: Keep-Alive\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
    "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=10-19\r\n"
    "User-Agent: Microsoft BITS/7.8\r\nHost: gate.branch.example:8531\r\n\r\n";
static const char UPDATE[] =
    "<upd:Update xmlns:upd=\"http://schemas.microsoft.com/msus/2002/12/Update\">"
    "<upd:UpdateIdentity UpdateID=\"0fa1201d-4330-4fa8-8ae9-b877473b6441\" "
    "RevisionNumber=\"200\"/><upd:Properties UpdateType=\"Software\" "
    "DefaultPropertiesLanguage=\"en\"><upd:KBArticleID>1</upd:KBArticleID>"
    "</upd:Properties><upd:LocalizedPropertiesCollection><upd:LocalizedProperties>"
    "<upd:Language>en</upd:Language><upd:Title>T</upd:Title></upd:LocalizedProperties>"
    "</upd:LocalizedPropertiesCollection><upd:ApplicabilityRules><upd:IsInstalled>";
static const char RULE[] =
    "<b:FileVersion xmlns:b=\"urn:b\" Csidl=\"36\" Path=\"\\fabrikam\\one.dll\" "
    "Comparison=\"GreaterThanOrEqualTo\" Version=\"10.0.1.2\"/>";
static const char UPDATE_END[] =
    "</upd:IsInstalled></upd:ApplicabilityRules></upd:Update>";
#define POLICY                                                                         \
    "policy p\nreply-wellformed enforce\nservice-url-relative enforce\n"               \
    "document-readable enforce\nrevision-asked enforce\nidentity-equal enforce\n"      \
    "revision-immutable enforce\nfile-digests-equal enforce\ndigests-sound enforce\n"
enum { RULES = 100, BLOCK = 64 * 1024, TREE = 1 << 20 };

static struct {
    struct sp_buf document, wide, packed, base64, facts_text, scratch;
    struct sp_http_request head;
    struct sp_policy *policy;
    struct sp_gate *gate;
    struct sp_facts *facts;
    uint8_t *block; /* TREE bytes */
} made;

static const struct sp_door DOOR = {.name = "door", .tls = true};
static const struct sp_asker ASKER = {.address = "192.0.2.1", .host = "h"};

static void read_document(void)
{
    struct sp_arena *arena = NULL;
    struct sp_facts *facts = NULL;
    struct sp_claim *claims = NULL;
    size_t count = 0;
    struct sp_why why = {0};
    must(sp_arena_new(SP_MIB(1), &arena));
    must(sp_facts_new(SP_KIB(256), &facts));
    must(sp_document_read(sp_buf_view(&made.document), facts, arena, &claims, &count,
                          &why));
    sp_facts_free(&made.facts);
    made.facts = facts;
    sp_arena_free(&arena);
}

static void make_texts(void)
{
    struct sp_buf *const all[] = {&made.document, &made.wide,       &made.packed,
                                  &made.base64,   &made.facts_text, &made.scratch};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        sp_buf_init(all[i], SP_MIB(4));
    }
    must(sp_buf_append_str(&made.document, UPDATE));
    for (int i = 0; i < RULES; i++) {
        must(sp_buf_append_str(&made.document, RULE));
    }
    must(sp_buf_append_str(&made.document, UPDATE_END));
    for (size_t i = 0; i < made.document.len; i++) {
        must(sp_buf_append_byte(&made.wide, made.document.data[i]));
        must(sp_buf_append_byte(&made.wide, 0));
    }
    must(sp_xpress_encode(sp_buf_view(&made.wide), &made.packed));
    must(sp_base64_append(&made.base64, sp_buf_view(&made.wide)));
    read_document();
    must(sp_facts_encode(made.facts, &made.facts_text));
}

static void make(void)
{
    enum sp_http_refusal refusal;
    size_t used = 0;
    make_texts();
    must(sp_http_request_parse(sp_view_str(REQUEST), &made.head, &used, &refusal));
    must(sp_policy_parse(SP_VIEW(POLICY), &made.policy, NULL));
    must(sp_gate_new(&DOOR, made.policy, &ASKER, &made.gate));
    made.block = calloc(1, TREE);
    must(made.block ? SP_OK : SP_E_NOMEM);
}

static void unmake(void)
{
    sp_buf_fini(&made.document);
    sp_buf_fini(&made.wide);
    sp_buf_fini(&made.packed);
    sp_buf_fini(&made.base64);
    sp_buf_fini(&made.facts_text);
    sp_buf_fini(&made.scratch);
    sp_gate_free(&made.gate);
    sp_policy_free(&made.policy);
    sp_facts_free(&made.facts);
    free(made.block);
}

/* ---- items: each does its work once, and gives the bytes it went through --------- */

static size_t http_request(void)
{
    static struct sp_http_request r;
    enum sp_http_refusal refusal;
    size_t used = 0;
    must(sp_http_request_parse(sp_view_str(REQUEST), &r, &used, &refusal));
    return used;
}

static size_t http_evaluate(void)
{
    struct sp_http_answer a;
    sp_http_evaluate(&made.head,
                     &(struct sp_http_representation){.size = 4096,
                                                      .etag = SP_VIEW("\"e\""),
                                                      .last_modified = 784111777},
                     &a);
    must(a.status == 206 ? SP_OK : SP_E_INTERNAL);
    return 0;
}

static size_t gate_hit(void)
{
    const struct sp_gate_object o = {
        .size = 4096, .etag = "\"e\"", .last_modified = 784111777};
    struct sp_step step;
    bool want_body;
    size_t ceiling;
    sp_gate_rest(made.gate);
    sp_gate_renew(made.gate, &DOOR, made.policy, &ASKER);
    sp_gate_head(made.gate, &made.head, &want_body, &ceiling, &step);
    sp_gate_object(made.gate, &o, &step);
    must(step.effect.answer.status == 206 ? SP_OK : SP_E_INTERNAL);
    return 0;
}

static size_t wsus_route(void)
{
    struct sp_route r = sp_route(made.head.target);
    must(r.kind == SP_ROUTE_CONTENT ? SP_OK : SP_E_INTERNAL);
    return made.head.target.len;
}

static size_t wsus_document(void)
{
    read_document();
    return made.document.len;
}

static size_t xml_read(void)
{
    static const struct sp_xml_handler nobody;
    struct sp_why why = {0};
    must(sp_xml_read(sp_buf_view(&made.document), &sp_xml_rules_document, &nobody, NULL,
                     &why));
    return made.document.len;
}

static size_t pack_xpress_encode(void)
{
    sp_buf_clear(&made.scratch);
    must(sp_xpress_encode(sp_buf_view(&made.wide), &made.scratch));
    return made.wide.len;
}

static size_t pack_xpress_decode(void)
{
    struct sp_why why = {0};
    sp_buf_clear(&made.scratch);
    must(sp_xpress_decode(sp_buf_view(&made.packed), &made.scratch, &why));
    return made.wide.len;
}

static size_t base_utf16(void)
{
    sp_buf_clear(&made.scratch);
    must(sp_utf16le_to_utf8(sp_buf_view(&made.wide), &made.scratch));
    return made.wide.len;
}

static size_t base_base64(void)
{
    sp_buf_clear(&made.scratch);
    must(sp_base64_parse(sp_buf_view(&made.base64), &made.scratch));
    return made.base64.len;
}

static size_t crypto_digests(void)
{
    static struct sp_digester *d;
    uint8_t sha1[20], sha256[32];
    if (!d) {
        must(sp_digester_new(&d));
    }
    must(sp_digester_update(d, sp_view(made.block, BLOCK)));
    must(sp_digester_finish(d, sha1, sha256));
    sp_digester_free(&d);
    return BLOCK;
}

static size_t custody_facts(void)
{
    struct sp_facts *f = NULL;
    struct sp_why why = {0};
    must(sp_facts_decode(sp_buf_view(&made.facts_text), &f, &why));
    sp_buf_clear(&made.scratch);
    must(sp_facts_encode(f, &made.scratch));
    sp_facts_free(&f);
    return made.facts_text.len;
}

static size_t custody_leaf(void)
{
    static struct sp_merkle tree;
    uint8_t leaf[SP_HASH], root[SP_HASH];
    sp_merkle_leaf(sp_buf_view(&made.facts_text), leaf);
    sp_merkle_append(&tree, leaf);
    sp_merkle_root(&tree, root);
    return made.facts_text.len;
}

static size_t policy_judge(void)
{
    struct sp_verdict v;
    sp_policy_judge(made.policy, SP_SUBJECT_REVISION, made.facts, &v);
    return 0;
}

static const struct item items[] = {
    {.name = "base.base64", .run = base_base64},
    {.name = "base.utf16", .run = base_utf16},
    {.name = "crypto.digests", .run = crypto_digests},
    {.name = "custody.facts", .run = custody_facts},
    {.name = "custody.leaf", .run = custody_leaf},
    {.name = "gate.hit", .run = gate_hit},
    {.name = "http.evaluate", .run = http_evaluate},
    {.name = "http.request", .run = http_request},
    {.name = "pack.xpress-decode", .run = pack_xpress_decode},
    {.name = "pack.xpress-encode", .run = pack_xpress_encode},
    {.name = "policy.judge", .run = policy_judge},
    {.name = "wsus.document", .run = wsus_document},
    {.name = "wsus.route", .run = wsus_route},
    {.name = "xml.read", .run = xml_read},
};

int main(int argc, char **argv)
{
    make();
    micro_run(argc, argv, items, sizeof items / sizeof items[0]);
    unmake();
    return 0;
}
