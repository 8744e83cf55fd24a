/* What clients are told: addresses of files, times, fragments of documents. */
#include "keeper_rig.h"

static void hint(struct sp_keeper *k, uint8_t sha1, const char *url)
{
    struct sp_hints *h = NULL;
    uint8_t digest[20] = {sha1}, second[20] = {99};
    assert_ok(sp_hints_new(&h));
    assert_ok(sp_hints_add(h, second, SP_VIEW("http://unclaimed")));
    assert_ok(sp_hints_add(h, digest, sp_view_str(url)));
    sp_keeper_hint(k, &h);
    assert_null(h);
}

static void url_is(struct sp_keeper *k, uint8_t sha1, const char *url)
{
    struct sp_ask_claim q = {
        .sha1 = {sha1}, .wants_origin = true, .loop = loop, .answer = on_claim};
    sp_keeper_ask_claim(k, &q);
    wait_for(1);
    assert_ok(q.err);
    assert_string_equal(q.url, url);
    sp_facts_free(&q.origin);
}

/* The last one said counts; only of files that somebody claims; over a restart, and
 * lost with the index. */
static void b_hints(void **state)
{
    (void)state;
    char longest[SP_FILE_URL];
    fill();
    struct sp_keeper *k = open_keeper();
    url_is(k, 1, "");
    hint(k, 1, "http://a/1");
    hint(k, 1, "http://b/1");
    hint(k, 77, "http://a/77");
    url_is(k, 1, "http://b/1");
    url_is(k, 77, "");
    url_is(k, 99, "");
    memset(longest, 'a', sizeof longest);
    longest[SP_FILE_URL - 1] = 0;
    hint(k, 2, longest);
    url_is(k, 2, longest);
    sp_keeper_free(&k);
    expect_filled();
    k = open_keeper();
    url_is(k, 1, "http://b/1");
    sp_keeper_free(&k);
    remove_index();
    expect_filled();
    k = open_keeper();
    url_is(k, 1, "");
    sp_keeper_free(&k);
}

static int64_t newest(struct sp_keeper *k)
{
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    return s.newest;
}

/* What is recorded again is not new. */
static void b_the_newest_revision_has_a_time(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    assert_int_equal(newest(k), 0);
    recorded_at = "2026-11-22T00:00:00Z";
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_int_equal(newest(k), 1795305600);
    recorded_at = "2026-11-22T00:00:09Z";
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_int_equal(newest(k), 1795305600);
    sp_keeper_free(&k);
    k = open_keeper();
    assert_int_equal(newest(k), 1795305600);
    make_revision(&m, "revision", 2, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_int_equal(newest(k), 1795305609);
    recorded_at = NULL;
    sp_keeper_free(&k);
}

static void on_files(struct sp_ask_files *q, enum sp_err e)
{
    q->err = e;
    one_answered();
}

static void compare(struct sp_keeper *k, const char *upstream, struct sp_shown *s)
{
    struct sp_ask_files q = {.upstream = upstream,
                             .policy = "p",
                             .shown = s,
                             .shown_count = 1,
                             .loop = loop,
                             .answer = on_files};
    sp_keeper_ask_files(k, &q);
    wait_for(1);
    assert_ok(q.err);
}

/* Of a document whose fragments have these digests, and a title in 40 languages. */
static void record_derived(struct sp_keeper *k, uint8_t id)
{
    struct sp_facts *f = NULL, *plain = NULL;
    struct made m;
    make_revision(&m, "revision", id, id, NULL, 0);
    assert_ok(sp_facts_decode(m.entry.text, &plain, NULL));
    sp_buf_fini(&m.text);
    assert_ok(sp_facts_new(65536, &f));
    assert_ok(sp_facts_merge(f, plain));
    sp_facts_free(&plain);
    uint8_t digest[32] = {id, 1};
    assert_ok(sp_facts_bytes(f, SP_FACT_FRAGMENT_CORE, sp_view(digest, 32)));
    digest[1] = 2;
    assert_ok(sp_facts_bytes(f, SP_FACT_FRAGMENT_EXTENDED, sp_view(digest, 32)));
    for (uint8_t i = 0; i < 40; i++) {
        digest[1] = (uint8_t)(3 + i);
        assert_ok(sp_facts_bytes(f, SP_FACT_FRAGMENT_LOCALIZED, sp_view(digest, 32)));
    }
    made_end(&m, f);
    assert_ok(record_one(k, &m).err);
}

static struct sp_shown shown(int32_t number, enum sp_derived_kind kind, uint8_t id,
                             uint8_t digest)
{
    struct sp_shown s = {.number = number, .is_readable = true};
    s.parts.has[kind] = true;
    s.parts.sha256[kind][0] = id;
    s.parts.sha256[kind][1] = digest;
    if (kind == SP_DERIVED_CORE) {
        s.parts.has_id = true;
        s.parts.id = revision_id(id);
    }
    return s;
}

static void says(struct sp_keeper *k, const char *upstream, struct sp_shown s,
                 enum sp_shown_says expected)
{
    compare(k, upstream, &s);
    assert_int_equal(s.says, expected);
}

static void c_fragments_are_compared_with_what_is_recorded(void **state)
{
    (void)state;
    const enum sp_derived_kind core = SP_DERIVED_CORE, extended = SP_DERIVED_EXTENDED,
                               localized = SP_DERIVED_LOCALIZED;
    struct sp_keeper *k = open_keeper();
    record_derived(k, 1);
    record_derived(k, 2);
    /* which revision 7 stands for is not known before core names it */
    says(k, "a", shown(7, extended, 9, 9), SP_SHOWN_UNKNOWN);
    says(k, "a", shown(7, core, 1, 1), SP_SHOWN_AGREES);
    says(k, "a", shown(7, extended, 1, 2), SP_SHOWN_AGREES);
    says(k, "a", shown(7, extended, 2, 2), SP_SHOWN_DIFFERS); /* another document's */
    says(k, "a", shown(7, localized, 1, 42), SP_SHOWN_AGREES);
    says(k, "a", shown(7, localized, 1, 43), SP_SHOWN_DIFFERS);
    says(k, "a", shown(8, extended, 1, 9), SP_SHOWN_UNKNOWN);
    says(k, "b", shown(7, extended, 1, 9), SP_SHOWN_UNKNOWN); /* its own numbers */
    says(k, "a", shown(9, core, 3, 1), SP_SHOWN_UNKNOWN);     /* no such document */
    struct sp_shown broken = {.number = 7};
    says(k, "a", broken, SP_SHOWN_DIFFERS);
    broken.number = 8;
    says(k, "a", broken, SP_SHOWN_UNKNOWN);
    struct sp_shown both = shown(7, extended, 1, 2);
    both.parts.has[localized] = true;
    says(k, "a", both, SP_SHOWN_DIFFERS);
    struct sp_shown bad = shown(7, core, 1, 9);
    compare(k, "a", &bad);
    assert_int_equal(bad.says, SP_SHOWN_DIFFERS);
    assert_true(bad.has_derived && bad.derived[1] == 1);
    sp_keeper_free(&k);
    /* numbers outlive a restart, digests an index that is lost */
    k = open_keeper();
    says(k, "a", shown(7, extended, 1, 9), SP_SHOWN_DIFFERS);
    sp_keeper_free(&k);
    sp_index_remove(in_folder("state/index"));
    k = open_keeper();
    says(k, "a", shown(7, extended, 1, 9), SP_SHOWN_UNKNOWN);
    says(k, "a", shown(7, core, 2, 1), SP_SHOWN_AGREES); /* counted anew */
    says(k, "a", shown(7, extended, 2, 2), SP_SHOWN_AGREES);
    says(k, "a", shown(7, extended, 1, 2), SP_SHOWN_DIFFERS);
    sp_keeper_free(&k);
}

/* 6 bundles 5, 5 bundles 1; 3 is withheld under p, and 7 bundles it. */
static void c_what_goes_with_what_differs(void **state)
{
    (void)state;
    const enum sp_derived_kind core = SP_DERIVED_CORE;
    struct sp_keeper *k = open_keeper();
    struct made m;
    record_derived(k, 1);
    static const uint8_t bundles[][2] = {{5, 1}, {6, 5}, {7, 3}};
    for (size_t i = 0; i < 3; i++) {
        make_bundle(&m, bundles[i][0], bundles[i][1]);
        assert_ok(record_one(k, &m).err);
    }
    keep(k, "withheld", 3, "p", "withhold", "program-is-update", 1);
    for (uint8_t digest = 1; digest <= 2; digest++) { /* as derived, and another */
        struct sp_shown page[] = {shown(5, core, 5, 9),      shown(6, core, 6, 9),
                                  shown(1, core, 1, digest), shown(3, core, 3, 9),
                                  shown(7, core, 7, 9),      shown(8, core, 8, 9)};
        struct sp_ask_files q = {.upstream = "a",
                                 .policy = "p",
                                 .shown = page,
                                 .shown_count = 6,
                                 .loop = loop,
                                 .answer = on_files};
        sp_keeper_ask_files(k, &q);
        wait_for(1);
        assert_ok(q.err);
        assert_int_equal(page[2].says,
                         digest == 1 ? SP_SHOWN_AGREES : SP_SHOWN_DIFFERS);
        for (size_t i = 0; i < 6; i++) {
            assert_true(page[i].has_id);
            assert_int_equal(page[i].needs_differing, digest == 2 && i < 2);
            assert_int_equal(page[i].is_kept_back, i == 3 || i == 4);
        }
    }
    struct sp_shown other = shown(3, core, 3, 9);
    struct sp_ask_files q = {.upstream = "a",
                             .policy = "q", /* another policy keeps nothing back */
                             .shown = &other,
                             .shown_count = 1,
                             .loop = loop,
                             .answer = on_files};
    sp_keeper_ask_files(k, &q);
    wait_for(1);
    assert_false(other.is_kept_back);
    sp_keeper_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_hints),
        TEST(b_the_newest_revision_has_a_time),
        TEST(c_fragments_are_compared_with_what_is_recorded),
        TEST(c_what_goes_with_what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
