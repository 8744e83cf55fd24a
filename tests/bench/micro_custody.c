/* What checking proofs of a ledger and making reports of it cost. */
#include "core/base/limits.h"
#include "core/custody/bundle.h"
#include "core/report/report.h"

#include "micro.h"

enum { LEVELS = 20, PROVEN = 100, UPDATES = 500 };
#define TREE   ((uint64_t)1 << LEVELS) /* entries, all the same */
#define ORIGIN "example.net/l"
#define ENTRY                                                                          \
    "entry.kind revision\nentry.time 2026-01-02T00:00:00Z\npeer.address 10.0.0.1\n"    \
    "peer.listener door\ntransport tls\nupstream.name head\nupstream.host head:8531\n" \
    "update.id 00000000-0000-4000-8000-%012zu\nupdate.revision 200\n"                  \
    "document.type Software\ndocument.title 2026-01 Cumulative Update %zu\n"           \
    "document.kb %zu\ndocument.created 2026-01-13T18:00:00Z\n"                         \
    "document.deployable true\ndocument.severity Critical\n"                           \
    "file.claim %040zx - 100000 cab\nverdict.ruling passed\n"

static struct {
    struct sp_note_key *key;
    struct sp_buf note, bundle;
    struct sp_proof proof;
    uint8_t levels[LEVELS + 1][SP_HASH]; /* the root of 2^n entries that are the same */
    struct sp_facts *facts[UPDATES];
    struct sp_book book;
    struct sp_sheet sheet;
    struct sp_join join;
} made;

static void write_entry(size_t number, char out[2048])
{
    snprintf(out, 2048, ENTRY, number, number, 5000000 + number / 3, number);
}

/* ---- proofs ------------------------------------------------------------------------
 */

static enum sp_err hash_at(void *ctx, unsigned level, uint64_t index,
                           uint8_t out[SP_HASH])
{
    (void)ctx;
    (void)index;
    memcpy(out, made.levels[level], SP_HASH);
    return SP_OK;
}

static void make_proofs(void)
{
    static const uint8_t seed[32] = {7};
    char entry[2048];
    write_entry(0, entry);
    sp_merkle_leaf(sp_view_str(entry), made.levels[0]);
    for (unsigned i = 0; i < LEVELS; i++) {
        sp_merkle_node(made.levels[i], made.levels[i], made.levels[i + 1]);
    }
    struct sp_checkpoint c = {.origin = SP_VIEW(ORIGIN), .size = TREE};
    memcpy(c.root, made.levels[LEVELS], SP_HASH);
    struct sp_hash_reader reader = {NULL, hash_at};
    must(sp_merkle_prove(&reader, 1, TREE, &made.proof));
    must(sp_note_key_new(ORIGIN, seed, &made.key));
    sp_buf_init(&made.note, 4096);
    must(sp_checkpoint_sign(&c, made.key, &made.note));
    sp_buf_init(&made.bundle, SP_MIB(1));
    must(sp_bundle_begin(&made.bundle, "KB1", PROVEN));
    for (uint64_t i = 0; i < PROVEN; i++) {
        struct sp_proof p;
        must(sp_merkle_prove(&reader, i, TREE, &p));
        must(sp_bundle_entry(&made.bundle, i, sp_view_str(entry), &p));
    }
    must(sp_bundle_end(&made.bundle, sp_buf_view(&made.note)));
}

static size_t custody_proof(void)
{
    bool is_good =
        sp_merkle_check(&made.proof, 1, TREE, made.levels[0], made.levels[LEVELS]);
    must(is_good ? SP_OK : SP_E_UNPROVEN);
    return 0;
}

static size_t custody_checkpoint(void)
{
    struct sp_checkpoint c;
    struct sp_why why = {0};
    must(sp_checkpoint_open(sp_buf_view(&made.note), made.key, &c, &why));
    return 0;
}

static size_t custody_bundle(void)
{
    struct sp_bundle b;
    struct sp_why why = {0};
    must(sp_bundle_check(sp_buf_view(&made.bundle), made.key, &b, NULL, NULL, &why));
    return made.bundle.len;
}

/* ---- reports -----------------------------------------------------------------------
 */

static void take_all(struct sp_book *b)
{
    must(sp_book_init(b, SP_MIB(16)));
    for (size_t i = 0; i < UPDATES; i++) {
        must(sp_book_take(b, i, made.facts[i]));
    }
    must(sp_book_finish(b));
}

static void make_book(void)
{
    static const struct sp_imported nothing;
    for (size_t i = 0; i < UPDATES; i++) {
        char entry[2048];
        struct sp_why why = {0};
        write_entry(i, entry);
        must(sp_facts_decode(sp_view_str(entry), &made.facts[i], &why));
    }
    take_all(&made.book);
    must(sp_sheet_init(&made.sheet, "updates", SP_MIB(16)));
    must(sp_join_init(&made.join, &nothing, made.sheet.arena));
}

static size_t report_book(void)
{
    struct sp_book b;
    take_all(&b);
    sp_book_fini(&b);
    return 0;
}

static size_t report_updates(void)
{
    struct sp_sheet sheet;
    struct sp_report_ask ask = {
        .book = &made.book, .join = &made.join, .now = 1769000000};
    must(sp_sheet_init(&sheet, "updates", SP_MIB(16)));
    must(sp_report_make(SP_REPORT_UPDATES, &ask, &sheet));
    sp_sheet_fini(&sheet);
    return 0;
}

static void unmake(void)
{
    sp_join_fini(&made.join);
    sp_sheet_fini(&made.sheet);
    sp_book_fini(&made.book);
    for (size_t i = 0; i < UPDATES; i++) {
        sp_facts_free(&made.facts[i]);
    }
    sp_buf_fini(&made.note);
    sp_buf_fini(&made.bundle);
    sp_note_key_free(&made.key);
}

static const struct item items[] = {
    {.name = "custody.proof", .run = custody_proof},
    {.name = "custody.checkpoint", .run = custody_checkpoint},
    {.name = "custody.bundle", .run = custody_bundle, .rows = PROVEN},
    {.name = "report.book", .run = report_book, .rows = UPDATES},
    {.name = "report.updates", .run = report_updates, .rows = UPDATES},
};

int main(int argc, char **argv)
{
    make_proofs();
    make_book();
    micro_run(argc, argv, items, sizeof items / sizeof items[0]);
    unmake();
    return 0;
}
