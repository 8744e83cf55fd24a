/* The parsers against what others recorded and collected: real heads must pass, what
 * llhttp (strict) refuses must be refused, and no smuggling vector may slip through. */
#include "http_text.h"

#include "core/base/text.h"

#include <dirent.h>
#include <jansson.h>

/* Reads message after message as a server does, bodies included. The word is "ACCEPTED"
 * when the bytes end exactly behind a message, "AGAIN" when they end inside of one,
 * "CLOSED" when a good message ends the connection and bytes follow it. */
struct reader {
    struct sp_view left;
    bool is_response;
    size_t messages;
};

static const char *skip_chunks(struct reader *r)
{
    struct sp_http_chunked c = {0};
    while (!c.done) {
        enum sp_http_refusal why;
        struct sp_view data;
        size_t used;
        if (r->left.len == 0) {
            return "AGAIN";
        }
        if (sp_http_chunked_feed(&c, r->left, &used, &data, &why) != SP_OK) {
            return sp_http_refusal_name(why);
        }
        r->left = sp_view_slice(r->left, used, r->left.len);
    }
    return NULL;
}

static const char *skip_body(struct reader *r, bool chunked, uint64_t length)
{
    if (chunked) {
        return skip_chunks(r);
    }
    if (r->left.len < length) {
        return "AGAIN";
    }
    r->left = sp_view_slice(r->left, (size_t)length, r->left.len);
    return NULL;
}

static const char *skip_message(struct reader *r, bool *keep_alive)
{
    struct sp_http_request q = {0};
    struct sp_http_response p = {0};
    enum sp_http_refusal why = SP_HTTP_ACCEPTED;
    size_t used = 0;
    enum sp_err e = r->is_response ? sp_http_response_parse(r->left, &p, &used, &why)
                                   : sp_http_request_parse(r->left, &q, &used, &why);
    if (e != SP_OK) {
        return http_word(e, why);
    }
    r->left = sp_view_slice(r->left, used, r->left.len);
    *keep_alive = r->is_response ? p.keep_alive : q.keep_alive;
    if (r->is_response && !p.has_length && !p.chunked) {
        r->left.len = 0;
        return NULL;
    }
    return skip_body(r, r->is_response ? p.chunked : q.chunked,
                     r->is_response ? p.content_length : q.content_length);
}

static const char *read_all(struct reader *r)
{
    bool keep_alive = true;
    while (r->left.len) {
        if (!keep_alive) {
            return "CLOSED";
        }
        const char *word = skip_message(r, &keep_alive);
        if (word) {
            return word;
        }
        r->messages++;
    }
    return "ACCEPTED";
}

static bool is_refused(const char *word)
{
    return strcmp(word, "ACCEPTED") != 0 && strcmp(word, "AGAIN") != 0;
}

/* ---- recorded heads -------------------------------------------------------------- */

/* Three answers were stored with LF alone by their recorder; on the wire it was CRLF.
 */
static struct sp_view with_crlf(struct sp_view v, struct sp_buf *b)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] == '\n' && (i == 0 || v.data[i - 1] != '\r')) {
            assert_ok(sp_buf_append_byte(b, '\r'));
        }
        assert_ok(sp_buf_append_byte(b, v.data[i]));
    }
    return sp_buf_view(b);
}

/* Freed by the caller. */
static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    return path;
}

static size_t check_recorded(const char *folder, const char *name, http_reader *read)
{
    char *path = join(folder, name);
    size_t len = 0;
    uint8_t *data = unit_read_file(path, &len);
    if (!data) {
        free(path);
        return 0;
    }
    struct sp_buf b;
    sp_buf_init(&b, SP_KIB(64));
    struct sp_view head = {data, len};
    if (sp_view_find(head, '\r') == len) {
        assert_string_equal(read(head), "BARE_LF");
        head = with_crlf(head, &b);
    }
    if (strcmp(read(head), "ACCEPTED") != 0) {
        print_error("%s\n", path);
    }
    http_check_bytewise(read, head, "ACCEPTED");
    sp_buf_fini(&b);
    free(data);
    free(path);
    return 1;
}

static size_t check_dialogues(const char *corpus_folder)
{
    const char *found = unit_corpus(corpus_folder);
    size_t heads = 0;
    if (!found) {
        skip();
    }
    char *base = strdup(found);
    DIR *d = opendir(base);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] != '.') {
            char *folder = join(base, e->d_name);
            heads += check_recorded(folder, "request.headers", http_read_request);
            heads += check_recorded(folder, "response.headers", http_read_response);
            free(folder);
        }
    }
    closedir(d);
    free(base);
    return heads;
}

static void b_recorded_client_heads_pass(void **state)
{
    (void)state;
    assert_int_equal(check_dialogues("C-wusp"), 34);
}

static void b_recorded_server_heads_pass(void **state)
{
    (void)state;
    assert_int_equal(check_dialogues("C-wsusss-dialogue"), 38);
}

/* ---- vectors --------------------------------------------------------------------- */

static json_t *load(const char *corpus_file)
{
    const char *path = unit_corpus(corpus_file);
    if (!path) {
        skip();
    }
    json_t *all = json_load_file(path, 0, NULL);
    assert_true(json_is_array(all));
    return all;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *s = json_string_value(json_object_get(row, key));
    return s ? s : "";
}

static const char *judge_base64(const char *base64, const char *more, bool is_response,
                                size_t *messages)
{
    struct sp_buf b;
    sp_buf_init(&b, SP_MIB(1));
    assert_ok(sp_base64_parse(sp_view_str(base64), &b));
    assert_ok(sp_buf_append_str(&b, more));
    struct reader r = {.left = sp_buf_view(&b), .is_response = is_response};
    const char *word = read_all(&r);
    *messages = r.messages;
    sp_buf_fini(&b);
    return word;
}

/* What llhttp refuses and we do not yet: these end inside of a value, which it judges
 * digit by digit and we when the line is complete. With the CRLF they must be refused.
 */
static const char *const unfinished[] = {
    "content-length.md/Error on `Content-Length` overflow",
    "content-length.md/Error on duplicate `Content-Length`",
};

static const char *ending_of(const char *id)
{
    for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++) {
        if (sp_view_ends(sp_view_str(id), sp_view_str(unfinished[i]))) {
            return "\r\n";
        }
    }
    return "";
}

static void f_what_llhttp_refuses_is_refused(void **state)
{
    (void)state;
    json_t *all = load("E-http/llhttp-vectors.json"), *row;
    size_t i, checked = 0, failed = 0;
    json_array_foreach(all, i, row)
    {
        const char *type = text_of(row, "type"), *id = text_of(row, "id");
        bool is_response = strcmp(type, "response") == 0;
        size_t messages;
        if (json_is_null(json_object_get(row, "error")) ||
            (!is_response && strcmp(type, "request") != 0)) {
            continue;
        }
        checked++;
        const char *word = judge_base64(text_of(row, "input_b64"), ending_of(id),
                                        is_response, &messages);
        if (!is_refused(word)) {
            print_error("%s: %s\n", word, id);
            failed++;
        }
    }
    assert_int_equal(checked, 62);
    assert_int_equal(failed, 0);
    json_decref(all);
}

/* Number 48 is about servers that misread good pipelined requests; it must be read. */
static bool is_garden_vector_handled(const char *id, const char *word, size_t messages)
{
    if (strcmp(id, "garden/server/48") == 0) {
        return !is_refused(word) && messages == 1;
    }
    return is_refused(word) && messages == 0;
}

static void f_no_garden_vector_passes(void **state)
{
    (void)state;
    json_t *all = load("E-http/http-garden-trophies.json"), *row;
    size_t i, failed = 0;
    json_array_foreach(all, i, row)
    {
        size_t messages;
        const char *id = text_of(row, "id");
        const char *word =
            judge_base64(text_of(row, "input_b64"), "", false, &messages);
        if (!is_garden_vector_handled(id, word, messages)) {
            print_error("%s after %zu: %s\n", word, messages, id);
            failed++;
        }
    }
    assert_int_equal(i, 51);
    assert_int_equal(failed, 0);
    json_decref(all);
}

/* A mutated Transfer-Encoding beside a Content-Length must be refused, and alone it may
 * pass only where it is the coding in plain sight (case of the name, blanks around). */
static const char *judge_gadget(struct sp_view gadget, const char *length)
{
    struct sp_buf b;
    sp_buf_init(&b, SP_KIB(64));
    assert_ok(sp_buf_printf(&b, "POST /a HTTP/1.1\r\nHost: a\r\n%s", length));
    assert_ok(sp_buf_append(&b, gadget));
    assert_ok(
        sp_buf_append_str(&b, "\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"));
    const char *word = http_read_request(sp_buf_view(&b));
    sp_buf_fini(&b);
    return word;
}

static void f_mutated_codings_are_refused(void **state)
{
    (void)state;
    json_t *all = load("E-http/smuggler-te-mutations.json"), *row;
    size_t i, failed = 0, plain = 0;
    json_array_foreach(all, i, row)
    {
        const char *hex = text_of(row, "gadget_hex");
        uint8_t bytes[512];
        size_t len = strlen(hex) / 2;
        assert_true(len <= sizeof bytes);
        assert_ok(sp_hex_parse(sp_view_str(hex), bytes, len));
        struct sp_view gadget = {bytes, len};
        plain += strcmp(judge_gadget(gadget, ""), "ACCEPTED") == 0;
        if (!is_refused(judge_gadget(gadget, "Content-Length: 5\r\n"))) {
            print_error("accepted: %s\n", text_of(row, "id"));
            failed++;
        }
    }
    assert_int_equal(i, 442);
    assert_int_equal(failed, 0);
    assert_int_equal(plain, 4);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_recorded_client_heads_pass),
        cmocka_unit_test(b_recorded_server_heads_pass),
        cmocka_unit_test(f_what_llhttp_refuses_is_refused),
        cmocka_unit_test(f_no_garden_vector_passes),
        cmocka_unit_test(f_mutated_codings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
