/* The set of keys for TLS of Microsoft Update, line by line against the certificates.
 */
#include "unit.h"

#include <dirent.h>

#include "app/config/shipped.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"

enum { LINES = 2 };

struct row {
    struct sp_pin pin;
    char name[128], sha256[65];
    bool seen;
};

/* sha256//PIN  "NAME"  HEX */
static size_t read_rows(struct row rows[LINES])
{
    struct sp_view set = sp_shipped_tls_pins(SP_VIEW("microsoft-update-tls"));
    size_t count = 0;
    while (set.len) {
        size_t end = sp_view_find(set, '\n');
        struct sp_view line = sp_view_slice(set, 0, end);
        char text[256], pin[64];
        set = sp_view_slice(set, end + 1, set.len);
        snprintf(text, sizeof text, SP_VIEW_FMT, SP_VIEW_ARG(line));
        if (text[0] == '#' || line.len == 0) {
            continue;
        }
        assert_true(count < LINES);
        struct row *r = &rows[count++];
        *r = (struct row){.seen = false};
        assert_int_equal(
            sscanf(text, "%63s \"%127[^\"]\" %64s", pin, r->name, r->sha256), 3);
        assert_ok(sp_pin_parse(sp_view_str(pin), &r->pin));
        assert_int_equal(strlen(r->sha256), 64);
    }
    return count;
}

static void b_the_set(void **state)
{
    (void)state;
    struct row rows[LINES];
    assert_int_equal(read_rows(rows), LINES);
    assert_false(sp_pin_eq(&rows[0].pin, &rows[1].pin));
    assert_int_equal(sp_shipped_tls_pins(SP_VIEW("microsoft-update")).len, 0);
}

static void compare(struct row rows[LINES], const char *path)
{
    size_t n = 0;
    uint8_t *der = unit_read_file(path, &n);
    struct sp_cert_facts facts;
    uint8_t sha256[32];
    assert_non_null(der);
    bool is_cert = sp_cert_read(sp_view(der, n), &facts) == SP_OK;
    free(der);
    for (size_t i = 0; is_cert && i < LINES; i++) {
        assert_ok(sp_hex_parse(sp_view_str(rows[i].sha256), sha256, sizeof sha256));
        if (memcmp(sha256, facts.sha256, 32) == 0) {
            assert_true(sp_pin_eq(&facts.spki, &rows[i].pin));
            assert_non_null(strstr(facts.subject, rows[i].name));
            rows[i].seen = true;
        }
    }
}

static void c_each_line_is_its_certificates(void **state)
{
    (void)state;
    struct row rows[LINES];
    char path[5000];
    const char *folder = unit_corpus("F-ca/der");
    DIR *d = folder ? opendir(folder) : NULL;
    if (!d) {
        skip();
        return;
    }
    char where[4096];
    snprintf(where, sizeof where, "%s", folder);
    assert_int_equal(read_rows(rows), LINES);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", where, e->d_name);
            compare(rows, path);
        }
    }
    closedir(d);
    for (size_t i = 0; i < LINES; i++) {
        assert_true(rows[i].seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_the_set),
        cmocka_unit_test(c_each_line_is_its_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
