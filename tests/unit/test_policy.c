/* Besides the texts of policies: the golden cases of tests/golden/policy. A *.case is
 *
 *     # comment
 *     subject revision
 *     policy one-rule        the policy's text, up to the empty line
 *     ...
 *
 *     update.asked true      facts in canonical form, up to the empty line
 *
 *     refused                the ruling
 *     rule revision-asked    the rule that refused, if any
 *     action withhold        what is done, if not what is usual for the subject
 *     observed digests-sound failed in observe or audit mode, one a line
 *     why ...                the sentence; "why" alone when there is none
 *
 * and a *.snapshot is a shipped policy as sp_policy_print writes it. */
#include "unit.h"

#include <dirent.h>

#include "core/base/limits.h"
#include "sallyport/policy.h"

enum { TEXT = 1 << 20 };

#define KEY  "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define GUID "11111111-2222-4333-8444-555555555555"

static struct sp_policy *policy_new(const char *text)
{
    struct sp_policy *p = NULL;
    struct sp_why why = {0};
    if (sp_policy_parse(sp_view_str(text), &p, &why) != SP_OK) {
        fail_msg("%s", why.text);
    }
    return p;
}

static const char *source_path(const char *file)
{
    static char path[4096];
    const char *source = getenv("SALLYPORT_SOURCE");
    assert_non_null(source);
    snprintf(path, sizeof path, "%s/%s", source, file);
    return path;
}

static char *read_source(const char *file)
{
    size_t len = 0;
    char *text = (char *)unit_read_file(source_path(file), &len);
    if (!text) {
        fail_msg("cannot read %s", file);
    }
    return text;
}

static void print(const struct sp_policy *p, struct sp_buf *out)
{
    sp_buf_init(out, TEXT);
    assert_ok(sp_policy_print(p, out));
    assert_ok(sp_buf_append_byte(out, 0));
}

static void b_a_policy_is_read(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free)
    struct sp_policy *p = policy_new("# first\n"
                                     "\n"
                                     "  policy\ta.b_c-1  \n"
                                     "\t# second\n"
                                     "file-sha1 enforce\n"
                                     "file-size\t observe\n"
                                     "digests-sound audit\n"
                                     "revision-asked off");
    assert_string_equal(sp_policy_name(p), "a.b_c-1");
    assert_int_equal(sp_policy_mode(p, SP_RULE_FILE_SHA1), SP_MODE_ENFORCE);
    assert_int_equal(sp_policy_mode(p, SP_RULE_FILE_SIZE), SP_MODE_OBSERVE);
    assert_int_equal(sp_policy_mode(p, SP_RULE_DIGESTS_SOUND), SP_MODE_AUDIT);
    assert_int_equal(sp_policy_mode(p, SP_RULE_REVISION_ASKED), SP_MODE_OFF);
    assert_int_equal(sp_policy_mode(p, SP_RULE_FILE_SHA256), SP_MODE_OFF);
}

static void b_a_rule_has_its_action(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free)
    struct sp_policy *p = policy_new("policy p\n"
                                     "file-sha1 enforce\n"
                                     "file-size enforce refuse\n"
                                     "identity-equal enforce\n"
                                     "revision-asked audit withhold\n"
                                     "digests-sound enforce quarantine\n"
                                     "reply-wellformed enforce refuse\n");
    assert_int_equal(sp_policy_action(p, SP_RULE_FILE_SHA1), SP_ACTION_QUARANTINE);
    assert_int_equal(sp_policy_action(p, SP_RULE_FILE_SIZE), SP_ACTION_REFUSE);
    assert_int_equal(sp_policy_action(p, SP_RULE_IDENTITY_EQUAL), SP_ACTION_REFUSE);
    assert_int_equal(sp_policy_action(p, SP_RULE_REVISION_ASKED), SP_ACTION_WITHHOLD);
    assert_int_equal(sp_policy_action(p, SP_RULE_DIGESTS_SOUND), SP_ACTION_QUARANTINE);
    assert_int_equal(sp_policy_action(p, SP_RULE_REPLY_WELLFORMED), SP_ACTION_REFUSE);
}

static void b_printing_is_a_fixpoint(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free)
    struct sp_policy *p = policy_new("policy x\nfile-sha1 audit");
    SP_AUTO(sp_buf_fini) struct sp_buf first;
    SP_AUTO(sp_buf_fini) struct sp_buf second;
    print(p, &first);
    SP_AUTO(sp_policy_free) struct sp_policy *again = policy_new((char *)first.data);
    print(again, &second);
    assert_string_equal((char *)first.data, (char *)second.data);
    assert_int_equal(sp_policy_mode(again, SP_RULE_FILE_SHA1), SP_MODE_AUDIT);
}

static void b_mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "the policy is empty; it begins with \"policy NAME\""},
        {"# only\n", "the policy is empty; it begins with \"policy NAME\""},
        {"file-sha1 enforce\n", "line 1: a policy begins with \"policy NAME\""},
        {"policy\n",
         "line 1: a policy's name is 1 to 64 of a-z, 0-9, '-', '.' and '_', "
         "the first a letter or digit"},
        {"\npolicy -x\n",
         "line 2: a policy's name is 1 to 64 of a-z, 0-9, '-', '.' and "
         "'_', the first a letter or digit"},
        {"policy X\n", "line 1: a policy's name is 1 to 64 of a-z, 0-9, '-', '.' and "
                       "'_', the first a letter or digit"},
        {"policy a b\n",
         "line 1: there is a word too many; comments have lines of their own"},
        {"policy a\nfile-sha1 enforce # why\n",
         "line 2: there is a word too many; comments have lines of their own"},
        {"policy a\nfile-sha1 enforce refuse now\n",
         "line 2: there is a word too many; comments have lines of their own"},
        {"policy a\nrevision-asked enforce withold\n",
         "line 2: there is no action \"withold\"; did you mean \"withhold\"?"},
        {"policy a\nfile-sha1 enforce withhold\n",
         "line 2: the rule file-sha1 is about a file, which cannot be the subject of "
         "\"withhold\""},
        {"policy a\nreply-wellformed enforce quarantine\n",
         "line 2: the rule reply-wellformed is about a reply, which cannot be the "
         "subject of \"quarantine\""},
        {"policy a\nfile-sha enforce\n",
         "line 2: there is no rule \"file-sha\"; did you mean \"file-sha1\"?"},
        {"policy a\nzzzzzzzzzzz enforce\n", "line 2: there is no rule \"zzzzzzzzzzz\""},
        {"policy a\nfile-sha1 enforced\n",
         "line 2: there is no mode \"enforced\"; did you mean \"enforce\"?"},
        {"policy a\nfile-sha1\n", "line 2: there is no mode \"\""},
        {"policy a\nfile-sha1 enforce\r\n",
         "line 2: there is no mode \"enforce?\"; did you mean \"enforce\"?"},
        {"policy a\nfile-sha1 audit\n\nfile-sha1 audit\n",
         "line 4: the rule file-sha1 stands in line 2 already"},
        {"policy a\npublisher x update " GUID "\n",
         "line 2: a publisher's key is \"sha256//\" and 44 characters of base64"},
        {"policy a\npublisher " KEY "\n",
         "line 2: behind a publisher's key stands \"update\" or \"category\""},
        {"policy a\npublisher " KEY " product " GUID "\n",
         "line 2: behind a publisher's key stands \"update\" or \"category\""},
        {"policy a\npublisher " KEY " update\n",
         "line 2: a publisher is limited to the GUID of an update or category"},
        {"policy a\npublisher " KEY " update " GUID " x\n",
         "line 2: there is a word too many; comments have lines of their own"},
        {"publisher " KEY " update " GUID "\n",
         "line 1: there is a word too many; comments have lines of their own"},
        {"policy a\npeer x network 10.0.0.0/8\n",
         "line 2: behind \"peer\" stands a service, as server-sync, or \"any\""},
        {"policy a\npeer client net 10.0.0.0/8\n",
         "line 2: a peer is known by \"network\", \"key\" or \"name\""},
        {"policy a\npeer client network 10.0.0.1/8\n",
         "line 2: a network is written 10.0.0.0/8 or 2001:db8::/32, with no bits set "
         "behind the prefix"},
        {"policy a\npeer client key x\n",
         "line 2: a peer's key is \"sha256//\" and 44 characters of base64"},
        {"policy a\npeer client name *.example\n",
         "line 2: a peer's name is one that its certificate is made out to, without "
         "wildcards"},
        {"policy a\npeer client name a b\n",
         "line 2: there is a word too many; comments have lines of their own"},
        {"policy a\nat clients transport-tls audit\n",
         "line 2: there is no service \"clients\"; they are server-sync, dss-auth, "
         "client, simple-auth, reporting, content, catalog, custody and witness"},
        {"policy a\nat @ transport-tls audit\n",
         "line 2: a place is SERVICE, @LISTENER or SERVICE@LISTENER"},
        {"policy a\nat client@ transport-tls audit\n",
         "line 2: a place is SERVICE, @LISTENER or SERVICE@LISTENER"},
        {"policy a\nat client transport-tsl audit\n",
         "line 2: there is no rule \"transport-tsl\"; did you mean \"transport-tls\"?"},
        {"policy a\nat client transport-tls audits\n",
         "line 2: there is no mode \"audits\"; did you mean \"audit\"?"},
        {"policy a\nat client file-sha1 audit\n",
         "line 2: only rules about a request have modes of one place; file-sha1 is "
         "about "
         "a file"},
        {"policy a\nat client transport-tls audit\nat client transport-tls off\n",
         "line 3: the rule transport-tls has a mode at this place already"},
        {"policy a\npolicy b\n", "line 2: there is no rule \"policy\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
        struct sp_why why = {0};
        assert_err(sp_policy_parse(sp_view_str(rows[i].text), &p, &why), SP_E_CONFIG);
        assert_string_equal(why.text, rows[i].why);
        assert_null(p);
        assert_err(sp_policy_parse(sp_view_str(rows[i].text), &p, NULL), SP_E_CONFIG);
    }
}

static void b_publishers_are_printed_and_stop_at_their_limit(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_POLICY);
    assert_ok(sp_buf_append_str(&text, "policy a\n"));
    for (int i = 0; i <= SP_LIMIT_PUBLISHERS; i++) {
        struct sp_policy *p = NULL, *again = NULL;
        SP_AUTO(sp_buf_fini) struct sp_buf once, twice;
        struct sp_why why = {0};
        if (i > 0) {
            assert_ok(sp_buf_printf(&text, "publisher " KEY " %s " GUID "\n",
                                    i % 2 ? "update" : "category"));
        }
        assert_ok(sp_policy_parse(sp_buf_view(&text), &p, &why));
        print(p, &once);
        assert_ok(sp_policy_parse(sp_view_str((const char *)once.data), &again, &why));
        print(again, &twice);
        assert_true(sp_view_eq(sp_buf_view(&once), sp_buf_view(&twice)));
        sp_policy_free(&p);
        sp_policy_free(&again);
    }
    struct sp_policy *p = NULL;
    struct sp_why why = {0};
    assert_ok(sp_buf_append_str(&text, "publisher " KEY " update " GUID "\n"));
    assert_err(sp_policy_parse(sp_buf_view(&text), &p, &why), SP_E_LIMIT);
    assert_non_null(strstr(why.text, "there may be 64 publishers"));
}

static void b_places_and_peers_are_printed(void **state)
{
    (void)state;
    static const char lines[] = "at client transport-tls audit\n"
                                "at @old transport-tls off\n"
                                "at reporting@old.8530 report-tags-known observe\n"
                                "peer any network 10.0.0.0/8\n"
                                "peer server-sync network 2001:db8:0:0:0:0:0:0/32\n"
                                "peer dss-auth key " KEY "\n"
                                "peer content name a-1.example\n"
                                "publisher " KEY " update " GUID "\n";
    char text[sizeof lines + 32];
    snprintf(text, sizeof text, "policy p\n%s", lines);
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_new(text);
    SP_AUTO(sp_buf_fini) struct sp_buf once;
    print(p, &once);
    assert_non_null(strstr((char *)once.data, lines));
    SP_AUTO(sp_policy_free) struct sp_policy *again = policy_new((char *)once.data);
    SP_AUTO(sp_buf_fini) struct sp_buf twice;
    print(again, &twice);
    assert_string_equal((char *)once.data, (char *)twice.data);
    assert_true(sp_policy_reads_names(p));
    assert_true(sp_policy_names_peers(p, SP_VIEW("catalog")));
    SP_AUTO(sp_policy_free)
    struct sp_policy *few = policy_new("policy p\npeer content network 10.0.0.0/8\n");
    assert_false(sp_policy_reads_names(few));
    assert_true(sp_policy_names_peers(few, SP_VIEW("content")));
    assert_false(sp_policy_names_peers(few, SP_VIEW("client")));
    assert_false(sp_policy_names_peers(few, SP_VIEW("custody")));
    SP_AUTO(sp_policy_free)
    struct sp_policy *own =
        policy_new("policy p\npeer custody network 10.0.0.0/8\n"
                   "peer witness network 10.0.0.0/8\n"
                   "at custody@l peer-network audit\n");
    assert_true(sp_policy_names_peers(own, SP_VIEW("custody")));
    assert_true(sp_policy_names_peers(own, SP_VIEW("witness")));
    assert_false(sp_policy_names_peers(own, SP_VIEW("content")));
}

static void b_lines_of_a_kind_stop_at_their_limit(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        SP_AUTO(sp_buf_fini) struct sp_buf peers, places;
        SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
        SP_AUTO(sp_policy_free) struct sp_policy *q = NULL;
        struct sp_why why = {0};
        sp_buf_init(&peers, SP_LIMIT_POLICY);
        sp_buf_init(&places, SP_LIMIT_POLICY);
        assert_ok(sp_buf_append_str(&peers, "policy a\n"));
        assert_ok(sp_buf_append_str(&places, "policy a\n"));
        for (int i = 0; i < SP_LIMIT_PEER_LINES + over; i++) {
            assert_ok(
                sp_buf_printf(&peers, "peer any network 10.0.0.%d/32\n", i % 256));
        }
        for (int i = 0; i < SP_LIMIT_PLACE_LINES + over; i++) {
            assert_ok(sp_buf_printf(&places, "at @l%d transport-tls audit\n", i));
        }
        assert_err(sp_policy_parse(sp_buf_view(&peers), &p, &why),
                   over ? SP_E_LIMIT : SP_OK);
        assert_err(sp_policy_parse(sp_buf_view(&places), &q, &why),
                   over ? SP_E_LIMIT : SP_OK);
    }
}

static void b_a_policy_stops_at_its_limits(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        sp_buf_init(&b, TEXT);
        assert_ok(sp_buf_append_str(&b, "policy a\n#"));
        while (b.len < 64 * 1024 + over) {
            assert_ok(sp_buf_append_byte(&b, 'x'));
        }
        assert_err(sp_policy_parse(sp_buf_view(&b), &p, NULL),
                   over ? SP_E_LIMIT : SP_OK);

        SP_AUTO(sp_policy_free) struct sp_policy *named = NULL;
        sp_buf_clear(&b);
        assert_ok(sp_buf_append_str(&b, "policy "));
        while (b.len < 7 + 64 + over) {
            assert_ok(sp_buf_append_byte(&b, 'n'));
        }
        assert_err(sp_policy_parse(sp_buf_view(&b), &named, NULL),
                   over ? SP_E_CONFIG : SP_OK);
    }
}

static void b_the_verdict_becomes_facts(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free)
    struct sp_policy *p = policy_new("policy p\nfile-size audit\nfile-sha1 enforce\n");
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_AUTO(sp_facts_free) struct sp_facts *none = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_verdict v;
    assert_ok(sp_facts_new(TEXT, &f));
    assert_ok(sp_facts_new(TEXT, &none));
    sp_policy_judge(p, SP_SUBJECT_FILE, none, &v);
    assert_ok(sp_verdict_to_facts(&v, p, f));
    sp_buf_init(&text, TEXT);
    assert_ok(sp_facts_encode(f, &text));
    assert_ok(sp_buf_append_byte(&text, 0));
    assert_string_equal(
        (char *)text.data,
        "verdict.ruling refused\n"
        "verdict.rule file-sha1\n"
        "verdict.observed file-size\n"
        "verdict.why SHA-1 of nothing: metadata names nothing, received "
        "was nothing\n"
        "verdict.policy p\n");
}

static void f_a_cut_character_does_not_lose_the_verdict(void **state)
{
    (void)state;
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_new("policy p\n");
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_verdict v = {.ruling = SP_REFUSED, .why = {"because \xc3"}};
    struct sp_fact_value why;
    assert_ok(sp_facts_new(TEXT, &f));
    assert_ok(sp_verdict_to_facts(&v, p, f));
    assert_true(sp_facts_get(f, SP_FACT_VERDICT_WHY, 0, &why));
    assert_view_equal(why.bytes, "because ?");
}

static void f_the_zero_of_a_verdict_is_unproven(void **state)
{
    (void)state;
    struct sp_verdict v = {0};
    assert_int_equal(v.ruling, SP_UNPROVEN);
    assert_string_equal(sp_ruling_text(v.ruling), "unproven");
}

/* Cuts *text at its next empty line and gives the part before. */
static char *next_part(char **text)
{
    char *part = *text, *end = strstr(part, "\n\n");
    assert_non_null(end);
    end[1] = 0;
    *text = end + 2;
    return part;
}

static enum sp_subject subject_named(const char *name)
{
    static const char *const names[] = {"request",  "link", "reply",
                                        "revision", "file", "told"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum sp_subject)i;
        }
    }
    fail_msg("there is no subject %s", name);
    return SP_SUBJECT_LINK;
}

static void print_verdict(const struct sp_verdict *v, struct sp_buf *out)
{
    sp_buf_init(out, TEXT);
    assert_ok(sp_buf_printf(out, "%s\n", sp_ruling_text(v->ruling)));
    if (v->ruling == SP_REFUSED) {
        assert_ok(sp_buf_printf(out, "rule %s\n", sp_rule_text(v->rule)));
    }
    if (v->ruling == SP_REFUSED &&
        v->action != sp_action_usual(sp_rule_subject(v->rule))) {
        assert_ok(sp_buf_printf(out, "action %s\n", sp_action_text(v->action)));
    }
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (v->observed >> r & 1) {
            assert_ok(sp_buf_printf(out, "observed %s\n", sp_rule_text(r)));
        }
    }
    bool said = v->why.text[0] != 0;
    assert_ok(sp_buf_printf(out, "why%s%s\n", said ? " " : "", v->why.text));
    assert_ok(sp_buf_append_byte(out, 0));
}

/* What the cases showed of each rule while it was enforced. */
static bool seen_failing[SP_RULE_COUNT], seen_holding[SP_RULE_COUNT];

static void note_seen(const struct sp_policy *p, enum sp_subject subject,
                      const struct sp_verdict *v)
{
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (sp_rule_subject(r) == subject && sp_policy_mode(p, r) == SP_MODE_ENFORCE) {
            seen_holding[r] |= v->ruling == SP_PASSED;
            seen_failing[r] |= v->ruling == SP_REFUSED && v->rule == r;
        }
    }
}

static void run_case(const char *file)
{
    char *whole = read_source(file), *text = whole;
    while (*text == '#') {
        text = strchr(text, '\n') + 1;
    }
    assert_int_equal(strncmp(text, "subject ", 8), 0);
    char *subject_name = text + 8;
    text = strchr(text, '\n');
    *text++ = 0;
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_new(next_part(&text));
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf got;
    struct sp_why why = {0};
    struct sp_verdict v;
    /* no facts at all are an empty line of their own */
    const char *facts = *text == '\n' ? (text++, "") : next_part(&text);
    if (sp_facts_decode(sp_view_str(facts), &f, &why) != SP_OK) {
        fail_msg("%s: %s", file, why.text);
    }
    sp_policy_judge(p, subject_named(subject_name), f, &v);
    note_seen(p, subject_named(subject_name), &v);
    print_verdict(&v, &got);
    if (strcmp((char *)got.data, text) != 0) {
        fail_msg("%s:\nexpected\n%scame\n%s", file, text, (char *)got.data);
    }
    free(whole);
}

static void compare_snapshot(const char *file, const char *stem)
{
    char policy_file[300];
    snprintf(policy_file, sizeof policy_file, "policies/%s.policy", stem);
    char *expected = read_source(file), *text = read_source(policy_file);
    SP_AUTO(sp_policy_free) struct sp_policy *p = policy_new(text);
    SP_AUTO(sp_buf_fini) struct sp_buf got;
    print(p, &got);
    assert_string_equal(sp_policy_name(p), stem);
    assert_string_equal((char *)got.data, expected);
    free(expected);
    free(text);
}

/* Calls back for every file of folder that ends so, with its path and its name without
 * the ending. */
static size_t each_file(const char *folder, const char *ending,
                        void (*call)(const char *file, const char *stem))
{
    size_t count = 0;
    DIR *d = opendir(source_path(folder));
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        size_t len = strlen(e->d_name), tail = strlen(ending);
        if (len > tail && strcmp(e->d_name + len - tail, ending) == 0) {
            char file[600], stem[300];
            snprintf(file, sizeof file, "%s/%s", folder, e->d_name);
            snprintf(stem, sizeof stem, "%.*s", (int)(len - tail), e->d_name);
            call(file, stem);
            count++;
        }
    }
    closedir(d);
    return count;
}

static void run_case_file(const char *file, const char *stem)
{
    (void)stem;
    run_case(file);
}

static void c_golden_cases(void **state)
{
    (void)state;
    assert_true(each_file("tests/golden/policy", ".case", run_case_file) > 0);
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (!seen_holding[r] || !seen_failing[r]) {
            fail_msg("no case shows %s %s", sp_rule_text(r),
                     seen_holding[r] ? "failing" : "holding");
        }
    }
}

static void c_shipped_policies_are_what_they_were(void **state)
{
    (void)state;
    assert_int_equal(each_file("tests/golden/policy", ".snapshot", compare_snapshot),
                     3);
}

static void must_have_snapshot(const char *file, const char *stem)
{
    (void)file;
    char snapshot[400];
    snprintf(snapshot, sizeof snapshot, "tests/golden/policy/%s.snapshot", stem);
    free(read_source(snapshot));
}

static void c_every_shipped_policy_has_a_snapshot(void **state)
{
    (void)state;
    assert_int_equal(each_file("policies", ".policy", must_have_snapshot), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_a_policy_is_read),
        cmocka_unit_test(b_a_rule_has_its_action),
        cmocka_unit_test(b_printing_is_a_fixpoint),
        cmocka_unit_test(b_mistakes_are_named_with_their_line),
        cmocka_unit_test(b_publishers_are_printed_and_stop_at_their_limit),
        cmocka_unit_test(b_places_and_peers_are_printed),
        cmocka_unit_test(b_lines_of_a_kind_stop_at_their_limit),
        cmocka_unit_test(b_a_policy_stops_at_its_limits),
        cmocka_unit_test(b_the_verdict_becomes_facts),
        cmocka_unit_test(c_golden_cases),
        cmocka_unit_test(c_shipped_policies_are_what_they_were),
        cmocka_unit_test(c_every_shipped_policy_has_a_snapshot),
        cmocka_unit_test(f_a_cut_character_does_not_lose_the_verdict),
        cmocka_unit_test(f_the_zero_of_a_verdict_is_unproven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
