/* traceparent = "00-" trace-id "-" parent-id "-" flags, in lower-case hex, no id all
 * zero. What is of another version, or not exactly this, is dropped as the
 * specification has it; nothing but these 55 characters ever goes on. */
#include "core/http/http.h"

enum {
    TRACE_AT = 3,
    TRACE = 32,
    PARENT_AT = 36,
    PARENT = 16,
    FLAGS_AT = 53,
    FLAGS = 2,
    ALL = 55
};

static bool is_hex(struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static bool is_zero(struct sp_view v)
{
    size_t i = 0;
    while (i < v.len && v.data[i] == '0') {
        i++;
    }
    return i == v.len;
}

bool sp_http_is_traceparent(struct sp_view v)
{
    if (v.len != ALL || !sp_view_starts(v, SP_VIEW("00-"))) {
        return false;
    }
    struct sp_view trace = sp_view_slice(v, TRACE_AT, TRACE_AT + TRACE);
    struct sp_view parent = sp_view_slice(v, PARENT_AT, PARENT_AT + PARENT);
    struct sp_view flags = sp_view_slice(v, FLAGS_AT, FLAGS_AT + FLAGS);
    return v.data[PARENT_AT - 1] == '-' && v.data[FLAGS_AT - 1] == '-' &&
           is_hex(trace) && is_hex(parent) && is_hex(flags) && !is_zero(trace) &&
           !is_zero(parent);
}
