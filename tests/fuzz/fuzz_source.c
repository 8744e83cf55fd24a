/* Addresses from metadata against a list of hosts: 20 bytes of a digest, then the
 * address. What is accepted goes to a listed host, by a path of plain bytes. */
#include "core/gate/source.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char under[] = "*.example.net", one[] = "localhost:8531";
    char *patterns[] = {under, one};
    struct sp_source_hosts hosts = {patterns, 2};
    struct sp_source s;
    if (size < 20) {
        (void)sp_source_is_pattern(sp_view(data, size));
        return 0;
    }
    if (sp_source_read(sp_view(data + 20, size - 20), data, &hosts, &s) == SP_OK) {
        size_t n = strlen(s.host);
        SP_ASSERT(strcmp(s.host, one) == 0 ||
                  (n > 12 && strcmp(s.host + n - 12, ".example.net") == 0));
        SP_ASSERT(s.path[0] == '/' && !strpbrk(s.path, "?#%\\@: \r\n"));
    }
    return 0;
}
