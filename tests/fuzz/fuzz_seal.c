/* Envelopes of any bytes, and key files of any text: nothing opens that was not sealed,
 * and what is read as keys is written the same. */
#include "core/gate/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sp_seal_bond bond = {.kind = SP_COOKIE_SERVER,
                                         .upstream = {(const uint8_t *)"u", 1},
                                         .peer = {(const uint8_t *)"::1", 3}};

static void open_any(struct sp_view bytes)
{
    /* the id is that of the envelopes in the corpus, so that the cipher is reached */
    struct sp_seal_keys k = {.count = 1, .at = {{.id = 0x30303030, .key = {1}}}};
    struct sp_buf out;
    sp_buf_init(&out, SP_LIMIT_COOKIE);
    enum sp_err e = sp_unseal(&k, &bond, 1795305600, 86400, bytes, &out);
    SP_ASSERT(e != SP_OK && out.len == 0);
    sp_buf_fini(&out);
}

static void seal_and_open(struct sp_view bytes)
{
    struct sp_seal_keys k = {.count = 1, .at = {{.id = 1, .key = {2}}}};
    struct sp_buf sealed, plain;
    sp_buf_init(&sealed, SP_LIMIT_COOKIE);
    sp_buf_init(&plain, SP_LIMIT_COOKIE);
    if (sp_seal(&k, &bond, 9, k.at[0].key, bytes, &sealed) == SP_OK) {
        SP_ASSERT(sp_unseal(&k, &bond, 9, 1, sp_buf_view(&sealed), &plain) == SP_OK);
        SP_ASSERT(sp_view_eq(sp_buf_view(&plain), bytes));
    }
    sp_buf_fini(&sealed);
    sp_buf_fini(&plain);
}

static void read_keys(struct sp_view text)
{
    struct sp_seal_keys k, again;
    struct sp_buf out;
    if (sp_seal_keys_read(text, &k) != SP_OK) {
        return;
    }
    sp_buf_init(&out, SP_KIB(64));
    SP_ASSERT(sp_seal_keys_write(&k, &out) == SP_OK);
    SP_ASSERT(sp_seal_keys_read(sp_buf_view(&out), &again) == SP_OK);
    SP_ASSERT(again.count == k.count && out.len <= text.len);
    sp_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view bytes = sp_view(data, size);
    open_any(bytes);
    seal_and_open(bytes);
    read_keys(bytes);
    return 0;
}
