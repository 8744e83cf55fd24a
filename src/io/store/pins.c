/* Pins: objects that an administrator wants to keep. A pin is an empty file under the
 * object's name in cache_dir/pins, so it needs no owner, no lock and no message,
 * survives every restart and stays when the object is damaged and fetched anew. */
#include "io/store/objects_inside.h"

#include "core/base/text.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PINS "pins"
/* A hundred thousand of them. */
#define CEILING ((size_t)32 * 100000)

static const char *name_of(const char path[SP_OBJECT_PATH])
{
    return path + 3;
}

enum sp_err sp_pin_set(struct sp_objects *o, const uint8_t sha256[32])
{
    SP_AUTO(sp_fd_close) int pins = -1;
    SP_AUTO(sp_fd_close) int fd = -1;
    char path[SP_OBJECT_PATH];
    sp_object_path(sha256, path);
    if (!sp_file_is_there(o->objects, path)) {
        return SP_E_NOTFOUND;
    }
    SP_TRY(sp_dir_open_at(o->root, PINS, &pins, NULL));
    SP_TRY(sp_file_open_at(pins, name_of(path), O_WRONLY | O_CREAT, &fd));
    return fsync(pins) == 0 ? SP_OK : sp_file_err(errno);
}

enum sp_err sp_pin_clear(struct sp_objects *o, const uint8_t sha256[32])
{
    SP_AUTO(sp_fd_close) int pins = -1;
    char path[SP_OBJECT_PATH];
    sp_object_path(sha256, path);
    SP_TRY(sp_file_open_at(o->root, PINS, O_RDONLY | O_DIRECTORY, &pins));
    if (unlinkat(pins, name_of(path), 0) != 0 || fsync(pins) != 0) {
        return sp_file_err(errno);
    }
    return SP_OK;
}

static enum sp_err add(void *ctx, int dir, const char *name)
{
    struct sp_buf *digests = ctx;
    uint8_t sha256[32];
    (void)dir;
    return sp_hex_parse(sp_view_str(name), sha256, sizeof sha256) == SP_OK
               ? sp_buf_append(digests, sp_view(sha256, sizeof sha256))
               : SP_OK; /* a foreign name is none of ours */
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

void sp_pins_init(struct sp_pins *p)
{
    sp_buf_init(&p->digests, CEILING);
}

void sp_pins_fini(struct sp_pins *p)
{
    sp_buf_fini(&p->digests);
}

enum sp_err sp_pins_read(struct sp_objects *o, struct sp_pins *p)
{
    SP_AUTO(sp_fd_close) int pins = -1;
    sp_buf_clear(&p->digests);
    enum sp_err e = sp_file_open_at(o->root, PINS, O_RDONLY | O_DIRECTORY, &pins);
    if (e == SP_E_NOTFOUND) {
        return SP_OK; /* nobody ever pinned anything */
    }
    SP_TRY(e);
    SP_TRY(sp_dir_each(pins, add, &p->digests));
    if (p->digests.len) {
        qsort(p->digests.data, sp_pins_count(p), 32, by_digest);
    }
    return SP_OK;
}

size_t sp_pins_count(const struct sp_pins *p)
{
    return p->digests.len / 32;
}

bool sp_pins_has(const struct sp_pins *p, const uint8_t sha256[32])
{
    return p->digests.len &&
           bsearch(sha256, p->digests.data, sp_pins_count(p), 32, by_digest);
}
