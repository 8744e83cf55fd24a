#include "core/wsus/op.h"

#include "core/wsus/names.h"

static const struct {
    const char *text;
    enum sp_service service;
    const char *action;
    enum sp_reply_kind reply;
    int64_t patience;
    enum { READS, ALONE } twice;
} ops[SP_OP_COUNT] = {
#define OP(name, text, service, action, reply, patience, twice)                        \
    {text, SP_SERVICE_##service, action, SP_REPLY_##reply, patience, twice},
#include "core/wsus/ops.def"
#undef OP
};

const char *sp_op_text(enum sp_op op)
{
    SP_ASSERT(op < SP_OP_COUNT);
    return ops[op].text;
}

enum sp_service sp_op_service(enum sp_op op)
{
    SP_ASSERT(op < SP_OP_COUNT);
    return ops[op].service;
}

const char *sp_op_action(enum sp_op op)
{
    SP_ASSERT(op < SP_OP_COUNT);
    return ops[op].action;
}

int64_t sp_op_patience(enum sp_op op)
{
    SP_ASSERT(op < SP_OP_COUNT);
    return ops[op].patience;
}

enum sp_reply_kind sp_op_reply(enum sp_op op)
{
    SP_ASSERT(op < SP_OP_COUNT);
    return ops[op].reply;
}

bool sp_op_is_shared(enum sp_op op)
{
    SP_ASSERT(op < SP_OP_COUNT);
    return ops[op].twice == READS;
}

bool sp_op_streams(enum sp_op op)
{
    return op == SP_OP_GET_DEPLOYMENTS || op == SP_OP_GET_DRIVER_ID_LIST ||
           op == SP_OP_GET_DRIVER_SET_DATA || op == SP_OP_GET_CONFIG_DATA ||
           op == SP_OP_GET_UPDATE_DECRYPTION_DATA;
}

bool sp_op_find(enum sp_service s, struct sp_view soap_action, enum sp_op *out)
{
    size_t n = soap_action.len;
    if (n < 2 || soap_action.data[0] != '"' || soap_action.data[n - 1] != '"') {
        return false;
    }
    struct sp_view action = sp_view_slice(soap_action, 1, n - 1);
    for (int op = 0; op < SP_OP_COUNT; op++) {
        if (ops[op].service == s && sp_view_eq_str(action, ops[op].action)) {
            *out = (enum sp_op)op;
            return true;
        }
    }
    return false;
}
