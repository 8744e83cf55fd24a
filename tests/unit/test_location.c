/* FileLocation in the replies that clients get: which of them are a WSUS's own. */
#include "unit.h"

#include "core/wsus/wsus.h"

#define C "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService"
#define REPLY(op, inner)                                                               \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><" op   \
    "Response xmlns=\"" C "\"><" op "Result>" inner "</" op "Result></" op             \
    "Response></s:Body></s:Envelope>"
#define LOCATIONS(inner) "<FileLocations>" inner "</FileLocations>"
#define LOCATION(digest, url)                                                          \
    "<FileLocation><FileDigest>" digest "</FileDigest><Url>" url "</Url></"            \
    "FileLocation>"
#define DIGEST "e29ecGm5NObqBqaQZl6P/PoMQEg="
#define PATH   "/Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.exe"

static struct sp_reply *read_reply(enum sp_op op, const char *text)
{
    struct sp_reply *r = NULL;
    struct sp_why why = {0};
    assert_ok(sp_reply_inspect(op, 200, sp_view_str(text), NULL, 0, &r, &why));
    assert_true(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
    return r;
}

static void assert_found(enum sp_op op, const char *text, const char *url)
{
    char path[SP_CONTENT_PATH_MAX];
    SP_AUTO(sp_reply_free) struct sp_reply *r = read_reply(op, text);
    assert_int_equal(r->location_count, 1);
    const struct sp_location *l = r->locations;
    assert_int_equal(l->place.to - l->place.from, strlen(url));
    assert_memory_equal(text + l->place.from, url, strlen(url));
    sp_content_path_format(&l->file, path);
    assert_string_equal(path, PATH);
}

static void b_found_in_every_reply_that_has_them(void **state)
{
    (void)state;
    static const char url[] = "http://wsus.example:8530" PATH;
    assert_found(SP_OP_GET_FILE_LOCATIONS,
                 REPLY("GetFileLocations",
                       LOCATIONS(LOCATION(DIGEST, "http://wsus.example:8530" PATH))),
                 url);
    assert_found(SP_OP_GET_EXTENDED_UPDATE_INFO,
                 REPLY("GetExtendedUpdateInfo",
                       "<Updates/>" LOCATIONS(
                           LOCATION(DIGEST, "http://wsus.example:8530" PATH))),
                 url);
    assert_found(SP_OP_GET_EXTENDED_UPDATE_INFO2,
                 REPLY("GetExtendedUpdateInfo2",
                       LOCATIONS(LOCATION(DIGEST, "http://wsus.example:8530" PATH))),
                 url);
    assert_found(
        SP_OP_SYNC_UPDATES,
        REPLY("SyncUpdates",
              "<ExtendedUpdateInfo>" LOCATIONS(LOCATION(
                  DIGEST, "http://wsus.example:8530" PATH)) "</"
                                                            "ExtendedUpdateInfo>"),
        url);
}

#define IS_FOUND(url)                                                                  \
    assert_found(SP_OP_GET_FILE_LOCATIONS,                                             \
                 REPLY("GetFileLocations", LOCATIONS(LOCATION(DIGEST, url))), url)

static void b_spellings(void **state)
{
    (void)state;
    IS_FOUND("HTTPS://wsus.example:8531/"
             "content/48/7b6f5e7069b934e6ea06a690665e8ffcfa0c4048.EXE");
    IS_FOUND("http://[::1]:8530/" PATH); /* real servers double a slash in places */
    IS_FOUND(" http://wsus/Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.exe\n");
    IS_FOUND("http&#58;//wsus" PATH);
    assert_found(SP_OP_GET_FILE_LOCATIONS,
                 REPLY("GetFileLocations", LOCATIONS("<FileLocation><Url>http://w" PATH
                                                     "</Url><FileDigest>" DIGEST
                                                     "</FileDigest></FileLocation>")),
                 "http://w" PATH);
}

static void f_what_is_another_place_or_file_is_left(void **state)
{
    (void)state;
    static const char *const left[] = {
        LOCATION(DIGEST, "http://dl.example/c/msdownload/update/x_7b6f.cab"),
        LOCATION(DIGEST, "ftp://wsus" PATH),
        LOCATION(DIGEST, PATH),
        LOCATION(DIGEST, "//wsus" PATH),
        LOCATION(DIGEST, "http:" PATH),
        LOCATION(DIGEST, "http://wsus" PATH "?x"),
        LOCATION(DIGEST, "http://wsus/x" PATH),
        LOCATION("e29ecGm5NObqBqaQZl6P/PoMQEk=", "http://wsus" PATH),
        LOCATION("", "http://wsus" PATH),
        LOCATION("e29e", "http://wsus" PATH),
        "<FileLocation><FileDigest>" DIGEST "</FileDigest></FileLocation>",
        "<FileLocation><FileDigest>" DIGEST "</FileDigest><Url/></FileLocation>",
        "<FileLocation><Url>http://wsus" PATH "</Url></FileLocation>",
        "<FileLocation><FileDigest>" DIGEST "</FileDigest><Url>http://wsus" PATH
        "</Url><Url>http://wsus" PATH "</Url></FileLocation>",
        "<Other><FileLocation><FileDigest>" DIGEST "</FileDigest><Url>http://wsus" PATH
        "</Url></FileLocation></Other>",
    };
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        char text[2048];
        snprintf(text, sizeof text, REPLY("GetFileLocations", LOCATIONS("%s")),
                 left[i]);
        SP_AUTO(sp_reply_free)
        struct sp_reply *r = read_reply(SP_OP_GET_FILE_LOCATIONS, text);
        assert_int_equal(r->location_count, 0);
    }
}

static void c_many(void **state)
{
    (void)state;
    struct sp_buf b;
    struct sp_reply *r = NULL;
    for (size_t n = SP_LIMIT_LOCATIONS; n <= SP_LIMIT_LOCATIONS + 1; n++) {
        sp_buf_init(&b, SP_MIB(32));
        assert_ok(sp_buf_append_str(
            &b, "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                "<s:Body><GetFileLocationsResponse xmlns=\"" C
                "\"><GetFileLocationsResult><FileLocations>"));
        for (size_t i = 0; i < n; i++) {
            assert_ok(sp_buf_append_str(&b, LOCATION(DIGEST, "http://wsus" PATH)));
        }
        assert_ok(sp_buf_append_str(&b, "</FileLocations></GetFileLocationsResult>"
                                        "</GetFileLocationsResponse></s:Body>"
                                        "</s:Envelope>"));
        assert_ok(sp_reply_inspect(SP_OP_GET_FILE_LOCATIONS, 200, sp_buf_view(&b), NULL,
                                   0, &r, NULL));
        bool all = n == SP_LIMIT_LOCATIONS;
        assert_int_equal(r->location_count, all ? n : 0);
        assert_int_equal(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED), all);
        sp_reply_free(&r);
        sp_buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_found_in_every_reply_that_has_them),
        cmocka_unit_test(b_spellings),
        cmocka_unit_test(f_what_is_another_place_or_file_is_left),
        cmocka_unit_test(c_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
