/* Reading the configuration: what is accepted dumps to a text that reads to the same
 * dump, whatever was read before. */
#include "app/config/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char good[] =
    "upstream \"u\" { url = \"https://u\" ca_file = \"ca\" pins = {"
    " \"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
    " \"sha256//AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\" } }\n"
    "listener \"l\" { bind = \"[::1]:8530\" upstream = \"u\" }\n";

/* The parser below keeps state between texts. */
static void expect_good(void)
{
    SP_AUTO(sp_config_free) struct sp_config *c = NULL;
    struct sp_why why = {0};
    if (sp_config_parse("good", sp_view_str(good), &c, &why) != SP_OK) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_config_free) struct sp_config *c = NULL;
    SP_AUTO(sp_config_free) struct sp_config *again = NULL;
    struct sp_why why = {0};
    if (sp_config_parse("input", sp_view(data, size), &c, &why) != SP_OK) {
        if (!why.text[0]) {
            abort();
        }
        expect_good();
        return 0;
    }
    const char *dump = sp_config_dump(c);
    if (sp_config_parse("dump", sp_view_str(dump), &again, &why) != SP_OK ||
        strcmp(dump, sp_config_dump(again)) != 0) {
        abort();
    }
    return 0;
}
