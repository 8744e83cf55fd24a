#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/account.h"
#include "app/world/world.h"

#include <stdio.h>

static int config_file(int argc, char **argv, const char **file)
{
    const struct sp_option options[] = {{"-c", file, NULL}, {"--config", file, NULL}};
    char **words = NULL;
    int left = sp_options(argc, argv, options, 2, &words);
    *file = *file ? *file : SP_CONFIG_DEFAULT;
    if (left > 0) {
        fprintf(stderr,
                _("sallyport: there is one word too many: \"%s\"; see --help\n"),
                words[0]);
    }
    return left;
}

/* Whom a start as root will look for. */
static enum sp_err find_account(const struct sp_config *c, struct sp_why *why)
{
    struct sp_account a;
    struct sp_why what = {0};
    enum sp_err e = c->user[0] ? sp_account_find(c->user, c->group, &a, &what) : SP_OK;
    return e == SP_OK ? SP_OK : sp_why_set(why, e, "%s: %s", c->file, what.text);
}

int sp_cmd_config_check(int argc, char **argv)
{
    const char *file = NULL;
    struct sp_config *config = NULL;
    struct sp_world *world = NULL;
    struct sp_why why = {0};
    if (config_file(argc, argv, &file) != 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = sp_upstream_global_init(&why);
    if (e == SP_OK) {
        e = sp_config_load(file, &config, &why);
    }
    if (e == SP_OK) {
        e = find_account(config, &why);
    }
    if (e == SP_OK) {
        e = sp_world_new(&config, &world, &why);
    }
    sp_config_free(&config);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf(_("%s: good: %zu upstream%s, %zu listener%s, policy %s\n"), file,
           world->config->upstream_count, world->config->upstream_count == 1 ? "" : "s",
           world->config->listener_count, world->config->listener_count == 1 ? "" : "s",
           sp_policy_name(world->policy));
    sp_world_unref(&world);
    return 0;
}

int sp_cmd_config_dump(int argc, char **argv)
{
    const char *file = NULL;
    struct sp_config *config = NULL;
    struct sp_why why = {0};
    if (config_file(argc, argv, &file) != 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = sp_config_load(file, &config, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    fputs(sp_config_dump(config), stdout);
    sp_config_free(&config);
    return 0;
}
