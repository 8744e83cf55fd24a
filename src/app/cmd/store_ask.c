#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/store_ask.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t option_count(enum sp_store_options which)
{
    switch (which) {
    case SP_STORE_LOOKS:
        return 1;
    case SP_STORE_REMOVES:
        return 3;
    case SP_STORE_OVERRULES:
        return 4;
    }
    return 0;
}

int sp_store_options(struct sp_store_ask *a, int argc, char **argv, size_t words,
                     enum sp_store_options which)
{
    bool quiet = false;
    const struct sp_option options[] = {{"-c", &a->config_file, NULL},
                                        {"--dry-run", NULL, &a->dry},
                                        {"--quiet", NULL, &quiet},
                                        {"--reason", &a->reason, NULL}};
    int left = sp_options(argc, argv, options, option_count(which), &a->words);
    if (left >= 0 && (size_t)left != words) {
        fprintf(stderr, _("sallyport: %s; see --help\n"),
                (size_t)left > words ? _("there is a word too many")
                                     : _("there is a word missing"));
    }
    if (left < 0 || (size_t)left != words) {
        return SP_EXIT_USAGE;
    }
    if (quiet) {
        sp_bars_off();
    }
    enum sp_err e = sp_config_load(a->config_file ? a->config_file : SP_CONFIG_DEFAULT,
                                   &a->config, &a->why);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

enum sp_err sp_become_owner(const char *directory, struct sp_why *why)
{
    struct stat st;
    if (stat(directory, &st) != 0) {
        return sp_why_set(why, SP_E_NOTFOUND, _("there is no directory %s"), directory);
    }
    if (geteuid() != 0 || st.st_uid == 0) {
        return SP_OK;
    }
    return setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0
               ? SP_OK
               : sp_why_set(why, SP_E_DENIED, _("cannot act as the owner of %s"),
                            directory);
}

int sp_store_open_view(struct sp_store_ask *a)
{
    a->beside = true;
    enum sp_err e = sp_become_owner(a->config->cache_dir, &a->why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &a->why);
    }
    e = sp_objects_open_view(a->config->cache_dir, &a->objects, &a->why);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

int sp_store_open_alone(struct sp_store_ask *a)
{
    int status = sp_store_open_view(a); /* it has to be there: nothing is made */
    if (status || a->dry) {
        return status;
    }
    a->beside = false;
    sp_objects_close(&a->objects);
    enum sp_err e = sp_objects_open(a->config->cache_dir, &a->objects, &a->why);
    if (e == SP_E_CONFLICT) {
        a->why = (struct sp_why){0};
        sp_why_say(
            &a->why,
            _("%s is in use: stop the daemon, or say --dry-run to change nothing"),
            a->config->cache_dir);
    }
    return e == SP_OK ? 0 : sp_cmd_failed(e, &a->why);
}

int sp_store_finish(struct sp_store_ask *a, enum sp_err e, int status)
{
    if (e != SP_OK) {
        status = sp_cmd_failed(e, &a->why);
    }
    sp_objects_close(&a->objects);
    sp_config_free(&a->config);
    return status;
}

void sp_store_print_digest(const uint8_t sha256[32])
{
    for (size_t i = 0; i < 32; i++) {
        printf("%02x", sha256[i]);
    }
}

enum sp_err sp_store_add_object(void *ctx, const struct sp_object_seen *seen)
{
    struct sp_store_sum *s = ctx;
    s->files++;
    s->bytes += seen->size;
    return SP_OK;
}

enum sp_err sp_store_add_evidence(void *ctx, const struct sp_evidence_seen *seen)
{
    struct sp_store_sum *s = ctx;
    s->files++;
    s->bytes += seen->size;
    return SP_OK;
}
