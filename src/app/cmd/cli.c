#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/cmd.h"

#include "core/base/text.h"
#include "core/report/width.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *words;
    int (*run)(int argc, char **argv);
    const char *arguments, *help;
};

static const struct command commands[] = {
#define CMD(words, function, arguments, help) {words, function, arguments, help},
#include "app/cmd/cmds.def"
#undef CMD
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* A command and its arguments behind some words. */
static void print_head(FILE *out, const char *lead, const struct command *c)
{
    char head[512];
    snprintf(head, sizeof head, "%s%s%s", c->words, c->arguments[0] ? " " : "",
             c->arguments);
    fputs(lead, out);
    sp_terminal_wrap(out, head, sp_width(sp_view_str(lead)), 8);
}

static void print_usage(FILE *out)
{
    fprintf(out,
            _("sallyport %s: a TLS-enforcing replication proxy for Windows updates\n\n"
              "usage: sallyport COMMAND [ARGUMENTS]\n\n"),
            SP_VERSION);
    for (size_t i = 0; i < COMMANDS; i++) {
        print_head(out, "  ", &commands[i]);
        fprintf(out, "      ");
        sp_terminal_wrap(out, sp_say(commands[i].help), 6, 6);
    }
    fprintf(out, _("\nFILE of -c is %s unless it is given.\n"), SP_CONFIG_DEFAULT);
}

/* How many words of argv the command's name takes, or 0 when it is another one. */
static int matches(const struct command *c, int argc, char **argv)
{
    const char *rest = c->words;
    for (int i = 0; i < argc; i++) {
        size_t n = strcspn(rest, " ");
        if (strlen(argv[i]) != n || strncmp(argv[i], rest, n) != 0) {
            return 0;
        }
        if (!rest[n]) {
            return i + 1;
        }
        rest += n + 1;
    }
    return 0;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
        if (strcmp(argv[i], "--") == 0) {
            return false;
        }
    }
    return false;
}

/* Its words begin with this one, and there are more. */
static bool begins_with(const struct command *c, const char *word)
{
    size_t n = strlen(word);
    return strncmp(c->words, word, n) == 0 && c->words[n] == ' ';
}

/* The first word of commands that have two or three. */
static int incomplete(const char *word)
{
    fprintf(stderr, _("sallyport: \"%s\" is followed by another word:\n"), word);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (begins_with(&commands[i], word)) {
            fprintf(stderr, "  sallyport %s\n", commands[i].words);
        }
    }
    return SP_EXIT_USAGE;
}

static int unknown(int argc, char **argv)
{
    char said[128];
    const char *names[COMMANDS];
    bool family = false;
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].words;
        family = family || begins_with(&commands[i], argv[0]);
    }
    if (family && argc == 1) {
        return incomplete(argv[0]);
    }
    snprintf(said, sizeof said, "%s%s%s", argv[0], family && argc > 1 ? " " : "",
             family && argc > 1 ? argv[1] : "");
    const char *nearest = sp_text_nearest(said, names, COMMANDS);
    if (nearest) {
        fprintf(stderr,
                _("sallyport: there is no command \"%s\"; did you mean \"%s\"? See "
                  "sallyport --help\n"),
                said, nearest);
    } else {
        fprintf(stderr,
                _("sallyport: there is no command \"%s\"; see sallyport --help\n"),
                said);
    }
    return SP_EXIT_USAGE;
}

int sp_cli(int argc, char **argv)
{
    argc--;
    argv++;
    sp_say_in_language();
    if (argc == 0) {
        print_usage(stderr);
        return SP_EXIT_USAGE;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
        strcmp(argv[0], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[0], "--version") == 0) {
        return sp_cmd_version(0, argv);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        int n = matches(&commands[i], argc, argv);
        if (n && wants_help(argc - n, argv + n)) {
            print_head(stdout, _("usage: sallyport "), &commands[i]);
            printf("\n");
            sp_terminal_wrap(stdout, sp_say(commands[i].help), 0, 0);
            return 0;
        }
        if (n) {
            return commands[i].run(argc - n, argv + n);
        }
    }
    return unknown(argc, argv);
}

static const struct sp_option *find_option(const struct sp_option *options,
                                           size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(options[i].name);
        if (strncmp(word, options[i].name, n) == 0 &&
            (word[n] == 0 || (word[n] == '=' && options[i].value))) {
            return &options[i];
        }
    }
    return NULL;
}

int sp_options(int argc, char **argv, const struct sp_option *options, size_t count,
               char ***words)
{
    int left = 0;
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
            continue;
        }
        if (ended || argv[i][0] != '-' || !argv[i][1]) {
            argv[left++] = argv[i];
            continue;
        }
        const struct sp_option *o = find_option(options, count, argv[i]);
        const char *equals = strchr(argv[i], '=');
        if (!o || (o->value && !equals && i + 1 == argc)) {
            fprintf(stderr, _("sallyport: %s %s; see --help\n"),
                    o ? _("there is no value behind") : _("there is no option"),
                    argv[i]);
            return -1;
        }
        if (o->value) {
            *o->value = equals ? equals + 1 : argv[++i];
        }
        if (o->flag) {
            *o->flag = true;
        }
    }
    *words = argv;
    return left;
}

int sp_cmd_usage(const char *words, int left)
{
    for (size_t i = 0; left >= 0 && i < COMMANDS; i++) {
        if (strcmp(commands[i].words, words) == 0) {
            print_head(stderr, _("usage: sallyport "), &commands[i]);
        }
    }
    return SP_EXIT_USAGE;
}

/* What the parts below the commands say of files and connections is English: whoever
 * reads another language is told in it what kind of thing it is. */
static bool is_foreign(const char *text)
{
    bool ascii = true;
    for (const char *c = text; *c; c++) {
        ascii = ascii && (unsigned char)*c < 0x80;
    }
    return ascii && strcmp(sp_say_language(), "en") != 0;
}

int sp_cmd_failed(enum sp_err e, const struct sp_why *why)
{
    static const char lead[] = "sallyport: ";
    const char *meaning = sp_say(sp_err_text(e));
    const char *text = why && why->text[0] ? why->text : meaning;
    char line[2 * SP_WHY_MAX];
    bool foreign = text != meaning && is_foreign(text);
    snprintf(line, sizeof line, "%s%s%s", foreign ? meaning : "", foreign ? ": " : "",
             text);
    fflush(stdout); /* what was said before stands before it */
    fputs(lead, stderr);
    sp_terminal_wrap(stderr, line, sizeof lead - 1, 0);
    return sp_err_exit_status(e);
}
