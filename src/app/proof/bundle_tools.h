/* Proof bundles and exported ledgers, as the ledger commands make and check them. */
#ifndef SP_APP_PROOF_BUNDLE_TOOLS_H
#define SP_APP_PROOF_BUNDLE_TOOLS_H

#include "app/base/bar.h"
#include "core/custody/cosign.h"
#include "io/store/ledger_files.h"

/* "KB5031356" or "5031356" to the number's text; false for anything else. */
#define SP_KB_TEXT 16
bool sp_kb_parse(const char *word, char out[SP_KB_TEXT]);

/* In one pass over the ledger, with 16 bytes of memory an entry: the numbers of all
 * entries about a KB, in order: its revisions, what they bundle, what else was recorded
 * about either, and their files. SP_E_NOTFOUND; SP_E_LIMIT above what a bundle takes.
 */
struct sp_kb_entries {
    uint64_t *at; /* owned by the caller: free */
    size_t count;
};
enum sp_err sp_kb_find(struct sp_ledger_files *l, const char *kb,
                       struct sp_kb_entries *out, struct sp_why *why) SP_MUST_USE;

/* The bundle of those, appended, up to the newest checkpoint or the newest one that is
 * cosigned. */
enum sp_err sp_kb_prove(struct sp_ledger_files *l, const char *kb, bool only_cosigned,
                        struct sp_buf *out, struct sp_why *why) SP_MUST_USE;

/* The whole ledger in one file: "sallyport-ledger@v1\n", the length of the signed
 * checkpoint as decimal and a newline, the checkpoint, every entry as in a C2SP bundle.
 */
enum sp_err sp_export_write(struct sp_ledger_files *l, const char *file,
                            struct sp_why *why) SP_MUST_USE;
/* Proves it with the public key alone, reading once, and calls each (or NULL) with
 * every entry before the end is known: nothing it saw counts unless the result is
 * SP_OK. bar, which may be NULL, is shown while it lasts; the caller ends it. */
enum sp_err sp_export_check(const char *file, const struct sp_note_key *key,
                            enum sp_err (*each)(void *ctx, uint64_t index,
                                                struct sp_view entry),
                            void *ctx, struct sp_bar *bar, uint64_t *entries,
                            struct sp_why *why) SP_MUST_USE;

/* The checkpoint of an exported ledger, once it proved to be the key's; appended. */
enum sp_err sp_export_note(const char *file, const struct sp_note_key *key,
                           struct sp_buf *note, struct sp_why *why) SP_MUST_USE;

/* bundle_cosigned.c: cosigners that somebody knows; all zero is nobody. */
struct sp_cosigner_keys {
    struct sp_note_key *at[SP_LIMIT_COSIGNERS]; /* owned, count of them */
    size_t count, wanted;                       /* cosignatures that there have to be */
};
/* text: keys with commas between them, or the name of a file with a key a line. */
enum sp_err sp_cosigner_keys_read(const char *text, struct sp_cosigner_keys *out,
                                  struct sp_why *why) SP_MUST_USE;
void sp_cosigner_keys_fini(struct sp_cosigner_keys *k);
/* said: room for count. SP_E_UNPROVEN: fewer than are wanted. */
enum sp_err sp_cosigner_keys_check(const struct sp_cosigner_keys *k, struct sp_view note,
                                   struct sp_cosigned *said,
                                   struct sp_why *why) SP_MUST_USE;
void sp_cosigner_keys_show(const struct sp_cosigner_keys *k,
                           const struct sp_cosigned *said);

/* Checks a bundle or an exported ledger and shows a bundle on a page. cosigners may be
 * NULL; cosignatures of them have to be there. The exit status. */
int sp_bundle_verify_file(const char *file, const char *key, const char *cosigners,
                          size_t cosignatures);

#endif
