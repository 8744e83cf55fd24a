/* CertificateTrustList as makecat and inf2cat write it: usage, identifier, time, the
 * kind of members, members with attributes. One attribute is the digest that a
 * signature of the file would hold; members of the second kind go by a digest itself.
 */
#include "core/crypto/list.h"

#include "core/crypto/cms_parts.h"

enum { UTC_TIME = 0x17 };

static void skip_optional(struct sp_der *d, uint8_t tag)
{
    if (sp_der_is(d, tag)) {
        sp_der_any(d);
    }
}

static void skip_times(struct sp_der *list)
{
    for (int i = 0; i < 2; i++) {
        if (sp_der_is(list, UTC_TIME) || sp_der_is(list, SP_DER_GENERALIZED_TIME)) {
            sp_der_any(list);
        }
    }
}

enum sp_err sp_list_read(struct sp_view content, struct sp_list *out)
{
    struct sp_list found = {0};
    struct sp_der all = sp_der(content);
    struct sp_der list = sp_der_enter(&all, SP_DER_SEQUENCE);
    skip_optional(&list, SP_DER_INTEGER);
    struct sp_der usage = sp_der_enter(&list, SP_DER_SEQUENCE);
    bool is_of_files = sp_oid_is(sp_der_content(&usage, SP_DER_OID), SP_OID_FILE_LIST);
    skip_optional(&list, SP_DER_OCTETS);
    skip_optional(&list, SP_DER_INTEGER);
    skip_times(&list);
    struct sp_der kind = sp_der_enter(&list, SP_DER_SEQUENCE);
    found.is_by_digest =
        sp_oid_is(sp_der_content(&kind, SP_DER_OID), SP_OID_LIST_BY_DIGEST);
    if (sp_der_is(&list, SP_DER_SEQUENCE)) {
        found.members = sp_der_content(&list, SP_DER_SEQUENCE);
    }
    skip_optional(&list, SP_DER_0);
    SP_TRY(sp_der_end(&list));
    SP_TRY(sp_der_end(&all));
    SP_TRY(usage.err);
    SP_TRY(kind.err);
    if (!is_of_files) {
        return SP_E_UNSUPPORTED;
    }
    *out = found;
    return SP_OK;
}

/* [Authenticode_PE] SpcIndirectDataContent: what the digest is about, then the digest.
 */
static enum sp_err compare_indirect(struct sp_view values, enum sp_digest d,
                                    struct sp_view digest, bool *out)
{
    enum sp_digest algorithm;
    struct sp_der all = sp_der(values);
    struct sp_der content = sp_der_enter(&all, SP_DER_SEQUENCE);
    sp_der_any(&content);
    struct sp_der info = sp_der_enter(&content, SP_DER_SEQUENCE);
    SP_TRY(info.err);
    enum sp_err e = sp_digest_algorithm(&info, &algorithm);
    if (e == SP_E_UNSUPPORTED) {
        return SP_OK;
    }
    SP_TRY(e);
    struct sp_view value = sp_der_content(&info, SP_DER_OCTETS);
    SP_TRY(info.err);
    *out = *out || (algorithm == d && sp_view_eq(value, digest));
    return SP_OK;
}

static enum sp_err compare_member(const struct sp_list *l, struct sp_der *member,
                                  enum sp_digest d, struct sp_view digest, bool *out)
{
    struct sp_view id = sp_der_content(member, SP_DER_OCTETS);
    struct sp_view values = {0}, attributes = {0};
    if (sp_der_more(member)) {
        attributes = sp_der_content(member, SP_DER_SET);
    }
    SP_TRY(sp_der_end(member));
    *out = *out || (l->is_by_digest && sp_view_eq(id, digest));
    struct sp_der all = sp_der(attributes);
    while (sp_der_more(&all)) {
        struct sp_der attribute = sp_der_enter(&all, SP_DER_SEQUENCE);
        struct sp_view oid = sp_der_content(&attribute, SP_DER_OID);
        values = sp_der_content(&attribute, SP_DER_SET);
        SP_TRY(sp_der_end(&attribute));
        if (sp_oid_is(oid, SP_OID_INDIRECT_DATA)) {
            SP_TRY(compare_indirect(values, d, digest, out));
        }
    }
    return sp_der_end(&all);
}

enum sp_err sp_list_find(const struct sp_list *l, enum sp_digest d,
                         struct sp_view digest, bool *out)
{
    bool found = false;
    struct sp_der all = sp_der(l->members);
    SP_ASSERT(digest.len == sp_digest_bytes(d));
    while (sp_der_more(&all)) {
        struct sp_der member = sp_der_enter(&all, SP_DER_SEQUENCE);
        SP_TRY(compare_member(l, &member, d, digest, &found));
    }
    SP_TRY(sp_der_end(&all));
    *out = found;
    return SP_OK;
}
