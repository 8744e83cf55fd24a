/* A story: scripted events against the gate, effects out, a clock that stands still. */
#ifndef TESTS_REPLAY_STORY_H
#define TESTS_REPLAY_STORY_H

#include "unit/unit.h"

#include "core/crypto/crypto.h"
#include "core/gate/gate.h"

#define ENVELOPE(body)                                                                 \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"                                       \
    "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">"         \
    "<soap:Body>" body "</soap:Body></soap:Envelope>"
#define NS   "xmlns=\"http://www.microsoft.com/SoftwareDistribution\""
#define ID_A "11111111-2222-4333-8444-555555555555"
#define ID_B "22222222-2222-4333-8444-555555555555"

#define IDENTITY(id)                                                                   \
    "<UpdateIdentity><UpdateID>" id "</UpdateID>"                                      \
    "<RevisionNumber>200</RevisionNumber></UpdateIdentity>"
#define ASK                                                                            \
    ENVELOPE("<GetUpdateData " NS "><cookie>"                                          \
             "<Expiration>2026-01-02T07:04:05Z</Expiration>"                           \
             "<EncryptedData>AAEC</EncryptedData></cookie>"                            \
             "<updateIds>" IDENTITY(ID_A) "</updateIds></GetUpdateData>")
#define DOCUMENT(id, title)                                                            \
    "&lt;upd:Update "                                                                  \
    "xmlns:upd=\"http://schemas.microsoft.com/msus/2002/12/Update\"&gt;"               \
    "&lt;upd:UpdateIdentity UpdateID=\"" id "\" RevisionNumber=\"200\" /&gt;"          \
    "&lt;upd:Properties UpdateType=\"Detectoid\" DefaultPropertiesLanguage=\"en\" "    \
    "/&gt;"                                                                            \
    "&lt;upd:LocalizedPropertiesCollection&gt;&lt;upd:LocalizedProperties&gt;"         \
    "&lt;upd:Language&gt;en&lt;/upd:Language&gt;&lt;upd:Title&gt;" title               \
    "&lt;/upd:Title&gt;&lt;/upd:LocalizedProperties&gt;"                               \
    "&lt;/upd:LocalizedPropertiesCollection&gt;&lt;/upd:Update&gt;"
#define REPLY(id, document_id, title)                                                  \
    ENVELOPE(                                                                          \
        "<GetUpdateDataResponse " NS "><GetUpdateDataResult><updates>"                 \
        "<ServerSyncUpdateData><Id><UpdateID>" id "</UpdateID>"                        \
        "<RevisionNumber>200</RevisionNumber></Id><XmlUpdateBlob>" DOCUMENT(           \
            document_id, title) "</XmlUpdateBlob></ServerSyncUpdateData>"              \
                                "</updates><fileUrls "                                 \
                                "/></GetUpdateDataResult></GetUpdateDataResponse>")

/* The same revision twice in one reply, with two documents. */
#define TWICE(id, one, two)                                                            \
    ENVELOPE("<GetUpdateDataResponse " NS                                              \
             "><GetUpdateDataResult><updates>" UPDATE(id, one)                         \
                 UPDATE(id, two) "</updates><fileUrls "                                \
                                 "/></GetUpdateDataResult></GetUpdateDataResponse>")
#define UPDATE(id, title)                                                              \
    "<ServerSyncUpdateData><Id><UpdateID>" id "</UpdateID>"                            \
    "<RevisionNumber>200</RevisionNumber></Id><XmlUpdateBlob>" DOCUMENT(               \
        id, title) "</XmlUpdateBlob></ServerSyncUpdateData>"

#define HEAD_OF(action)                                                                \
    "POST /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\n"                \
    "Host: gate.example:8531\r\nContent-Type: text/xml; charset=utf-8\r\n"             \
    "SOAPAction: \"http://www.microsoft.com/SoftwareDistribution/" action "\"\r\n"     \
    "Content-Length: 1\r\n\r\n"

static const char strict[] = "policy test\n"
                             "upstream-pinned enforce\nreply-wellformed enforce\n"
                             "service-url-relative enforce\ndocument-readable enforce\n"
                             "revision-asked enforce\nidentity-equal enforce\n"
                             "revision-immutable enforce\nfile-digests-equal enforce\n"
                             "digests-sound enforce\n";

struct story {
    struct sp_door door;
    struct sp_policy *policy;
    struct sp_gate *gate;
    struct sp_http_request head;
    struct sp_step step;
    bool want_body, judged, recorded;
    size_t ceiling;
    uint8_t chain[2][32];
    struct sp_link link;
    struct sp_buf reply; /* the gate borrows it */
};

static inline void begin(struct story *s, const char *policy, const char *head, bool tls)
{
    enum sp_http_refusal refusal;
    size_t used = 0;
    struct sp_asker asker = {.address = "10.1.2.3", .host = "gate.example:8531"};
    *s = (struct story){.door = {.name = "downstream",
                                 .tls = tls,
                                 .content_http = true,
                                 .tls_address = "https://gate.example:8531",
                                 .upstream_name = "head-office",
                                 .upstream_host = "wsus.example:8531"}};
    memset(s->chain[0], 1, 32);
    memset(s->chain[1], 2, 32);
    s->link = (struct sp_link){.proven = true,
                               .tls = "TLSv1.3",
                               .chain = (const uint8_t(*)[32])s->chain,
                               .chain_count = 2,
                               .matched = s->chain[1]};
    assert_ok(sp_policy_parse(sp_view_str(policy), &s->policy, NULL));
    assert_ok(sp_http_request_parse(sp_view_str(head), &s->head, &used, &refusal));
    assert_ok(sp_gate_new(&s->door, s->policy, &asker, &s->gate));
    sp_gate_head(s->gate, &s->head, &s->want_body, &s->ceiling, &s->step);
}

static inline void finish(struct story *s)
{
    sp_gate_free(&s->gate);
    sp_policy_free(&s->policy);
    sp_buf_fini(&s->reply);
}

static inline const struct sp_effect *effect(struct story *s, enum sp_effect_kind kind)
{
    assert_true(s->step.has_effect);
    assert_int_equal(s->step.effect.kind, kind);
    return &s->step.effect;
}

static inline void give_body(struct story *s, const char *body)
{
    assert_true(s->want_body);
    sp_gate_body(s->gate, sp_view_str(body), &s->step);
}

/* What entries about refusals and edits say of the whole reply is found for them alone. */
static inline void give_digest(struct story *s)
{
    uint8_t sha256[32];
    struct sp_gate_summary sum;
    if (s->step.effect.kind == SP_EFFECT_DIGEST) {
        sp_gate_summary(s->gate, &sum);
        assert_true(sum.ruling != SP_PASSED || sum.removed > 0);
        sp_gate_digest(effect(s, SP_EFFECT_DIGEST), sha256);
        sp_gate_digested(s->gate, sha256, &s->step);
        effect(s, SP_EFFECT_RECORD);
    }
}

static inline void give_coded_reply(struct story *s, int status, struct sp_view coding,
                             struct sp_view reply)
{
    struct sp_inspection found;
    sp_buf_init(&s->reply, SP_LIMIT_SOAP_REPLY);
    assert_ok(sp_buf_append(&s->reply, reply));
    sp_gate_fetched(s->gate, status, coding, SP_VIEW("text/xml; charset=utf-8"),
                    sp_buf_view(&s->reply), &s->link, 1795305600, &s->step);
    sp_gate_inspect(effect(s, SP_EFFECT_INSPECT), &found);
    sp_gate_inspected(s->gate, &found, &s->step);
    give_digest(s);
}

static inline void give_reply(struct story *s, int status, const char *reply)
{
    give_coded_reply(s, status, (struct sp_view){0}, sp_view_str(reply));
}

static inline void give_known(struct story *s, const char *document)
{
    struct sp_gate_known known = {.known = document != NULL};
    assert_int_equal(effect(s, SP_EFFECT_ASK_REVISIONS)->ask.count, 1);
    if (document) {
        sp_sha256(sp_view_str(document), known.document_sha256);
    }
    sp_gate_known(s->gate, SP_OK, &known, &s->step);
    give_digest(s);
    s->judged = true;
}

static inline void give_all_unknown(struct story *s, size_t count)
{
    struct sp_gate_known known[4] = {0};
    assert_in_range(count, 1, 4);
    assert_int_equal(effect(s, SP_EFFECT_ASK_REVISIONS)->ask.count, count);
    sp_gate_known(s->gate, SP_OK, known, &s->step);
    give_digest(s);
    s->judged = true;
}

static inline void give_recorded(struct story *s, enum sp_err e, uint64_t entry)
{
    effect(s, SP_EFFECT_RECORD);
    sp_gate_recorded(s->gate, e, NULL, entry, &s->step);
    s->recorded = e == SP_OK;
}

static inline bool answer_has(struct story *s, const char *text)
{
    struct sp_view body = effect(s, SP_EFFECT_ANSWER)->answer.body;
    return body.len && memmem(body.data, body.len, text, strlen(text)) != NULL;
}

static inline void assert_released(struct story *s, const char *reply)
{
    assert_true(s->judged && s->recorded);
    assert_int_equal(effect(s, SP_EFFECT_ANSWER)->answer.status, 200);
    assert_true(sp_view_eq_str(s->step.effect.answer.body, reply));
    assert_int_equal(sp_gate_station(s->gate), SP_STATION_DONE);
}

static inline void assert_refused(struct story *s, const char *rule, const char *entry)
{
    struct sp_gate_summary sum;
    assert_int_equal(effect(s, SP_EFFECT_ANSWER)->answer.status, 500);
    assert_true(answer_has(s, "<ErrorCode>InternalServerError</ErrorCode>"));
    assert_true(answer_has(s, rule));
    assert_true(answer_has(s, entry));
    assert_false(answer_has(s, "GetUpdateDataResult"));
    sp_gate_summary(s->gate, &sum);
    assert_int_equal(sum.ruling, SP_REFUSED);
    assert_string_equal(sum.rule, rule);
}

#endif
