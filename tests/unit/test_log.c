#include "folder.h"

#include "app/log/log.h"
#include "app/log/log_sink.h"

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static json_t *line_of(struct sp_log *l)
{
    json_error_t why;
    memcpy(l->line + l->len, "}", 2);
    return json_loads(l->line, 0, &why);
}

static void f_a_line_is_json_wherever_it_is_cut(void **state)
{
    (void)state;
    sp_log_setup(SP_LOG_JSON, SP_LOG_INFO, NULL);
    for (size_t pad = 0; pad < 3; pad++) {
        struct sp_log l;
        char text[3 * SP_LIMIT_LOG_LINE] = "aaa";
        for (size_t n = pad; n < sizeof text - 4; n += 3) {
            memcpy(text + n, "\xe6\x97\xa5", 4);
        }
        assert_true(sp_log_begin(&l, SP_LOG_INFO, "test"));
        sp_log_str(&l, "long", text);
        json_t *line = line_of(&l);
        assert_non_null(line);
        const char *kept = json_string_value(json_object_get(line, "long"));
        assert_true(strlen(kept) > SP_LIMIT_LOG_LINE / 2);
        assert_string_equal(kept + strlen(kept) - 3, "...");
        json_decref(line);
    }
}

static void f_values_cannot_end_a_line(void **state)
{
    (void)state;
    struct sp_log l;
    sp_log_setup(SP_LOG_JSON, SP_LOG_INFO, NULL);
    assert_true(sp_log_begin(&l, SP_LOG_INFO, "test"));
    sp_log_str(&l, "why", "a\"b\\c\r\nd\x7f\xff");
    sp_log_int(&l, "n", -5);
    assert_null(memchr(l.line, '\n', l.len));
    json_t *line = line_of(&l);
    assert_non_null(line);
    assert_int_equal(json_integer_value(json_object_get(line, "n")), -5);
    json_decref(line);
}

static void b_levels(void **state)
{
    (void)state;
    struct sp_log l;
    sp_log_setup(SP_LOG_JSON, SP_LOG_WARNING, NULL);
    assert_false(sp_log_begin(&l, SP_LOG_INFO, "test"));
    assert_true(sp_log_begin(&l, SP_LOG_WARNING, "test"));
}

/* ---- where lines go -------------------------------------------------------------- */

static char heard[16384];

static size_t hear(int fd)
{
    ssize_t n = recv(fd, heard, sizeof heard - 1, 0);
    heard[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

static void c_the_journal(void **state)
{
    (void)state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct sp_log l;
    snprintf(at.sun_path, sizeof at.sun_path, "%s/journal", folder_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    sp_log_setup(SP_LOG_JOURNAL, SP_LOG_INFO, at.sun_path);
    assert_true(sp_log_begin(&l, SP_LOG_WARNING, "refused"));
    sp_log_str(&l, "rule", "a-b\nPRIORITY=0");
    sp_log_int(&l, "status", 403);
    sp_log_end(&l);
    assert_true(hear(fd) > 0);
    assert_non_null(
        strstr(heard, "SYSLOG_IDENTIFIER=sallyport\nPRIORITY=4\nMESSAGE_ID="));
    assert_non_null(strstr(heard, "\nSALLYPORT_EVENT=refused\n"));
    assert_non_null(strstr(heard, "\nSALLYPORT_RULE=a-b\\u000aPRIORITY=0\n"));
    assert_non_null(strstr(heard, "\nSALLYPORT_STATUS=403\n"));
    assert_non_null(
        strstr(heard, "\nMESSAGE=refused rule=a-b\\u000aPRIORITY=0 status=403\n"));
    sp_log_say(SP_LOG_INFO, "ready", "%s", "one sentence");
    assert_true(hear(fd) > 0);
    assert_non_null(strstr(heard, "\nMESSAGE=ready one sentence\n"));
    sp_log_setup(SP_LOG_JSON, SP_LOG_INFO, NULL);
    close(fd);
}

/* A reader that stalls: who logs goes on, what has no room is counted, and told once
 * there is room. */
static void d_a_reader_that_stalls(void **state)
{
    (void)state;
    int pipes[2];
    struct sp_log l;
    char value[4000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = 0;
    int own = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
    close(pipes[1]);
    assert_ok(sp_log_sink_start());
    unsigned lines = 0;
    while (sp_log_sink_dropped() == 0 && lines < 1000) {
        assert_true(sp_log_begin(&l, SP_LOG_INFO, "long"));
        sp_log_str(&l, "value", value);
        sp_log_end(&l);
        lines++;
    }
    assert_true(lines > SP_LOG_QUEUE / sizeof value / 2 && lines < 1000);
    bool told = false;
    size_t at = 0;
    while (!told) {
        static char text[1 << 20];
        ssize_t n = read(pipes[0], text + at, sizeof text - 1 - at);
        assert_true(n > 0);
        text[at + (size_t)n] = 0;
        told = strstr(text, "\"log_dropped\"") && strstr(text, "1 lines had no room");
        at = at + (size_t)n > sizeof text / 2 ? 0 : at + (size_t)n;
    }
    sp_log_sink_stop();
    assert_true(dup2(own, STDERR_FILENO) >= 0);
    close(own);
    close(pipes[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_a_line_is_json_wherever_it_is_cut),
        cmocka_unit_test(f_values_cannot_end_a_line),
        cmocka_unit_test(b_levels),
        cmocka_unit_test_setup_teardown(c_the_journal, folder_setup, folder_teardown),
        cmocka_unit_test(d_a_reader_that_stalls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
