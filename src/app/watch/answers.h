/* What a witness answered, by revision: a book in memory, and a file beside the ledger
 * so that a restart forgets nothing.
 *
 *     state_dir/witnesses/<name>   a line that says whose answers these are, then rows
 * of 56 bytes: update, number, digest, CRC-32C of the three
 *
 * A row replaces the ones about the same revision before it. A digest of zeros is an
 * answer too: there is nothing. Rows are on disk when sp_answers_sync returned; what is
 * torn or damaged ends the file, and what stood behind it is simply asked again, as is
 * everything when the file is lost. A file of somebody else is begun anew. What cannot
 * be written is kept in memory only. At most SP_ANSWERS_MAX revisions. Blocking; one
 * owner. */
#ifndef SP_APP_WATCH_ANSWERS_H
#define SP_APP_WATCH_ANSWERS_H

#include "app/world/tier_book.h"

enum {
    SP_ANSWERS_MAX = 1 << 20,
    SP_ANSWERS_ROW = 56,
    SP_ANSWERS_ABOUT = 512 /* bytes of the first line */
};

struct sp_answers {
    struct sp_tier_book book; /* entry: when it was answered, as the caller counts */
    int fd;                   /* owned; -1: not kept */
    uint64_t size;            /* of the file, whole rows */
    bool unsynced;
    enum sp_err failed; /* of the last write */
};
/* tail: of the file's name, "" or ".told". about: one line without an end, who answers.
 * Answers of before have the time 0. What is wrong with the file is in why, and the
 * answers are kept in memory: only SP_E_NOMEM. */
enum sp_err sp_answers_open(const char *state_dir, const char *name, const char *tail,
                            const char *about, struct sp_answers *out,
                            struct sp_why *why) SP_MUST_USE;
void sp_answers_close(struct sp_answers *a);

/* NULL: there is none. Borrowed until the next put. */
const struct sp_tier_row *sp_answers_find(const struct sp_answers *a,
                                          const struct sp_revision_id *id);
bool sp_answers_is_nothing(const struct sp_tier_row *row); /* a digest of zeros */
/* SP_E_LIMIT: there are SP_ANSWERS_MAX others. SP_E_NOMEM. */
enum sp_err sp_answers_put(struct sp_answers *a, const struct sp_revision_id *id,
                           const uint8_t sha256[32], uint64_t when) SP_MUST_USE;
/* Whatever was put is on disk, or the file is given up: SP_E_NOSPACE, SP_E_IO, once. */
enum sp_err sp_answers_sync(struct sp_answers *a) SP_MUST_USE;

#endif
