/* The contracts: which operations there are and with which members, named here once
 * more from the services' own descriptions; and of every member of every operation what
 * lies one step outside of it. */
#include "unit.h"

#include "core/base/text.h"
#include "core/wsus/schema.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"

/* [MS-WSUSSS] and [MS-WUSP]: every operation of the five services but Ping and
 * GetRelatedRevisionsForUpdates, which nobody asks for. */
static const struct contract {
    const char *service, *operation, *members;
} contracts[] = {
    {"dss-auth", "GetAuthorizationCookie", "accountName accountGuid programKeys"},
    {"server-sync", "GetAuthConfig", ""},
    {"server-sync", "GetCookie", "authCookies oldCookie protocolVersion"},
    {"server-sync", "GetConfigData", "cookie configAnchor"},
    {"server-sync", "GetRevisionIdList", "cookie filter"},
    {"server-sync", "GetUpdateData", "cookie updateIds"},
    {"server-sync", "GetUpdateDecryptionData", "cookie updateIds"},
    {"server-sync", "GetDriverIdList", "cookie filter"},
    {"server-sync", "GetDriverSetData", "cookie driverSets"},
    {"server-sync", "DownloadFiles", "cookie fileDigestList"},
    {"server-sync", "GetDeployments", "cookie deploymentAnchor syncAnchor"},
    {"reporting", "ReportEventBatch", "cookie clientTime eventBatch"},
    {"reporting", "ReportEventBatch2", "computerId clientTime eventBatch"},
    {"reporting", "GetRequiredInventoryType", "cookie rulesId rulesVersion"},
    {"reporting", "ReportInventory", "cookie clientTime inventory"},
    {"reporting", "GetRollupConfiguration", "cookie"},
    {"reporting", "RollupDownstreamServers", "cookie clientTime downstreamServers"},
    {"reporting", "RollupComputers", "cookie clientTime computers"},
    {"reporting", "GetOutOfSyncComputers", "cookie parentServerId lastRollupNumbers"},
    {"reporting", "RollupComputerStatus", "cookie clientTime parentServerId computers"},
    {"simple-auth", "GetAuthorizationCookie", "clientId targetGroupName dnsName"},
    {"client", "GetConfig", "protocolVersion"},
    {"client", "GetConfig2", "clientConfiguration"},
    {"client", "GetCookie",
     "authCookies oldCookie lastChange currentTime protocolVersion"},
    {"client", "RegisterComputer", "cookie computerInfo"},
    {"client", "StartCategoryScan", "requestedCategories"},
    {"client", "SyncUpdates", "cookie parameters"},
    {"client", "SyncPrinterCatalog",
     "cookie installedNonLeafUpdateIDs printerUpdateIDs deviceAttributes"},
    {"client", "RefreshCache", "cookie globalIDs deviceAttributes"},
    {"client", "GetExtendedUpdateInfo", /* agents of today send the last one, too */
     "cookie revisionIDs infoTypes locales deviceAttributes GeoId callerAttributes"},
    {"client", "GetExtendedUpdateInfo2",
     "cookie updateIDs infoTypes locales deviceAttributes callerAttributes"},
    {"client", "GetFileLocations", "cookie fileDigests"},
    {"client", "GetTimestamps", "timestamps"},
};
enum { CONTRACTS = sizeof contracts / sizeof contracts[0] };

static bool is_of(enum sp_op op, const struct contract *c)
{
    return strcmp(sp_service_name(sp_op_service(op)), c->service) == 0 &&
           strcmp(sp_op_text(op), c->operation) == 0;
}

static void b_every_operation_has_its_members(void **state)
{
    (void)state;
    assert_int_equal(CONTRACTS, SP_OP_COUNT);
    for (size_t i = 0; i < CONTRACTS; i++) {
        enum sp_op op = 0;
        char members[256] = "";
        while (op < SP_OP_COUNT && !is_of(op, &contracts[i])) {
            op++;
        }
        if (op == SP_OP_COUNT) {
            fail_msg("nothing knows %s", contracts[i].operation);
        }
        const struct sp_member *m = sp_schema_request(op)->members;
        for (size_t at = 0; m->name; m++) {
            at += (size_t)snprintf(members + at, sizeof members - at, "%s%s",
                                   at ? " " : "", m->name);
        }
        assert_string_equal(members, contracts[i].members);
    }
}

/* ---- one step outside ---------------------------------------------------------- */

enum step {
    INSIDE,
    TOO_LONG,  /* a text or bytes by one */
    TOO_SHORT, /* bytes by one, a list by one */
    TOO_LARGE, /* a number by one */
    TOO_SMALL,
    NO_VALUE, /* nothing that its type reads */
    TOO_MANY, /* an item */
    UNKNOWN,  /* a member */
    TWICE,    /* its first member */
    REVERSED, /* its members */
    WITHOUT,  /* one that must be there */
    STEPS
};

struct maker {
    struct sp_buf out;
    size_t at, target; /* nodes, in the order they are written */
    enum step step;
    bool done; /* the target can take the step */
};

static void put(struct maker *k, const char *text)
{
    assert_ok(sp_buf_append_str(&k->out, text));
}

static void put_many(struct maker *k, char c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_ok(sp_buf_append_byte(&k->out, (uint8_t)c));
    }
}

static void put_bytes(struct maker *k, size_t n)
{
    SP_AUTO(sp_buf_fini) struct sp_buf zeros;
    sp_buf_init(&zeros, SP_MIB(1));
    for (size_t i = 0; i < n; i++) {
        assert_ok(sp_buf_append_byte(&zeros, 0));
    }
    assert_ok(sp_base64_append(&k->out, sp_buf_view(&zeros)));
}

static void put_value(struct maker *k, const struct sp_type *t)
{
    static const char *const samples[] = {"true", "2026-01-02T03:04:05.067Z",
                                          "0fa1201d-4330-4fa8-8ae9-b877473b6441", "147",
                                          "B=3"};
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        sp_buf_init(&b, 100);
        if (t->read(sp_view_str(samples[i]), &b) == SP_OK) {
            put(k, samples[i]);
            return;
        }
    }
    fail_msg("no sample");
}

/* One beyond what 64 bits hold where that is the limit. */
static void put_beyond(struct maker *k, int64_t limit, bool above)
{
    bool ends = limit == (above ? INT64_MAX : INT64_MIN);
    char text[32];
    int64_t value = above ? limit + !ends : limit - !ends;
    snprintf(text, sizeof text, "%lld", (long long)value);
    size_t n = strlen(text);
    text[n - 1] = (char)(text[n - 1] + ends); /* ...807 and ...808 */
    put(k, text);
}

static void put_sample(struct maker *k, const struct sp_type *t)
{
    char number[24];
    switch (t->kind) {
    case SP_TYPE_TEXT:
        put(k, "a");
        break;
    case SP_TYPE_NUMBER:
        snprintf(number, sizeof number, "%lld", (long long)t->most);
        put(k, number);
        break;
    case SP_TYPE_BINARY:
        put_bytes(k, (size_t)t->least);
        break;
    case SP_TYPE_ENUMERATION:
        put(k, t->words[0]);
        break;
    case SP_TYPE_VALUE:
        put_value(k, t);
        break;
    case SP_TYPE_LIST:
    case SP_TYPE_STRUCT:
        fail_msg("it is none");
    }
}

/* False where a leaf of this type has no such step. */
static bool put_outside(struct maker *k, const struct sp_type *t)
{
    bool is_text = t->kind == SP_TYPE_TEXT, is_binary = t->kind == SP_TYPE_BINARY;
    bool is_number = t->kind == SP_TYPE_NUMBER;
    if (k->step == TOO_LONG && is_text) {
        put_many(k, 'x', (size_t)t->most + 1);
    } else if (k->step == TOO_LONG && is_binary) {
        put_bytes(k, (size_t)t->most + 1);
    } else if (k->step == TOO_SHORT && is_binary && t->least > 0) {
        put_bytes(k, (size_t)t->least - 1);
    } else if (k->step == TOO_LARGE && is_number) {
        put_beyond(k, t->most, true);
    } else if (k->step == TOO_SMALL && is_number) {
        put_beyond(k, t->least, false);
    } else if (k->step == NO_VALUE && !is_text) {
        put(k, "*");
    } else {
        return false;
    }
    return true;
}

static void put_node(struct maker *k, const char *name, const struct sp_type *t,
                     const char *ns);

static void put_members(struct maker *k, const struct sp_type *t, bool mine)
{
    const struct sp_member *m = t->members;
    size_t count = 0, elements = 0, left_out = SIZE_MAX;
    while (m[count].name) {
        elements += !m[count].attribute;
        bool leaves = mine && k->step == WITHOUT && m[count].required;
        left_out = leaves && left_out == SIZE_MAX ? count : left_out;
        count++;
    }
    bool reversed = mine && k->step == REVERSED && elements > 1;
    for (size_t i = 0; i < count; i++) {
        const struct sp_member *one = &m[reversed ? count - 1 - i : i];
        if (!one->attribute && i != left_out) {
            put_node(k, one->name, one->type, "");
        }
        if (mine && k->step == TWICE && i == 0 && !one->attribute) {
            put_node(k, one->name, one->type, "");
            k->done = true;
        }
    }
    if (mine && k->step == UNKNOWN) {
        put(k, "<stray/>");
        k->done = true;
    }
    k->done |= reversed || left_out != SIZE_MAX;
}

static void put_items(struct maker *k, const struct sp_type *t, bool mine)
{
    enum { MOST = 5000 }; /* longer lists end with the nodes of a request */
    bool too_many = mine && k->step == TOO_MANY && t->most < MOST;
    bool too_few = mine && k->step == TOO_SHORT && t->least > 0;
    size_t count = too_many ? (size_t)t->most + 1 : too_few ? (size_t)t->least - 1 : 1;
    for (size_t i = 0; i < count; i++) {
        put_node(k, t->members[0].name, t->members[0].type, "");
    }
    if (mine && k->step == UNKNOWN) {
        put(k, "<stray/>");
    }
    k->done |= too_many || too_few || (mine && k->step == UNKNOWN);
}

static void put_attributes(struct maker *k, const struct sp_type *t)
{
    for (const struct sp_member *m = t->members; m->name; m++) {
        bool mine = m->attribute && k->at++ == k->target;
        if (!m->attribute) {
            continue;
        }
        assert_ok(sp_buf_printf(&k->out, " %s=\"", m->name));
        if (mine && put_outside(k, m->type)) {
            k->done = true;
        } else {
            put_sample(k, m->type);
        }
        put(k, "\"");
    }
}

static void put_node(struct maker *k, const char *name, const struct sp_type *t,
                     const char *ns)
{
    bool mine = k->at++ == k->target;
    assert_ok(sp_buf_printf(&k->out, "<%s%s", name, ns));
    if (t->kind == SP_TYPE_STRUCT) {
        put_attributes(k, t);
    }
    put(k, ">");
    if (t->kind == SP_TYPE_STRUCT) {
        put_members(k, t, mine);
    } else if (t->kind == SP_TYPE_LIST) {
        put_items(k, t, mine);
    } else if (mine && put_outside(k, t)) {
        k->done = true;
    } else {
        put_sample(k, t);
    }
    assert_ok(sp_buf_printf(&k->out, "</%s>", name));
}

static void make(struct maker *k, enum sp_op op)
{
    char ns[128];
    snprintf(ns, sizeof ns, " xmlns=\"%s\"", sp_service_ns(sp_op_service(op)));
    sp_buf_clear(&k->out);
    k->at = 0;
    k->done = false;
    put(k, "<s:Envelope xmlns:s=\"" SOAP "\"><s:Body>");
    put_node(k, sp_op_text(op), sp_schema_request(op), ns);
    put(k, "</s:Body></s:Envelope>");
}

static enum sp_err read_made(const struct maker *k, enum sp_op op)
{
    struct sp_soap_request r;
    struct sp_soap_refusal refusal;
    enum sp_err e = sp_soap_request_read(op, sp_buf_view(&k->out), NULL, &r, &refusal);
    if (e == SP_OK) {
        sp_soap_request_fini(&r);
    }
    return e;
}

static void take_steps(struct maker *k, enum sp_op op, size_t taken[STEPS])
{
    for (k->step = INSIDE + 1; k->step < STEPS; k->step++) {
        make(k, op);
        if (!k->done) {
            continue;
        }
        enum sp_err e = read_made(k, op);
        if (e != SP_E_PROTOCOL) {
            fail_msg("%s, node %zu, step %d: %s", sp_op_text(op), k->target, k->step,
                     sp_err_name(e));
        }
        taken[k->step]++;
    }
}

static void c_one_step_outside_of_every_member(void **state)
{
    (void)state;
    struct maker k = {.step = INSIDE};
    size_t taken[STEPS] = {0};
    sp_buf_init(&k.out, SP_MIB(8));
    for (enum sp_op op = 0; op < SP_OP_COUNT; op++) {
        size_t nodes = 1;
        for (k.target = 0; k.target < nodes; k.target++) {
            k.step = INSIDE;
            make(&k, op);
            nodes = k.at;
            if (read_made(&k, op) != SP_OK) {
                fail_msg("%s is not taken:\n" SP_VIEW_FMT, sp_op_text(op),
                         SP_VIEW_ARG(sp_buf_view(&k.out)));
            }
            take_steps(&k, op, taken);
        }
    }
    sp_buf_fini(&k.out);
    for (enum step s = INSIDE + 1; s < STEPS; s++) {
        assert_true(taken[s] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_every_operation_has_its_members),
        cmocka_unit_test(c_one_step_outside_of_every_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
