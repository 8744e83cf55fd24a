/* The ledger on disk.
 *
 *     state_dir/ledger/key                 Ed25519 note key, 0600, made at first start
 *     state_dir/ledger/key.pub             its public half
 *     state_dir/ledger/journal             entries since the last full bundle, with checkpoints
 *     state_dir/ledger/checkpoint          latest signed checkpoint       } the C2SP view,
 *     state_dir/ledger/tile/...            tlog-tiles: hashes and entries } any tool reads it
 *     state_dir/ledger/lock                one writer
 *
 * A batch is one append to the journal (frames of length, CRC-32C and payload: entries,
 * then the signed checkpoint that covers them) and one fsync: then it is acknowledged. Full
 * tiles are fsynced before the journal is started anew; partial tiles and the checkpoint
 * file are a view, written after the fact and made again at start. A torn last frame was
 * never acknowledged and is cut off; any other damage stops the start and says where.
 * Opening is O(1) in the number of entries. Blocking; one owner. */
#ifndef SP_IO_STORE_LEDGER_FILES_H
#define SP_IO_STORE_LEDGER_FILES_H

#include "sallyport/ledger.h"

struct sp_ledger_files;
/* Opens for writing; makes a new ledger (origin names it) where there is none. */
enum sp_err sp_ledger_open(const char *state_dir, const char *origin,
                           struct sp_ledger_files **out, struct sp_why *why) SP_MUST_USE;
/* Opens for reading only, beside a running writer: sees what is in the C2SP view. */
enum sp_err sp_ledger_open_view(const char *state_dir, struct sp_ledger_files **out,
                                struct sp_why *why) SP_MUST_USE;
void sp_ledger_close(struct sp_ledger_files **l);

/* Appends entries and makes them durable; *first is the number of the first one. On any
 * failure nothing of the batch counts and the ledger stays usable or refuses for good
 * (SP_E_CORRUPT) after a failed fsync. SP_E_NOSPACE, SP_E_IO. */
enum sp_err sp_ledger_append(struct sp_ledger_files *l, const struct sp_view *entries,
                             size_t count, uint64_t *first, struct sp_why *why) SP_MUST_USE;
uint64_t sp_ledger_size(const struct sp_ledger_files *l);
void sp_ledger_root(const struct sp_ledger_files *l, uint8_t out[SP_HASH]);
const char *sp_ledger_public_key(const struct sp_ledger_files *l); /* "name+hash+base64" */
/* Entry n, appended to out. SP_E_NOTFOUND past the end. */
enum sp_err sp_ledger_read(struct sp_ledger_files *l, uint64_t n, struct sp_buf *out,
                           struct sp_why *why) SP_MUST_USE;
/* Every entry from number from on, in order, each read once: what goes over the whole
 * ledger goes this way. each borrows and may not read l; its error ends it. */
enum sp_err sp_ledger_each(struct sp_ledger_files *l, uint64_t from,
                           enum sp_err (*each)(void *ctx, uint64_t n, struct sp_view entry),
                           void *ctx, struct sp_why *why) SP_MUST_USE;
/* Hashes for proofs. Valid while l is open. */
struct sp_hash_reader sp_ledger_hashes(struct sp_ledger_files *l);
/* state_dir/ledger/cosigned: the newest checkpoint that enough cosigners signed. */
#define SP_LEDGER_COSIGNED "cosigned"
/* The newest checkpoint, with its cosignatures where it has any; or, with only_cosigned,
 * the newest one that has enough, which may be older: SP_E_NOTFOUND where there is none.
 * *size is how many entries it is about. */
enum sp_err sp_ledger_checkpoint_upto(struct sp_ledger_files *l, bool only_cosigned,
                                      struct sp_buf *out, uint64_t *size,
                                      struct sp_why *why) SP_MUST_USE;
/* The signed checkpoint in force, appended to out. */
enum sp_err sp_ledger_checkpoint(struct sp_ledger_files *l, struct sp_buf *out) SP_MUST_USE;

/* Checks everything offline from entries up: every entry decodes, every hash of every
 * tile, the root, the signature. progress may be NULL. SP_OK: whole; SP_E_CORRUPT with why
 * naming the first entry or file that is wrong, however many threads (1 to SP_CREW_THREADS)
 * do it. *entries is how many were checked. */
enum sp_err sp_ledger_verify(const char *state_dir, unsigned threads,
                             void (*progress)(void *ctx, uint64_t done, uint64_t all),
                             void *ctx, uint64_t *entries, struct sp_why *why) SP_MUST_USE;

#endif
