#include "core/sign/catalog.h"

#include "core/base/text.h"
#include "core/crypto/list.h"
#include "core/sign/inside.h"

#include <stdio.h>
#include <stdlib.h>

struct catalog {
    char name[256];
    struct sp_buf bytes; /* owned; borrowed by cms */
    struct sp_cms *cms;  /* owned */
};

struct sp_catalogs {
    struct catalog at[SP_CATALOGS_MAX];
    size_t count;
};

enum sp_err sp_catalogs_new(struct sp_catalogs **out)
{
    struct sp_catalogs *c = calloc(1, sizeof *c);
    if (!c) {
        return SP_E_NOMEM;
    }
    *out = c;
    return SP_OK;
}

static void catalog_fini(struct catalog *c)
{
    sp_cms_free(&c->cms);
    sp_buf_fini(&c->bytes);
}

void sp_catalogs_free(struct sp_catalogs **c)
{
    if (*c) {
        for (size_t i = 0; i < (*c)->count; i++) {
            catalog_fini(&(*c)->at[i]);
        }
        free(*c);
        *c = NULL;
    }
}

unsigned sp_catalogs_digests(void)
{
    return 1U << SP_DIGEST_SHA1 | 1U << SP_DIGEST_SHA256;
}

/* Every signature of it is about a list of files. */
static enum sp_err check_lists(const struct catalog *c, struct sp_why *why)
{
    struct sp_list list;
    for (size_t i = 0; i < sp_cms_count(c->cms); i++) {
        if (sp_cms_at(c->cms, i)->content != SP_CONTENT_TRUST_LIST) {
            return SP_E_UNSUPPORTED;
        }
        SP_TRY(sp_list_read(sp_cms_content(c->cms, i), &list));
    }
    return sp_cms_count(c->cms) > 0
               ? SP_OK
               : sp_why_set(why, SP_E_UNPROVEN, "nobody signed it");
}

enum sp_err sp_catalogs_add(struct sp_catalogs *c, const char *name,
                            struct sp_buf *bytes, const struct sp_trust *trust,
                            int64_t now, struct sp_why *why)
{
    struct sp_why inner = {0};
    if (c->count == SP_CATALOGS_MAX) {
        return sp_why_set(why, SP_E_LIMIT, "more than %d catalogues", SP_CATALOGS_MAX);
    }
    SP_AUTO(catalog_fini) struct catalog one = {0};
    snprintf(one.name, sizeof one.name, "%s", name);
    sp_buf_take(bytes, &one.bytes);
    enum sp_err e = sp_cms_read(sp_buf_view(&one.bytes), &one.cms, &inner);
    e = e == SP_OK ? check_lists(&one, &inner) : e;
    if (e != SP_OK) {
        return sp_why_set(why, e, "%s is no signed catalogue of files: %s", name,
                          sp_why_text(&inner, e));
    }
    SP_TRY(sp_cms_verify(one.cms, trust, now));
    c->at[c->count++] = one;
    one = (struct catalog){0};
    return SP_OK;
}

/* ---- looking up ---- */

struct found {
    bool listed, strongly; /* by somebody who is trusted */
    unsigned by;           /* bit d: by its digest under algorithm d */
};

static enum sp_err find_values(const struct sp_list *list, const struct sp_facts *f,
                               enum sp_fact k, unsigned *by)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
            bool is = false;
            if (v.bytes.len == sp_digest_bytes(d)) {
                SP_TRY(sp_list_find(list, d, v.bytes, &is));
            }
            *by |= is ? 1U << d : 0;
        }
    }
    return SP_OK;
}

static enum sp_err find_in_list(struct sp_view content, const struct sp_facts *f,
                                unsigned *by)
{
    struct sp_list list;
    SP_TRY(sp_list_read(content, &list));
    SP_TRY(find_values(&list, f, SP_FACT_FILE_SHA1, by));
    SP_TRY(find_values(&list, f, SP_FACT_FILE_SHA256, by));
    return find_values(&list, f, SP_FACT_SIGN_DIGEST, by);
}

static unsigned strong_ones(unsigned by)
{
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        by &= sp_digest_is_weak(d) ? ~(1U << d) : ~0U;
    }
    return by;
}

static bool is_good(const struct sp_signature *one)
{
    return one->is_good && !one->is_explicit_curve && !one->has_forged_cert;
}

/* "update.cat lists it by sha1 sha256: sha256 good trusted ..." */
static enum sp_err state(const char *name, unsigned by, const struct sp_signature *one,
                         struct sp_facts *out)
{
    char line[SP_SIGN_LINE], text[SP_SIGN_LINE + 400], how[64] = "";
    size_t n = 0;
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        if (by >> d & 1) {
            n += (size_t)snprintf(how + n, sizeof how - n, " %s", sp_digest_text(d));
        }
    }
    sp_sign_line(one, is_good(one), is_good(one) && one->chain.is_trusted, line);
    snprintf(text, sizeof text, "%s %s%s: %s", name,
             by ? "lists it by" : "does not list it", how, line);
    struct sp_view v = sp_view_str(text);
    return sp_facts_text(out, SP_FACT_SIGN_CATALOG,
                         sp_utf8_is_valid(v) ? v : SP_VIEW("a name in no UTF-8"));
}

/* A list that cannot be read to its end lists nothing. */
static enum sp_err look_into(const struct catalog *c, size_t i, struct sp_facts *facts,
                             struct found *sum)
{
    const struct sp_signature *one = sp_cms_at(c->cms, i);
    unsigned by = 0;
    if (find_in_list(sp_cms_content(c->cms, i), facts, &by) != SP_OK) {
        by = 0;
    }
    if (by && is_good(one) && one->chain.is_trusted) {
        sum->listed = true;
        sum->strongly =
            sum->strongly || (strong_ones(by) && !sp_digest_is_weak(one->digest));
    }
    return state(c->name, by, one, facts);
}

enum sp_err sp_catalogs_look_up(const struct sp_catalogs *c, struct sp_facts *facts)
{
    struct found sum = {0};
    for (size_t i = 0; i < c->count; i++) {
        for (size_t j = 0; j < sp_cms_count(c->at[i].cms); j++) {
            SP_TRY(look_into(&c->at[i], j, facts, &sum));
        }
    }
    SP_TRY(sp_facts_flag(facts, SP_FACT_SIGN_LISTED, sum.listed));
    return sp_facts_flag(facts, SP_FACT_SIGN_LISTED_STRONGLY, sum.strongly);
}
