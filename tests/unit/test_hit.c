/* What a request for something that is here may cost: once the first ones are over, no
 * memory is asked for, neither by the server nor by the gate. The library's allocator
 * is counted, a thread by itself; a sanitizer has its own, and there this is skipped.
 */
#include "sanitizer.h"

#ifdef HAS_SANITIZER

#include <stdio.h>

int main(void)
{
    fprintf(stderr, "SKIP: the sanitizer owns the allocator\n");
    return 0;
}

#else

#include "server_rig.h"

#include "core/base/spares.h"
#include "core/gate/gate.h"

#include <fcntl.h>
#include <sys/uio.h>

#include "support/counted.h"

enum { WARM = 8, HITS = 200 };

/* ---- the server ------------------------------------------------------------------ */

static void read_count(struct rig *r, void *arg)
{
    unsigned long *out = arg;
    (void)r;
    *out = asked;
}

static unsigned long count_of_loop(struct rig *r)
{
    unsigned long n = 0;
    rig_on_loop(r, read_count, &n);
    return n;
}

static void ask(int fd, const char *request, int times)
{
    struct answer a;
    for (int i = 0; i < times; i++) {
        client_say(fd, request);
        assert_true(answer_read(fd, &a));
        assert_int_equal(a.status, 200);
        answer_free(&a);
    }
}

static void expect_no_allocation(struct rig *r, const char *request)
{
    int fd = client_connect(r);
    ask(fd, request, WARM);
    unsigned long before = count_of_loop(r);
    assert_true(before > 0); /* the counter counts */
    ask(fd, request, HITS);
    assert_int_equal(count_of_loop(r) - before, 0);
    close(fd);
    rig_wait_for(r, r->stats.active, 0);
}

static void b_memory_as_a_body(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    expect_no_allocation(&r, GET("/hello"));
    rig_stop(&r);
}

/* This program itself is the file: it is in the page cache, and not on a file system
 * made of memory, which cannot say whether a read would wait. */
static void b_a_file_as_a_body(void **state)
{
    (void)state;
    struct rig r = {0};
    uint8_t bytes[4096];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
    if (preadv2(fd, &part, 1, 0, RWF_NOWAIT) != (ssize_t)sizeof bytes) {
        close(fd);
        fprintf(stderr, "SKIP: every read of a file is one that may wait here\n");
        skip();
    }
    r.file = (struct sp_answer_file){.fd = fd, .length = sizeof bytes};
    rig_start(&r);
    expect_no_allocation(&r, GET("/file"));
    assert_int_equal(r.stats.file_waits, 0);
    rig_stop(&r);
    close(fd);
}

/* A head with no room in a kept exchange, then small ones again: what is kept stays
 * good. */
static void c_long_heads_between(void **state)
{
    (void)state;
    struct rig r = {0};
    char filler[2001] = "", request[2200];
    rig_start(&r);
    memset(filler, 'a', sizeof filler - 1);
    snprintf(request, sizeof request,
             "GET /hello HTTP/1.1\r\nHost: h\r\nX-Long: %s\r\n\r\n", filler);
    int fd = client_connect(&r);
    for (int i = 0; i < 5; i++) {
        ask(fd, request, 1);
        ask(fd, GET("/hello"), 1);
    }
    close(fd);
    expect_no_allocation(&r, GET("/hello"));
    rig_stop(&r);
}

/* ---- the gate -------------------------------------------------------------------- */

static const char TARGET[] =
    "GET /Content/15/0102030405060708090A0B0C0D0E0F1011121315.cab HTTP/1.1\r\n"
    "Host: h\r\nRange: bytes=10-19\r\n\r\n";
static const struct sp_door DOOR = {.name = "door", .tls = true};

static struct sp_policy *policy_of_none(void)
{
    struct sp_policy *p = NULL;
    assert_ok(sp_policy_parse(SP_VIEW("policy p\n"), &p, NULL));
    return p;
}

static void hit(struct sp_gate *g, const struct sp_http_request *head)
{
    const struct sp_gate_object o = {
        .size = 4096, .etag = "\"e\"", .last_modified = 784111777};
    struct sp_step step;
    bool want_body;
    size_t ceiling;
    sp_gate_head(g, head, &want_body, &ceiling, &step);
    assert_int_equal(step.effect.kind, SP_EFFECT_LOOKUP);
    sp_gate_object(g, &o, &step);
    assert_int_equal(step.effect.kind, SP_EFFECT_SERVE);
    assert_int_equal(step.effect.answer.status, 206);
    assert_true(sp_view_eq_str(
        step.effect.answer.fields,
        "Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n"
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"e\"\r\n"
        "Content-Range: bytes 10-19/4096\r\n"));
}

static void b_a_gate_that_is_used_again(void **state)
{
    (void)state;
    const struct sp_asker asker = {.address = "192.0.2.1", .host = "h"};
    struct sp_http_request head;
    enum sp_http_refusal refusal;
    struct sp_gate *g = NULL;
    SP_AUTO(sp_policy_free) struct sp_policy *policy = policy_of_none();
    size_t used;
    assert_ok(sp_http_request_parse(sp_view_str(TARGET), &head, &used, &refusal));
    assert_ok(sp_gate_new(&DOOR, policy, &asker, &g));
    hit(g, &head);
    unsigned long before = asked;
    assert_true(before > 0);
    for (int i = 0; i < HITS; i++) {
        sp_gate_rest(g);
        sp_gate_renew(g, &DOOR, policy, &asker);
        assert_int_equal(sp_gate_station(g), SP_STATION_ADMIT);
        hit(g, &head);
    }
    assert_int_equal(asked - before, 0);
    sp_gate_free(&g);
    assert_null(g);
}

/* ---- spares ---------------------------------------------------------------------- */

static void b_spares_keep_a_few(void **state)
{
    (void)state;
    struct sp_spares s = {0};
    void *blocks[65];
    size_t kept = 0;
    assert_null(sp_spares_take(&s));
    for (size_t i = 0; i < 65; i++) {
        blocks[i] = malloc(sizeof(void *));
        if (!sp_spares_keep(&s, blocks[i])) {
            free(blocks[i]);
            break;
        }
        kept++;
    }
    assert_int_equal(kept, 64);
    for (size_t i = kept; i-- > 0;) {
        void *block = sp_spares_take(&s);
        assert_ptr_equal(block, blocks[i]);
        free(block);
    }
    assert_null(sp_spares_take(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_memory_as_a_body),
        cmocka_unit_test(b_a_file_as_a_body),
        cmocka_unit_test(c_long_heads_between),
        cmocka_unit_test(b_a_gate_that_is_used_again),
        cmocka_unit_test(b_spares_keep_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
