/* Splices of any order and size over a short text, against a model that knows for every
 * byte whether it goes and for every gap what is put in. */
#include "core/base/splice.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 64, MOST = 64 };

struct model {
    bool gone[TEXT + 1], begins[TEXT + 1];
    size_t with[TEXT + 1]; /* length of what is put in before the byte */
    bool conflict, behind;
};

static void add(struct model *m, size_t from, size_t to, size_t len)
{
    m->behind = m->behind || to > TEXT;
    for (size_t i = from; i < to && i < TEXT; i++) {
        m->conflict = m->conflict || m->gone[i];
        m->gone[i] = true;
    }
    if (from <= TEXT) {
        m->conflict = m->conflict || m->begins[from];
        m->begins[from] = true;
        m->with[from] = len;
    }
}

/* What is put in where an earlier splice has already taken the byte away. */
static bool begins_inside(const struct model *m)
{
    bool inside = false;
    for (size_t i = 1; i < TEXT; i++) {
        inside = inside || (m->begins[i] && m->gone[i] && m->gone[i - 1]);
    }
    return inside;
}

static void compare(const struct model *m, struct sp_view text, struct sp_view got)
{
    size_t at = 0;
    for (size_t i = 0; i <= TEXT; i++) {
        for (size_t n = 0; n < m->with[i]; n++) {
            SP_ASSERT(at < got.len && got.data[at++] == '#');
        }
        if (i < TEXT && !m->gone[i]) {
            SP_ASSERT(at < got.len && got.data[at++] == text.data[i]);
        }
    }
    SP_ASSERT(at == got.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char hashes[] = "################################";
    struct sp_splices s = {0};
    struct model m = {0};
    struct sp_buf out;
    uint8_t bytes[TEXT];
    for (size_t i = 0; i < TEXT; i++) {
        bytes[i] = (uint8_t)i;
    }
    for (size_t i = 0; i + 3 <= size && i < 3 * MOST; i += 3) {
        size_t from = data[i] % (TEXT + 4), to = from + data[i + 1] % 8;
        size_t len = data[i + 2] % sizeof hashes;
        SP_ASSERT(sp_splices_add(&s, from, to, sp_view(hashes, len)) == SP_OK);
        add(&m, from, to, len);
    }
    sp_buf_init(&out, 4096);
    enum sp_err e = sp_splices_apply(&s, sp_view(bytes, TEXT), &out);
    if (m.behind || m.conflict) {
        SP_ASSERT(e != SP_OK && out.len == 0);
    } else if (e == SP_OK) {
        compare(&m, sp_view(bytes, TEXT), sp_buf_view(&out));
    } else {
        SP_ASSERT(e == SP_E_CONFLICT && begins_inside(&m));
    }
    sp_buf_fini(&out);
    sp_splices_clear(&s);
    return 0;
}
