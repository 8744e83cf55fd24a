"""Nothing is said past the catalogue: in the sources of commands a text that people read stands in
_() or N_() (docs/decisions/0101). What looks like such a text and is none is listed below with
its reason."""
import pathlib
import re
import sys

from common import expect, finish, line_of

SOURCES = ("cli.c", "bar.c", "admin_ask.c", "shown_chain.c", "cmd_*.c", "init_*.c", "bundle_*.c",
           "store_*.c", "doctor_*.c", "config*.c", "imported.c", "csaf.c")
MARKS = {"_", "N_"}
SAYS = {"printf", "fprintf", "fputs", "puts", "sp_why_set", "sp_why_say", "sp_terminal_pad"}
NO_PROSE = {  # file: how texts begin that are the same in every language
    "cli.c": ["  sallyport %s"],
    "cmd_catalog.c": ["  KB%s"],
    "cmd_completion.c": [""],  # the languages of shells
    "cmd_ledger.c": ["c2sp.org/tlog-proof"],
    "cmd_run.c": ["sallyport %s"],
    "cmd_status.c": ["not asked yet"],  # the name of a state
    "cmd_support.c": ["What `", "not to be had"],  # in a file that is sent on
    "cmd_verify.c": ["sallyport: %s", "policy verify", "file-not"],  # a policy
    "config.c": ["no such option"],  # what a library says
    "init_files.c": ["# ", r"\n", "  allow"],  # the configuration
}
TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])+'|#include[^\n]*|"
                   r'"((?:\\.|[^"\\])*)"|(\w+)|([^\s\w])', re.DOTALL)
PLACE = re.compile(r"%(?:\d+\$)?[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|j|z|t)?[a-zA-Z%]")


def words(text):
    """The words of a literal, without places for values and escapes."""
    plain = PLACE.sub(" 0 ", re.sub(r"\\.", " ", text))
    return re.findall(r"(?<![\w-])[A-Za-z]{2,}(?![\w-])", plain)


def is_prose(text, said):
    """What is printed is prose from its first word on; elsewhere several small words make it."""
    found = words(text)
    return bool(found) if said else bool(re.search(r"[a-z]{2,} [a-z]{2,}", PLACE.sub("0", text))
                                         and len(found) > 1)


def literals(text):
    """[[offset, text, marked, said]]; literals side by side are one text, and the call that is
    open around one says what becomes of it."""
    found, calls, before, last = [], [], "", None
    for match in TOKEN.finditer(text):
        literal, name, mark = match.groups()
        if literal is None and name is None and mark is None:
            continue
        if literal is not None and last is not None:
            last[1] += literal
        elif literal is not None:
            around = next((c for c in reversed(calls) if c), "")
            last = [match.start(), literal, around in MARKS, around in SAYS]
            found.append(last)
        else:
            last = None
        if mark == "(":
            calls.append(before)
        elif mark == ")" and calls:
            calls.pop()
        before = name or ""
    return found


def check(where, text, no_prose, commands=()):
    for offset, literal, marked, said in literals(text):
        if not marked and is_prose(literal, said) and literal not in commands and \
                not any(literal.startswith(x) for x in no_prose):
            yield f"{where}:{line_of(text, offset)}: it is not marked: {literal}"
    found = [literal for _, literal, marked, said in literals(text)
             if not marked and is_prose(literal, said)]
    yield from (f"{where}:1: the test need not allow this any more: {x}" for x in no_prose
                if not any(literal.startswith(x) for literal in found))


def self_check():
    def found(text, no_prose=()):
        return len(list(check("x", text, no_prose)))
    expect(found('printf("word %s\\n", x);') == 1 and not found('printf(_("word %s\\n"), x);'),
           "one word that is printed")
    expect(found('f(a ? _("a b") : "there is none");') == 1, "one side of a choice")
    expect(found('return "there " "is none";') == 1, "a text that is handed on")
    expect(not found('// "there is none"\nstrcmp(x, "there"); f("--json"); printf("%s\\n", x);'),
           "names")
    expect(not found('printf("%s", text(row, "name"));'), "a name inside")
    expect(found('printf("%s", is_good(x) ? "good" : y);') == 1, "a choice behind a call")
    expect(not found('printf("sha1:%s there", x);', ["sha1:"]), "what is no prose")
    expect(found("", ["sha1:"]) == 1, "what is allowed for nothing")
    expect(not found('static x[] = {N_("key pinned")};'), "a table")


def main(source):
    self_check()
    folder = pathlib.Path(source, "src/app")
    paths = sorted({path for pattern in SOURCES for path in folder.rglob(pattern)})
    expect(len(paths) > 40, "sources of commands")
    commands = set(re.findall(r'^CMD\("([^"]+)"', (next(folder.rglob("cmds.def"))).read_text(encoding="utf-8"),
                              re.MULTILINE))
    findings, used = [], 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        findings += check(path.relative_to(source).as_posix(), text, NO_PROSE.get(path.name, ()),
                          commands)
        used += sum(marked for _, _, marked, _ in literals(text))
    expect(used > 300, "texts that are marked")
    finish(findings, used)


main(sys.argv[1])
