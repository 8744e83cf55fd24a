/* Completions, from the same table the commands are found in. */
#include "app/cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct row {
    const char *words, *arguments, *help;
} rows[] = {
#define CMD(words, function, arguments, help) {words, arguments, help},
#include "app/cmd/cmds.def"
#undef CMD
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* The next option in a row's arguments, from *at on: "--json" of "[--json] FILE"; false
 * at their end. */
static bool next_option(const char **at, const char **option, size_t *len)
{
    const char *p = *at;
    while ((p = strchr(p, '-')) != NULL) {
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
        bool begins = p == *at || strchr(" [|", p[-1]) != NULL;
        if (begins && n > 1) {
            *option = p;
            *len = n;
            *at = p + n;
            return true;
        }
        p += n;
    }
    return false;
}

static void print_options(const char *arguments, const char *before)
{
    const char *option = NULL;
    size_t len = 0;
    while (next_option(&arguments, &option, &len)) {
        printf("%s%.*s", before, (int)len, option);
    }
}

/* First words, each once, in the order of the table. */
static bool is_first_of_its_kind(size_t i)
{
    size_t n = strcspn(rows[i].words, " ");
    for (size_t k = 0; k < i; k++) {
        if (strncmp(rows[k].words, rows[i].words, n) == 0 &&
            (rows[k].words[n] == ' ' || !rows[k].words[n])) {
            return false;
        }
    }
    return true;
}

/* What bash and zsh both read: choices grows by what may follow what was said. */
static void print_choices(void)
{
    printf("    [[ -z $said ]] && choices+=(help");
    for (size_t i = 0; i < ROWS; i++) {
        if (is_first_of_its_kind(i)) {
            printf(" %.*s", (int)strcspn(rows[i].words, " "), rows[i].words);
        }
    }
    printf(")\n");
    for (size_t i = 0; i < ROWS; i++) {
        const char *words = rows[i].words, *space = strchr(words, ' ');
        for (; space; space = strchr(space + 1, ' ')) {
            printf("    [[ $said == '%.*s' ]] && choices+=(%.*s)\n",
                   (int)(space - words), words, (int)strcspn(space + 1, " "),
                   space + 1);
        }
        printf("    [[ $said == '%s' || $said == '%s '* ]] && choices+=(", words,
               words);
        print_options(rows[i].arguments, " ");
        printf(" )\n");
    }
}

static void print_bash(void)
{
    printf("# bash completion of sallyport %s\n_sallyport() {\n"
           "    local at=${COMP_WORDS[COMP_CWORD]} "
           "said=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n    local -a choices=()\n",
           SP_VERSION);
    print_choices();
    printf("    mapfile -t COMPREPLY < <(compgen -W \"${choices[*]}\" -- \"$at\" | "
           "sort -u)\n"
           "    [[ ${#COMPREPLY[@]} -gt 0 ]] ||\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$at\")\n"
           "}\ncomplete -o filenames -F _sallyport sallyport\n");
}

static void print_zsh(void)
{
    printf(
        "#compdef sallyport\n_sallyport() {\n"
        "    local said=\"${(j: :)words[2,CURRENT-1]}\"\n    local -aU choices=()\n");
    print_choices();
    printf("    (( $#choices )) && compadd -- $choices\n    _files\n}\n"
           "_sallyport \"$@\"\n");
}

static void print_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        printf(*text == '\'' ? "\\'" : "%c", *text);
    }
    putchar('\'');
}

static void print_fish(void)
{
    printf("# fish completion of sallyport %s\n"
           "function __sallyport_said\n"
           "    test (string join ' ' (commandline -opc)[2..]) = \"$argv\"\nend\n"
           "function __sallyport_in\n"
           "    string match -q -- \"$argv *\" (string join ' ' (commandline "
           "-opc)[2..])' '\n"
           "end\n",
           SP_VERSION);
    for (size_t i = 0; i < ROWS; i++) {
        const char *words = rows[i].words, *arguments = rows[i].arguments;
        const char *last = strrchr(words, ' '), *option = NULL;
        size_t len = 0;
        printf("complete -c sallyport -n '__sallyport_said %.*s' -a %s -d ",
               last ? (int)(last - words) : 0, words, last ? last + 1 : words);
        print_quoted(rows[i].help);
        putchar('\n');
        while (next_option(&arguments, &option, &len)) {
            size_t dashes = option[1] == '-' ? 2 : 1;
            printf("complete -c sallyport -n '__sallyport_in %s' -%c %.*s\n", words,
                   dashes == 2 ? 'l' : 's', (int)(len - dashes), option + dashes);
        }
    }
}

int sp_cmd_completion(int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    char **words = NULL;
    int left = sp_options(argc, argv, NULL, 0, &words);
    for (size_t i = 0; left == 1 && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(words[0], shells[i].shell) == 0) {
            shells[i].print();
            return 0;
        }
    }
    if (left >= 0) {
        return sp_cmd_usage("completion", left);
    }
    return SP_EXIT_USAGE;
}
