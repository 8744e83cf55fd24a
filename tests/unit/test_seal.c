/* Cookies in their envelope: who gets in again, and who does not. */
#include "unit.h"

#include "core/gate/seal.h"

#define NOW INT64_C(1795305600)
#define DAY INT64_C(86400)

static const uint8_t nonce[SP_AEAD_NONCE] = "nonce-12byte";
static const uint8_t key_a[SP_AEAD_KEY] = "a key of thirty-two bytes, so...";
static const uint8_t key_b[SP_AEAD_KEY] = "another of thirty-two bytes, ...";

static const struct sp_seal_bond bond = {.kind = SP_COOKIE_CLIENT,
                                         .upstream = {(const uint8_t *)"u", 1},
                                         .peer = {(const uint8_t *)"10.1.2.3", 8}};

static struct sp_seal_keys one_key(void)
{
    struct sp_seal_keys k = {0};
    assert_true(sp_seal_keys_turn(&k, NOW, 7, key_a));
    return k;
}

static struct sp_buf sealed_with(const struct sp_seal_keys *k, struct sp_view cookie)
{
    struct sp_buf b;
    sp_buf_init(&b, SP_LIMIT_COOKIE);
    assert_ok(sp_seal(k, &bond, NOW, nonce, cookie, &b));
    return b;
}

static enum sp_err open_with(const struct sp_seal_keys *k,
                             const struct sp_seal_bond *to, int64_t now,
                             struct sp_view sealed)
{
    SP_AUTO(sp_buf_fini) struct sp_buf out;
    sp_buf_init(&out, SP_LIMIT_COOKIE);
    enum sp_err e = sp_unseal(k, to, now, DAY, sealed, &out);
    if (e == SP_OK) {
        assert_view_equal(sp_buf_view(&out), "cookie");
    } else {
        assert_int_equal(out.len, 0);
    }
    return e;
}

static void b_comes_back_as_it_was(void **state)
{
    (void)state;
    struct sp_seal_keys k = one_key();
    SP_AUTO(sp_buf_fini) struct sp_buf b = sealed_with(&k, SP_VIEW("cookie"));
    assert_int_equal(b.len, 6 + SP_SEAL_OVERHEAD);
    assert_null(memmem(b.data, b.len, "cookie", 6));
    assert_ok(open_with(&k, &bond, NOW, sp_buf_view(&b)));
}

static void b_is_good_for_its_time(void **state)
{
    (void)state;
    struct sp_seal_keys k = one_key();
    SP_AUTO(sp_buf_fini) struct sp_buf b = sealed_with(&k, SP_VIEW("cookie"));
    struct sp_view v = sp_buf_view(&b);
    assert_ok(open_with(&k, &bond, NOW + DAY, v));
    assert_err(open_with(&k, &bond, NOW + DAY + 1, v), SP_E_TIMEOUT);
    assert_ok(open_with(&k, &bond, NOW - 300, v)); /* a clock that was put right */
    assert_err(open_with(&k, &bond, NOW - 301, v), SP_E_UNPROVEN);
}

static void f_serves_nobody_else(void **state)
{
    (void)state;
    static const uint8_t pin[32] = "10.1.2.3";
    struct sp_seal_keys k = one_key();
    SP_AUTO(sp_buf_fini) struct sp_buf b = sealed_with(&k, SP_VIEW("cookie"));
    struct sp_seal_bond others[] = {bond, bond, bond, bond, bond, bond};
    others[0].peer = SP_VIEW("10.1.2.4");
    others[1].upstream = SP_VIEW("v");
    others[2].kind = SP_COOKIE_SERVER;
    others[3].kind = SP_COOKIE_CLIENT_AUTHORIZATION;
    others[4].has_pin = true;
    others[4].peer = sp_view(pin, 32);
    others[5].upstream = SP_VIEW("u1"); /* what is cut elsewhere reads otherwise */
    others[5].peer = SP_VIEW("0.1.2.3");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_err(open_with(&k, &others[i], NOW, sp_buf_view(&b)), SP_E_UNPROVEN);
    }
}

static void f_no_bit_may_change(void **state)
{
    (void)state;
    struct sp_seal_keys k = one_key();
    SP_AUTO(sp_buf_fini) struct sp_buf b = sealed_with(&k, SP_VIEW("cookie"));
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_err(open_with(&k, &bond, NOW, sp_buf_view(&b)), SP_E_UNPROVEN);
        b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t n = 0; n < b.len; n++) {
        assert_err(open_with(&k, &bond, NOW, sp_view(b.data, n)), SP_E_UNPROVEN);
    }
    assert_ok(sp_buf_append_byte(&b, 0));
    assert_err(open_with(&k, &bond, NOW, sp_buf_view(&b)), SP_E_UNPROVEN);
}

static void b_the_longest_cookie(void **state)
{
    (void)state;
    static uint8_t long_one[SP_LIMIT_COOKIE];
    struct sp_seal_keys k = one_key();
    struct sp_buf b, plain;
    sp_buf_init(&b, SP_LIMIT_COOKIE);
    sp_buf_init(&plain, SP_LIMIT_COOKIE);
    size_t most = SP_LIMIT_COOKIE - SP_SEAL_OVERHEAD;
    assert_err(sp_seal(&k, &bond, NOW, nonce, sp_view(long_one, most + 1), &b),
               SP_E_LIMIT);
    assert_int_equal(b.len, 0);
    assert_ok(sp_seal(&k, &bond, NOW, nonce, sp_view(long_one, most), &b));
    assert_ok(sp_unseal(&k, &bond, NOW, DAY, sp_buf_view(&b), &plain));
    assert_int_equal(plain.len, most);
    sp_buf_fini(&b);
    sp_buf_fini(&plain);
}

static void b_keys_turn_and_old_ones_open(void **state)
{
    (void)state;
    struct sp_seal_keys k = one_key(), none = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf b = sealed_with(&k, SP_VIEW("cookie"));
    const int64_t gone = NOW + SP_TIME_SEAL_KEY_S + SP_LIMIT_COOKIE_AGE_S;
    assert_true(sp_seal_keys_due(&none, NOW));
    assert_false(sp_seal_keys_due(&k, NOW + SP_TIME_SEAL_KEY_S - 1));
    assert_true(sp_seal_keys_due(&k, NOW + SP_TIME_SEAL_KEY_S));
    assert_false(sp_seal_keys_turn(&k, NOW + DAY, 7, key_b)); /* the id is in use */
    assert_true(sp_seal_keys_turn(&k, NOW + DAY, 8, key_b));
    assert_int_equal(k.count, 2);
    assert_int_equal(k.at[0].id, 8);
    assert_ok(open_with(&k, &bond, NOW + DAY, sp_buf_view(&b)));
    assert_true(sp_seal_keys_turn(&k, gone - 1, 9, key_a));
    assert_int_equal(k.count, 3);
    assert_true(sp_seal_keys_due(&k, gone)); /* an old one has to go */
    assert_true(sp_seal_keys_turn(&k, gone, 10, key_a));
    assert_int_equal(k.count, 3);
    assert_err(open_with(&k, &bond, NOW, sp_buf_view(&b)), SP_E_UNPROVEN);
}

static void c_keys_are_never_more_than_the_limit(void **state)
{
    (void)state;
    struct sp_seal_keys k = {0};
    for (uint32_t i = 0; i < 2 * SP_LIMIT_SEAL_KEYS; i++) {
        assert_true(sp_seal_keys_turn(&k, NOW + i, i, key_a));
    }
    assert_int_equal(k.count, SP_LIMIT_SEAL_KEYS);
    assert_int_equal(k.at[0].id, 2 * SP_LIMIT_SEAL_KEYS - 1);
    assert_int_equal(k.at[SP_LIMIT_SEAL_KEYS - 1].id, SP_LIMIT_SEAL_KEYS);
}

static void b_the_file_keeps_them(void **state)
{
    (void)state;
    struct sp_seal_keys k = one_key(), again;
    SP_AUTO(sp_buf_fini) struct sp_buf b = sealed_with(&k, SP_VIEW("cookie")), text;
    assert_true(sp_seal_keys_turn(&k, NOW + DAY, UINT32_MAX, key_b));
    sp_buf_init(&text, 4096);
    assert_ok(sp_seal_keys_write(&k, &text));
    assert_ok(sp_seal_keys_read(sp_buf_view(&text), &again));
    assert_int_equal(again.count, 2);
    assert_ok(open_with(&again, &bond, NOW + DAY, sp_buf_view(&b)));
}

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define FIRST "sallyport cookie keys 1\n"

static void f_other_files_are_no_keys(void **state)
{
    (void)state;
    struct sp_seal_keys k;
    assert_ok(sp_seal_keys_read(SP_VIEW(FIRST "1 2 " HEX32 "\n"), &k));
    assert_ok(sp_seal_keys_read(SP_VIEW(FIRST), &k));
    static const char *const wrong[] = {
        "",
        "sallyport cookie keys 2\n",
        FIRST "1 2 " HEX32,
        FIRST "1 2 " HEX32 " \n",
        FIRST "1 2 " HEX32 "00\n",
        FIRST "1 " HEX32 "\n",
        FIRST "4294967296 2 " HEX32 "\n",
        FIRST "-1 2 " HEX32 "\n",
        FIRST "1 -2 " HEX32 "\n",
        FIRST "1 2 " HEX32 "\n1 3 " HEX32 "\n",
        FIRST "\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_not_equal(sp_seal_keys_read(sp_view_str(wrong[i]), &k), SP_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_comes_back_as_it_was),
        cmocka_unit_test(b_is_good_for_its_time),
        cmocka_unit_test(f_serves_nobody_else),
        cmocka_unit_test(f_no_bit_may_change),
        cmocka_unit_test(b_the_longest_cookie),
        cmocka_unit_test(b_keys_turn_and_old_ones_open),
        cmocka_unit_test(c_keys_are_never_more_than_the_limit),
        cmocka_unit_test(b_the_file_keeps_them),
        cmocka_unit_test(f_other_files_are_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
