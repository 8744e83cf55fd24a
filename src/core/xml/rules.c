#include "core/xml/xml.h"

const struct sp_xml_rules sp_xml_rules_request = {
    .depth = SP_LIMIT_XML_DEPTH,
    .attributes = SP_LIMIT_XML_ATTRIBUTES,
    .nodes = SP_LIMIT_XML_NODES_REQUEST,
    .text = SP_LIMIT_XML_TEXT_REQUEST,
    .comments = false,
};

const struct sp_xml_rules sp_xml_rules_reply = {
    .depth = SP_LIMIT_XML_DEPTH,
    .attributes = SP_LIMIT_XML_ATTRIBUTES,
    .nodes = SP_LIMIT_XML_NODES_REPLY,
    .text = 0,
    .comments = true,
};

const struct sp_xml_rules sp_xml_rules_document = {
    .depth = SP_LIMIT_XML_DEPTH,
    .attributes = SP_LIMIT_XML_ATTRIBUTES,
    .nodes = SP_LIMIT_XML_NODES_REPLY,
    .text = 0,
    .comments = true,
};

const struct sp_xml_rules sp_xml_rules_stream = {
    .depth = SP_LIMIT_XML_DEPTH,
    .attributes = SP_LIMIT_XML_ATTRIBUTES,
    .nodes = SP_LIMIT_XML_NODES_STREAM,
    .text = SP_LIMIT_XML_TOKEN,
    .comments = true,
    .token = SP_LIMIT_XML_TOKEN,
};

bool sp_xml_name_is(struct sp_xml_name n, const char *ns, const char *local)
{
    return sp_view_eq_str(n.local, local) && sp_view_eq_str(n.ns, ns);
}

bool sp_xml_attr(const struct sp_xml_element *e, const char *ns, const char *local,
                 struct sp_view *out)
{
    for (size_t i = 0; i < e->attr_count; i++) {
        if (sp_xml_name_is(e->attrs[i].name, ns, local)) {
            *out = e->attrs[i].value;
            return true;
        }
    }
    return false;
}
