/* Files as the store wants them: opened beneath a directory, never through a link,
 * written whole or not at all, durable where that is said.
 *
 * Names are relative to an open directory. Temporary files stand beside their target
 * with
 * ".new" behind the name; one owner a directory, so the name is always the same and a
 * leftover is overwritten. All calls block. */
#ifndef SP_IO_STORE_FILES_H
#define SP_IO_STORE_FILES_H

#include "sallyport/bytes.h"

#define SP_FILE_PATH_MAX 256

/* What an errno means: ENOENT NOTFOUND, ENOSPC and EDQUOT NOSPACE, a link or a wrong
 * kind of file CORRUPT, anything unknown IO. */
enum sp_err sp_file_err(int err);
/* The same with the sentence "cannot <verb> <name>: <strerror>". */
enum sp_err sp_file_fail(struct sp_why *why, const char *verb, const char *name,
                         int err);

/* Closes *fd unless it is -1 and leaves -1; for SP_AUTO. */
void sp_fd_close(int *fd);

/* The directory at path. The path is the administrator's: links in it are followed. */
enum sp_err sp_dir_open(const char *path, int *out, struct sp_why *why) SP_MUST_USE;
/* The same, made with mode 0700 where it is missing; its parent must be there. */
enum sp_err sp_dir_make(const char *path, int *out, struct sp_why *why) SP_MUST_USE;
/* A directory beneath dir, made durably with mode 0700 where it is missing. */
enum sp_err sp_dir_open_at(int dir, const char *name, int *out,
                           struct sp_why *why) SP_MUST_USE;
/* Calls back with every name but "." and "..", in no order; stops at the first error.
 */
enum sp_err sp_dir_each(int dir,
                        enum sp_err (*each)(void *ctx, int dir, const char *name),
                        void *ctx) SP_MUST_USE;
/* Opens beneath dir without following any link; flags as for open(2). Never blocks on a
 * FIFO, never becomes a controlling terminal. */
enum sp_err sp_file_open_at(int dir, const char *name, int flags, int *out) SP_MUST_USE;
/* Takes the exclusive lock on the file name, which is made where it is missing. What it
 * guards is named in the sentence. SP_E_CONFLICT when another process holds it. */
enum sp_err sp_file_lock_at(int dir, const char *name, const char *guarded, int *out,
                            struct sp_why *why) SP_MUST_USE;

/* The whole regular file, appended to out. */
enum sp_err sp_file_read_at(int dir, const char *name, struct sp_buf *out) SP_MUST_USE;
enum sp_err sp_file_write(int fd, uint64_t offset, struct sp_view bytes) SP_MUST_USE;

bool sp_file_is_there(int dir, const char *name);

/* Replaces the file at name by bytes in one step. Missing directories on the way are
 * made. SP_FILE_DURABLE: file and directories are on disk when this returns SP_OK. */
enum sp_file_care { SP_FILE_VIEW, SP_FILE_DURABLE };
enum sp_err sp_file_replace_at(int dir, const char *name, struct sp_view bytes,
                               unsigned mode, enum sp_file_care care) SP_MUST_USE;

#endif
