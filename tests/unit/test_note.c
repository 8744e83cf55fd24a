#include "unit.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "core/custody/note.h"

/* The example of the documentation of Go's golang.org/x/mod/sumdb/note. */
static const char go_private[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char go_public[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char go_text[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
static const char go_signature[] =
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ry"
    "yBwJnAM=\n";

static struct sp_note_key *key_import(const char *text)
{
    struct sp_note_key *k = NULL;
    assert_ok(sp_note_key_import(sp_view_str(text), &k, NULL));
    return k;
}

static struct sp_note_key *key_new(const char *name, uint8_t first)
{
    uint8_t seed[32] = {first};
    struct sp_note_key *k = NULL;
    assert_ok(sp_note_key_new(name, seed, &k));
    return k;
}

static void terminate(struct sp_buf *b)
{
    assert_ok(sp_buf_append_byte(b, 0));
    b->len--;
}

static void b_keys_and_signatures_are_those_of_go(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = key_import(go_private);
    SP_AUTO(sp_note_key_free) struct sp_note_key *pub = key_import(go_public);
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, 4096);
    assert_string_equal(sp_note_key_name(k), "PeterNeumann");
    assert_ok(sp_note_key_export(k, &b));
    terminate(&b);
    assert_string_equal((const char *)b.data, go_private);
    sp_buf_clear(&b);
    assert_ok(sp_note_key_export_public(k, &b));
    terminate(&b);
    assert_string_equal((const char *)b.data, go_public);
    sp_buf_clear(&b);
    assert_ok(sp_note_sign(k, sp_view_str(go_text), &b));
    terminate(&b);
    assert_string_equal((const char *)b.data, go_signature);

    struct sp_view text = {0};
    sp_buf_clear(&b);
    assert_ok(sp_buf_printf(&b, "%s\n%s", go_text, go_signature));
    assert_ok(sp_note_open(pub, sp_buf_view(&b), &text, NULL));
    assert_int_equal(text.len, strlen(go_text));
    sp_buf_clear(&b);
    assert_err(sp_note_key_export(pub, &b), SP_E_USAGE);
    assert_err(sp_note_sign(pub, sp_view_str(go_text), &b), SP_E_USAGE);
    assert_int_equal(b.len, 0);
}

/* RFC 8032 section 7.1, TEST 1 and TEST 2. */
static void b_ed25519_of_rfc_8032(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *public_key, *signature;
        struct sp_view message;
    } rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33"
         "bac"
         "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
         {(const uint8_t *)"", 0}},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e159"
         "96e"
         "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
         {(const uint8_t *)"r", 1}},
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32], pub[32], sig[64], got_pub[32], got_sig[64];
        bool good = false;
        assert_ok(sp_hex_parse(sp_view_str(rows[i].seed), seed, 32));
        assert_ok(sp_hex_parse(sp_view_str(rows[i].public_key), pub, 32));
        assert_ok(sp_hex_parse(sp_view_str(rows[i].signature), sig, 64));
        assert_ok(sp_ed25519_public(seed, got_pub));
        assert_memory_equal(got_pub, pub, 32);
        assert_ok(sp_ed25519_sign(seed, rows[i].message, got_sig));
        assert_memory_equal(got_sig, sig, 64);
        assert_ok(sp_ed25519_verify(pub, rows[i].message, sig, &good));
        assert_true(good);
        sig[10] ^= 1;
        assert_ok(sp_ed25519_verify(pub, rows[i].message, sig, &good));
        assert_false(good);
    }
}

static void b_names_of_keys(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a b", "a+b", "a\n", "\xc3\xa4", "a\x7f"};
    uint8_t seed[32] = {0};
    char name[258];
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(sp_note_key_new(bad[i], seed, &k), SP_E_MALFORMED);
    }
    memset(name, 'n', sizeof name);
    name[256] = 0;
    assert_err(sp_note_key_new(name, seed, &k), SP_E_MALFORMED);
    name[255] = 0;
    assert_ok(sp_note_key_new(name, seed, &k));
    assert_string_equal(sp_note_key_name(k), name);
}

static void f_changed_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sp_err expected;
    } rows[] = {
        {"", SP_E_MALFORMED},
        {"PRIVATE+KEY+", SP_E_MALFORMED},
        {"PeterNeumann+c74f20a3", SP_E_MALFORMED},
        {"PeterNeumann+c74f20a3+", SP_E_MALFORMED},
        {"PeterNeumann+c74f20a3+ARpc", SP_E_MALFORMED},
        {"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", SP_E_MALFORMED},
        {"PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         SP_E_MALFORMED},
        {"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
         SP_E_MALFORMED},
        {"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         SP_E_MISMATCH},
        {"peterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         SP_E_MISMATCH},
        {"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
         SP_E_MISMATCH},
        {"PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
         SP_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
        struct sp_why why = {0};
        assert_err(sp_note_key_import(sp_view_str(rows[i].text), &k, &why),
                   rows[i].expected);
        assert_null(k);
        assert_true(why.text[0] != 0);
    }
}

static void b_checkpoints_round_trip(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = key_new("example.test/gate-1", 7);
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, 4096);
    static const uint64_t sizes[] = {0, 1, 70, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct sp_checkpoint c = {
            sp_view_str("example.test/gate-1"), sizes[i], {1, 2, 3}};
        struct sp_checkpoint again = {0};
        sp_buf_clear(&b);
        assert_ok(sp_checkpoint_sign(&c, k, &b));
        assert_ok(sp_checkpoint_open(sp_buf_view(&b), k, &again, NULL));
        assert_view_equal(again.origin, "example.test/gate-1");
        assert_true(again.size == sizes[i]);
        assert_memory_equal(again.root, c.root, SP_HASH);
    }
    struct sp_checkpoint other = {sp_view_str("example.test/gate-2"), 1, {0}};
    assert_err(sp_checkpoint_sign(&other, k, &b), SP_E_MISMATCH);
}

/* A note over text, signed by k, and what opening it as a checkpoint says. */
static enum sp_err open_signed(const struct sp_note_key *k, const char *text)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_checkpoint c;
    sp_buf_init(&b, 8192);
    assert_ok(sp_buf_printf(&b, "%s\n", text));
    assert_ok(sp_note_sign(k, sp_view_str(text), &b));
    return sp_checkpoint_open(sp_buf_view(&b), k, &c, NULL);
}

#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void f_signed_nonsense_is_no_checkpoint(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = key_new("log", 1);
    static const struct {
        const char *text;
        enum sp_err expected;
    } rows[] = {
        {"log\n5\n" ROOT "\n", SP_OK},
        {"gol\n5\n" ROOT "\n", SP_E_UNPROVEN},
        {"log \n5\n" ROOT "\n", SP_E_UNPROVEN},
        {"\n", SP_E_UNPROVEN},
        {"log\n", SP_E_MALFORMED},
        {"log\n5\n", SP_E_MALFORMED},
        {"log\n05\n" ROOT "\n", SP_E_MALFORMED},
        {"log\n-5\n" ROOT "\n", SP_E_MALFORMED},
        {"log\n18446744073709551615\n" ROOT "\n", SP_OK},
        {"log\n18446744073709551616\n" ROOT "\n", SP_E_MALFORMED},
        {"log\n5\nAAAA" ROOT "\n", SP_E_MALFORMED},
        {"log\n5\n" ROOT " \n", SP_E_MALFORMED},
        {"log\n5\n" ROOT "\nmore\n", SP_E_MALFORMED},
        {"log\n5\n" ROOT "\n\n", SP_E_MALFORMED},
        {"log\n5\n" ROOT "\r\n", SP_E_MALFORMED},
        {"log\n5\n\n" ROOT "\n", SP_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_err(open_signed(k, rows[i].text), rows[i].expected);
    }
}

static void f_every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = key_new("log", 1);
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_checkpoint c = {sp_view_str("log"), 12, {9}}, opened;
    sp_buf_init(&b, 4096);
    assert_ok(sp_checkpoint_sign(&c, k, &b));
    for (size_t i = 0; i < b.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            b.data[i] ^= (uint8_t)(1u << bit);
            enum sp_err e = sp_checkpoint_open(sp_buf_view(&b), k, &opened, NULL);
            assert_true(e == SP_E_MALFORMED || e == SP_E_UNPROVEN);
            b.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t n = 0; n < b.len; n++) {
        enum sp_err e = sp_checkpoint_open(sp_view(b.data, n), k, &opened, NULL);
        assert_true(e == SP_E_MALFORMED || e == SP_E_UNPROVEN);
    }
}

/* Appends to a good checkpoint of "log" and opens it with log's key. */
static enum sp_err open_with(const struct sp_note_key *k, const char *before,
                             const char *after)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_checkpoint c;
    static const char text[] = "log\n5\n" ROOT "\n";
    sp_buf_init(&b, 1 << 20);
    assert_ok(sp_buf_printf(&b, "%s\n%s", text, before));
    assert_ok(sp_note_sign(k, SP_VIEW(text), &b));
    assert_ok(sp_buf_append_str(&b, after));
    return sp_checkpoint_open(sp_buf_view(&b), k, &c, NULL);
}

static void f_other_signatures(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = key_new("log", 1);
    SP_AUTO(sp_buf_fini) struct sp_buf forged;
    sp_buf_init(&forged, 256);
    uint8_t data[68] = {0};
    memcpy(data, k->hash, 4);
    assert_ok(sp_buf_append_str(&forged, "\xe2\x80\x94 log "));
    assert_ok(sp_base64_append(&forged, sp_view(data, sizeof data)));
    assert_ok(sp_buf_append_byte(&forged, '\n'));
    terminate(&forged);

    assert_err(open_with(k, "", ""), SP_OK);
    assert_err(open_with(k, go_signature, ""), SP_OK);
    assert_err(open_with(k, "", go_signature), SP_OK);
    assert_err(open_with(k, "\xe2\x80\x94 log AAAAAAA=\n", ""), SP_OK);
    assert_err(open_with(k, "\xe2\x80\x94 witness AAAAAA==\n", ""), SP_E_MALFORMED);
    assert_err(open_with(k, (const char *)forged.data, ""), SP_E_UNPROVEN);
    assert_err(open_with(k, "", (const char *)forged.data), SP_E_UNPROVEN);
    assert_err(open_with(k, "", "\xe2\x80\x94 log\n"), SP_E_MALFORMED);
    assert_err(open_with(k, "", "- log AAAA\n"), SP_E_MALFORMED);
    assert_err(open_with(k, "", "\n"), SP_E_MALFORMED);
    assert_err(open_with(k, "", "\xe2\x80\x94 log AAAAAAA="), SP_E_MALFORMED);

    SP_AUTO(sp_note_key_free) struct sp_note_key *same_name = key_new("log", 2);
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    struct sp_checkpoint c = {sp_view_str("log"), 5, {0}};
    sp_buf_init(&note, 1024);
    assert_ok(sp_checkpoint_sign(&c, same_name, &note));
    assert_err(sp_checkpoint_open(sp_buf_view(&note), k, &c, NULL), SP_E_UNPROVEN);
}

static void b_notes_stop_at_their_limit(void **state)
{
    (void)state;
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = key_new("log", 1);
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    struct sp_view text;
    sp_buf_init(&b, 2 * SP_LIMIT_CHECKPOINT);
    for (size_t over = 0; over < 2; over++) {
        /* text, empty line and a signature line of 8 + 92 + 1 bytes with the dash */
        size_t filler = SP_LIMIT_CHECKPOINT - 2 - (4 + 4 + 92 + 1) + over;
        SP_AUTO(sp_buf_fini) struct sp_buf body;
        sp_buf_init(&body, 2 * SP_LIMIT_CHECKPOINT);
        for (size_t i = 0; i < filler; i++) {
            assert_ok(sp_buf_append_byte(&body, 'x'));
        }
        assert_ok(sp_buf_append_byte(&body, '\n'));
        sp_buf_clear(&b);
        assert_ok(sp_buf_append(&b, sp_buf_view(&body)));
        assert_ok(sp_buf_append_byte(&b, '\n'));
        assert_ok(sp_note_sign(k, sp_buf_view(&body), &b));
        assert_int_equal(b.len, SP_LIMIT_CHECKPOINT + over);
        assert_err(sp_note_open(k, sp_buf_view(&b), &text, NULL),
                   over ? SP_E_LIMIT : SP_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_keys_and_signatures_are_those_of_go),
        cmocka_unit_test(b_ed25519_of_rfc_8032),
        cmocka_unit_test(b_names_of_keys),
        cmocka_unit_test(b_checkpoints_round_trip),
        cmocka_unit_test(b_notes_stop_at_their_limit),
        cmocka_unit_test(f_changed_keys_are_refused),
        cmocka_unit_test(f_signed_nonsense_is_no_checkpoint),
        cmocka_unit_test(f_every_flipped_byte_is_noticed),
        cmocka_unit_test(f_other_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
