/* Who came over plain HTTP, what was blocked or would have been, who signed files, and
 * how fresh every upstream is. */
#include "core/custody/freshness.h"
#include "core/report/report.h"

#include <stdlib.h>

static enum sp_err plain_now(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    sp_sheet_section(sheet, SP_SECTION_PLAIN_NOW);
    for (size_t i = 0; i < ask->plain_count; i++) {
        const struct sp_plain_now *p = &ask->plain[i];
        struct sp_row *row = NULL;
        SP_TRY(sp_sheet_row(sheet, &row));
        sp_row_text(row, SP_COLUMN_PEER, p->peer);
        sp_row_text(row, SP_COLUMN_OPERATION, p->operation);
        sp_row_number(row, SP_COLUMN_PASSED, p->passed);
        sp_row_number(row, SP_COLUMN_REFUSED, p->refused);
        sp_row_text(row, SP_COLUMN_LAST, p->last);
        row->weight = p->passed + p->refused;
        row->name = p->peer;
    }
    sp_sheet_sort(sheet);
    return SP_OK;
}

enum sp_err sp_report_plain_http(const struct sp_report_ask *ask,
                                 struct sp_sheet *sheet)
{
    const struct sp_book *b = ask->book;
    sp_sheet_section(sheet, SP_SECTION_PLAIN_HTTP);
    for (size_t i = 0; i < b->plain_by.count; i++) {
        const struct sp_book_plain *p = &b->plain[i];
        struct sp_row *row = NULL;
        SP_TRY(sp_sheet_row(sheet, &row));
        sp_row_text(row, SP_COLUMN_PEER, sp_book_text(b, p->peer));
        sp_row_text(row, SP_COLUMN_LISTENER, sp_book_text(b, p->listener));
        sp_row_text(row, SP_COLUMN_OPERATION, sp_book_text(b, p->operation));
        sp_row_number(row, SP_COLUMN_PASSED, p->passed);
        sp_row_number(row, SP_COLUMN_REFUSED, p->refused);
        sp_row_text(row, SP_COLUMN_FIRST, p->first);
        sp_row_text(row, SP_COLUMN_LAST, p->last);
        row->weight = p->passed + p->refused;
        row->name = sp_book_text(b, p->peer);
    }
    sp_sheet_sort(sheet);
    return plain_now(ask, sheet);
}

/* ---- blocked ------------------------------------------------------------------- */

static enum sp_err blocked_row(const struct sp_book *b, struct sp_sheet *sheet,
                               const struct sp_book_blocked *t, bool by_peer)
{
    struct sp_row *row = NULL;
    SP_TRY(sp_sheet_row(sheet, &row));
    sp_row_text(row, SP_COLUMN_RULE, sp_book_text(b, t->rule));
    if (by_peer && t->peer != SP_BOOK_NOBODY) {
        sp_row_text(row, SP_COLUMN_PEER, sp_book_text(b, t->peer));
    }
    sp_row_number(row, SP_COLUMN_BLOCKED, t->blocked);
    sp_row_number(row, SP_COLUMN_WOULD_BLOCK, t->would_block);
    sp_row_text(row, SP_COLUMN_LAST, t->last);
    row->weight = t->blocked + t->would_block;
    row->name = sp_book_text(b, t->rule);
    return SP_OK;
}

static struct sp_view later(struct sp_view a, struct sp_view b)
{
    return sp_view_cmp(a, b) < 0 ? b : a;
}

/* The tallies of every rule, whoever the peer was. rules has room for all texts. */
static enum sp_err by_rule(const struct sp_book *b, struct sp_sheet *sheet,
                           struct sp_book_blocked *rules)
{
    for (size_t i = 0; i < b->blocked_by.count; i++) {
        const struct sp_book_blocked *t = &b->blocked[i];
        struct sp_book_blocked *sum = &rules[t->rule];
        sum->rule = t->rule;
        sum->blocked += t->blocked;
        sum->would_block += t->would_block;
        sum->last = later(sum->last, t->last);
    }
    for (size_t i = 0; i < b->texts.count; i++) {
        if (rules[i].blocked || rules[i].would_block) {
            SP_TRY(blocked_row(b, sheet, &rules[i], false));
        }
    }
    sp_sheet_sort(sheet);
    return SP_OK;
}

enum sp_err sp_report_blocked(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    const struct sp_book *b = ask->book;
    struct sp_book_blocked *rules = calloc(b->texts.count + 1, sizeof *rules);
    sp_sheet_section(sheet, SP_SECTION_BLOCKED_RULE);
    enum sp_err e = rules ? by_rule(b, sheet, rules) : SP_E_NOMEM;
    free(rules);
    SP_TRY(e);
    sp_sheet_section(sheet, SP_SECTION_BLOCKED_PEER);
    for (size_t i = 0; i < b->blocked_by.count; i++) {
        SP_TRY(blocked_row(b, sheet, &b->blocked[i], true));
    }
    sp_sheet_sort(sheet);
    return SP_OK;
}

/* ---- signers ------------------------------------------------------------------- */

struct signer {
    int64_t files;
    uint64_t bytes;
    const struct sp_book_file *one; /* of them */
    struct sp_view last;
};

static enum sp_err signer_row(struct sp_sheet *sheet, const struct signer *s)
{
    struct sp_row *row = NULL;
    SP_TRY(sp_sheet_row(sheet, &row));
    sp_row_text(row, SP_COLUMN_SIGNER, s->one->signer);
    sp_row_text(row, SP_COLUMN_SIGN_CLASS, s->one->sign_class);
    sp_row_number(row, SP_COLUMN_TRUSTED, s->one->trusted);
    sp_row_number(row, SP_COLUMN_FILES, s->files);
    sp_row_number(row, SP_COLUMN_BYTES,
                  s->bytes > INT64_MAX ? INT64_MAX : (int64_t)s->bytes);
    sp_row_text(row, SP_COLUMN_ROOT, s->one->root);
    sp_row_text(row, SP_COLUMN_LAST, s->last);
    row->weight = s->files;
    row->name = s->one->signer;
    return SP_OK;
}

/* Files that agree in signer, root, class and trust are one row. */
static enum sp_err signer_key(const struct sp_book_file *f, struct sp_buf *key)
{
    sp_buf_clear(key);
    SP_TRY(sp_buf_append(key, f->signer));
    SP_TRY(sp_buf_append_byte(key, 0));
    SP_TRY(sp_buf_append(key, f->root));
    SP_TRY(sp_buf_append_byte(key, 0));
    SP_TRY(sp_buf_append(key, f->sign_class));
    return sp_buf_append_byte(key, f->trusted);
}

static enum sp_err gather(const struct sp_book *b, struct sp_names *names,
                          struct signer *signers)
{
    SP_AUTO(sp_buf_fini) struct sp_buf key;
    sp_buf_init(&key, 16384);
    for (size_t i = 0; i < b->files_by.count; i++) {
        const struct sp_book_file *f = &b->files[i];
        uint32_t n;
        if (!f->verified) {
            continue;
        }
        SP_TRY(signer_key(f, &key));
        SP_TRY(sp_names_put(names, sp_buf_view(&key), &n));
        signers[n].one = f;
        signers[n].files++;
        signers[n].bytes += f->size;
        signers[n].last = later(signers[n].last, f->verified_at);
    }
    return SP_OK;
}

enum sp_err sp_report_signers(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    const struct sp_book *b = ask->book;
    SP_AUTO(sp_names_fini) struct sp_names names;
    struct signer *signers = calloc(b->files_by.count + 1, sizeof *signers);
    sp_names_init(&names, sheet->arena);
    sp_sheet_section(sheet, SP_SECTION_SIGNERS);
    enum sp_err e = signers ? gather(b, &names, signers) : SP_E_NOMEM;
    for (size_t i = 0; e == SP_OK && i < names.count; i++) {
        e = signer_row(sheet, &signers[i]);
    }
    free(signers);
    sp_sheet_sort(sheet);
    return e;
}

/* ---- freshness ----------------------------------------------------------------- */

static enum sp_err put_age(const struct sp_report_ask *ask, struct sp_sheet *sheet,
                           const struct sp_book_upstream *u, struct sp_row *row)
{
    struct sp_freshness f;
    int64_t newest;
    char day[SP_TIME_TEXT];
    struct sp_view text;
    if (sp_time_parse(u->newest, &newest) != SP_OK) {
        return SP_OK; /* nothing was recorded of it */
    }
    sp_freshness_at(newest, 0, ask->now, &f);
    sp_row_number(row, SP_COLUMN_DAYS, f.days);
    if (!f.has_missed) {
        return SP_OK;
    }
    sp_time_format(f.missed, day);
    SP_TRY(sp_sheet_copy(sheet, sp_view(day, 10), &text));
    sp_row_text(row, SP_COLUMN_MISSED, text);
    return SP_OK;
}

enum sp_err sp_report_freshness(const struct sp_report_ask *ask, struct sp_sheet *sheet)
{
    const struct sp_book *b = ask->book;
    sp_sheet_section(sheet, SP_SECTION_FRESHNESS);
    for (size_t i = 0; i < b->upstreams_by.count; i++) {
        const struct sp_book_upstream *u = &b->upstreams[i];
        struct sp_row *row = NULL;
        SP_TRY(sp_sheet_row(sheet, &row));
        row->name = sp_book_text(b, u->name);
        sp_row_text(row, SP_COLUMN_UPSTREAM, row->name);
        sp_row_text(row, SP_COLUMN_NEWEST, u->newest);
        SP_TRY(put_age(ask, sheet, u, row));
        sp_row_number(row, SP_COLUMN_REVISIONS, u->revisions);
        sp_row_text(row, SP_COLUMN_NEWEST_CREATED,
                    sp_view_slice(u->newest_created, 0, 10));
        sp_row_text(row, SP_COLUMN_POSTURE, u->posture);
        sp_row_text(row, SP_COLUMN_HOST, u->host);
        sp_row_text(row, SP_COLUMN_POSTURE_REASON, u->posture_reason);
    }
    sp_sheet_sort(sheet);
    return SP_OK;
}
