#include "app/base/mask.h"

#include <arpa/inet.h>
#include <string.h>

/* What may stand in an address; a run of these is one or is not. */
static bool is_part(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
           c == ':' || c == '.';
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_';
}

/* The longest beginning of the run that is an address: "10.0.0.1:443", "10.0.0.1." */
static size_t read_address(struct sp_view run, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];
    for (size_t n = run.len < sizeof text ? run.len : sizeof text - 1; n >= 2; n--) {
        bool ends_whole = n == run.len || run.data[n] == ':' || run.data[n] == '.';
        if (!ends_whole) {
            continue;
        }
        memcpy(text, run.data, n);
        text[n] = 0;
        memset(out, 0, 16);
        if (inet_pton(AF_INET, text, out + 12) == 1) {
            out[10] = out[11] = 0xff;
            return n;
        }
        if (inet_pton(AF_INET6, text, out) == 1) {
            return n;
        }
    }
    return 0;
}

static bool says_nothing(const uint8_t a[16])
{
    static const uint8_t zeros[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = memcmp(a, mapped, 12) == 0;
    return (is_v4 && (a[12] == 127 || memcmp(a + 12, zeros, 4) == 0)) ||
           (memcmp(a, zeros, 15) == 0 && a[15] <= 1);
}

static enum sp_err append_name(struct sp_mask *m, const uint8_t a[16],
                               struct sp_buf *out)
{
    size_t i = 0;
    while (i < m->count && memcmp(m->peers[i], a, 16) != 0) {
        i++;
    }
    if (i == SP_MASK_PEERS) {
        return sp_buf_append_str(out, "peer-x");
    }
    if (i == m->count) {
        memcpy(m->peers[m->count++], a, 16);
    }
    return sp_buf_printf(out, "peer-%zu", i + 1);
}

enum sp_err sp_mask_append(struct sp_mask *m, struct sp_view text, struct sp_buf *out)
{
    size_t i = 0;
    while (i < text.len) {
        uint8_t address[16];
        size_t end = i;
        while (end < text.len && is_part(text.data[end])) {
            end++;
        }
        bool whole = (i == 0 || !is_word(text.data[i - 1])) &&
                     (end == text.len || !is_word(text.data[end]));
        size_t n = whole ? read_address(sp_view_slice(text, i, end), address) : 0;
        if (n && !says_nothing(address)) {
            SP_TRY(append_name(m, address, out));
        } else {
            n = end > i ? end - i : 1;
            SP_TRY(sp_buf_append(out, sp_view_slice(text, i, i + n)));
        }
        i += n;
    }
    return SP_OK;
}
