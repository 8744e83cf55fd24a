/* A file being filled, until it is an object, evidence or nothing. */
#include "io/store/objects_inside.h"

#include "core/base/text.h"
#include "io/loop/loop.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void sp_stage_drop(struct sp_stage **s)
{
    if (*s) {
        if ((*s)->fd >= 0) {
            unlinkat((*s)->objects->staging, (*s)->name, 0);
        }
        if ((*s)->mark[0]) {
            unlinkat((*s)->objects->staging, (*s)->mark, 0);
            unlinkat((*s)->objects->staging, (*s)->map, 0);
        }
        sp_fd_close(&(*s)->fd);
        sp_buf_fini(&(*s)->tree);
        free(*s);
    }
    *s = NULL;
}

/* File systems without fallocate cannot promise the space; then the free space of this
 * moment has to do, and a write may still find the disk full. */
static enum sp_err reserve(int fd, uint64_t size)
{
    struct statvfs fs;
    if (size == 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0) {
        return SP_OK;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        return sp_file_err(errno);
    }
    if (fstatvfs(fd, &fs) != 0) {
        return sp_file_err(errno);
    }
    return size / fs.f_frsize < fs.f_bavail ? SP_OK : SP_E_NOSPACE;
}

enum sp_err sp_stage_reserve(struct sp_stage *s, struct sp_why *why)
{
    enum sp_err e = reserve(s->fd, s->size);
    return e == SP_OK ? e
                      : sp_why_set(why, e, "cannot reserve %llu bytes in the cache",
                                   (unsigned long long)s->size);
}

static enum sp_err stage_open(struct sp_stage *s)
{
    uint8_t random[16];
    SP_TRY(sp_random_bytes(random, sizeof random));
    for (size_t i = 0; i < sizeof random; i++) {
        snprintf(s->name + 2 * i, 3, "%02x", random[i]);
    }
    return sp_file_open_at(s->objects->staging, s->name, O_RDWR | O_CREAT | O_EXCL,
                           &s->fd);
}

enum sp_err sp_stage_new(struct sp_objects *o, uint64_t size, struct sp_stage **out,
                         struct sp_why *why)
{
    SP_AUTO(sp_stage_drop) struct sp_stage *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    *s = (struct sp_stage){.objects = o, .fd = -1, .size = size};
    sp_buf_init(&s->tree, SP_LIMIT_BLOCK_TREE);
    enum sp_err e = stage_open(s);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot make a file in the cache's staging folder");
    }
    SP_TRY(sp_stage_reserve(s, why));
    *out = s;
    s = NULL;
    return SP_OK;
}

enum sp_err sp_stage_write(struct sp_stage *s, uint64_t offset, struct sp_view bytes)
{
    if (offset > s->size || bytes.len > s->size - offset) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_file_write(s->fd, offset, bytes));
    s->written += bytes.len;
    return SP_OK;
}

enum sp_err sp_stage_read(const struct sp_stage *s, uint64_t offset, uint8_t *to,
                          size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(s->fd, to + done, len - done, (off_t)(offset + done));
        if (n == 0) {
            return SP_E_TRUNCATED;
        }
        if (n < 0 && errno != EINTR) {
            return sp_file_err(errno);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return SP_OK;
}

enum sp_err sp_stage_reader(const struct sp_stage *s, int *fd)
{
    int copy = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        return sp_file_err(errno);
    }
    *fd = copy;
    return SP_OK;
}

enum sp_err sp_stage_tree(struct sp_stage *s, const uint8_t sha256[32],
                          struct sp_view hashes, struct sp_tree_root *out)
{
    if (s->written != s->size) {
        return SP_E_TRUNCATED;
    }
    sp_buf_clear(&s->tree);
    SP_TRY(hashes.len ? sp_tree_encode(hashes, s->size, sha256, &s->tree)
                      : sp_tree_make(s->fd, s->size, sha256, &s->tree));
    memcpy(out->hash, s->tree.data + s->tree.len - sizeof out->hash, sizeof out->hash);
    out->known = true;
    return SP_OK;
}

static enum sp_err write_tree(struct sp_stage *s, const uint8_t sha256[32],
                              struct sp_why *why)
{
    struct sp_tree_root root;
    enum sp_err e =
        s->tree.len ? SP_OK : sp_stage_tree(s, sha256, (struct sp_view){0}, &root);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot hash the blocks of a staged file: %s",
                          sp_err_text(e));
    }
    return sp_tree_write(s->objects, sha256, sp_buf_view(&s->tree), why);
}

/* Every byte was written once, and nobody else holds a name of the file. */
static enum sp_err check_whole(const struct sp_stage *s, struct sp_why *why)
{
    struct stat st;
    if (fstat(s->fd, &st) != 0) {
        return sp_file_fail(why, "look at", "a staged file", errno);
    }
    if (s->written != s->size || (uint64_t)st.st_size != s->size) {
        return sp_why_set(why, SP_E_MISMATCH, "%llu of %llu bytes were written",
                          (unsigned long long)s->written, (unsigned long long)s->size);
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
        return sp_why_set(why, SP_E_CORRUPT, "somebody meddled with the staged file %s",
                          s->name);
    }
    return SP_OK;
}

/* Into objects/, durably. An object that cannot be made durable is taken away again. */
static enum sp_err publish(const struct sp_stage *s, const uint8_t sha256[32],
                           struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int folder = -1;
    char path[SP_OBJECT_PATH];
    sp_object_path(sha256, path);
    path[2] = '\0';
    SP_TRY(sp_dir_open_at(s->objects->objects, path, &folder, why));
    const char *name = path + 3;
    if (renameat(s->objects->staging, s->name, folder, name) != 0) {
        return sp_file_fail(why, "move into the cache", name, errno);
    }
    if (fsync(folder) != 0) {
        int err = errno;
        unlinkat(folder, name, 0);
        return sp_file_fail(why, "make durable the folder of", name, err);
    }
    return SP_OK;
}

enum sp_err sp_stage_commit(struct sp_stage **s, const uint8_t sha256[32],
                            const uint8_t sha1[20], struct sp_object **out,
                            struct sp_why *why)
{
    SP_TRY(check_whole(*s, why));
    /* begins what fsync waits for while the blocks are hashed; failure shows up there
     */
    (void)sync_file_range((*s)->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (fchmod((*s)->fd, 0400) != 0) {
        return sp_file_fail(why, "protect", "a staged file", errno);
    }
    if (fsync((*s)->fd) != 0) {
        /* the kernel may have thrown the dirty pages away: a second fsync would report
         * success over lost bytes, so the whole file is given up */
        int err = errno;
        sp_stage_drop(s);
        return sp_file_fail(why, "make durable", "a staged file", err);
    }
    SP_TRY(write_tree(*s, sha256, why));
    SP_TRY(publish(*s, sha256, why));
    uint64_t size = (*s)->size;
    struct sp_objects *objects = (*s)->objects;
    sp_fd_close(&(*s)->fd);
    sp_stage_drop(s);
    SP_TRY(sp_objects_get(objects, sha256, sha1, size, out));
    sp_object_trust(*out);
    return SP_OK;
}

enum sp_err sp_stage_quarantine(struct sp_stage **s, const uint8_t sha256[32],
                                const char *reason)
{
    struct sp_objects *o = (*s)->objects;
    char name[SP_EVIDENCE_NAME];
    sp_evidence_name(sha256, reason, name);
    /* what was reserved and never written is given back */
    if (ftruncate((*s)->fd, lseek((*s)->fd, 0, SEEK_END)) != 0 ||
        fchmod((*s)->fd, 0400) != 0 ||
        renameat(o->staging, (*s)->name, o->quarantine, name) != 0) {
        return sp_file_err(errno);
    }
    sp_fd_close(&(*s)->fd);
    sp_stage_drop(s);
    return sp_evidence_prune(o->quarantine);
}
