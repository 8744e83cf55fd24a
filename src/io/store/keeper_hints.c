/* Hints: addresses of files on their way into the index. */
#include "io/store/keeper_inside.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

struct sp_hints {
    struct sp_msg msg;
    struct sp_keeper *keeper; /* borrowed */
    struct sp_buf records;    /* SHA-1, address, NUL; one behind the other */
};

enum sp_err sp_hints_new(struct sp_hints **out)
{
    struct sp_hints *h = calloc(1, sizeof *h);
    if (!h) {
        return SP_E_NOMEM;
    }
    sp_buf_init(&h->records, SP_LIMIT_SOAP_REPLY);
    *out = h;
    return SP_OK;
}

void sp_hints_free(struct sp_hints **h)
{
    if (*h) {
        sp_buf_fini(&(*h)->records);
        free(*h);
    }
    *h = NULL;
}

enum sp_err sp_hints_add(struct sp_hints *h, const uint8_t sha1[20], struct sp_view url)
{
    SP_ASSERT(url.len < SP_FILE_URL && sp_view_find(url, 0) == url.len);
    SP_TRY(sp_buf_append(&h->records, sp_view(sha1, 20)));
    SP_TRY(sp_buf_append(&h->records, url));
    return sp_buf_append_byte(&h->records, 0);
}

static enum sp_err put_all(struct sp_keeper *k, struct sp_view left)
{
    while (left.len > 20) {
        struct sp_view url = sp_view_slice(left, 20, left.len);
        url = sp_view_slice(url, 0, sp_view_find(url, 0));
        SP_TRY(sp_index_put_url(k->index, left.data, url));
        left = sp_view_slice(left, 20 + url.len + 1, left.len);
    }
    return SP_OK;
}

static enum sp_err keep(struct sp_keeper *k, struct sp_view records)
{
    struct sp_index_mark mark;
    SP_TRY(sp_keeper_index_ready(k, NULL));
    SP_TRY(sp_index_begin(k->index));
    enum sp_err e = put_all(k, records);
    if (e == SP_OK) {
        sp_keeper_mark(k, &mark);
        e = sp_index_commit(k->index, &mark);
    }
    if (e != SP_OK) {
        sp_index_rollback(k->index);
    }
    return e;
}

static void run(struct sp_msg *msg)
{
    struct sp_hints *h = SP_HOLDER(msg, struct sp_hints, msg);
    enum sp_err e = keep(h->keeper, sp_buf_view(&h->records));
    if (e == SP_E_CORRUPT) {
        sp_keeper_index_failed(h->keeper, e);
    }
    sp_hints_free(&h);
}

void sp_keeper_hint(struct sp_keeper *k, struct sp_hints **take)
{
    struct sp_hints *h = *take;
    *take = NULL;
    h->keeper = k;
    h->msg.run = run;
    sp_keeper_post(k, &h->msg);
}
