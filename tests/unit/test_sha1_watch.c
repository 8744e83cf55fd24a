/* Marks of SHA-1 collision attacks: the vectors, the other block that they give, what
 * speaks against them, and that honest bytes have none. The files of real attacks are
 * nobody's to hand on: a folder of them is named by SALLYPORT_SHA1_COLLISIONS. */
#include "unit.h"

#include "core/crypto/sha1_inside.h"
#include "core/crypto/sha1_watch.h"
#include "support/sha1_paths.h"

#include <dirent.h>

static struct sp_sha1_vector vectors[SP_SHA1_VECTORS];
static uint64_t seed = 88172645463325252;

static int make(void **state)
{
    (void)state;
    sp_sha1_vectors_make(vectors);
    return 0;
}

static void random_bytes(uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)path_random(&seed);
    }
}

/* ---- vectors --------------------------------------------------------------------- */

/* A difference of a message is one of its expansion, and a vector has one bit, or
 * three, where its name says. */
static void b_vectors_are_what_their_names_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        const struct sp_sha1_vector *v = &vectors[i];
        const uint32_t *m = v->difference, *d = v->disturbed + 5;
        int bits = 0;
        for (unsigned t = 16; t < SP_SHA1_STEPS; t++) {
            assert_int_equal(m[t],
                             sp_rol(m[t - 3] ^ m[t - 8] ^ m[t - 14] ^ m[t - 16], 1));
        }
        for (unsigned t = v->k; t < v->k + 16; t++) {
            bits += __builtin_popcount(d[t]);
        }
        assert_int_equal(bits, v->type == 1 ? 1 : 3);
        assert_int_equal(d[v->k + 15], 1U << v->b);
    }
}

/* Nothing differs in the calm steps, and something does on both sides. */
static void b_calm_steps_are_calm(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        const struct sp_sha1_vector *v = &vectors[i];
        for (unsigned t = v->calm; t < v->k + 15; t++) {
            assert_int_equal(v->difference[t], 0);
        }
        assert_int_not_equal(v->difference[v->calm - 1], 0);
        assert_int_not_equal(v->difference[v->k + 15], 0);
    }
}

/* ---- the other block ------------------------------------------------------------- */

static void run(const uint8_t block[64], uint32_t w[SP_SHA1_STEPS], uint32_t *q)
{
    sp_sha1_expand(block, w);
    for (int t = -4; t <= 0; t++) {
        q[t] = path_random(&seed);
    }
    for (unsigned t = 0; t < SP_SHA1_STEPS; t++) {
        sp_sha1_step(q, t, w[t]);
    }
}

/* Forwards from where it begins it comes to where it ends, through the same calm state,
 * and it is the block with the difference, expanded. */
static void b_the_twin_is_sha1_of_the_other_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        const struct sp_sha1_vector *v = &vectors[i];
        uint32_t a[SP_SHA1_STATES], b[SP_SHA1_STATES], c[SP_SHA1_STATES];
        uint32_t w[SP_SHA1_STEPS], w2[SP_SHA1_STEPS];
        uint8_t block[64];
        random_bytes(block, sizeof block);
        run(block, w, a + 4);
        sp_sha1_twin(v, w, a + 4, b + 4);
        for (size_t n = 0; n < 64; n++) {
            block[n] ^= (uint8_t)(v->difference[n / 4] >> (24 - 8 * (n % 4)));
        }
        sp_sha1_expand(block, w2);
        memcpy(c, b, 5 * sizeof c[0]);
        for (unsigned t = 0; t < SP_SHA1_STEPS; t++) {
            sp_sha1_step(c + 4, t, w2[t]);
        }
        assert_memory_equal(b, c, sizeof b);
        assert_memory_equal(a + v->calm, b + v->calm, 5 * sizeof a[0]);
        assert_memory_not_equal(a, b, 5 * sizeof a[0]);
        assert_false(sp_sha1_collides(v, w, a + 4));
    }
}

/* A block and itself end alike, from whatever start. With one bit of difference in the
 * last word they do not: nothing behind could take it back. */
static void b_what_collides_collides(void **state)
{
    (void)state;
    struct sp_sha1_vector v = {.type = 1, .k = 48, .calm = 53};
    uint32_t q[SP_SHA1_STATES], w[SP_SHA1_STEPS];
    uint8_t block[64];
    random_bytes(block, sizeof block);
    run(block, w, q + 4);
    assert_true(sp_sha1_collides(&v, w, q + 4));
    v.difference[SP_SHA1_STEPS - 1] = 1;
    assert_false(sp_sha1_collides(&v, w, q + 4));
    v.difference[SP_SHA1_STEPS - 1] = 0;
    v.difference[0] = 1;
    assert_false(sp_sha1_collides(&v, w, q + 4));
}

/* ---- attacks on fewer steps ------------------------------------------------------ */

enum { PATHS = 400 };
static struct path paths[PATHS], room[PATHS];

/* The sixteen words in front of step end decide the message. */
static void message_of(uint32_t w[SP_SHA1_STEPS], unsigned end)
{
    for (unsigned t = end - 16; t > 0; t--) {
        w[t - 1] = sp_rol(w[t + 15], 31) ^ w[t + 12] ^ w[t + 7] ^ w[t + 1];
    }
    for (unsigned t = end; t < SP_SHA1_STEPS; t++) {
        w[t] = sp_rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    }
}

/* An attack on the steps from begin to k + 15 that anybody can afford, as the words of
 * thirteen steps can be chosen. The twin of its one block is its other block: what
 * differs is what the vector says, and not a bit more. */
static void c_a_twin_of_an_attack_is_its_pair(void **state)
{
    (void)state;
    static const struct path_slack none = {0, 0, 0};
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        const struct sp_sha1_vector *v = &vectors[i];
        unsigned begin = v->calm - 13;
        assert_true(paths_draw(paths, room, PATHS, v, true, &none, &seed));
        uint32_t q[SP_SHA1_STATES], twin[SP_SHA1_STATES], w[SP_SHA1_STEPS];
        memcpy(w, paths[0].w, sizeof w);
        memcpy(q, paths[0].q, sizeof q);
        for (unsigned t = begin > PATH_FIRST ? begin : PATH_FIRST;
             t-- > v->calm - 16;) {
            w[t] = path_random(&seed);
        }
        message_of(w, v->calm);
        for (unsigned t = v->calm; t > 0; t--) {
            sp_sha1_step_back(q + 4, t - 1, w[t - 1]);
        }
        for (unsigned t = v->calm; t < SP_SHA1_STEPS; t++) {
            sp_sha1_step(q + 4, t, w[t]);
        }
        sp_sha1_twin(v, w, q + 4, twin + 4);
        unsigned first = begin > PATH_FIRST ? begin : PATH_FIRST;
        for (unsigned t = first - 4; t <= v->k + 15; t++) {
            assert_int_equal(q[4 + t] ^ twin[4 + t], v->disturbed[5 + t - 1]);
        }
    }
}

static void assert_suspected(size_t i, const struct path_slack *slack)
{
    static struct path ahead[PATHS];
    const struct sp_sha1_vector *v = &vectors[i];
    bool both = v->k + 15 < PATH_END;
    if (!paths_draw(paths, room, PATHS, v, true, slack, &seed) ||
        (both && !paths_draw(ahead, room, PATHS, v, false, slack, &seed))) {
        assert_int_not_equal(slack->bits, 0); /* the slack was spent in vain */
        return;
    }
    for (size_t n = 0; n < PATHS; n++) {
        for (unsigned t = v->k + 15; both && t < PATH_END; t++) {
            paths[n].w[t] = ahead[n].w[t];
        }
        assert_true(sp_sha1_suspects(paths[n].w) >> i & 1);
    }
}

/* What speaks against a vector never speaks against a path of it: not against exact
 * ones, and not where two bits go astray in any four steps. */
static void c_no_path_is_overlooked(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        assert_suspected(i, &(struct path_slack){0, 0, 0});
        for (unsigned first = PATH_FIRST; first < PATH_END; first += 6) {
            assert_suspected(i, &(struct path_slack){2, first, first + 3});
        }
    }
}

/* ---- honest bytes ---------------------------------------------------------------- */

/* 1e5 blocks by chance: nothing is found, and almost nothing is looked at closely. */
static void f_chance_makes_no_alarm(void **state)
{
    (void)state;
    struct sp_sha1_watch *watch = NULL;
    struct sp_sha1_sign sign;
    size_t suspects = 0;
    assert_ok(sp_sha1_watch_new(&watch));
    for (size_t i = 0; i < 100000; i++) {
        uint8_t block[64];
        uint32_t w[SP_SHA1_STEPS];
        random_bytes(block, sizeof block);
        sp_sha1_expand(block, w);
        suspects += (size_t)__builtin_popcount(sp_sha1_suspects(w));
        sp_sha1_watch_update(watch, sp_view(block, sizeof block));
    }
    assert_false(sp_sha1_watch_found(watch, &sign));
    assert_in_range(suspects, 15000, 30000);
    sp_sha1_watch_free(&watch);
}

static bool found_in(const uint8_t *bytes, size_t len, size_t step,
                     struct sp_sha1_sign *sign)
{
    struct sp_sha1_watch *watch = NULL;
    struct sp_view all = sp_view(bytes, len);
    assert_ok(sp_sha1_watch_new(&watch));
    for (size_t at = 0; at < len; at += step) {
        sp_sha1_watch_update(watch, sp_view_slice(all, at, at + step));
    }
    bool found = sp_sha1_watch_found(watch, sign);
    sp_sha1_watch_free(&watch);
    return found;
}

/* Zeros and ones are what files are full of. */
static void f_plain_bytes_make_no_alarm(void **state)
{
    (void)state;
    static uint8_t bytes[65536];
    struct sp_sha1_sign sign;
    for (int fill = 0; fill < 256; fill += 51) {
        memset(bytes, fill, sizeof bytes);
        assert_false(found_in(bytes, sizeof bytes, 4096, &sign));
    }
    assert_false(found_in(bytes, 0, 1, &sign));
}

/* ---- files of real attacks ------------------------------------------------------- */

static void check_attack(const char *path)
{
    struct sp_sha1_sign sign = {0}, again;
    size_t len = 0;
    uint8_t *bytes = unit_read_file(path, &len);
    assert_non_null(bytes);
    assert_true(found_in(bytes, len, len, &sign));
    for (size_t step = 1; step < 200; step += 33) {
        assert_true(found_in(bytes, len, step, &again));
        assert_int_equal(again.offset, sign.offset);
        assert_string_equal(again.vector, sign.vector);
    }
    print_message("%s: %s at %llu\n", path, sign.vector,
                  (unsigned long long)sign.offset);
    bytes[sign.offset + 20] ^= 1; /* the neighbour: no attack made this block */
    assert_false(found_in(bytes, len, len, &again));
    free(bytes);
}

static void f_real_attacks_are_found(void **state)
{
    (void)state;
    const char *folder = getenv("SALLYPORT_SHA1_COLLISIONS");
    DIR *d = folder ? opendir(folder) : NULL;
    size_t count = 0;
    if (!d) {
        print_message("[  SKIPPED ] SALLYPORT_SHA1_COLLISIONS names no folder with the "
                      "files of known attacks (shattered, shambles)\n");
        skip();
    }
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.') {
            check_attack(path);
            count++;
        }
    }
    closedir(d);
    assert_int_not_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_vectors_are_what_their_names_say),
        cmocka_unit_test(b_calm_steps_are_calm),
        cmocka_unit_test(b_the_twin_is_sha1_of_the_other_block),
        cmocka_unit_test(b_what_collides_collides),
        cmocka_unit_test(c_a_twin_of_an_attack_is_its_pair),
        cmocka_unit_test(c_no_path_is_overlooked),
        cmocka_unit_test(f_chance_makes_no_alarm),
        cmocka_unit_test(f_plain_bytes_make_no_alarm),
        cmocka_unit_test(f_real_attacks_are_found),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
