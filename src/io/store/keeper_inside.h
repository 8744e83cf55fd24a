/* What the files of the keeper share. Everything but inbox, wake, stopping and status
 * belongs to the keeper's thread. */
#ifndef SP_IO_STORE_KEEPER_INSIDE_H
#define SP_IO_STORE_KEEPER_INSIDE_H

#include "io/loop/inbox.h"
#include "io/store/index.h"
#include "io/store/keeper.h"
#include "io/store/ledger_files.h"

#include <pthread.h>
#include <semaphore.h>

struct sp_keeper {
    struct sp_ledger_files *ledger; /* owned */
    struct sp_index *index;         /* owned; NULL while it cannot be used */
    char index_path[4096];
    struct sp_index_counts counts; /* what the index holds */
    int64_t signed_at;             /* the newest checkpoint; 0: not by this one */
    struct sp_record *records;     /* waiting for this batch, in order */
    struct sp_record **records_end;
    struct sp_inbox inbox; /* newest first */
    sem_t wake;
    atomic_bool stopping;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t
        status_lock; /* held for a copy only, never while asking or recording */
    struct sp_keeper_status status;
};

/* keeper_replay.c: an index that is open and stands for the whole ledger; repairs it.
 */
enum sp_err sp_keeper_index_ready(struct sp_keeper *k, struct sp_why *why) SP_MUST_USE;
/* After an error of the index: closes it, so that it is opened and repaired anew. */
void sp_keeper_index_failed(struct sp_keeper *k, enum sp_err e);
void sp_keeper_mark(struct sp_keeper *k,
                    struct sp_index_mark *out); /* the ledger now */

/* keeper_batch.c: takes k->records, records them and answers. */
void sp_keeper_flush(struct sp_keeper *k);

/* keeper_shown.c: a fragment for a client against the document in custody. */
enum sp_err sp_keeper_compare(struct sp_keeper *k, const char *upstream,
                              struct sp_shown *s) SP_MUST_USE;

/* Which of those that were compared are kept back under a policy, or need what differs. */
enum sp_err sp_keeper_mark_shown(struct sp_keeper *k, const char *policy,
                                 struct sp_shown *shown, size_t count) SP_MUST_USE;

/* keeper.c */
void sp_keeper_post(struct sp_keeper *k, struct sp_msg *msg); /* any thread */
void sp_keeper_answer_record(struct sp_record *r, enum sp_err e);
/* e and why tell how the last write went. */
void sp_keeper_publish(struct sp_keeper *k, enum sp_err e, const struct sp_why *why);

#endif
