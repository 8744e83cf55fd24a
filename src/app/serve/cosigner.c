#include "app/serve/cosigner.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "io/loop/loop.h"
#include "io/store/files.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_TEXT_MAX = 1024 };

struct sp_cosigner {
    char *state_dir, *name;  /* owned */
    pthread_mutex_t lock;    /* of what follows and of the files */
    struct sp_note_key *key; /* owned; NULL until it is ready */
    char public_key[KEY_TEXT_MAX];
};

enum sp_err sp_cosigner_new(const char *state_dir, const char *name,
                            struct sp_cosigner **out)
{
    struct sp_cosigner *c = calloc(1, sizeof *c);
    if (!c) {
        return SP_E_NOMEM;
    }
    pthread_mutex_init(&c->lock, NULL);
    c->state_dir = strdup(state_dir);
    c->name = strdup(name);
    if (!c->state_dir || !c->name) {
        sp_cosigner_free(&c);
        return SP_E_NOMEM;
    }
    *out = c;
    return SP_OK;
}

void sp_cosigner_free(struct sp_cosigner **pc)
{
    struct sp_cosigner *c = *pc;
    if (!c) {
        return;
    }
    pthread_mutex_destroy(&c->lock);
    sp_note_key_free(&c->key);
    free(c->state_dir);
    free(c->name);
    free(c);
    *pc = NULL;
}

const char *sp_cosigner_public_key(const struct sp_cosigner *c)
{
    return c->public_key;
}

/* ---- the key --------------------------------------------------------------------- */

static void buf_wipe(struct sp_buf *b)
{
    if (b->data) {
        sp_bytes_wipe(b->data, b->cap);
    }
    sp_buf_fini(b);
}

static enum sp_err make_key(int dir, const char *name, struct sp_note_key **out)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    SP_AUTO(buf_wipe) struct sp_buf text;
    uint8_t seed[32];
    sp_buf_init(&text, KEY_TEXT_MAX);
    SP_TRY(sp_random_bytes(seed, sizeof seed));
    enum sp_err e = sp_cosigner_key_new(name, seed, &k);
    sp_bytes_wipe(seed, sizeof seed);
    SP_TRY(e);
    SP_TRY(sp_note_key_export(k, &text));
    SP_TRY(sp_buf_append_byte(&text, '\n'));
    SP_TRY(sp_file_replace_at(dir, "key", sp_buf_view(&text), 0600, SP_FILE_DURABLE));
    *out = k;
    k = NULL;
    return SP_OK;
}

static enum sp_err read_key(int dir, struct sp_note_key **out)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    SP_AUTO(buf_wipe) struct sp_buf text;
    sp_buf_init(&text, KEY_TEXT_MAX);
    SP_TRY(sp_file_read_at(dir, "key", &text));
    SP_TRY(sp_cosigner_key_import(sp_view_trim(sp_buf_view(&text), "\n"), &k, NULL));
    if (!k->is_private) {
        return SP_E_MALFORMED;
    }
    *out = k;
    k = NULL;
    return SP_OK;
}

/* The public half is written again each time: it follows from the other one. */
static enum sp_err show_key(struct sp_cosigner *c, int dir)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, KEY_TEXT_MAX - 1);
    SP_TRY(sp_note_key_export_public(c->key, &text));
    snprintf(c->public_key, sizeof c->public_key, SP_VIEW_FMT,
             SP_VIEW_ARG(sp_buf_view(&text)));
    SP_TRY(sp_buf_append_byte(&text, '\n'));
    return sp_file_replace_at(dir, "key.pub", sp_buf_view(&text), 0644,
                              SP_FILE_DURABLE);
}

static enum sp_err open_dir(const struct sp_cosigner *c, int *out, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int state = -1;
    SP_TRY(sp_dir_open(c->state_dir, &state, why));
    return sp_dir_open_at(state, "witness", out, why);
}

static enum sp_err load(struct sp_cosigner *c, int dir, struct sp_why *why)
{
    struct sp_note_key *k = NULL;
    enum sp_err e = read_key(dir, &k);
    e = e == SP_E_NOTFOUND ? make_key(dir, c->name, &k) : e;
    if (e != SP_OK) {
        return sp_why_set(why, e, "the key witness/key in %s cannot be used: %s",
                          c->state_dir, sp_err_text(e));
    }
    c->key = k;
    return show_key(c, dir);
}

enum sp_err sp_cosigner_ready(struct sp_cosigner *c, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_TRY(open_dir(c, &dir, why));
    pthread_mutex_lock(&c->lock);
    enum sp_err e = c->key ? SP_OK : load(c, dir, why);
    pthread_mutex_unlock(&c->lock);
    return e;
}

/* ---- what was cosigned last ------------------------------------------------------ */

/* Names of ledgers hold bytes that names of files may not. */
static void file_of(const char *origin, char out[33])
{
    uint8_t hash[32];
    sp_sha256(sp_view_str(origin), hash);
    for (unsigned i = 0; i < 16; i++) {
        snprintf(out + 2 * (size_t)i, 3, "%02x", hash[i]);
    }
}

/* A file that is there and cannot be read is never taken for none: who has it damaged
 * would get a second history cosigned. */
static enum sp_err read_last(int dir, const char *file, const struct sp_note_key *log,
                             struct sp_buf *note, struct sp_head *out)
{
    struct sp_checkpoint c;
    enum sp_err e = sp_file_read_at(dir, file, note);
    *out = (struct sp_head){.size = 0};
    if (e == SP_E_NOTFOUND) {
        return SP_OK;
    }
    SP_TRY(e);
    SP_TRY(sp_checkpoint_open(sp_buf_view(note), log, &c, NULL));
    out->size = c.size;
    memcpy(out->root, c.root, SP_HASH);
    return SP_OK;
}

static const struct sp_note_key *find_log(const struct sp_config_keys *logs,
                                          struct sp_view origin)
{
    for (size_t i = 0; i < logs->count; i++) {
        if (sp_view_eq_str(origin, sp_note_key_name(logs->at[i]))) {
            return logs->at[i];
        }
    }
    return NULL;
}

/* ---- evidence -------------------------------------------------------------------- */

/* The first of a kind from a ledger is kept, so that nobody fills the disk. */
static void keep(const struct sp_cosigner *c, const char *file, struct sp_view asked,
                 struct sp_view seen, struct sp_cosigner_answer *out)
{
    SP_AUTO(sp_fd_close) int state = -1;
    char path[SP_FILE_PATH_MAX];
    if (sp_dir_open(c->state_dir, &state, NULL) != SP_OK) {
        return;
    }
    snprintf(path, sizeof path, "evidence/cosign-%s-%d.asked", file, out->status);
    if (sp_file_is_there(state, path) ||
        sp_file_replace_at(state, path, asked, 0600, SP_FILE_DURABLE) != SP_OK) {
        return;
    }
    snprintf(path, sizeof path, "evidence/cosign-%s-%d.seen", file, out->status);
    out->is_first =
        sp_file_replace_at(state, path, seen, 0600, SP_FILE_DURABLE) == SP_OK;
}

/* ---- ruling ---------------------------------------------------------------------- */

static enum sp_err grant(const struct sp_cosigner *c, int dir, const char *file,
                         struct sp_view note, bool is_news, int64_t now,
                         struct sp_buf *lines)
{
    struct sp_view text, signatures;
    if (is_news) {
        SP_TRY(sp_file_replace_at(dir, file, note, 0600, SP_FILE_DURABLE));
    }
    SP_TRY(sp_note_split(note, &text, &signatures));
    return sp_cosign(c->key, text, (uint64_t)now, lines);
}

/* Under the lock. */
static enum sp_err rule(struct sp_cosigner *c, const struct sp_cosign_ask *a,
                        const struct sp_note_key *log, struct sp_view body, int64_t now,
                        struct sp_cosigner_answer *out)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    struct sp_head last, next;
    char file[33];
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    file_of(out->origin, file);
    SP_TRY(open_dir(c, &dir, &out->why));
    SP_TRY(read_last(dir, file, log, &note, &last));
    out->ruling = sp_cosign_judge(a, log, &last, &next, &out->why);
    out->is_ruled = true;
    out->status = sp_cosign_status(out->ruling);
    out->last = last.size;
    if (out->ruling == SP_COSIGN_GRANTED) {
        out->asked = next.size;
        return grant(c, dir, file, a->note, next.size != last.size || !note.len, now,
                     &out->lines);
    }
    if (out->ruling == SP_COSIGN_FORKED || out->ruling == SP_COSIGN_UNPROVEN) {
        keep(c, file, body, sp_buf_view(&note), out);
    }
    return SP_OK;
}

static void answer_only(struct sp_cosigner_answer *out, int status, const char *why)
{
    out->status = status;
    sp_why_say(&out->why, "%s", why);
}

void sp_cosigner_rule(struct sp_cosigner *c, const struct sp_config_keys *logs,
                      struct sp_view body, int64_t now, struct sp_cosigner_answer *out)
{
    struct sp_cosign_ask a;
    struct sp_view origin;
    *out = (struct sp_cosigner_answer){.status = 503};
    sp_buf_init(&out->lines, SP_KIB(4));
    if (sp_cosign_ask_parse(body, &a) != SP_OK ||
        sp_cosign_origin(a.note, &origin) != SP_OK) {
        answer_only(out, 400, "it is not what add-checkpoint asks");
        return;
    }
    const struct sp_note_key *log = find_log(logs, origin);
    if (!log) {
        answer_only(out, 404, "no ledger of this name is cosigned here");
        return;
    }
    snprintf(out->origin, sizeof out->origin, "%s", sp_note_key_name(log));
    pthread_mutex_lock(&c->lock);
    enum sp_err e = c->key ? rule(c, &a, log, body, now, out) : SP_E_UNAVAILABLE;
    pthread_mutex_unlock(&c->lock);
    if (e != SP_OK) {
        sp_buf_clear(&out->lines);
        out->is_ruled = false;
        answer_only(out, 503, sp_err_text(e));
    }
}

void sp_cosigner_answer_fini(struct sp_cosigner_answer *a)
{
    sp_buf_fini(&a->lines);
}
