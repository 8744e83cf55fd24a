/* Cabinets with many members, walked where they are. */
#include "unit.h"

#include "core/pack/archive.h"

enum { AT_FLAGS = 30, AT_CHECKSUM = 44 + 2 * 18, AT_DATA = AT_CHECKSUM + 8 };

static void put(uint8_t *p, uint32_t x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(x >> 8 * i);
    }
}

/* Two stored members of one folder: a = "one", b = "twelve bytes". */
static size_t make(uint8_t cab[256])
{
    const char *data = "onetwelve bytes";
    size_t size = AT_DATA + strlen(data);
    memset(cab, 0, 256);
    memcpy(cab, "MSCF", 4);
    put(cab + 8, (uint32_t)size, 4);
    put(cab + 16, 44, 4);
    put(cab + 24, 0x0103, 2);
    put(cab + 26, 1, 2);
    put(cab + 28, 2, 2);
    put(cab + 36, AT_CHECKSUM, 4);
    put(cab + 40, 1, 2);
    put(cab + 44, 3, 4);
    cab[60] = 'a';
    put(cab + 62, 12, 4);
    put(cab + 66, 3, 4);
    cab[78] = 'b';
    put(cab + AT_CHECKSUM + 4, (uint32_t)strlen(data), 2);
    put(cab + AT_CHECKSUM + 6, (uint32_t)strlen(data), 2);
    memcpy(cab + AT_DATA, data, strlen(data));
    return size;
}

struct scene {
    uint8_t cab[256];
    size_t size;
    char log[256];
    const char *unwanted;
    enum sp_err source, begin, data, end; /* what each answers */
};

static void note(struct scene *s, const char *lead, struct sp_view v)
{
    size_t n = strlen(s->log);
    snprintf(s->log + n, sizeof s->log - n, "%s" SP_VIEW_FMT, lead, SP_VIEW_ARG(v));
}

static enum sp_err read_cab(void *ctx, uint64_t offset, uint8_t *to, size_t n,
                            size_t *got)
{
    struct scene *s = ctx;
    size_t left = offset < s->size ? s->size - (size_t)offset : 0;
    *got = n < left ? n : left;
    memcpy(to, s->cab + offset, *got);
    return s->source;
}

static enum sp_err on_begin(void *ctx, const struct sp_archive_member *m, bool *wanted)
{
    struct scene *s = ctx;
    char size[16];
    note(s, "|", m->name);
    snprintf(size, sizeof size, ":%d ", (int)m->size);
    note(s, size, SP_VIEW(""));
    *wanted = !s->unwanted || !sp_view_eq_str(m->name, s->unwanted);
    return s->begin;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    note(ctx, "", bytes);
    return ((struct scene *)ctx)->data;
}

static enum sp_err on_end(void *ctx)
{
    note(ctx, ".", SP_VIEW(""));
    return ((struct scene *)ctx)->end;
}

static enum sp_err walk(struct scene *s, struct sp_why *why)
{
    struct sp_archive_source source = {s->size, read_cab, s};
    struct sp_archive_handler handler = {on_begin, on_data, on_end, s};
    return sp_archive_walk(&source, &handler, why);
}

static void b_members(void **state)
{
    (void)state;
    struct scene s = {0};
    s.size = make(s.cab);
    assert_ok(walk(&s, NULL));
    assert_string_equal(s.log, "|a:3 one.|b:12 twelve bytes.");
    s.log[0] = 0;
    s.unwanted = "a";
    assert_ok(walk(&s, NULL));
    assert_string_equal(s.log, "|a:3 |b:12 twelve bytes.");
}

static void b_whose_error(void **state)
{
    (void)state;
    struct scene s = {0};
    s.size = make(s.cab);
    s.source = SP_E_IO;
    assert_err(walk(&s, NULL), SP_E_IO);
    s.source = SP_OK;
    s.begin = SP_E_LIMIT;
    assert_err(walk(&s, NULL), SP_E_LIMIT);
    s.begin = SP_OK;
    s.data = SP_E_NOSPACE;
    assert_err(walk(&s, NULL), SP_E_NOSPACE);
    s.data = SP_OK;
    s.end = SP_E_CANCELLED;
    assert_err(walk(&s, NULL), SP_E_CANCELLED);
}

static void f_broken(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *why;
    } cases[] = {
        {0, 'X', "MSCF"},
        {AT_CHECKSUM, 1, "checksum"},
        {AT_DATA - 4, 200, "cabinet"},
        {66, 200, "cabinet"}, /* b begins behind the data */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s = {0};
        struct sp_why why = {0};
        s.size = make(s.cab);
        s.cab[cases[i].at] = cases[i].value;
        assert_int_not_equal(walk(&s, &why), SP_OK);
        assert_non_null(strstr(why.text, cases[i].why));
    }
}

static void f_part_of_a_set(void **state)
{
    (void)state;
    struct scene s = {0};
    uint8_t plain[256];
    size_t size = make(plain);
    const char names[] = "next\0disk"; /* stand behind the header */
    memcpy(s.cab, plain, 36);
    memcpy(s.cab + 36, names, sizeof names);
    memcpy(s.cab + 36 + sizeof names, plain + 36, size - 36);
    s.size = size + sizeof names;
    put(s.cab + 8, (uint32_t)s.size, 4);
    put(s.cab + 16, 44 + sizeof names, 4);
    put(s.cab + 36 + sizeof names, AT_CHECKSUM + sizeof names, 4);
    s.cab[AT_FLAGS] = 2;
    assert_err(walk(&s, NULL), SP_E_UNSUPPORTED);
}

static void f_cut(void **state)
{
    (void)state;
    struct scene whole = {0};
    size_t size = make(whole.cab);
    for (size_t n = 0; n < size; n++) {
        struct scene s = whole;
        s.size = n;
        assert_int_not_equal(walk(&s, NULL), SP_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_members), cmocka_unit_test(b_whose_error),
        cmocka_unit_test(f_broken),  cmocka_unit_test(f_part_of_a_set),
        cmocka_unit_test(f_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
