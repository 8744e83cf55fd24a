/* What the `store` commands share: options, the configuration, and the cache directory,
 * looked at beside a running daemon or put in order while none runs. The lock of the
 * directory tells which. */
#ifndef SP_APP_CMD_STORE_ASK_H
#define SP_APP_CMD_STORE_ASK_H

#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "io/store/objects.h"

struct sp_store_ask {
    const char *config_file, *reason; /* borrowed from argv */
    bool dry;
    bool beside;  /* a daemon has the directory, or only a look was asked for */
    char **words; /* borrowed from argv; as many as were asked for */
    struct sp_config *config;   /* owned */
    struct sp_objects *objects; /* owned */
    struct sp_why why;
};
/* Each gives 0, or the exit status after saying what is wrong. words: how many there
 * have to be. A command that removes has --dry-run and --quiet, one that overrules
 * has --reason as well. */
enum sp_store_options { SP_STORE_LOOKS, SP_STORE_REMOVES, SP_STORE_OVERRULES };
int sp_store_options(struct sp_store_ask *a, int argc, char **argv, size_t words,
                     enum sp_store_options options);
/* Only to look, or to change what needs no lock. */
int sp_store_open_view(struct sp_store_ask *a);
/* To change it; the lock keeps a daemon from starting meanwhile. With --dry-run a view.
 */
int sp_store_open_alone(struct sp_store_ask *a);
/* The end of every command: what went wrong, or the status. */
int sp_store_finish(struct sp_store_ask *a, enum sp_err e, int status);

/* What root makes or moves in a directory of the daemon's it could not read, and files of
 * another owner are damage: so root becomes whoever the directory belongs to. */
enum sp_err sp_become_owner(const char *directory, struct sp_why *why) SP_MUST_USE;

void sp_store_print_digest(const uint8_t sha256[32]);

struct sp_store_sum {
    uint64_t files, bytes;
};
/* For sp_objects_scan; ctx is a struct sp_store_sum. */
enum sp_err sp_store_add_object(void *ctx, const struct sp_object_seen *seen);
enum sp_err sp_store_add_evidence(void *ctx, const struct sp_evidence_seen *seen);

#endif
