/* Widths of texts, and one sheet in three formats. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/report/sheet.h"
#include "core/report/width.h"

static void b_widths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t width;
    } rows[] = {
        {"", 0},
        {"abc", 3},
        {"更新プログラム", 14},
        {"ﾊﾝｶｸ", 4}, /* half-width kana */
        {"Ａ", 2},   /* full-width Latin */
        {"한국어", 6},
        {"e\xCC\x81", 1},      /* e and a combining acute */
        {"か\xE3\x82\x99", 2}, /* ka and a combining voiced mark */
        {"𠮷", 2},             /* outside of the first plane */
        {"é", 1},
        {"\xFF\xFE", 2}, /* no UTF-8: two '?' */
        {"\xE3\x81", 2}, /* cut in a character */
        {"a\x1B[2J", 5}, /* ESC shows as '?' */
        {"\xE2\x80\xAE"
         "abc",
         4}, /* right-to-left override */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(sp_width(sp_view_str(rows[i].text)), rows[i].width);
    }
    assert_int_equal(sp_width_of(0x10FF), 1);
    assert_int_equal(sp_width_of(0x1100), 2);
    assert_int_equal(sp_width_of(0x115F), 2);
    assert_int_equal(sp_width_of(0x1160), 1);
    assert_int_equal(sp_width_of(0x3FFFD), 2);
    assert_int_equal(sp_width_of(0x3FFFE), 1);
    assert_int_equal(sp_width_of(0x02FF), 1);
    assert_int_equal(sp_width_of(0x0300), 0);
}

static void shown_is(const char *text, size_t columns, const char *expected)
{
    struct sp_buf b;
    sp_buf_init(&b, 256);
    assert_ok(sp_width_put(&b, sp_view_str(text), columns));
    assert_ok(sp_buf_append_byte(&b, 0));
    assert_string_equal((const char *)b.data, expected);
    sp_buf_fini(&b);
}

static void b_cutting(void **state)
{
    (void)state;
    shown_is("abcdefgh", 8, "abcdefgh");
    shown_is("abcdefgh", 7, "abcd...");
    shown_is("更新プログラム", 14, "更新プログラム");
    shown_is("更新プログラム", 13, "更新プログ...");
    shown_is("更新プログラム", 12, "更新プロ..."); /* one column stays empty */
    shown_is("abc", 2, "ab");
    shown_is("abc", 0, "");
}

static void lines_are(const char *text, size_t columns, const char *expected)
{
    struct sp_buf b;
    struct sp_view rest = sp_view_str(text);
    sp_buf_init(&b, 1000);
    while (rest.len) {
        size_t n = sp_width_line(rest, columns);
        assert_true(n > 0 && n <= rest.len);
        assert_ok(sp_buf_append(&b, sp_view_slice(rest, 0, n)));
        assert_ok(sp_buf_append_byte(&b, '|'));
        rest = sp_view_slice(rest, n, rest.len);
    }
    assert_true(sp_view_eq_str(sp_buf_view(&b), expected));
    sp_buf_fini(&b);
}

static void b_lines(void **state)
{
    (void)state;
    lines_are("", 10, "");
    lines_are("one two", 7, "one two|");
    lines_are("one two", 6, "one| two|");
    lines_are("one two", 3, "one| two|");
    lines_are("longer than that", 3, "longer| than| that|");
    lines_are("更新を止める", 12, "更新を止める|");
    lines_are("更新を止める", 11, "更新を止め|る|");
    lines_are("更新、止める", 4, "更|新、|止め|る|"); /* no comma begins a line */
    lines_are("更新(WSUS)を", 6, "更新|(WSUS)|を|");
    lines_are("か\xe3\x82\x99き", 2,
              "か\xe3\x82\x99|き|"); /* a mark stays with its letter */
    lines_are("\xff\xff \xff", 2, "\xff\xff| \xff|");
}

static void f_nothing_steers_a_terminal(void **state)
{
    (void)state;
    shown_is("a\x1B[31m\xC2\x9B"
             "31m\r\nb",
             80, "a?[31m?31m??b");
    shown_is("\xE2\x80\xAE"
             "txt\xE2\x81\xA6.exe",
             80, "?txt?.exe");
    shown_is("\xED\xA0\x80", 80, "???"); /* a surrogate */
}

static void b_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 B"},
                {1023, "1023 B"},
                {1024, "1.0 KiB"},
                {1536, "1.5 KiB"},
                {SP_MIB(1) - 1, "1024.0 KiB"},
                {SP_MIB(1), "1.0 MiB"},
                {(uint64_t)16 << 30, "16.0 GiB"},
                {UINT64_MAX, "16.0 EiB"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[SP_SIZE_TEXT];
        sp_size_format(rows[i].bytes, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* ---- a sheet ------------------------------------------------------------------- */

static enum sp_err put(void *ctx, struct sp_view bytes)
{
    return sp_buf_append(ctx, bytes);
}

static const char *say(const char *text)
{
    return strcmp(text, "Peer") == 0      ? "接続元"
           : strcmp(text, "nothing") == 0 ? "なし"
                                          : text;
}

static void fill(struct sp_sheet *s)
{
    struct sp_row *row = NULL;
    static const struct sp_view kbs[] = {{(const uint8_t *)"1", 1},
                                         {(const uint8_t *)"2", 1}};
    assert_ok(sp_sheet_init(s, "test", SP_MIB(1)));
    s->entries = 7;
    sp_sheet_section(s, SP_SECTION_BLOCKED_PEER);
    assert_ok(sp_sheet_row(s, &row));
    sp_row_text(row, SP_COLUMN_RULE, SP_VIEW("pin"));
    sp_row_number(row, SP_COLUMN_BLOCKED, 1);
    sp_row_number(row, SP_COLUMN_WOULD_BLOCK, 0);
    row->weight = 1;
    assert_ok(sp_sheet_row(s, &row));
    sp_row_text(row, SP_COLUMN_RULE, SP_VIEW("=2+3\"x\n"));
    sp_row_text(row, SP_COLUMN_PEER, SP_VIEW("東京"));
    sp_row_number(row, SP_COLUMN_BLOCKED, 12);
    row->weight = 12;
    sp_sheet_sort(s);
    sp_sheet_section(s, SP_SECTION_ADVISORIES);
    assert_ok(sp_sheet_row(s, &row));
    sp_row_text(row, SP_COLUMN_CVE, SP_VIEW("CVE-2026-0001"));
    sp_row_text(row, SP_COLUMN_SEVERITY, SP_VIEW("Critical"));
    sp_row_number(row, SP_COLUMN_CVSS, 98);
    sp_row_list(row, SP_COLUMN_KBS, kbs, 2);
    sp_row_list(row, SP_COLUMN_IN_CUSTODY, kbs, 0);
    sp_sheet_section(s, SP_SECTION_KB_NOTES);
}

static void written_is(enum sp_format format, size_t width, const char *expected)
{
    struct sp_sheet s;
    struct sp_buf out;
    fill(&s);
    sp_buf_init(&out, SP_MIB(1));
    struct sp_sheet_style style = {
        .format = format, .width = width, .say = say, .ctx = &out, .put = put};
    assert_ok(sp_sheet_write(&s, &style));
    assert_ok(sp_buf_append_byte(&out, 0));
    assert_string_equal((const char *)out.data, expected);
    sp_buf_fini(&out);
    sp_sheet_fini(&s);
}

static void b_json(void **state)
{
    (void)state;
    written_is(
        SP_FORMAT_JSON, 0,
        "{\"report\": \"test\", \"version\": 1, \"entries\": 7, \"sections\": {\n"
        "\"by_peer\": [\n"
        "  {\"rule\": \"=2+3\\\"x\\u000a\", \"peer\": \"東京\", \"blocked\": 12, "
        "\"would_block\": null, \"last\": null},\n"
        "  {\"rule\": \"pin\", \"peer\": null, \"blocked\": 1, \"would_block\": 0, "
        "\"last\": null}],\n"
        "\"advisories\": [\n"
        "  {\"cve\": \"CVE-2026-0001\", \"severity\": \"Critical\", \"cvss\": 9.8, "
        "\"title\": null, \"in_custody\": [], \"missing\": null, \"kbs\": [\"1\", "
        "\"2\"]}],\n"
        "\"known_issues\": []}}\n");
}

static void b_csv(void **state)
{
    (void)state;
    written_is(SP_FORMAT_CSV, 0,
               "rule,peer,blocked,would_block,last\r\n"
               "\"'=2+3\"\"x\n\",\"東京\",12,,\r\n"
               "\"pin\",,1,0,\r\n"
               "\r\n"
               "cve,severity,cvss,title,in_custody,missing,kbs\r\n"
               "\"CVE-2026-0001\",\"Critical\",9.8,,\"\",,\"1; 2\"\r\n"
               "\r\n"
               "kb,note\r\n");
}

static void b_table(void **state)
{
    (void)state;
    written_is(SP_FORMAT_TABLE, 0,
               "Blocked by rule and peer\n"
               "Rule     接続元  Blocked  Would have blocked  Last\n"
               "=2+3\"x?  東京         12                   -  -\n"
               "pin      -             1                   0  -\n"
               "\n"
               "Advisories\n"
               "CVE            Severity  CVSS  Title  In custody  Not in custody\n"
               "CVE-2026-0001  Critical   9.8  -      -           -\n"
               "\n"
               "Known issues\n"
               "なし\n");
}

/* The widest texts give way first; then rows become lines. */
static void b_narrow_tables(void **state)
{
    (void)state;
    struct sp_sheet s;
    struct sp_buf out;
    fill(&s);
    for (size_t width = 24; width < 100; width++) {
        sp_buf_init(&out, SP_MIB(1));
        struct sp_sheet_style style = {.format = SP_FORMAT_TABLE,
                                       .width = width,
                                       .say = say,
                                       .ctx = &out,
                                       .put = put};
        assert_ok(sp_sheet_write(&s, &style));
        assert_ok(sp_buf_append_byte(&out, 0));
        bool lines = strstr((const char *)out.data, "Would have blocked: -") != NULL;
        for (const char *at = (const char *)out.data, *end; *at; at = end + 1) {
            end = strchr(at, '\n');
            assert_true(sp_width(sp_view(at, (size_t)(end - at))) <= width);
        }
        assert_true(lines == (width < 50));
        sp_buf_fini(&out);
    }
    sp_sheet_fini(&s);
}

/* What fails in the middle of writing ends it. */
static enum sp_err put_little(void *ctx, struct sp_view bytes)
{
    size_t *left = ctx;
    if (bytes.len > *left) {
        return SP_E_IO;
    }
    *left -= bytes.len;
    return SP_OK;
}

static void c_a_full_disk(void **state)
{
    (void)state;
    struct sp_sheet s;
    fill(&s);
    for (enum sp_format f = SP_FORMAT_TABLE; f <= SP_FORMAT_CSV; f++) {
        for (size_t room = 0; room < 120; room += 7) {
            size_t left = room;
            struct sp_sheet_style style = {
                .format = f, .say = say, .ctx = &left, .put = put_little};
            assert_err(sp_sheet_write(&s, &style), SP_E_IO);
        }
    }
    sp_sheet_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_widths),
        cmocka_unit_test(b_cutting),
        cmocka_unit_test(b_lines),
        cmocka_unit_test(f_nothing_steers_a_terminal),
        cmocka_unit_test(b_sizes),
        cmocka_unit_test(b_json),
        cmocka_unit_test(b_csv),
        cmocka_unit_test(b_table),
        cmocka_unit_test(b_narrow_tables),
        cmocka_unit_test(c_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
