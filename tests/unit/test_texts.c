/* Texts kept as evidence: named by digest, bounded, the oldest go first. */
#include "folder.h"

#include "core/crypto/crypto.h"
#include "io/store/texts.h"

#include <sys/time.h>

struct seen {
    struct sp_text_seen at[SP_TEXTS_KEPT + 8];
    size_t count;
    uint64_t bytes;
};

static enum sp_err note(void *ctx, const struct sp_text_seen *s)
{
    struct seen *seen = ctx;
    seen->at[seen->count++] = *s;
    seen->bytes += s->size;
    return SP_OK;
}

static struct seen *look(void)
{
    static struct seen seen;
    seen = (struct seen){.count = 0};
    assert_ok(sp_texts_each(folder_path, note, &seen));
    return &seen;
}

static enum sp_err keep(const char *kind, struct sp_view text)
{
    uint8_t sha256[32];
    sp_sha256(text, sha256);
    return sp_text_keep(folder_path, kind, text, sha256);
}

/* As old as n seconds after the beginning of time. */
static void age(const char *name, int n)
{
    char path[256];
    const struct timeval times[2] = {{.tv_sec = n}, {.tv_sec = n}};
    snprintf(path, sizeof path, "%s/evidence/texts/%s", folder_path, name);
    assert_int_equal(utimes(path, times), 0);
}

static void b_kept_listed_and_read(void **state)
{
    (void)state;
    struct sp_buf out;
    uint8_t sha256[32];
    assert_int_equal(look()->count, 0); /* nothing was ever kept */
    assert_ok(keep("fragment", SP_VIEW("abc")));
    assert_ok(keep("fragment", SP_VIEW("abc")));
    assert_ok(keep("document", SP_VIEW("")));
    struct seen *s = look();
    assert_int_equal(s->count, 2);
    sp_sha256(SP_VIEW("abc"), sha256);
    assert_true(sp_text_is_kept(folder_path, "fragment", sha256));
    assert_false(sp_text_is_kept(folder_path, "document", sha256));
    sp_buf_init(&out, 100);
    assert_ok(sp_text_read(folder_path,
                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                           "f20015ad.fragment",
                           &out));
    assert_true(sp_view_eq_str(sp_buf_view(&out), "abc"));
    sp_buf_fini(&out);
}

static void f_names_that_lead_elsewhere(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "..",
        "../../etc/passwd",
        "abc.fragment",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.",
        "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.fragment",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.a/b",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad/fragment"};
    struct sp_buf out;
    sp_buf_init(&out, 100);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_err(sp_text_read(folder_path, names[i], &out), SP_E_MALFORMED);
    }
    assert_err(sp_text_read(folder_path,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                            "f20015ad.fragment",
                            &out),
               SP_E_NOTFOUND);
    sp_buf_fini(&out);
}

static void c_as_many_as_are_kept(void **state)
{
    (void)state;
    char text[16];
    for (int i = 0; i < SP_TEXTS_KEPT; i++) {
        snprintf(text, sizeof text, "text %d", i);
        assert_ok(keep("fragment", sp_view_str(text)));
    }
    struct seen *s = look();
    assert_int_equal(s->count, SP_TEXTS_KEPT);
    char oldest[SP_TEXT_NAME];
    snprintf(oldest, sizeof oldest, "%s", s->at[100].name);
    age(oldest, 5);
    assert_ok(keep("fragment", SP_VIEW("one more")));
    s = look();
    assert_int_equal(s->count, SP_TEXTS_KEPT);
    for (size_t i = 0; i < s->count; i++) {
        assert_string_not_equal(s->at[i].name, oldest);
    }
}

static void c_as_many_bytes_as_are_kept(void **state)
{
    (void)state;
    enum { FIT = SP_TEXTS_BYTES / SP_TEXT_MAX };
    char *text = calloc(1, SP_TEXT_MAX + 1);
    assert_non_null(text);
    for (char i = 0; i < FIT; i++) {
        text[0] = i;
        assert_ok(keep("document", sp_view(text, SP_TEXT_MAX)));
    }
    assert_int_equal(look()->count, FIT);
    assert_int_equal(look()->bytes, SP_TEXTS_BYTES);
    text[0] = 'x';
    assert_err(keep("document", sp_view(text, SP_TEXT_MAX + 1)), SP_E_LIMIT);
    assert_int_equal(look()->count, FIT);
    assert_ok(keep("fragment", SP_VIEW("a byte too many")));
    assert_int_equal(look()->count, FIT); /* one went for it */
    free(text);
}

#define IN_FOLDER(test)                                                                \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(b_kept_listed_and_read),
        IN_FOLDER(f_names_that_lead_elsewhere),
        IN_FOLDER(c_as_many_as_are_kept),
        IN_FOLDER(c_as_many_bytes_as_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
