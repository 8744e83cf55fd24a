/* The ledger at scale: micro_ledger DIR [ENTRIES] makes a ledger there, 1,000,000
 * entries when not told, in batches as a synchronization brings them, and measures what
 * is done with it. A ledger that is there already is measured as it is. Nothing here
 * passes or fails. */
#include "app/proof/bundle_tools.h"
#include "core/base/limits.h"
#include "core/wsus/claim.h"
#include "io/loop/crew.h"
#include "io/store/ledger_files.h"
#include "sallyport/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 100, SINGLES = 200, PROOFS = 1000 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(enum sp_err e, const char *what, const struct sp_why *why)
{
    if (e != SP_OK) {
        fprintf(stderr, "%s: %s\n", what, sp_why_text(why, e));
        exit(1);
    }
}

static void say(const char *what, double value, const char *unit)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("%-44s %12.3f %s (peak %ld MiB)\n", what, value, unit, u.ru_maxrss / 1024);
    fflush(stdout);
}

/* Since then: by the clock, and of the processor. */
static void say_both(const char *what, double from, double cpu)
{
    char unit[64];
    snprintf(unit, sizeof unit, "s, %.3f s of CPU", cpu_s() - cpu);
    say(what, now_s() - from, unit);
}

static void put(enum sp_err e)
{
    check(e, "facts", NULL);
}

/* A revision as one of a catalogue: one in a thousand names the KB that is looked for.
 */
static void write_entry(uint64_t n, struct sp_buf *out)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    uint8_t digest[32] = {0};
    struct sp_claim claim; /* read again: what cannot be is not searched either */
    char text[256];
    memcpy(digest, &n, sizeof n);
    put(sp_facts_new(SP_KIB(64), &f));
    put(sp_facts_entry(f, "revision", 1700000000 + (int64_t)n));
    put(sp_facts_text(f, SP_FACT_UPSTREAM_NAME, SP_VIEW("head-office")));
    put(sp_facts_text(f, SP_FACT_UPSTREAM_HOST, SP_VIEW("wsus.corp.example:8531")));
    put(sp_facts_text(f, SP_FACT_UPSTREAM_TLS, SP_VIEW("TLSv1.3")));
    put(sp_facts_bytes(f, SP_FACT_UPSTREAM_PIN, sp_view(digest, 32)));
    put(sp_facts_bytes(f, SP_FACT_REPLY_SHA256, sp_view(digest, 32)));
    put(sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(digest, 16)));
    put(sp_facts_int(f, SP_FACT_UPDATE_REVISION, 200));
    put(sp_facts_bytes(f, SP_FACT_DOCUMENT_SHA256, sp_view(digest, 32)));
    put(sp_facts_int(f, SP_FACT_DOCUMENT_SIZE, 12345));
    snprintf(text, sizeof text, "Cumulative Update %" PRIu64 " for x64-based Systems",
             n);
    put(sp_facts_text(f, SP_FACT_DOCUMENT_TITLE, sp_view_str(text)));
    snprintf(text, sizeof text, "%" PRIu64, 5000000 + n / 1000);
    put(sp_facts_text(f, SP_FACT_DOCUMENT_KB, sp_view_str(text)));
    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%038" PRIu64 "%02u - 123456 cab", n, i);
        put(sp_claim_parse(sp_view_str(text), &claim));
        put(sp_facts_text(f, SP_FACT_FILE_CLAIM, sp_view_str(text)));
    }
    put(sp_facts_text(f, SP_FACT_VERDICT_RULING, SP_VIEW("passed")));
    put(sp_facts_text(f, SP_FACT_VERDICT_POLICY, SP_VIEW("strict-2026")));
    put(sp_facts_encode(f, out));
}

/* Appends count entries at once, so many times; seconds a time. */
static double append(struct sp_ledger_files *l, size_t count, size_t times)
{
    static struct sp_buf texts[BATCH];
    struct sp_view entries[BATCH];
    struct sp_why why = {0};
    double spent = 0;
    for (size_t t = 0; t < times; t++) {
        uint64_t first = 0;
        for (size_t i = 0; i < count; i++) {
            sp_buf_fini(&texts[i]);
            sp_buf_init(&texts[i], SP_LIMIT_LEDGER_ENTRY);
            write_entry(sp_ledger_size(l) + i, &texts[i]);
            entries[i] = sp_buf_view(&texts[i]);
        }
        double from = now_s();
        check(sp_ledger_append(l, entries, count, &first, &why), "append", &why);
        spent += now_s() - from;
    }
    return spent / (double)times;
}

static void fill(struct sp_ledger_files *l, uint64_t wanted)
{
    double from = now_s();
    uint64_t made = 0;
    while (sp_ledger_size(l) < wanted) {
        if (sp_ledger_size(l) % (wanted / 4 / BATCH * BATCH) == 0) {
            char what[64];
            snprintf(what, sizeof what, "append 1, at %" PRIu64 " entries",
                     sp_ledger_size(l));
            say(what, append(l, 1, SINGLES) * 1e3, "ms");
            made += SINGLES;
        }
        (void)append(l, BATCH, 1);
        made += BATCH;
    }
    if (made) {
        say("append, entries a second in batches of 100",
            (double)made / (now_s() - from), "/s, with making them");
    }
    say("append 1, at the end", append(l, 1, SINGLES) * 1e3, "ms");
}

static void prove(struct sp_ledger_files *l)
{
    struct sp_hash_reader r = sp_ledger_hashes(l);
    struct sp_proof p;
    double most = 0, from = now_s();
    for (uint64_t i = 0; i < PROOFS; i++) {
        double begin = now_s();
        check(sp_merkle_prove(&r, i * (sp_ledger_size(l) / PROOFS), sp_ledger_size(l),
                              &p),
              "prove", NULL);
        most = now_s() - begin > most ? now_s() - begin : most;
    }
    say("prove 1, mean", (now_s() - from) / PROOFS * 1e3, "ms");
    say("prove 1, longest", most * 1e3, "ms");
    from = now_s();
    check(sp_merkle_prove_growth(&r, sp_ledger_size(l) / 3, sp_ledger_size(l), &p),
          "prove growth", NULL);
    say("prove that it grew from a third", (now_s() - from) * 1e3, "ms");
}

static void measure_reading(const char *dir)
{
    struct sp_ledger_files *l = NULL;
    struct sp_why why = {0};
    char file[512];
    double from = now_s();
    check(sp_ledger_open_view(dir, &l, &why), "open the view", &why);
    say("open for reading", (now_s() - from) * 1e3, "ms");
    prove(l);
    struct sp_kb_entries found = {0};
    from = now_s();
    double cpu = cpu_s();
    check(sp_kb_find(l, "5000500", &found, &why), "find", &why);
    say_both("find a KB", from, cpu);
    free(found.at);
    snprintf(file, sizeof file, "%s/export", dir);
    remove(file);
    from = now_s();
    cpu = cpu_s();
    check(sp_export_write(l, file, &why), "export", &why);
    say_both("export", from, cpu);
    SP_AUTO(sp_note_key_free) struct sp_note_key *key = NULL;
    uint64_t entries = 0;
    check(sp_note_key_import(sp_view_str(sp_ledger_public_key(l)), &key, NULL), "key",
          NULL);
    from = now_s();
    cpu = cpu_s();
    check(sp_export_check(file, key, NULL, NULL, NULL, &entries, &why), "check", &why);
    say_both("verify the exported file", from, cpu);
    remove(file);
    sp_ledger_close(&l);
    for (unsigned threads = 1; threads <= sp_crew_size(); threads++) {
        char what[64];
        snprintf(what, sizeof what, "verify the ledger, threads: %u", threads);
        from = now_s();
        cpu = cpu_s();
        check(sp_ledger_verify(dir, threads, NULL, NULL, &entries, &why), "verify",
              &why);
        say_both(what, from, cpu);
    }
}

int main(int argc, char **argv)
{
    struct sp_ledger_files *l = NULL;
    struct sp_why why = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: micro_ledger DIR [ENTRIES]\n");
        return 64;
    }
    uint64_t wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    check(sp_ledger_open(argv[1], "example.net/bench", &l, &why), "open", &why);
    fill(l, wanted);
    sp_ledger_close(&l);
    double from = now_s();
    check(sp_ledger_open(argv[1], "example.net/bench", &l, &why), "open", &why);
    say("open for writing", (now_s() - from) * 1e3, "ms");
    printf("%" PRIu64 " entries\n", sp_ledger_size(l));
    sp_ledger_close(&l);
    measure_reading(argv[1]);
    return 0;
}
