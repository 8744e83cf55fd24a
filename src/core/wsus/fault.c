#include "core/wsus/names.h"
#include "core/wsus/wsus.h"

#include "core/xml/xml.h"

static const struct {
    const char *text, *who;
} faults[] = {
#define FAULT(name, text, who) {text, who},
#include "core/wsus/faults.def"
#undef FAULT
};

const char *sp_fault_text(enum sp_fault_code c)
{
    SP_ASSERT((size_t)c < sizeof faults / sizeof faults[0]);
    return faults[c].text;
}

static enum sp_err write_method(struct sp_buf *out, enum sp_op op)
{
    if (op == SP_OP_COUNT) {
        return SP_OK;
    }
    return sp_buf_printf(out, "<Method>\"%s\"</Method>", sp_op_action(op));
}

/* [MS-WSUSSS] 2.2.9.1: the detail's children are in no namespace. */
static enum sp_err write_detail(struct sp_buf *out, enum sp_op op,
                                enum sp_fault_code code, struct sp_view message,
                                const struct sp_guid *id)
{
    char id_text[SP_GUID_TEXT];
    sp_guid_format(id, id_text);
    SP_TRY(sp_buf_printf(out, "<detail><ErrorCode>%s</ErrorCode><Message>",
                         faults[code].text));
    SP_TRY(sp_xml_write_text(out, message));
    SP_TRY(sp_buf_printf(out, "</Message><ID>%s</ID>", id_text));
    SP_TRY(write_method(out, op));
    return sp_buf_append_str(out, "</detail>");
}

enum sp_err sp_soap_fault_write(struct sp_buf *out, enum sp_op op,
                                enum sp_fault_code code, struct sp_view message,
                                const struct sp_guid *id, struct sp_view actor)
{
    SP_ASSERT((size_t)code < sizeof faults / sizeof faults[0]);
    SP_TRY(sp_buf_printf(out,
                         "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
                         "<soap:Envelope xmlns:soap=\"" NS_SOAP "\" xmlns:xsi=\"" NS_XSI
                         "\" xmlns:xsd=\"" NS_XSD "\"><soap:Body><soap:Fault>"
                         "<faultcode>soap:%s</faultcode>"
                         "<faultstring>Fault occurred</faultstring><faultactor>",
                         faults[code].who));
    SP_TRY(sp_xml_write_text(out, actor));
    SP_TRY(sp_buf_append_str(out, "</faultactor>"));
    SP_TRY(write_detail(out, op, code, message, id));
    return sp_buf_append_str(out, "</soap:Fault></soap:Body></soap:Envelope>");
}
