#include "core/http/http.h"

static const struct {
    int status;
    const char *name;
    const char *text;
} rows[] = {
    {200, "ACCEPTED", "accepted"},
#define REFUSAL(name, status, meaning) {status, #name, meaning},
#include "core/http/refusals.def"
#undef REFUSAL
};

#define ROWS (sizeof rows / sizeof rows[0])

int sp_http_refusal_status(enum sp_http_refusal r)
{
    SP_ASSERT((size_t)r < ROWS);
    return rows[r].status;
}

const char *sp_http_refusal_text(enum sp_http_refusal r)
{
    SP_ASSERT((size_t)r < ROWS);
    return rows[r].text;
}

const char *sp_http_refusal_name(enum sp_http_refusal r)
{
    SP_ASSERT((size_t)r < ROWS);
    return rows[r].name;
}

const char *sp_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "";
}
