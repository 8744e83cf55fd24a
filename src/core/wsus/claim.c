#include "core/wsus/claim.h"

#include <stdio.h>
#include <string.h>

static void hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

void sp_claim_format(const struct sp_claim *c, char out[SP_CLAIM_TEXT])
{
    char sha1[41], sha256[65] = "-";
    SP_ASSERT(c->size <= SP_CLAIM_SIZE_MAX);
    hex(c->sha1, sizeof c->sha1, sha1);
    if (c->has_sha256) {
        hex(c->sha256, sizeof c->sha256, sha256);
    }
    snprintf(out, SP_CLAIM_TEXT, "%s %s %llu %s", sha1, sha256,
             (unsigned long long)c->size, c->ext[0] ? c->ext : "-");
}

/* Takes what stands in front of the next blank, and the blank. */
static struct sp_view next_word(struct sp_view *text)
{
    size_t end = sp_view_find(*text, ' ');
    struct sp_view word = sp_view_slice(*text, 0, end);
    *text = sp_view_slice(*text, end + 1, text->len);
    return word;
}

static enum sp_err read_ext(struct sp_view word, char ext[9])
{
    if (sp_view_eq_str(word, "-")) {
        return SP_OK;
    }
    if (word.len == 0 || word.len > 8) {
        return SP_E_MALFORMED;
    }
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            return SP_E_MALFORMED;
        }
        ext[i] = (char)c;
    }
    return SP_OK;
}

static enum sp_err read_words(struct sp_view text, struct sp_claim *c)
{
    SP_TRY(sp_hex_parse(next_word(&text), c->sha1, sizeof c->sha1));
    struct sp_view sha256 = next_word(&text);
    c->has_sha256 = !sp_view_eq_str(sha256, "-");
    if (c->has_sha256) {
        SP_TRY(sp_hex_parse(sha256, c->sha256, sizeof c->sha256));
    }
    SP_TRY(sp_u64_parse(next_word(&text), SP_CLAIM_SIZE_MAX, &c->size));
    return read_ext(text, c->ext);
}

enum sp_err sp_claim_parse(struct sp_view text, struct sp_claim *out)
{
    struct sp_claim c = {0};
    char again[SP_CLAIM_TEXT];
    if (read_words(text, &c) != SP_OK) {
        return SP_E_MALFORMED;
    }
    /* capital hex digits and the like are another spelling */
    sp_claim_format(&c, again);
    if (!sp_view_eq_str(text, again)) {
        return SP_E_MALFORMED;
    }
    *out = c;
    return SP_OK;
}
