#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/proof/bundle_tools.h"
#include "app/proof/ledger_store.h"
#include "core/base/text.h"
#include "core/custody/bundle.h"
#include "io/loop/crew.h"
#include "io/store/ledger_files.h"
#include "sallyport/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct ask {
    int words_wanted;
    const char *what; /* the word that is wanted; NULL: the number of an entry */
    const char *config, *dir, *from, *count, *upto;
    char **words;
    int left;
    uint64_t entry;  /* the number, where one is wanted */
    char *state_dir; /* owned */
    bool store, only_cosigned;
    char *cache_dir; /* owned; with store */
};

static int number(const char *text, uint64_t *out)
{
    if (sp_u64_parse(sp_view_str(text), INT64_MAX, out) == SP_OK) {
        return 0;
    }
    fprintf(stderr, _("sallyport: \"%s\" is not the number of an entry\n"), text);
    return SP_EXIT_USAGE;
}

static int find_ledger(int argc, char **argv, struct ask *a)
{
    bool quiet = false;
    const struct sp_option options[] = {
        {"-c", &a->config, NULL},   {"-d", &a->dir, NULL},
        {"--from", &a->from, NULL}, {"--count", &a->count, NULL},
        {"--upto", &a->upto, NULL}, {"--store", NULL, &a->store},
        {"--quiet", NULL, &quiet}};
    struct sp_config *config = NULL;
    struct sp_why why = {0};
    a->left = sp_options(argc, argv, options, 7, &a->words);
    if (a->left < 0) {
        return SP_EXIT_USAGE;
    }
    if (quiet) {
        sp_bars_off();
    }
    if (a->left != a->words_wanted) {
        fprintf(stderr, _("sallyport: %s; see --help\n"),
                !a->words_wanted ? _("there is a word too many")
                : a->what        ? sp_say(a->what)
                                 : _("the number of one entry is needed"));
        return SP_EXIT_USAGE;
    }
    a->only_cosigned = a->upto && strcmp(a->upto, "COSIGNED") == 0;
    if (a->upto && strcmp(a->upto, "HEAD") != 0 && !a->only_cosigned) {
        fprintf(stderr, _("sallyport: --upto takes HEAD, the checkpoint in force, or "
                          "COSIGNED, the newest one that is cosigned\n"));
        return SP_EXIT_USAGE;
    }
    if (a->words_wanted && !a->what && number(a->words[0], &a->entry) != 0) {
        return SP_EXIT_USAGE;
    }
    if (a->store && a->dir) {
        fprintf(stderr,
                _("sallyport: --store needs a configuration: -d knows no cache\n"));
        return SP_EXIT_USAGE;
    }
    if (!a->dir) {
        enum sp_err e =
            sp_config_load(a->config ? a->config : SP_CONFIG_DEFAULT, &config, &why);
        if (e != SP_OK) {
            return sp_cmd_failed(e, &why);
        }
    }
    a->state_dir = strdup(a->dir ? a->dir : config->state_dir);
    a->cache_dir = a->store ? strdup(config->cache_dir) : NULL;
    sp_config_free(&config);
    bool is_whole = a->state_dir && (a->cache_dir || !a->store);
    return is_whole ? 0 : sp_err_exit_status(SP_E_NOMEM);
}

/* ---- verify ---------------------------------------------------------------------- */

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    struct sp_bar *bar = ctx;
    if (!bar->what) {
        sp_bar_init(bar, _("checked"), all);
    }
    sp_bar_at(bar, done);
}

static void print_wrong(void *ctx, const uint8_t sha256[32], const char *what)
{
    (void)ctx;
    for (size_t i = 0; i < 32; i++) {
        printf("%02x", sha256[i]);
    }
    printf("  %s\n", what);
}

static int verify_store(const struct ask *a)
{
    struct sp_ledger_store s = {.found = print_wrong};
    struct sp_why why = {0};
    enum sp_err e = sp_ledger_check_store(a->state_dir, a->cache_dir, &s, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf(_("%s: %ju files, of which %ju are not what the ledger says of their block "
             "trees\n"),
           a->cache_dir, s.files, s.wrong);
    return s.wrong ? SP_EXIT_REFUSED : SP_EXIT_PASSED;
}

static int verify_own(int argc, char **argv)
{
    struct ask a = {0};
    struct sp_why why = {0};
    uint64_t entries = 0;
    int status = find_ledger(argc, argv, &a);
    if (status == 0) {
        struct sp_bar bar = {.what = NULL};
        enum sp_err e = sp_ledger_verify(a.state_dir, sp_crew_size(), progress, &bar,
                                         &entries, &why);
        if (bar.what) {
            sp_bar_end(&bar);
        }
        if (e == SP_OK) {
            printf(_("%s: whole: %ju entries, every hash and the signature are good\n"),
                   a.state_dir, entries);
        } else {
            fprintf(stderr, "%s: %s: %s\n", a.state_dir,
                    e == SP_E_CORRUPT ? _("DAMAGED") : _("could not be checked"),
                    sp_why_text(&why, e));
            status = e == SP_E_CORRUPT ? SP_EXIT_REFUSED : SP_EXIT_UNKNOWN;
        }
    }
    if (status == 0 && a.store) {
        status = verify_store(&a);
    }
    free(a.cache_dir);
    free(a.state_dir);
    return status;
}

static int verify_file(int argc, char **argv)
{
    const char *key = NULL, *cosigners = NULL, *wanted = NULL;
    bool quiet = false;
    const struct sp_option options[] = {{"--key", &key, NULL},
                                        {"--cosigners", &cosigners, NULL},
                                        {"--cosignatures", &wanted, NULL},
                                        {"--quiet", NULL, &quiet}};
    char **words = NULL;
    uint64_t count = 1;
    int left = sp_options(argc, argv, options, 4, &words);
    if (quiet) {
        sp_bars_off();
    }
    if (left != 1 || !key || (wanted && !cosigners)) {
        fprintf(stderr, _("sallyport: one file is needed beside --key; see --help\n"));
        return SP_EXIT_USAGE;
    }
    if (wanted &&
        sp_u64_parse(sp_view_str(wanted), SP_LIMIT_COSIGNERS, &count) != SP_OK) {
        fprintf(stderr, _("sallyport: --cosignatures takes a number up to %d\n"),
                SP_LIMIT_COSIGNERS);
        return SP_EXIT_USAGE;
    }
    return sp_bundle_verify_file(words[0], key, cosigners, (size_t)count);
}

/* A file is proven with a public key alone; without one it is the own ledger. */
int sp_cmd_ledger_verify(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--key", 5) == 0) {
            return verify_file(argc, argv);
        }
    }
    return verify_own(argc, argv);
}

/* ---- list and show --------------------------------------------------------------- */

static struct sp_view text_of(const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    return sp_facts_get(f, k, 0, &v) ? v.bytes : (struct sp_view){0};
}

static void print_subject(const struct sp_facts *f)
{
    struct sp_fact_value id, revision;
    if (sp_facts_get(f, SP_FACT_UPDATE_ID, 0, &id) &&
        sp_facts_get(f, SP_FACT_UPDATE_REVISION, 0, &revision)) {
        struct sp_guid guid;
        char text[SP_GUID_TEXT];
        memcpy(guid.bytes, id.bytes.data, sizeof guid.bytes);
        sp_guid_format(&guid, text);
        printf("%s.%jd", text, revision.number);
        return;
    }
    struct sp_view path = text_of(f, SP_FACT_FILE_PATH);
    struct sp_view what = path.len ? path : text_of(f, SP_FACT_OPERATION);
    struct sp_view sha256 =
        what.len ? sp_view(NULL, 0) : text_of(f, SP_FACT_FILE_SHA256);
    printf(SP_VIEW_FMT, SP_VIEW_ARG(what));
    for (size_t i = 0; i < sha256.len; i++) { /* of damage nothing else is known */
        printf("%02x", sha256.data[i]);
    }
}

static void print_line(uint64_t n, const struct sp_facts *f)
{
    struct sp_view time = text_of(f, SP_FACT_ENTRY_TIME);
    struct sp_view kind = text_of(f, SP_FACT_ENTRY_KIND);
    struct sp_view rule = text_of(f, SP_FACT_VERDICT_RULE);
    struct sp_view title = text_of(f, SP_FACT_DOCUMENT_TITLE);
    printf("%6ju  " SP_VIEW_FMT "  %-8.*s  ", n, SP_VIEW_ARG(time), (int)kind.len,
           (const char *)kind.data);
    print_subject(f);
    if (rule.len) {
        printf("  " SP_VIEW_FMT, SP_VIEW_ARG(rule));
    }
    if (title.len) {
        printf("  " SP_VIEW_FMT, SP_VIEW_ARG(title));
    }
    printf("\n");
}

static enum sp_err list(struct sp_ledger_files *l, uint64_t from, uint64_t count,
                        struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    for (uint64_t n = from; n < sp_ledger_size(l) && n - from < count; n++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        sp_buf_clear(&text);
        SP_TRY(sp_ledger_read(l, n, &text, why));
        SP_TRY(sp_facts_decode(sp_buf_view(&text), &f, why));
        print_line(n, f);
    }
    return SP_OK;
}

int sp_cmd_ledger_list(int argc, char **argv)
{
    struct ask a = {0};
    struct sp_why why = {0};
    struct sp_ledger_files *l = NULL;
    uint64_t from = 0, count = UINT64_MAX;
    int status = find_ledger(argc, argv, &a);
    if (status == 0 && a.from) {
        status = number(a.from, &from);
    }
    if (status == 0 && a.count) {
        status = number(a.count, &count);
    }
    if (status == 0) {
        enum sp_err e = sp_ledger_open_view(a.state_dir, &l, &why);
        if (e == SP_OK) {
            e = list(l, from, count, &why);
        }
        status = e == SP_OK ? 0 : sp_cmd_failed(e, &why);
    }
    sp_ledger_close(&l);
    free(a.state_dir);
    return status;
}

static enum sp_err show(struct sp_ledger_files *l, const struct ask *a,
                        struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_ledger_read(l, a->entry, &text, why));
    fwrite(text.data, 1, text.len, stdout);
    return SP_OK;
}

/* ---- prove ----------------------------------------------------------------------- */

static void print_base64(const uint8_t hash[SP_HASH])
{
    struct sp_buf b;
    sp_buf_init(&b, 64);
    if (sp_base64_append(&b, sp_view(hash, SP_HASH)) == SP_OK) {
        printf(SP_VIEW_FMT "\n", SP_VIEW_ARG(sp_buf_view(&b)));
    }
    sp_buf_fini(&b);
}

/* C2SP tlog-proof: index, the path from leaf to root, the signed checkpoint. */
static enum sp_err prove(struct sp_ledger_files *l, const struct ask *a,
                         struct sp_why *why)
{
    struct sp_proof proof;
    struct sp_hash_reader hashes = sp_ledger_hashes(l);
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    uint64_t size = 0, n = a->entry;
    sp_buf_init(&note, SP_KIB(64));
    SP_TRY(sp_ledger_checkpoint_upto(l, a->only_cosigned, &note, &size, why));
    if (n >= size) {
        return sp_why_set(
            why, SP_E_NOTFOUND, _("there is no entry %ju; the %s has %ju"), n,
            a->only_cosigned ? _("cosigned checkpoint") : _("ledger"), size);
    }
    SP_TRY(sp_merkle_prove(&hashes, n, size, &proof));
    printf("c2sp.org/tlog-proof@v1\nindex %ju\n", n);
    for (unsigned i = 0; i < proof.count; i++) {
        print_base64(proof.hashes[i]);
    }
    printf("\n");
    fwrite(note.data, 1, note.len, stdout);
    return SP_OK;
}

/* what: what the one word has to be; NULL: the number of an entry. */
static int with_word(int argc, char **argv, const char *what,
                     enum sp_err (*act)(struct sp_ledger_files *, const struct ask *,
                                        struct sp_why *))
{
    struct ask a = {.words_wanted = 1, .what = what};
    struct sp_why why = {0};
    struct sp_ledger_files *l = NULL;
    int status = find_ledger(argc, argv, &a);
    if (status == 0) {
        enum sp_err e = sp_ledger_open_view(a.state_dir, &l, &why);
        if (e == SP_OK) {
            e = act(l, &a, &why);
        }
        status = e == SP_OK ? 0 : sp_cmd_failed(e, &why);
    }
    sp_ledger_close(&l);
    free(a.state_dir);
    return status;
}

int sp_cmd_ledger_show(int argc, char **argv)
{
    return with_word(argc, argv, NULL, show);
}

/* ---- export, find, prove KB ------------------------------------------------------ */

static enum sp_err export(struct sp_ledger_files *l, const struct ask *a,
                          struct sp_why *why) {
    const char *file = a->words[0]; SP_TRY(sp_export_write(l, file, why));
    printf(_("%s: %ju entries; whoever has the public key checks it with\n"
             "sallyport ledger verify %s --key %s\n"),
           file, sp_ledger_size(l), file, sp_ledger_public_key(l));
    return SP_OK;
}

int sp_cmd_ledger_export(int argc, char **argv)
{
    return with_word(argc, argv, N_("the name of a new file is needed"), export);
}

static enum sp_err take_kb(const char *word, char kb[SP_KB_TEXT], struct sp_why *why)
{
    return sp_kb_parse(word, kb)
               ? SP_OK
               : sp_why_set(why, SP_E_USAGE, _("\"%s\" is no KB, as KB5031356"), word);
}

static enum sp_err find(struct sp_ledger_files *l, const struct ask *a,
                        struct sp_why *why)
{
    char kb[SP_KB_TEXT];
    struct sp_kb_entries found = {0};
    enum sp_err e = take_kb(a->words[0], kb, why);
    e = e == SP_OK ? sp_kb_find(l, kb, &found, why) : e;
    for (size_t i = 0; e == SP_OK && i < found.count; i++) {
        e = list(l, found.at[i], 1, why);
    }
    free(found.at);
    return e;
}

int sp_cmd_ledger_find(int argc, char **argv)
{
    return with_word(argc, argv, N_("a KB is needed, as KB5031356"), find);
}

static enum sp_err prove_kb(struct sp_ledger_files *l, const struct ask *a,
                            struct sp_why *why)
{
    char kb[SP_KB_TEXT];
    SP_AUTO(sp_buf_fini) struct sp_buf bundle;
    sp_buf_init(&bundle, SP_LIMIT_BUNDLE);
    SP_TRY(take_kb(a->words[0], kb, why));
    SP_TRY(sp_kb_prove(l, kb, a->only_cosigned, &bundle, why));
    return fwrite(bundle.data, 1, bundle.len, stdout) == bundle.len ? SP_OK : SP_E_IO;
}

/* A number is one entry, a KB the bundle of everything about it. */
int sp_cmd_ledger_prove(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strncasecmp(argv[i], "KB", 2) == 0) {
            return with_word(argc, argv, N_("a KB is needed, as KB5031356"), prove_kb);
        }
    }
    return with_word(argc, argv, NULL, prove);
}
