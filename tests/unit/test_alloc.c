/* The n-th allocation fails, for every n: facts and policies hand SP_E_NOMEM on, leave
 * *out alone and lose nothing. The core allocates with calloc and realloc, which stand
 * here in front of the library's. A sanitizer has its own in that place; there this is
 * skipped. */
#include "unit.h"

#include "sallyport/policy.h"

#include "sanitizer.h"

#ifdef HAS_SANITIZER

int main(void)
{
    fprintf(stderr, "SKIP: the sanitizer owns the allocator\n");
    return 0;
}

#else

void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

static long left = -1; /* allocations until one fails; negative: none does */

static bool fails_now(void)
{
    return left >= 0 && left-- == 0;
}

void *calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __libc_realloc(old, size);
}

/* Runs attempt with the n-th allocation failing until it no longer meets a failure;
 * gives how many failures it met. */
static long count_failures(enum sp_err (*attempt)(void))
{
    for (long n = 0;; n++) {
        left = n;
        enum sp_err e = attempt();
        bool met = left < 0;
        left = -1;
        if (!met) {
            assert_ok(e);
            return n;
        }
        assert_err(e, SP_E_NOMEM);
    }
}

static enum sp_err facts_attempt(void)
{
    static char text[40000];
    size_t len = 0;
    for (unsigned i = 0; i < 200; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "document.title %%25 a title with number %04u\n", i);
    }
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    enum sp_err e = sp_facts_decode(sp_view(text, len), &f, NULL);
    assert_true((e == SP_OK) == (f != NULL));
    return e;
}

static enum sp_err policy_attempt(void)
{
    SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf printed;
    struct sp_verdict v = {.ruling = SP_REFUSED, .why = {"so"}};
    sp_buf_init(&printed, 4096);
    SP_TRY(sp_policy_parse(SP_VIEW("policy p\nfile-sha1 enforce\n"), &p, NULL));
    SP_TRY(sp_policy_print(p, &printed));
    SP_TRY(sp_facts_new(4096, &f));
    return sp_verdict_to_facts(&v, p, f);
}

static void b_facts_survive_every_failure(void **state)
{
    (void)state;
    assert_true(count_failures(facts_attempt) > 200);
}

static void b_policies_survive_every_failure(void **state)
{
    (void)state;
    assert_true(count_failures(policy_attempt) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_facts_survive_every_failure),
        cmocka_unit_test(b_policies_survive_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
