/* The contracts as data: types.def and requests.def behind a type to ask. */
#ifndef SP_CORE_WSUS_SCHEMA_H
#define SP_CORE_WSUS_SCHEMA_H

#include "core/wsus/wsus.h"

enum sp_type_kind {
    SP_TYPE_TEXT,
    SP_TYPE_NUMBER,
    SP_TYPE_BINARY,
    SP_TYPE_VALUE,
    SP_TYPE_ENUMERATION,
    SP_TYPE_LIST,
    SP_TYPE_STRUCT
};

struct sp_type;

struct sp_member {
    const char *name; /* NULL behind the last one */
    const struct sp_type *type;
    bool required;
    bool attribute;
};

struct sp_type {
    enum sp_type_kind kind;
    int64_t least, most; /* TEXT, BINARY: bytes; NUMBER: value; LIST: items */
    /* VALUE: reads text without blanks around it and appends its one spelling. Errors:
     * SP_E_MALFORMED, and those of the buffer. */
    enum sp_err (*read)(struct sp_view text, struct sp_buf *out);
    const char *const *words;        /* ENUMERATION, NULL behind the last one */
    const struct sp_member *members; /* STRUCT; LIST: one row, the item */
};

/* A struct: the parameters of the operation. */
const struct sp_type *sp_schema_request(enum sp_op op);
/* Types themselves, for comparison: an UpdateIdentity. */
extern const struct sp_type *const sp_schema_update_identity;
/* The same of CookieData and EncryptedData, and of what EncryptedData stands in. */
extern const struct sp_type *const sp_schema_cookie_data;
extern const struct sp_type *const sp_schema_cookie;

#endif
