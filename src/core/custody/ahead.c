#include "core/custody/ahead.h"

#include "core/base/limits.h"

#include <string.h>

enum { MINUTES = 24 * 60, ROUNDS = 7, FIRST_AGAIN_MS = 600000 };

/* ---- when ------------------------------------------------------------------------ */

/* 100: these are no two digits. */
static unsigned two_digits(const uint8_t *s)
{
    unsigned high = (unsigned)s[0] - '0', low = (unsigned)s[1] - '0';
    return high < 10 && low < 10 ? high * 10 + low : 100;
}

static enum sp_err parse_minute(const uint8_t *s, unsigned *out)
{
    unsigned hour = two_digits(s), minute = two_digits(s + 3);
    if (s[2] != ':' || hour > 23 || minute > 59) {
        return SP_E_MALFORMED;
    }
    *out = hour * 60 + minute;
    return SP_OK;
}

enum sp_err sp_ahead_window_parse(struct sp_view text, struct sp_ahead_window *out)
{
    struct sp_ahead_window w = {0};
    if (text.len) {
        if (text.len != 11 || text.data[5] != '-') {
            return SP_E_MALFORMED;
        }
        SP_TRY(parse_minute(text.data, &w.from));
        SP_TRY(parse_minute(text.data + 6, &w.to));
    }
    *out = w;
    return SP_OK;
}

bool sp_ahead_window_is_open(const struct sp_ahead_window *w, unsigned minute)
{
    SP_ASSERT(minute < MINUTES);
    if (w->from <= w->to) {
        return w->from == w->to || (minute >= w->from && minute < w->to);
    }
    return minute >= w->from || minute < w->to;
}

/* ---- which ----------------------------------------------------------------------- */

bool sp_ahead_takes_all(const struct sp_ahead_conf *c)
{
    return c->classifications.count == 0 && c->products.count == 0;
}

static bool names(const struct sp_ahead_categories *list, struct sp_view id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (sp_view_eq(sp_view(list->at[i].bytes, sizeof list->at[i].bytes), id)) {
            return true;
        }
    }
    return false;
}

static bool names_one(const struct sp_ahead_categories *list, const struct sp_facts *f)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_CATEGORY, i, &v); i++) {
        if (names(list, v.bytes)) {
            return true;
        }
    }
    return list->count == 0;
}

static bool says(const struct sp_facts *f, enum sp_fact k, const char *what)
{
    struct sp_fact_value v;
    return sp_facts_get(f, k, 0, &v) && sp_view_eq_str(v.bytes, what);
}

bool sp_ahead_chooses(const struct sp_ahead_conf *c, const char *upstream,
                      const struct sp_facts *facts)
{
    return says(facts, SP_FACT_ENTRY_KIND, "revision") &&
           says(facts, SP_FACT_UPSTREAM_NAME, upstream) &&
           names_one(&c->classifications, facts) && names_one(&c->products, facts);
}

/* ---- how fast -------------------------------------------------------------------- */

static uint64_t owed_now(const struct sp_ahead_budget *b, uint64_t rate,
                         uint64_t now_ms)
{
    uint64_t ms = now_ms - b->since_ms;
    uint64_t paid = ms / 1000 * rate + ms % 1000 * rate / 1000;
    return rate == 0 || paid >= b->owed ? 0 : b->owed - paid;
}

uint64_t sp_ahead_wait(const struct sp_ahead_budget *b, uint64_t rate, uint64_t now_ms)
{
    uint64_t owed = owed_now(b, rate, now_ms);
    return owed ? owed / rate * 1000 + (owed % rate * 1000 + rate - 1) / rate : 0;
}

void sp_ahead_spend(struct sp_ahead_budget *b, uint64_t rate, uint64_t now_ms,
                    uint64_t bytes)
{
    b->owed = owed_now(b, rate, now_ms) + bytes;
    b->since_ms = now_ms;
}

uint64_t sp_ahead_hold(const struct sp_ahead_budget *b, uint64_t rate, uint64_t now_ms,
                       bool is_held, bool is_behind)
{
    uint64_t wait = sp_ahead_wait(b, rate, now_ms);
    if (is_behind) {
        return wait > SP_TIME_AHEAD_HOLD ? wait : SP_TIME_AHEAD_HOLD;
    }
    return is_held || wait >= SP_TIME_AHEAD_HOLD ? wait : 0;
}

uint64_t sp_ahead_again_ms(unsigned rounds)
{
    return rounds < ROUNDS ? (uint64_t)FIRST_AGAIN_MS << rounds : 0;
}
