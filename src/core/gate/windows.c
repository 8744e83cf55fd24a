#include "core/gate/windows.h"

#include <stddef.h>

#define SOAP_FAULT 0x80244007u /* WU_E_PT_SOAPCLIENT_SOAPFAULT */
#define NOT_MAPPED 0x8024402Bu /* WU_E_PT_HTTP_STATUS_NOT_MAPPED */
#define BITS_HTTP  0x80190000u /* HTTP_E_STATUS */

static const struct {
    int status;
    uint32_t code;
} rows[] = {
#define WINDOWS(status, code, name) {status, code},
#include "core/gate/windows.def"
#undef WINDOWS
};

uint32_t sp_windows_code(int status, bool is_content, bool is_fault)
{
    if (status < 400) {
        return 0;
    }
    if (is_content) {
        return BITS_HTTP + (uint32_t)status;
    }
    if (is_fault && status == 500) {
        return SOAP_FAULT;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].status == status) {
            return rows[i].code;
        }
    }
    return NOT_MAPPED;
}
