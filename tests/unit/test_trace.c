/* traceparent: what goes on, and what does not (W3C Trace Context 3.2). */
#include "unit.h"

#include "core/http/http.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define ZERO16 "0000000000000000"

static void a_what_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"00-" TRACE "-" PARENT "-01", true},
        {"00-" TRACE "-" PARENT "-00", true},
        {"00-" TRACE "-" PARENT "-ff", true},
        {"00-" ZERO16 "000000000000000f-" PARENT "-01", true},
        {"00-" TRACE "-000000000000000f-01", true},
        {"00-" ZERO16 ZERO16 "-" PARENT "-01", false},
        {"00-" TRACE "-" ZERO16 "-01", false},
        {"01-" TRACE "-" PARENT "-01", false},
        {"ff-" TRACE "-" PARENT "-01", false},
        {"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false},
        {"00-" TRACE "-" PARENT "-0g", false},
        {"00-" TRACE "-" PARENT "-1", false},
        {"00-" TRACE "-" PARENT "-001", false},
        {"00-" TRACE "_" PARENT "-01", false},
        {"00-" TRACE "-" PARENT "_01", false},
        {"00_" TRACE "-" PARENT "-01", false},
        {"00-" TRACE "-" PARENT "-01-more", false},
        {"00-" TRACE "-b7ad6b716920333\r-01", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (sp_http_is_traceparent(sp_view_str(cases[i].text)) != cases[i].good) {
            fail_msg("%s", cases[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_what_goes_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
