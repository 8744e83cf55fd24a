"""The house rules of HACKING.md that a machine can see."""
import re
import statistics
import sys

from common import expect, files, finish, line_of, without_comments

BANNED = re.compile(r"\b(goto|alloca|sprintf|vsprintf|strcpy|strcat|gets|strtok|atoi|atol|"
                    r"typedef\s+(?:struct|enum|union))\b")
SWITCH = re.compile(r"^( *)(case\s+([A-Za-z_]\w*)|case\b|default\s*:)")
LATER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
THEIRS = re.compile(r"XML_|UV_|CURL|SQLITE_|Z_|SSL_|X509_|V_|MSPACK_|JSON_|CFG|SIG|E[A-Z0-9]+$")
# clang-format holds code to 88; comments and tables in headers may be a little wider
WIDEST = {".c": 88, ".h": 96, ".def": 132}
LONGEST_FILE = 1000
LONGEST, LONG, LONG_SHARE, MEDIAN = 100, 40, 0.05, 15


def check_lines(name, text):
    widest = WIDEST[name[name.rindex("."):]]
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        if len(line) > widest:
            yield f"{where}: {len(line)} columns, {widest} are allowed"
        if "\t" in line:
            yield f"{where}: a tab"
        if line != line.rstrip():
            yield f"{where}: blanks at the end"
        if LATER.search(line):
            yield f"{where}: what is to be done later is done now or not written here"
    if text.count("\n") > LONGEST_FILE:
        yield f"{name}:1: {text.count(chr(10))} lines, {LONGEST_FILE} are allowed"
    if text and not text.endswith("\n"):
        yield f"{name}:{text.count(chr(10)) + 1}: no line end at the end"


def check_words(name, text):
    code = without_comments(text)
    for match in BANNED.finditer(code):
        yield f"{name}:{line_of(code, match.start())}: {match.group(0)} is not used here"


def check_switches(name, text):
    """default: behind a case that is a name, in the same column, needs a comment that says
    why; behind a number, a character or a library's name it is fine."""
    raw, named = text.split("\n"), {}
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        match = SWITCH.match(line)
        if match and match.group(2).startswith("case"):
            named[match.group(1)] = match.group(3) and not THEIRS.match(match.group(3))
        elif match and named.get(match.group(1)) and "/*" not in raw[number - 1]:
            yield f"{name}:{number}: default: hides the next enumerator"


def guard_of(name):
    top, _, rest = name.partition("/")
    path = {"src": "sp/" + rest, "include": rest}.get(top, name)
    return re.sub(r"[^A-Z0-9]", "_", path.upper())


def check_header(name, text):
    if not text.startswith("/*"):
        yield f"{name}:1: no preamble that says what the module knows"
    if name.endswith(".h"):
        guard = guard_of(name)
        code = without_comments(text).strip()
        if not (re.match(rf"#ifndef {guard}\n#define {guard}\n", code)
                and code.endswith("#endif")):
            yield f"{name}:1: no guard {guard} around all of it"


def functions(text):
    """(name, line of its brace, lines between the braces, body). The house style gives
    functions, and only them, braces alone in the first column."""
    lines = without_comments(text).split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 8):start])
            names = re.findall(r"(\w+)\s*\(", head.split(";")[-1].split("}")[-1])
            yield (names[0] if names else "?", start + 1, number - start - 1,
                   lines[start + 1:number])
            start = None


def check_functions(name, text, lengths):
    for function, line, length, body in functions(text):
        lengths.append(length)
        if length > LONGEST:
            yield f"{name}:{line}: {function} has {length} lines, {LONGEST} are allowed"
        for number, inner in enumerate(body, line + 1):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|else|elif)\b", inner):
                yield f"{name}:{number}: conditional compilation inside of {function}"


def check_lengths(lengths):
    long = sum(length > LONG for length in lengths)
    median = statistics.median(lengths)
    if long > LONG_SHARE * len(lengths):
        yield f"src:1: {long} of {len(lengths)} functions have more than {LONG} lines"
    if median > MEDIAN:
        yield f"src:1: the median function has {median} lines, {MEDIAN} are wanted"


def check_file(name, text, lengths):
    found = [*check_lines(name, text), *check_words(name, text),
             *check_switches(name, text)]
    if not name.startswith("tests/"):
        found += check_functions(name, text, lengths)
    if name.endswith((".h", ".def")):
        found += check_header(name, text)
    return found


def self_check():
    def found(text, name="src/a/b.c"):
        return check_file(name, text, [])
    good = ["int f(void)\n{\n    return 0; /* goto, atoi(x) */\n}\n",
            's = "goto\\" strcpy(";\n', "  case A:\n  default: /* theirs */\n",
            "    case EINTR:\n    default:\n",
            "    case XML_ERROR_X:\n    default:\n", "    case 'a':\n    default:\n", "    case 1:\n    default:\n",
            "int snprintf_like;\n", "#if X\nint f(void)\n{\n}\n#endif\n", "a" * 88 + "\n"]
    bad = ["    goto end;\n", "    strcpy(a, b);\n", "    x = atoi(s);\n", "    case A:\n    default:\n",
           "typedef struct x x;\n", "a" * 89 + "\n", "\tint x;\n", "int x; \n", "int x;",
           "/* " + "TO" + "DO */\n", "\n" * 1001, "int f(void)\n{\n#if X\n}\n",
           "int f(void)\n{\n" + "    x();\n" * 101 + "}\n"]
    for text in good:
        expect(not found(text), f"this is good: {text[:60]!r}")
    for text in bad:
        expect(len(found(text)) == 1, f"this is bad: {text[:60]!r}")
    header = "/* What. */\n#ifndef SP_A_B_H\n#define SP_A_B_H\n#endif\n"
    expect(not found(header, "src/a/b.h"), "a good header")
    expect(found(header, "src/a/c.h") and found(header[12:], "src/a/b.h"), "a bad header")
    expect(guard_of("include/sallyport/x.h") == "SALLYPORT_X_H", "a public guard")
    expect(guard_of("tests/unit/unit.h") == "TESTS_UNIT_UNIT_H", "a test's guard")
    expect(len(list(check_lengths([5] * 18 + [41] * 2))) == 1, "too many long functions")
    expect(len(list(check_lengths([16] * 20))) == 1, "a high median")
    expect([f[0] for f in functions("int x;\nstatic int\nf(int a)\n{\n}\n")] == ["f"], "a name")


def main(source):
    self_check()
    findings, lengths = [], []
    sources = files(source, ("src", "include", "tests"), {".c", ".h", ".def"})
    for name, text in sources:
        findings += check_file(name, text, lengths)
    findings += check_lengths(lengths)
    print(f"{len(lengths)} functions: median {statistics.median(lengths)} lines, "
          f"{sum(length > LONG for length in lengths)} over {LONG}, longest {max(lengths)}")
    finish(findings, len(sources))


main(sys.argv[1])
