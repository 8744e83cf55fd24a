#include "app/shared/seals.h"

#include "core/crypto/secret.h"
#include "io/loop/loop.h"
#include "io/store/files.h"

#define FILE_NAME "cookie-keys"

enum { TEXT_MAX = 4096 };

static enum sp_err seals_new(const struct sp_seal_keys *keys, struct sp_seals **out)
{
    struct sp_seals *s = sp_secret_alloc(sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    atomic_init(&s->refs, 1);
    s->keys = *keys;
    *out = s;
    return SP_OK;
}

struct sp_seals *sp_seals_ref(struct sp_seals *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void sp_seals_unref(struct sp_seals **s)
{
    if (*s && atomic_fetch_sub(&(*s)->refs, 1) == 1) {
        sp_secret_free(*s, sizeof **s);
    }
    *s = NULL;
}

/* ---- the file ------------------------------------------------------------------- */

static void buf_wipe(struct sp_buf *b)
{
    if (b->data) {
        sp_bytes_wipe(b->data, b->cap);
    }
    sp_buf_fini(b);
}

static enum sp_err read_keys(int dir, struct sp_seal_keys *out, struct sp_why *why)
{
    struct sp_buf text;
    sp_buf_init(&text, TEXT_MAX);
    enum sp_err e = sp_file_read_at(dir, FILE_NAME, &text);
    if (e == SP_OK) {
        e = sp_seal_keys_read(sp_buf_view(&text), out);
        e = e == SP_OK ? SP_OK : SP_E_CORRUPT;
    }
    buf_wipe(&text);
    return e == SP_OK || e == SP_E_NOTFOUND
               ? e
               : sp_why_set(why, e,
                            "the file %s in the state directory holds no cookie keys "
                            "that can be read: move it away, and clients start over",
                            FILE_NAME);
}

static enum sp_err write_keys(int dir, const struct sp_seal_keys *k, struct sp_why *why)
{
    struct sp_buf text;
    uint8_t *room = NULL;
    sp_buf_init(&text, TEXT_MAX);
    enum sp_err e = sp_buf_reserve(&text, TEXT_MAX, &room); /* it does not move */
    e = e == SP_OK ? sp_seal_keys_write(k, &text) : e;
    if (e == SP_OK) {
        e = sp_file_replace_at(dir, FILE_NAME, sp_buf_view(&text), 0600,
                               SP_FILE_DURABLE);
    }
    buf_wipe(&text);
    return e == SP_OK ? e : sp_why_set(why, e, "cannot write %s", FILE_NAME);
}

static enum sp_err draw(struct sp_seal_keys *k, int64_t now)
{
    struct {
        uint32_t id;
        uint8_t key[SP_AEAD_KEY];
    } fresh;
    do {
        SP_TRY(sp_random_bytes(&fresh, sizeof fresh));
    } while (!sp_seal_keys_turn(k, now, fresh.id, fresh.key));
    sp_bytes_wipe(&fresh, sizeof fresh);
    return SP_OK;
}

/* On disk before anything is sealed with it. */
static enum sp_err turn(int dir, struct sp_seal_keys *k, int64_t now,
                        struct sp_why *why)
{
    SP_TRY(draw(k, now));
    return write_keys(dir, k, why);
}

enum sp_err sp_seals_open(const char *state_dir, int64_t now, struct sp_seals **out,
                          struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    struct sp_seal_keys keys = {0};
    SP_TRY(sp_dir_open(state_dir, &dir, why));
    enum sp_err e = read_keys(dir, &keys, why);
    if ((e == SP_OK || e == SP_E_NOTFOUND) && sp_seal_keys_due(&keys, now)) {
        e = turn(dir, &keys, now, why);
    }
    if (e == SP_OK) {
        e = seals_new(&keys, out);
    }
    sp_bytes_wipe(&keys, sizeof keys);
    return e;
}

enum sp_err sp_seals_turn(const char *state_dir, const struct sp_seals *old,
                          int64_t now, struct sp_seals **out, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    *out = NULL;
    if (!sp_seal_keys_due(&old->keys, now)) {
        return SP_OK;
    }
    struct sp_seal_keys keys = old->keys;
    SP_TRY(sp_dir_open(state_dir, &dir, why));
    enum sp_err e = turn(dir, &keys, now, why);
    if (e == SP_OK) {
        e = seals_new(&keys, out);
    }
    sp_bytes_wipe(&keys, sizeof keys);
    return e;
}
