/* Counters by kind: what is counted under which label, and never under two. */
#include "unit.h"

#include "app/shared/metrics.h"

static struct sp_totals totals_of(const struct sp_counters *c)
{
    struct sp_totals t = {0};
    sp_totals_add(&t, c);
    return t;
}

static uint64_t sum(const struct sp_totals *t)
{
    return t->refused_size + t->refused_sha1 + t->refused_sha256 +
           t->refused_signature + t->refused_kind;
}

static void a_refused_file_counts_for_one_check(void **state)
{
    (void)state;
    struct sp_counters c = {0};
    uint64_t n = 0;
    for (unsigned r = 0; r < SP_RULE_COUNT; r++) {
        if (sp_rule_subject((enum sp_rule)r) != SP_SUBJECT_FILE) {
            continue;
        }
        sp_count_refused_file(&c, (enum sp_rule)r);
        struct sp_totals t = totals_of(&c);
        n++;
        assert_int_equal(sum(&t), n);
        assert_int_equal(t.refused_content, n);
    }
    assert_int_equal(n, 10);
}

static void a_check_is_that_of_its_rules(void **state)
{
    (void)state;
    struct sp_counters c = {0};
    sp_count_refused_file(&c, SP_RULE_FILE_SIZE);
    sp_count_refused_file(&c, SP_RULE_FILE_SHA1);
    sp_count_refused_file(&c, SP_RULE_FILE_NO_COLLISION);
    sp_count_refused_file(&c, SP_RULE_FILE_SHA256);
    sp_count_refused_file(&c, SP_RULE_FILE_SIGNED);
    sp_count_refused_file(&c, SP_RULE_FILE_NOT_REVOKED);
    sp_count_refused_file(&c, SP_RULE_FILE_DIGEST_STRONG);
    sp_count_refused_file(&c, SP_RULE_FILE_NOT_TOOL);
    struct sp_totals t = totals_of(&c);
    assert_int_equal(t.refused_size, 1);
    assert_int_equal(t.refused_sha1, 2);
    assert_int_equal(t.refused_sha256, 1);
    assert_int_equal(t.refused_signature, 3);
    assert_int_equal(t.refused_kind, 1);
}

static void a_request_counts_once_by_its_class(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *klass;
    } rows[] = {{0, "none"},  {100, "none"}, {199, "none"}, {200, "2xx"},
                {299, "2xx"}, {304, "3xx"},  {400, "4xx"},  {499, "4xx"},
                {500, "5xx"}, {599, "5xx"},  {600, "none"}};
    struct sp_asked_counts c = {0};
    struct sp_totals t = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sp_asked_counts one = {0};
        sp_asked_count(&c, SP_ASKED_CLIENT, rows[i].status);
        sp_asked_count(&one, SP_ASKED_CLIENT, rows[i].status);
        for (unsigned k = 0; k < SP_CLASSES; k++) {
            bool its = strcmp(sp_class_text(k), rows[i].klass) == 0;
            assert_int_equal(sp_asked_read(&one, SP_ASKED_CLIENT, k), its);
            assert_int_equal(sp_asked_read(&one, SP_ASKED_CONTENT, k), 0);
        }
    }
    sp_totals_add_asked(&t, &c);
    assert_int_equal(sp_totals_requests(&t), sizeof rows / sizeof *rows);
    assert_int_equal(t.classes[0], 4);
    assert_int_equal(t.classes[4], 2);
}

static void a_service_has_its_name(void **state)
{
    (void)state;
    for (unsigned s = 0; s < SP_SERVICE_COUNT; s++) {
        enum sp_service service = (enum sp_service)s;
        assert_string_equal(sp_asked_text(sp_asked_of(SP_ROUTE_SERVICE, service)),
                            sp_service_name(service));
    }
    assert_string_equal(sp_asked_text(sp_asked_of(SP_ROUTE_CONTENT, 0)), "content");
    assert_string_equal(sp_asked_text(sp_asked_of(SP_ROUTE_CATALOG, 0)), "catalog");
    assert_string_equal(sp_asked_text(sp_asked_of(SP_ROUTE_NONE, 0)), "none");
    assert_string_equal(sp_asked_text(SP_ASKED_CUSTODY), "custody");
    assert_string_equal(sp_asked_text(SP_ASKED_WITNESS), "witness");
}

static void a_plain_request_counts_for_one_mode(void **state)
{
    (void)state;
    struct sp_counters c = {0};
    sp_count_plain(&c, SP_MODE_ENFORCE, true);
    sp_count_plain(&c, SP_MODE_ENFORCE, true);
    sp_count_plain(&c, SP_MODE_AUDIT, false);
    sp_count_plain(&c, SP_MODE_OBSERVE, true);
    struct sp_totals t = totals_of(&c);
    assert_int_equal(t.plain_enforce_refused, 2);
    assert_int_equal(t.plain_enforce_passed, 0);
    assert_int_equal(t.plain_audit_passed, 1);
    assert_int_equal(t.plain_audit_refused, 0);
    assert_int_equal(t.plain_observe_passed, 0);
    assert_int_equal(t.plain_observe_refused, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_file_counts_for_one_check),
        cmocka_unit_test(a_check_is_that_of_its_rules),
        cmocka_unit_test(a_request_counts_once_by_its_class),
        cmocka_unit_test(a_service_has_its_name),
        cmocka_unit_test(a_plain_request_counts_for_one_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
