/* What a signature is about: [Authenticode_PE] SpcIndirectDataContent, SpcPeImageData,
 * SpcSpOpusInfo. */
#include "core/crypto/cms_parts.h"

#include "core/base/text.h"

#include <string.h>

/* SpcSerializedObject whose class is "page hashes". */
static const uint8_t page_hashes[] = {0xa6, 0xb5, 0x86, 0xd5, 0xb4, 0xa1, 0x24, 0x66,
                                      0xae, 0x05, 0xa2, 0x17, 0xda, 0x8e, 0x60, 0xd6};

/* SpcLink, of which only the moniker [1] matters here. */
static bool is_page_hashes(struct sp_der *link)
{
    if (!sp_der_is(link, SP_DER_1)) {
        return false;
    }
    struct sp_der moniker = sp_der_enter(link, SP_DER_1);
    return sp_view_eq(sp_der_content(&moniker, SP_DER_OCTETS),
                      sp_view(page_hashes, sizeof page_hashes));
}

static bool has_page_hashes(struct sp_view pe_image)
{
    struct sp_der d = sp_der(pe_image);
    if (sp_der_is(&d, SP_DER_BIT_STRING)) {
        sp_der_any(&d);
    }
    struct sp_der file = sp_der_enter(&d, SP_DER_0);
    return is_page_hashes(&file);
}

/* SpcSipInfo of installer databases: a version, then the class of their kind. */
static bool is_installer(struct sp_der *data)
{
    static const uint8_t class[] = {0xf1, 0x10, 0x0c, 0, 0, 0, 0, 0,
                                    0xc0, 0,    0,    0, 0, 0, 0, 0x46};
    struct sp_der info = sp_der_enter(data, SP_DER_SEQUENCE);
    sp_der_content(&info, SP_DER_INTEGER);
    return sp_view_eq(sp_der_content(&info, SP_DER_OCTETS),
                      sp_view(class, sizeof class));
}

/* Cabinets carry either their own type or a bare link. */
static enum sp_err read_data(struct sp_der *content, struct sp_signature *out)
{
    struct sp_der data = sp_der_enter(content, SP_DER_SEQUENCE);
    struct sp_view type = sp_der_content(&data, SP_DER_OID);
    if (sp_oid_is(type, SP_OID_PE_IMAGE)) {
        out->content = SP_CONTENT_PE;
        out->has_page_hashes = has_page_hashes(sp_der_content(&data, SP_DER_SEQUENCE));
    } else if (sp_oid_is(type, SP_OID_CABINET)) {
        out->content = SP_CONTENT_CABINET;
    } else if (sp_oid_is(type, SP_OID_LINK)) {
        out->content = SP_CONTENT_CABINET;
        out->has_page_hashes = is_page_hashes(&data);
    } else if (sp_oid_is(type, SP_OID_SIP_INFO)) {
        out->content = is_installer(&data) ? SP_CONTENT_INSTALLER : SP_CONTENT_OTHER;
    }
    return data.err;
}

static enum sp_err read_indirect(struct sp_view inner, struct sp_signature *out)
{
    struct sp_der all = sp_der(inner);
    struct sp_der content = sp_der_enter(&all, SP_DER_SEQUENCE);
    SP_TRY(read_data(&content, out));
    struct sp_der info = sp_der_enter(&content, SP_DER_SEQUENCE);
    SP_TRY(info.err);
    SP_TRY(sp_digest_algorithm(&info, &out->file_digest));
    out->file = sp_der_content(&info, SP_DER_OCTETS);
    SP_TRY(sp_der_end(&info));
    SP_TRY(sp_der_end(&content));
    SP_TRY(sp_der_end(&all));
    return out->file.len == sp_digest_bytes(out->file_digest) ? SP_OK : SP_E_MALFORMED;
}

/* UTF-16BE, two bytes a unit, into out as UTF-8; cut to fit. */
static void take_utf16be(struct sp_view v, char *out, size_t cap)
{
    uint8_t swapped[128];
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    size_t n = v.len / 2 * 2 < sizeof swapped ? v.len / 2 * 2 : sizeof swapped;
    for (size_t i = 0; i < n; i++) {
        swapped[i] = v.data[i ^ 1];
    }
    sp_buf_init(&text, sizeof swapped * 2);
    if (sp_utf16le_to_utf8(sp_view(swapped, n), &text) == SP_OK && text.len > 0 &&
        text.len < cap) {
        memcpy(out, text.data, text.len);
        out[text.len] = 0;
    }
}

static void read_program_name(struct sp_view attributes, struct sp_signature *out)
{
    enum { BMP = 0x80, IA5 = 0x81 };
    struct sp_view value = {0};
    if (sp_attribute(attributes, SP_OID_OPUS_INFO, &value) != SP_OK) {
        return;
    }
    struct sp_der d = sp_der(value);
    struct sp_der opus = sp_der_enter(&d, SP_DER_SEQUENCE);
    if (!sp_der_is(&opus, SP_DER_0)) {
        return;
    }
    struct sp_der name = sp_der_enter(&opus, SP_DER_0);
    struct sp_tlv text = sp_der_any(&name);
    if (text.tag == BMP) {
        take_utf16be(text.content, out->program_name, sizeof out->program_name);
    } else if (text.tag == IA5 && text.content.len > 0 &&
               text.content.len < sizeof out->program_name &&
               sp_utf8_is_valid(text.content)) {
        memcpy(out->program_name, text.content.data, text.content.len);
    }
}

enum sp_err sp_spc_read(struct sp_cms_one *one)
{
    struct sp_signature *out = &one->public;
    read_program_name(one->signer.signed_attributes, out);
    if (sp_oid_is(one->data.content_type, SP_OID_TRUST_LIST)) {
        /* the digest runs over what is inside, so the tag has to be looked at */
        struct sp_der list = sp_der(one->data.inner);
        out->content = SP_CONTENT_TRUST_LIST;
        return one->data.inner.len > 0 ? sp_der_enter(&list, SP_DER_SEQUENCE).err
                                       : SP_OK;
    }
    if (sp_oid_is(one->data.content_type, SP_OID_INDIRECT_DATA)) {
        return read_indirect(one->data.inner, out);
    }
    return SP_OK;
}
