#include "io/store/objects_inside.h"

#include "core/base/text.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A start makes the paths of every object there is: printf takes most of it. */
static void hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

void sp_object_path(const uint8_t sha256[32], char out[SP_OBJECT_PATH])
{
    hex(sha256, 1, out);
    out[2] = '/';
    hex(sha256, 32, out + 3);
}

enum sp_err sp_object_folder(const struct sp_objects *o, const uint8_t sha256[32],
                             int *out)
{
    char name[3];
    hex(sha256, 1, name);
    return sp_file_open_at(o->objects, name, O_RDONLY | O_DIRECTORY, out);
}

static enum sp_err open_folders(struct sp_objects *o, const char *cache_dir,
                                struct sp_why *why)
{
    SP_TRY(sp_dir_make(cache_dir, &o->root, why));
    /* the lock comes first: what lies in staging may belong to a running process */
    SP_TRY(sp_file_lock_at(o->root, "lock", cache_dir, &o->lock, why));
    SP_TRY(sp_dir_open_at(o->root, "objects", &o->objects, why));
    SP_TRY(sp_dir_open_at(o->root, "staging", &o->staging, why));
    SP_TRY(sp_dir_open_at(o->root, "quarantine", &o->quarantine, why));
    enum sp_err e = sp_stages_clean(o);
    return e == SP_OK ? e : sp_why_set(why, e, "cannot sweep %s/staging", cache_dir);
}

static enum sp_err open_view(struct sp_objects *o, const char *cache_dir,
                             struct sp_why *why)
{
    SP_TRY(sp_dir_open(cache_dir, &o->root, why));
    enum sp_err e =
        sp_file_open_at(o->root, "objects", O_RDONLY | O_DIRECTORY, &o->objects);
    if (e == SP_OK) {
        e = sp_file_open_at(o->root, "quarantine", O_RDONLY | O_DIRECTORY,
                            &o->quarantine);
    }
    return e == SP_OK ? e : sp_why_set(why, e, "%s is no cache directory", cache_dir);
}

static enum sp_err
open_as(enum sp_err (*open)(struct sp_objects *, const char *, struct sp_why *),
        const char *cache_dir, struct sp_objects **out, struct sp_why *why)
{
    SP_AUTO(sp_objects_close) struct sp_objects *o = calloc(1, sizeof *o);
    if (!o) {
        return SP_E_NOMEM;
    }
    *o = (struct sp_objects){-1, -1, -1, -1, -1};
    SP_TRY(open(o, cache_dir, why));
    *out = o;
    o = NULL;
    return SP_OK;
}

enum sp_err sp_objects_open(const char *cache_dir, struct sp_objects **out,
                            struct sp_why *why)
{
    return open_as(open_folders, cache_dir, out, why);
}

enum sp_err sp_objects_open_view(const char *cache_dir, struct sp_objects **out,
                                 struct sp_why *why)
{
    return open_as(open_view, cache_dir, out, why);
}

void sp_objects_close(struct sp_objects **o)
{
    if (*o) {
        sp_fd_close(&(*o)->objects);
        sp_fd_close(&(*o)->staging);
        sp_fd_close(&(*o)->quarantine);
        sp_fd_close(&(*o)->lock);
        sp_fd_close(&(*o)->root);
        free(*o);
    }
    *o = NULL;
}

/* Ours, regular, reachable by this name only, and as long as it must be. */
static bool is_sound(int fd, uint64_t size)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
           st.st_uid == geteuid() && (uint64_t)st.st_size == size;
}

enum sp_err sp_objects_get(struct sp_objects *o, const uint8_t sha256[32],
                           const uint8_t sha1[20], uint64_t size,
                           struct sp_object **out)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    char path[SP_OBJECT_PATH];
    sp_object_path(sha256, path);
    SP_TRY(sp_file_open_at(o->objects, path, O_RDONLY, &fd));
    if (!is_sound(fd, size)) {
        return SP_E_CORRUPT;
    }
    SP_AUTO(sp_object_unref) struct sp_object *object = NULL;
    SP_TRY(sp_object_new(fd, sha256, sha1, size, &object));
    fd = -1;
    SP_TRY(sp_tree_read(o, sha256, size, &object->tree_file, &object->tree));
    *out = object;
    object = NULL;
    return SP_OK;
}

/* ---- changes -------------------------------------------------------------------- */

enum sp_err sp_objects_remove(struct sp_objects *o, const uint8_t sha256[32])
{
    SP_AUTO(sp_fd_close) int folder = -1;
    char path[SP_TREE_PATH];
    if (o->lock < 0) {
        return SP_E_DENIED;
    }
    SP_TRY(sp_object_folder(o, sha256, &folder));
    sp_object_path(sha256, path);
    if (unlinkat(folder, path + 3, 0) != 0) {
        return sp_file_err(errno);
    }
    sp_tree_path(sha256, path);
    return unlinkat(folder, path + 3, 0) == 0 || errno == ENOENT ? SP_OK
                                                                 : sp_file_err(errno);
}

enum sp_err sp_objects_touch(struct sp_objects *o, const uint8_t sha256[32],
                             int64_t used)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    char path[SP_TREE_PATH];
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)used}};
    sp_tree_path(sha256, path);
    SP_TRY(sp_file_open_at(o->objects, path, O_RDONLY, &fd));
    return futimens(fd, times) == 0 ? SP_OK : sp_file_err(errno);
}

enum sp_err sp_objects_space(struct sp_objects *o, struct sp_space *out)
{
    struct statvfs fs;
    if (fstatvfs(o->objects, &fs) != 0) {
        return sp_file_err(errno);
    }
    *out = (struct sp_space){.total = (uint64_t)fs.f_blocks * fs.f_frsize,
                             .available = (uint64_t)fs.f_bavail * fs.f_frsize};
    return SP_OK;
}

enum sp_err sp_objects_note(struct sp_objects *o, const char *name, struct sp_view text)
{
    return o->lock < 0 ? SP_E_DENIED
                       : sp_file_replace_at(o->root, name, text, 0600, SP_FILE_VIEW);
}

enum sp_err sp_objects_read_note(struct sp_objects *o, const char *name,
                                 struct sp_buf *out)
{
    return sp_file_read_at(o->root, name, out);
}
