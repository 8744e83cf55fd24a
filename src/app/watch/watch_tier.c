/* Follows the ledger of an upstream: a round fetches its checkpoint and what is new
 * below it, over the same pinned connection as everything else. Rounds begin by
 * themselves, and when somebody needs what is newer than the last one. */
#include "app/log/log.h"
#include "app/watch/watch_parts.h"
#include "core/base/text.h"
#include "core/custody/cosign.h"
#include "io/store/change.h"
#include "io/store/files.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUND_EVERY_MS = 30000,
    AGAIN_MS = 250, /* where cosignatures are under way, */
    ROUNDS_MOST = 20, /* so many times for who waits */
    PATIENCE_MS = 15000,
    TRIES = 4, /* a partial tile may be gone when the ledger grew meanwhile */
    BUNDLE_MAX = SP_TILE_WIDTH * (SP_LIMIT_LEDGER_ENTRY + 2)
};

/* ---- what is remembered ---------------------------------------------------------- */

/* The upstream's name as that of a file. */
static void file_name(const struct ward *d, const char *folder, const char *tail,
                      char *out, size_t size)
{
    char name[64];
    snprintf(name, sizeof name, "%s", d->row.name);
    for (char *p = name; *p; p++) {
        *p = isalnum((unsigned char)*p) || *p == '-' ? *p : '_';
    }
    snprintf(out, size, "%s%s%s", folder, name, tail);
}

static enum sp_err open_state(const struct ward *d, int *out)
{
    return sp_dir_open(d->watch->state_dir, out, NULL);
}

static enum sp_err remember(struct ward *d)
{
    SP_AUTO(sp_fd_close) int state = -1;
    char path[SP_FILE_PATH_MAX];
    file_name(d, "tiers/", "", path, sizeof path);
    SP_TRY(open_state(d, &state));
    return sp_file_replace_at(state, path, sp_buf_view(&d->tier.seen_note), 0600,
                              SP_FILE_DURABLE);
}

/* The state that ended it, as its name and the sentence; the checkpoint beside it. */
static enum sp_err keep_evidence(struct ward *d)
{
    SP_AUTO(sp_fd_close) int state = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    char now[SP_TIME_TEXT], tail[64], path[SP_FILE_PATH_MAX];
    struct tier *t = &d->tier;
    const char *what = sp_follow_text(t->follow.state);
    sp_time_format(sp_clock_wall_s(), now);
    sp_buf_init(&text, SP_KIB(64));
    SP_TRY(open_state(d, &state));
    snprintf(tail, sizeof tail, "-%s-%s.seen", now, what);
    file_name(d, "evidence/", tail, path, sizeof path);
    SP_TRY(sp_file_replace_at(state, path, sp_buf_view(&t->seen_note), 0600,
                              SP_FILE_DURABLE));
    snprintf(tail, sizeof tail, "-%s-%s.shown", now, what);
    file_name(d, "evidence/", tail, path, sizeof path);
    SP_TRY(
        sp_file_replace_at(state, path, sp_buf_view(&t->note), 0600, SP_FILE_DURABLE));
    SP_TRY(sp_buf_printf(&text, "%d\n%s\n", (int)t->follow.state, t->follow.why.text));
    file_name(d, "tiers/", ".end", path, sizeof path);
    return sp_file_replace_at(state, path, sp_buf_view(&text), 0600, SP_FILE_DURABLE);
}

static bool read_state_file(const struct ward *d, const char *tail, struct sp_buf *out)
{
    SP_AUTO(sp_fd_close) int state = -1;
    char path[SP_FILE_PATH_MAX];
    file_name(d, "tiers/", tail, path, sizeof path);
    return open_state(d, &state) == SP_OK && sp_file_read_at(state, path, out) == SP_OK;
}

/* A contradiction stays one until an administrator removes the file. */
static void recall_end(struct ward *d)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_KIB(64));
    if (!read_state_file(d, ".end", &text)) {
        return;
    }
    struct sp_view rest = sp_buf_view(&text);
    uint64_t state = 0;
    size_t end = sp_view_find(rest, '\n');
    bool good = sp_u64_parse(sp_view_slice(rest, 0, end), SP_FOLLOW_STATE_COUNT - 1,
                             &state) == SP_OK &&
                sp_follow_is_final((enum sp_follow_state)state);
    rest = sp_view_trim(sp_view_slice(rest, end + 1, rest.len), "\n");
    d->tier.follow.state = good ? (enum sp_follow_state)state : SP_FOLLOW_FORKED;
    d->tier.follow.why.text[0] = '\0';
    sp_why_say(&d->tier.follow.why, SP_VIEW_FMT, SP_VIEW_ARG(rest));
}

static void recall(struct ward *d)
{
    struct tier *t = &d->tier;
    struct sp_head seen = {.size = 0};
    struct sp_checkpoint c;
    sp_buf_clear(&t->seen_note);
    if (read_state_file(d, "", &t->seen_note) &&
        sp_checkpoint_open(sp_buf_view(&t->seen_note), t->key, &c, NULL) == SP_OK) {
        seen.size = c.size;
        memcpy(seen.root, c.root, SP_HASH);
    }
    sp_follow_init(&t->follow, t->key, &seen);
    recall_end(d);
}

/* ---- cosignatures ---------------------------------------------------------------- */

static const struct sp_config_upstream *conf_of(const struct ward *d)
{
    const struct sp_config *c = d->watch->world->config;
    for (size_t i = 0; i < c->upstream_count; i++) {
        if (strcmp(c->upstreams[i].name, d->row.name) == 0) {
            return &c->upstreams[i];
        }
    }
    return NULL;
}

static enum sp_err count_good(const struct ward *d, struct sp_cosigned *said,
                              size_t *good)
{
    const struct sp_config_upstream *u = conf_of(d);
    if (!u) {
        return SP_E_NOTFOUND;
    }
    return sp_cosignatures(sp_buf_view(&d->tier.note),
                           (const struct sp_note_key *const *)u->custody_cosigners.at,
                           u->custody_cosigners.count, said, good);
}

/* The checkpoint that was just proven: how many known cosigners saw it as well? */
static void weigh(struct ward *d)
{
    struct tier *t = &d->tier;
    struct sp_cosigned said[SP_LIMIT_COSIGNERS];
    size_t good = 0;
    if (!sp_follow_is_proven(&t->follow) || t->wanted == 0) {
        return;
    }
    t->cosigned = count_good(d, said, &good) == SP_OK ? (unsigned)good : 0;
    if (t->cosigned >= t->wanted) {
        t->covered = t->follow.proven;
        t->covered_by = t->cosigned;
    }
}

static bool lacks(const struct tier *t)
{
    return t->follow.state == SP_FOLLOW_GOOD && t->cosigned < t->wanted;
}

/* Somebody signs what it shows beside its own key: the next checkpoint comes later than
 * the entries, but it comes. */
static bool is_cosigned(const struct tier *t)
{
    struct sp_view text, lines;
    if (t->wanted) {
        return true;
    }
    return sp_note_split(sp_buf_view(&t->note), &text, &lines) == SP_OK &&
           sp_view_find(lines, '\n') + 1 < lines.len;
}

static enum sp_err write_cosigned(const struct ward *d, struct sp_facts *f)
{
    struct sp_cosigned said[SP_LIMIT_COSIGNERS];
    size_t good = 0;
    if (d->tier.wanted == 0 || count_good(d, said, &good) != SP_OK) {
        return SP_OK;
    }
    const struct sp_config_keys *k = &conf_of(d)->custody_cosigners;
    SP_TRY(sp_facts_int(f, SP_FACT_TIER_COSIGNED, d->tier.cosigned));
    SP_TRY(sp_facts_int(f, SP_FACT_TIER_COSIGNED_WANTED, d->tier.wanted));
    for (size_t i = 0; i < k->count; i++) {
        SP_TRY(said[i].good ? sp_facts_text(f, SP_FACT_TIER_COSIGNER,
                                            sp_view_str(sp_note_key_name(k->at[i])))
                            : SP_OK);
    }
    return SP_OK;
}

/* ---- what is told ---------------------------------------------------------------- */

static enum sp_err write_facts(const struct ward *d, struct sp_facts *f)
{
    const struct sp_follow *w = &d->tier.follow;
    SP_TRY(sp_ward_entry(d, "tier", f));
    SP_TRY(sp_facts_text(f, SP_FACT_TIER_ORIGIN,
                         sp_view_str(sp_note_key_name(d->tier.key))));
    SP_TRY(sp_facts_int(f, SP_FACT_TIER_SIZE, (int64_t)w->proven));
    SP_TRY(sp_facts_text(f, SP_FACT_TIER_STATE, sp_view_str(sp_follow_text(w->state))));
    if (w->why.text[0]) {
        SP_TRY(sp_facts_text(f, SP_FACT_TIER_WHY, sp_view_str(w->why.text)));
    }
    return w->state == SP_FOLLOW_GOOD ? write_cosigned(d, f) : SP_OK;
}

static void tell(struct ward *d)
{
    struct sp_facts *f = NULL;
    const struct sp_follow *w = &d->tier.follow;
    bool good = w->state == SP_FOLLOW_GOOD && !lacks(&d->tier);
    struct sp_why why = {0};
    sp_tier_why(d, &why);
    sp_log_say(good ? SP_LOG_INFO : SP_LOG_WARNING, "tier",
               "the ledger %s of upstream %s is %s at %" PRIu64 " entries%s%s",
               sp_note_key_name(d->tier.key), d->row.name, sp_follow_text(w->state),
               w->proven, why.text[0] ? ": " : "", why.text);
    if (sp_facts_new(SP_KIB(64), &f) == SP_OK && write_facts(d, f) == SP_OK) {
        sp_watch_record(d->watch, f);
    }
    sp_facts_free(&f);
    if (sp_follow_is_final(w->state) && keep_evidence(d) != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "not_kept", "the evidence against %s",
                   sp_note_key_name(d->tier.key));
    }
    sp_posture_recheck(&d->posture, sp_watch_now_s(d->watch));
}

void sp_tier_why(const struct ward *d, struct sp_why *why)
{
    const struct tier *t = &d->tier;
    if (t->follow.why.text[0]) {
        sp_why_say(why, "%s", t->follow.why.text);
    } else if (lacks(t)) {
        sp_why_say(why,
                   "the checkpoint of %s is cosigned by %u of the cosigners that are "
                   "known; %u are demanded",
                   sp_note_key_name(t->key), t->cosigned, t->wanted);
    }
}

unsigned sp_tier_reasons(const struct ward *d)
{
    if (!d->tier.on) {
        return 0;
    }
    switch (d->tier.follow.state) {
    case SP_FOLLOW_GOOD:
        return lacks(&d->tier) ? SP_REASON_BIT(TIER_UNCOSIGNED) : 0;
    case SP_FOLLOW_SILENT:
    case SP_FOLLOW_UNREADABLE:
        return SP_REASON_BIT(TIER_SILENT);
    case SP_FOLLOW_UNSIGNED:
    case SP_FOLLOW_REPLAYED:
    case SP_FOLLOW_TRUNCATED:
    case SP_FOLLOW_FORKED:
    case SP_FOLLOW_STATE_COUNT:
        break;
    }
    return SP_REASON_BIT(TIER_BROKEN);
}

/* ---- questions ------------------------------------------------------------------- */

static bool look_up(const struct tier *t, struct sp_tier_ask *q)
{
    bool all = true;
    for (size_t i = 0; i < q->count; i++) {
        const struct sp_tier_row *row = sp_tier_book_find(&t->book, &q->ids[i]);
        q->said[i] = (struct sp_tier_said){.known = false};
        if (row && row->entry < t->follow.proven) {
            q->said[i].known = true;
            q->said[i].entry = row->entry;
            q->said[i].cosigned =
                row->entry < t->covered ? t->covered_by : t->cosigned;
            memcpy(q->said[i].document_sha256, row->document_sha256, 32);
        }
        all = all && q->said[i].known && q->said[i].cosigned >= t->wanted;
    }
    return all;
}

enum sp_testimony sp_tier_says(const struct ward *d, const struct sent *sent)
{
    const struct tier *t = &d->tier;
    if (!t->on || t->follow.state != SP_FOLLOW_GOOD) {
        return SP_TESTIMONY_COUNT;
    }
    const struct sp_tier_row *row = sp_tier_book_find(&t->book, &sent->id);
    if (!row || row->entry >= t->follow.proven) {
        return SP_TESTIMONY_MISSING;
    }
    return memcmp(row->document_sha256, sent->document_sha256, 32) == 0
               ? SP_TESTIMONY_AGREES
               : SP_TESTIMONY_CONTRADICTS;
}

static void answer(const struct tier *t, struct sp_tier_ask *q)
{
    (void)look_up(t, q);
    q->followed = true;
    q->required = t->required;
    q->size = t->follow.proven;
    q->state = sp_follow_text(t->follow.state);
    q->why = t->follow.why;
    q->cosigned_wanted = t->wanted;
    snprintf(q->origin, sizeof q->origin, "%s", sp_note_key_name(t->key));
    sp_watch_answer_tier(q);
}

static void answer_all(const struct tier *t, struct sp_tier_ask **list)
{
    struct sp_tier_ask *q = *list;
    *list = NULL;
    while (q) {
        struct sp_tier_ask *next = (struct sp_tier_ask *)(void *)q->msg.next;
        answer(t, q);
        q = next;
    }
}

/* A round is over. Who needs what is not cosigned yet waits for the next ones. */
static void answer_waiting(struct tier *t)
{
    struct sp_tier_ask *q = t->waiting;
    bool may_come = t->follow.state == SP_FOLLOW_GOOD && is_cosigned(t);
    t->waiting = NULL;
    while (q) {
        struct sp_tier_ask *next = (struct sp_tier_ask *)(void *)q->msg.next;
        if (may_come && !look_up(t, q) && ++q->rounds < ROUNDS_MOST) {
            q->msg.next = (struct sp_msg *)(void *)t->waiting;
            t->waiting = q;
        } else {
            answer(t, q);
        }
        q = next;
    }
}

/* Who asked while the round was under way waits from now on. */
static void join_later(struct tier *t)
{
    while (t->later) {
        struct sp_tier_ask *q = t->later;
        t->later = (struct sp_tier_ask *)(void *)q->msg.next;
        q->msg.next = (struct sp_msg *)(void *)t->waiting;
        t->waiting = q;
    }
}

static void begin_round(struct ward *d);

void sp_tier_ask_of(struct ward *d, struct sp_tier_ask *q)
{
    struct tier *t = &d->tier;
    bool known = look_up(t, q) && t->follow.state == SP_FOLLOW_GOOD;
    if (known || !t->required || sp_follow_is_final(t->follow.state) ||
        d->watch->stopping) {
        answer(t, q);
        return;
    }
    /* what a round began before the question was asked says is too old for it */
    struct sp_tier_ask **list = t->running ? &t->later : &t->waiting;
    q->msg.next = (struct sp_msg *)(void *)*list;
    *list = q;
    if (!t->running) {
        begin_round(d);
    }
}

/* ---- a round --------------------------------------------------------------------- */

static void end_round(struct ward *d, enum sp_err e, const struct sp_why *why)
{
    struct tier *t = &d->tier;
    t->running = false;
    t->next_ms = sp_loop_now_ms(d->watch->loop) + ROUND_EVERY_MS;
    if (e != SP_OK && !d->watch->stopping && !sp_follow_is_final(t->follow.state)) {
        t->follow.state = SP_FOLLOW_SILENT;
        t->follow.why.text[0] = '\0';
        sp_why_say(&t->follow.why, "%s cannot be read: %s", sp_note_key_name(t->key),
                   sp_why_text(why, e));
    }
    if ((t->follow.state != t->told || lacks(t) != t->told_lack) &&
        !d->watch->stopping) {
        t->told = t->follow.state;
        t->told_lack = lacks(t);
        tell(d);
    }
    if (d->watch->stopping) {
        sp_tier_stop(d);
        return;
    }
    answer_waiting(t);
    if (t->waiting) {
        t->next_ms = sp_loop_now_ms(d->watch->loop) + AGAIN_MS;
    }
    bool is_asked = t->later != NULL;
    join_later(t);
    if (is_asked) {
        begin_round(d);
    }
}

static void ask_next(struct ward *d);

static enum sp_err on_head(void *ctx, const struct sp_http_response *head)
{
    struct ward *d = ctx;
    d->tier.status = head->status;
    return SP_OK;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct ward *d = ctx;
    return sp_buf_append(&d->tier.reply, bytes);
}

static enum sp_err take_entry(void *ctx, uint64_t index, struct sp_view entry)
{
    struct ward *d = ctx;
    struct sp_change c;
    if (index == 0) {
        sp_tier_book_fini(&d->tier.book);
    }
    if (sp_change_read(entry, &c, NULL) != SP_OK) {
        return SP_OK; /* a later version's entry; it is hashed all the same */
    }
    enum sp_err e =
        c.kind == SP_CHANGE_REVISION
            ? sp_tier_book_put(&d->tier.book, &c.id, c.document_sha256, index)
            : SP_OK;
    sp_change_fini(&c);
    return e;
}

static enum sp_err take_checkpoint(struct ward *d)
{
    struct tier *t = &d->tier;
    sp_buf_clear(&t->note);
    SP_TRY(sp_buf_append(&t->note, sp_buf_view(&t->reply)));
    t->at_checkpoint = false;
    (void)sp_follow_checkpoint(&t->follow, sp_buf_view(&t->note));
    return SP_OK;
}

static enum sp_err remember_proven(struct ward *d)
{
    struct tier *t = &d->tier;
    bool same = sp_view_eq(sp_buf_view(&t->note), sp_buf_view(&t->seen_note));
    if (!sp_follow_is_proven(&t->follow) || same) {
        return SP_OK;
    }
    sp_buf_clear(&t->seen_note);
    SP_TRY(sp_buf_append(&t->seen_note, sp_buf_view(&t->note)));
    return remember(d);
}

static enum sp_err take_reply(struct ward *d, struct sp_why *why)
{
    struct tier *t = &d->tier;
    bool is_late = t->status == 404 && !t->at_checkpoint && ++t->tries < TRIES;
    if (is_late) {
        t->at_checkpoint = true;
        return SP_OK;
    }
    if (t->status != 200) {
        return sp_why_set(why, SP_E_PROTOCOL, "%s is answered with status %d",
                          SP_CUSTODY_PREFIX, t->status);
    }
    SP_TRY(t->at_checkpoint
               ? take_checkpoint(d)
               : sp_follow_bundle(&t->follow, sp_buf_view(&t->reply), take_entry, d));
    weigh(d);
    return remember_proven(d);
}

static void on_done(void *ctx, enum sp_err e, const struct sp_link_report *link)
{
    struct ward *d = ctx;
    struct sp_why why = {0};
    d->tier.fetch = NULL;
    if (e == SP_OK) {
        e = take_reply(d, &why);
    } else {
        sp_why_say(&why, "%s", sp_why_text(&link->why, e));
    }
    sp_buf_fini(&d->tier.reply);
    if (e == SP_OK) {
        ask_next(d);
    } else {
        end_round(d, e, &why);
    }
    sp_watch_came_back(d->watch);
}

static enum sp_err fetch(struct ward *d, const char *path)
{
    char whole[128];
    struct sp_fetch_handler h = {
        .head = on_head, .data = on_data, .done = on_done, .ctx = d};
    snprintf(whole, sizeof whole, SP_CUSTODY_PREFIX "%s", path);
    struct sp_fetch_ask a = {.kind = SP_FETCH_CONTENT,
                             .path = whole,
                             .reply_limit = BUNDLE_MAX,
                             .patience_ms = PATIENCE_MS};
    if (d->watch->stopping) {
        return SP_E_CANCELLED;
    }
    SP_TRY(sp_fetch_start(d->watch->pool, d->upstream, &a, &h, &d->tier.fetch));
    d->watch->under_way++;
    return SP_OK;
}

static void ask_next(struct ward *d)
{
    struct tier *t = &d->tier;
    char path[SP_TILE_PATH_MAX] = "checkpoint";
    uint64_t bundle = 0;
    unsigned width = 0;
    if (!t->at_checkpoint) {
        if (!sp_follow_wants(&t->follow, &bundle, &width)) {
            end_round(d, SP_OK, NULL);
            return;
        }
        sp_tile_entries_path(bundle, width, path);
    }
    enum sp_err e = fetch(d, path);
    if (e != SP_OK) {
        end_round(d, e, NULL);
    }
}

static void begin_round(struct ward *d)
{
    d->tier.running = true;
    d->tier.at_checkpoint = true;
    d->tier.tries = 0;
    ask_next(d);
}

void sp_tier_tick(struct ward *d)
{
    struct tier *t = &d->tier;
    if (t->on && !t->running && !d->gone && !d->watch->stopping &&
        !sp_follow_is_final(t->follow.state) &&
        sp_loop_now_ms(d->watch->loop) >= t->next_ms) {
        begin_round(d);
    }
}

/* ---- life ------------------------------------------------------------------------ */

static enum sp_err copy_key(const struct sp_note_key *from, struct sp_note_key **key,
                            char **text)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_KIB(4));
    SP_TRY(sp_note_key_export_public(from, &b));
    SP_TRY(sp_note_key_import(sp_buf_view(&b), key, NULL));
    *text = strndup((const char *)b.data, b.len);
    return *text ? SP_OK : SP_E_NOMEM;
}

static bool is_same(const struct tier *t, struct sp_note_key *key, char *text)
{
    bool same = t->key_text && strcmp(t->key_text, text) == 0;
    if (same) {
        sp_note_key_free(&key);
        free(text);
    }
    return same;
}

enum sp_err sp_tier_setup(struct ward *d, const struct sp_config_upstream *u)
{
    struct tier *t = &d->tier;
    struct sp_note_key *key = NULL;
    char *text = NULL;
    t->on = u->custody;
    t->required = u->custody_required;
    if (t->wanted != u->custody_cosignatures || t->wanted) {
        t->wanted = u->custody_cosignatures;
        t->cosigned = t->covered_by = 0; /* by whom, the next round says */
        t->covered = 0;
        t->next_ms = 0;
    }
    if (!t->on) {
        sp_tier_stop(d);
        return SP_OK;
    }
    SP_TRY(copy_key(u->custody_key, &key, &text));
    if (is_same(t, key, text)) {
        return SP_OK;
    }
    sp_tier_fini(d);
    t->key = key;
    t->key_text = text;
    sp_buf_init(&t->seen_note, SP_LIMIT_CHECKPOINT);
    sp_buf_init(&t->note, SP_LIMIT_CHECKPOINT);
    sp_buf_init(&t->reply, BUNDLE_MAX);
    recall(d);
    t->told = SP_FOLLOW_STATE_COUNT; /* whatever the first round brings is news */
    return SP_OK;
}

void sp_tier_fini(struct ward *d)
{
    struct tier *t = &d->tier;
    if (t->key) {
        sp_note_key_free(&t->key);
        free(t->key_text);
        sp_tier_book_fini(&t->book);
        sp_buf_fini(&t->seen_note);
        sp_buf_fini(&t->note);
        sp_buf_fini(&t->reply);
        t->key_text = NULL;
    }
}

void sp_tier_stop(struct ward *d)
{
    answer_all(&d->tier, &d->tier.waiting);
    answer_all(&d->tier, &d->tier.later);
}
