#include "core/sign/inside.h"

enum class { SIGNED, HASH_ONLY };

static const struct {
    const char *name;
    enum class class;
    const char *extensions;
    bool (*probe)(struct sp_view head);
} formats[SP_FORMAT_COUNT] = {
#define FORMAT(name, kind, extensions) {#name, kind, extensions, sp_##name##_probe},
#include "core/sign/formats.def"
#undef FORMAT
};

const char *sp_format_text(enum sp_format f)
{
    SP_ASSERT(f < SP_FORMAT_COUNT);
    return formats[f].name;
}

bool sp_format_is_signed(enum sp_format f)
{
    SP_ASSERT(f < SP_FORMAT_COUNT);
    return formats[f].class == SIGNED;
}

static bool has_word(const char *words, struct sp_view word)
{
    struct sp_view left = sp_view_str(words);
    while (left.len > 0) {
        size_t end = sp_view_find(left, ' ');
        if (sp_view_eq_fold(sp_view_slice(left, 0, end), word)) {
            return true;
        }
        left = sp_view_slice(left, end + 1, left.len);
    }
    return false;
}

enum sp_format sp_format_of_extension(struct sp_view extension)
{
    enum sp_format f = 0;
    while (f < SP_FORMAT_COUNT && !has_word(formats[f].extensions, extension)) {
        f++;
    }
    return f;
}

enum sp_format sp_format_of_content(struct sp_view head)
{
    enum sp_format f = 0;
    while (!formats[f].probe(head)) {
        f++;
    }
    return f;
}

bool sp_wim_probe(struct sp_view head)
{
    return sp_view_starts(head, sp_view("MSWIM\0\0\0", 8));
}

bool sp_plain_probe(struct sp_view head)
{
    (void)head;
    return true;
}

enum sp_err sp_format_step(struct sp_sign *s)
{
    switch (s->format) {
    case SP_FORMAT_pe:
        return sp_pe_step(s);
    case SP_FORMAT_cab:
        return sp_cab_step(s);
    case SP_FORMAT_msi:
        return sp_msi_step(s);
    case SP_FORMAT_cat:
        return sp_cat_step(s);
    case SP_FORMAT_wim:
    case SP_FORMAT_plain:
    case SP_FORMAT_COUNT:
        break;
    }
    return SP_OK;
}
