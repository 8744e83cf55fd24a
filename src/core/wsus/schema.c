#include "core/wsus/schema.h"

#include "core/wsus/value.h"

/* As many items as a request may have nodes. */
#define ANY SP_LIMIT_XML_NODES_REQUEST

#define MEMBER(text, type_name)    {text, &type_##type_name, false, false},
#define REQUIRED(text, type_name)  {text, &type_##type_name, true, false},
#define ATTRIBUTE(text, type_name) {text, &type_##type_name, false, true},

#define TEXT(name, longest)                                                            \
    static const struct sp_type type_##name = {.kind = SP_TYPE_TEXT, .most = (longest)};
#define NUMBER(name, low, high)                                                        \
    static const struct sp_type type_##name = {                                        \
        .kind = SP_TYPE_NUMBER, .least = (low), .most = (high)};
#define BINARY(name, shortest, longest)                                                \
    static const struct sp_type type_##name = {                                        \
        .kind = SP_TYPE_BINARY, .least = (shortest), .most = (longest)};
#define VALUE(name, reader)                                                            \
    static const struct sp_type type_##name = {.kind = SP_TYPE_VALUE,                  \
                                               .read = sp_value_##reader};
#define ENUMERATION(name, ...)                                                         \
    static const char *const words_##name[] = {__VA_ARGS__, NULL};                     \
    static const struct sp_type type_##name = {.kind = SP_TYPE_ENUMERATION,            \
                                               .words = words_##name};
#define LIST(name, item, type_name, low, high)                                         \
    static const struct sp_member members_##name[] = {MEMBER(item, type_name){0}};     \
    static const struct sp_type type_##name = {.kind = SP_TYPE_LIST,                   \
                                               .least = (low),                         \
                                               .most = (high),                         \
                                               .members = members_##name};
#define STRUCT(name, ...)                                                              \
    static const struct sp_member members_##name[] = {__VA_ARGS__{0}};                 \
    static const struct sp_type type_##name = {.kind = SP_TYPE_STRUCT,                 \
                                               .members = members_##name};
#define REQUEST(op, ...) STRUCT(REQUEST_##op, __VA_ARGS__)

#include "core/wsus/types.def"
#include "core/wsus/requests.def"
#undef REQUEST

const struct sp_type *const sp_schema_update_identity = &type_UPDATE_IDENTITY;
const struct sp_type *const sp_schema_cookie_data = &type_COOKIE_DATA;
const struct sp_type *const sp_schema_cookie = &type_COOKIE;

const struct sp_type *sp_schema_request(enum sp_op op)
{
    static const struct sp_type *const types[SP_OP_COUNT] = {
#define REQUEST(op, ...) [SP_OP_##op] = &type_REQUEST_##op,
#include "core/wsus/requests.def"
#undef REQUEST
    };
    SP_ASSERT(op < SP_OP_COUNT);
    return types[op];
}
