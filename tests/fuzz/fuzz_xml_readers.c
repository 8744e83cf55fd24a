/* Both readers of a whole document, expat and the one that is used. */
#include "support/xml_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sp_xml_rules tight = {
        .depth = 4, .attributes = 3, .nodes = 12, .text = 20, .comments = true};
    (void)xml_both_accept(sp_view(data, size), &sp_xml_rules_document);
    (void)xml_both_accept(sp_view(data, size), &sp_xml_rules_request);
    static const struct sp_xml_rules few = {
        .depth = 4, .attributes = 3, .nodes = 12, .comments = true};
    (void)xml_both_accept(sp_view(data, size), &tight);
    (void)xml_both_accept(sp_view(data, size), &few);
    return 0;
}
