#include "app/world/tier_book.h"

#include <stdlib.h>
#include <string.h>

void sp_tier_book_fini(struct sp_tier_book *b)
{
    free(b->rows);
    *b = (struct sp_tier_book){.rows = NULL};
}

/* FNV-1a: who floods the table has to record a row in its ledger for each. */
static size_t place_of(const struct sp_revision_id *id, size_t room)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof id->id.bytes; i++) {
        h = (h ^ id->id.bytes[i]) * 0x100000001b3u;
    }
    h = (h ^ (uint32_t)id->number) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32) & (room - 1);
}

static struct sp_tier_row *row_of(const struct sp_tier_book *b,
                                  const struct sp_revision_id *id)
{
    size_t at = place_of(id, b->room);
    while (b->rows[at].used && (b->rows[at].id.number != id->number ||
                                !sp_guid_eq(&b->rows[at].id.id, &id->id))) {
        at = (at + 1) & (b->room - 1);
    }
    return &b->rows[at];
}

static enum sp_err grow(struct sp_tier_book *b)
{
    struct sp_tier_book bigger = {.room = b->room ? b->room * 2 : 1024};
    if (bigger.room > 2 * (size_t)SP_TIER_BOOK_MAX) {
        return SP_E_LIMIT;
    }
    bigger.rows = calloc(bigger.room, sizeof *bigger.rows);
    if (!bigger.rows) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < b->room; i++) {
        if (b->rows[i].used) {
            *row_of(&bigger, &b->rows[i].id) = b->rows[i];
        }
    }
    bigger.count = b->count;
    free(b->rows);
    *b = bigger;
    return SP_OK;
}

enum sp_err sp_tier_book_put(struct sp_tier_book *b, const struct sp_revision_id *id,
                             const uint8_t document_sha256[32], uint64_t entry)
{
    if (2 * b->count >= b->room) {
        SP_TRY(grow(b));
    }
    struct sp_tier_row *row = row_of(b, id);
    if (!row->used) {
        *row = (struct sp_tier_row){.id = *id, .entry = entry, .used = true};
        memcpy(row->document_sha256, document_sha256, 32);
        b->count++;
    }
    return SP_OK;
}

enum sp_err sp_tier_book_set(struct sp_tier_book *b, const struct sp_revision_id *id,
                             const uint8_t document_sha256[32], uint64_t entry)
{
    SP_TRY(sp_tier_book_put(b, id, document_sha256, entry));
    struct sp_tier_row *row = row_of(b, id);
    memcpy(row->document_sha256, document_sha256, 32);
    row->entry = entry;
    return SP_OK;
}

const struct sp_tier_row *sp_tier_book_find(const struct sp_tier_book *b,
                                            const struct sp_revision_id *id)
{
    const struct sp_tier_row *row = b->room ? row_of(b, id) : NULL;
    return row && row->used ? row : NULL;
}
