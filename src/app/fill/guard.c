#include "app/fill/stock.h"

static enum sp_err look(void *ctx, uint64_t offset)
{
    return sp_object_look(ctx, offset);
}

/* Nothing is good for longer than the bytes that were just checked. */
static enum sp_err look_again(void *ctx, uint64_t offset)
{
    enum sp_err e = sp_object_look(ctx, offset);
    return e == SP_OK ? SP_E_AGAIN : e;
}

static enum sp_err check(void *ctx, uint64_t offset, struct sp_view bytes)
{
    return sp_object_check(ctx, offset, bytes);
}

const struct sp_file_guard *sp_guard(bool always)
{
    static const struct sp_file_guard first_read = {SP_BLOCK_SIZE, look, check};
    static const struct sp_file_guard every_read = {SP_BLOCK_SIZE, look_again, check};
    return always ? &every_read : &first_read;
}
