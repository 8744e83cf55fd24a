/* What equal askers at one time are asked once for: decision 0042, against the tables.
 */
#include "unit.h"

#include "core/wsus/schema.h"

#include <string.h>

static const enum sp_op reads[] = {
    SP_OP_GET_AUTH_CONFIG,
    SP_OP_GET_CONFIG_DATA,
    SP_OP_GET_REVISION_ID_LIST,
    SP_OP_GET_UPDATE_DATA,
    SP_OP_GET_UPDATE_DECRYPTION_DATA,
    SP_OP_GET_DRIVER_ID_LIST,
    SP_OP_GET_DRIVER_SET_DATA,
    SP_OP_GET_DEPLOYMENTS,
    SP_OP_GET_CONFIG,
    SP_OP_SYNC_UPDATES,
    SP_OP_SYNC_PRINTER_CATALOG,
    SP_OP_REFRESH_CACHE,
    SP_OP_GET_EXTENDED_UPDATE_INFO,
    SP_OP_GET_EXTENDED_UPDATE_INFO2,
    SP_OP_GET_FILE_LOCATIONS,
};
enum { READS = sizeof reads / sizeof reads[0] };

static void b_the_reads_and_nothing_else(void **state)
{
    (void)state;
    size_t listed = 0;
    for (int op = 0; op < SP_OP_COUNT; op++) {
        bool expected = listed < READS && reads[listed] == (enum sp_op)op;
        listed += expected;
        if (sp_op_is_shared((enum sp_op)op) != expected) {
            fail_msg("%s", sp_op_text((enum sp_op)op));
        }
    }
    assert_int_equal(listed, READS);
}

/* What an asker is given for itself, or tells of itself, is no question about updates.
 */
static void f_none_of_them_asks_for_a_cookie_or_tells_anything(void **state)
{
    static const char *const never[] = {
        "authCookies",  "oldCookie",  "accountName",       "clientId",
        "computerInfo", "clientTime", "downstreamServers", "fileDigestList"};
    const size_t count = sizeof never / sizeof never[0];
    (void)state;
    size_t seen = 0;
    for (int op = 0; op < SP_OP_COUNT; op++) {
        const struct sp_member *m = sp_schema_request((enum sp_op)op)->members;
        for (; m->name; m++) {
            for (size_t i = 0; i < count; i++) {
                bool is_it = strcmp(m->name, never[i]) == 0;
                seen += is_it;
                assert_false(is_it && sp_op_is_shared((enum sp_op)op));
            }
        }
    }
    assert_true(seen >= count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_the_reads_and_nothing_else),
        cmocka_unit_test(f_none_of_them_asks_for_a_cookie_or_tells_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
