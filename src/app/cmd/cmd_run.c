#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/run/daemon.h"

#include <stdio.h>

int sp_cmd_run(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    bool takes_over = false;
    const struct sp_option options[] = {{"-c", &file, NULL},
                                        {"--config", &file, NULL},
                                        {"--take-over", NULL, &takes_over}};
    char **words = NULL;
    int left = sp_options(argc, argv, options, 3, &words);
    if (left != 0) {
        if (left > 0) {
            fprintf(stderr,
                    _("sallyport: run takes no \"%s\"; the configuration is named by "
                      "-c FILE\n"),
                    words[0]);
        }
        return SP_EXIT_USAGE;
    }
    sp_say_in_english(); /* the log can be searched and compared, whoever starts it */
    return sp_daemon_run(file, takes_over);
}

int sp_cmd_version(int argc, char **argv)
{
    char **words = NULL;
    int left = sp_options(argc, argv, NULL, 0, &words);
    if (left != 0) {
        return sp_cmd_usage("version", left);
    }
    printf("sallyport %s\n", SP_VERSION);
    return 0;
}
