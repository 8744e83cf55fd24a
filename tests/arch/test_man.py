"""Documents say what the tables say: every command, option and configuration key with its
default, every exit status, every edge between stations, and nothing that is not there. The
examples of the configuration use known keys only."""
import pathlib
import re
import shutil
import subprocess
import sys

from common import expect, finish, line_of

SECTIONS = {"TOP": "TOP LEVEL"}  # heading in sallyport.conf(5), where it is not the same
GLOBAL_OPTIONS = {"--help", "--version"}
STRING = r'"((?:\\.|[^"\\])*)"'


def plain(text):
    """roff text without its escapes."""
    return text.replace("\\-", "-").replace("\\(dq", '"').replace("\\(bu", "*")


def commands(text):
    """[words and arguments] of cmds.def."""
    rows = re.findall(rf"^CMD\({STRING}, \w+,\s*{STRING},", text, re.MULTILINE)
    return [f"{words} {arguments}".strip() for words, arguments in rows]


def keys(text):
    """[(section, key, default as the file writes it)] of config.def."""
    rows = re.findall(rf"^KEY\((\w+), (\w+), (\w+),\s*(?:{STRING}|(\d+)),", text, re.MULTILINE)
    return [(section, key, "{}" if kind == "LIST" else number if kind == "INT" else f'"{text}"')
            for section, key, kind, text, number in rows]


def statuses(text):
    return {int(n) for n in re.findall(r"^ERR\(\w+, (\d+),", text, re.MULTILINE)}


def edges(text):
    return re.findall(r"^EDGE\((\w+), (\w+)\)", text, re.MULTILINE)


def options(text):
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*(?![\w-])", text))


def chapter(page, heading):
    """What stands below .SH heading."""
    match = re.search(rf"^\.SH {re.escape(heading)}\n(.*?)(?=^\.SH |\Z)", page,
                      re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def differences(where, wanted, found):
    """wanted and found as sets of texts; each difference is a finding."""
    return ([f"{where}:1: it does not say: {x}" for x in sorted(set(wanted) - set(found))]
            + [f"{where}:1: no table knows: {x}" for x in sorted(set(found) - set(wanted))])


def check_commands(where, page, table):
    found = [plain(x) for x in re.findall(r"^\.SS (.*)$", chapter(page, "COMMANDS"), re.MULTILINE)]
    known = options(" ".join(table)) | GLOBAL_OPTIONS
    text = "\n".join(x for x in page.splitlines() if not x.startswith('.\\"'))
    return differences(where, table, found) + differences(where, known, options(plain(text)))


def check_statuses(where, page, table):
    found = re.findall(r"^\.TP\n\.B (\d+)$", chapter(page, "EXIT STATUS"), re.MULTILINE)
    return differences(where, {str(n) for n in table | {0, 1, 2}}, found)


def check_keys(where, page, table):
    findings = []
    for section in dict.fromkeys(s for s, _, _ in table):
        heading = SECTIONS.get(section, section)
        wanted = [f"{heading}: {k} = {d}" for s, k, d in table if s == section]
        found = [f"{heading}: {plain(x)}" for x in
                 re.findall(r"^\.TP\n\.B (.*)$", chapter(page, heading), re.MULTILINE)]
        findings += differences(where, wanted, found)
    return findings


TOKEN = re.compile(rf"#[^\n]*|//[^\n]*|{STRING}|(\w+)|([={{}},])")


def keys_used(text):
    """[(section, key, offset)] of a configuration; ValueError where it cannot be read."""
    tokens = [(m[0], m.start()) for m in TOKEN.finditer(text) if m[0][0] != "#"]
    found, section, i = [], "TOP", 0
    while i < len(tokens):
        (word, at), rest = tokens[i], [t for t, _ in tokens[i + 1:i + 4]]
        if word == "}" and section != "TOP":
            section, i = "TOP", i + 1
        elif rest[:1] == ["="] and rest[1:2] == ["{"]:
            found.append((section, word, at))
            i += 4
            while tokens[i - 1][0] != "}":
                i += 1
        elif rest[:1] == ["="] and len(rest) > 1:
            found.append((section, word, at))
            i += 3
        elif section == "TOP" and "{" in rest[:2]:
            section, i = word.upper(), i + 2 + rest.index("{")
        else:
            raise ValueError(f"{word} at {at}")
    return found


def check_example(where, text, table):
    known = {(s, k) for s, k, _ in table}
    try:
        used = keys_used(text)
    except (ValueError, IndexError) as broken:
        return [f"{where}:1: the example cannot be read: {broken}"]
    return [f"{where}:{line_of(text, at)}: the example has an unknown key: {s} {k}"
            for s, k, at in used if (s, k) not in known]


def examples(text):
    """The configurations in Markdown or roff: blocks that name an upstream."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^\.EX\n(.*?)^\.EE", text, re.MULTILINE | re.DOTALL)
    return [plain(b) for b in blocks if re.search(r'^upstream "', plain(b), re.MULTILINE)]


def kinds(text):
    """The kinds of entries, as the row of their fact lists them."""
    row = re.search(rf"^FACT\(ENTRY_KIND, {STRING}, TEXT,\s+{STRING}\)$", text, re.MULTILINE)
    return row[2].split(", ") if row else []


def kinds_used(text):
    """Kinds that a source names; in some places others stand beside them."""
    found = re.findall(rf"sp_facts_entry\(\s*[^,;]*,\s*{STRING}", text)
    found += re.findall(rf"FACT_ENTRY_KIND,\s*(?:SP_VIEW\()?{STRING}", text)
    return set(found)


def check_kinds(where, page, table):
    found = re.findall(r"^\.TP\n\.B (\S+)$", chapter(page, "KINDS"), re.MULTILINE)
    return differences(where, table, found)


def check_edges(where, text, table):
    rows = re.findall(r"^    ([A-Z]+) +-> +([A-Z ]+)$", text, re.MULTILINE)
    found = [f"{a} -> {b}" for a, others in rows for b in others.split()]
    return differences(where, [f"{a} -> {b}" for a, b in table], found)


def rules(text):
    """"rule: meaning" of rules.def."""
    rows = re.findall(rf"^RULE\(\w+, {STRING}, \w+,\s*{STRING}\)", text, re.MULTILINE)
    return [f"{name}: {meaning.lower()}" for name, meaning in rows]


def check_rules(where, page, table):
    rows = re.findall(r"^\.TP\n\.B (\S+)\n(.*)\.$", plain(chapter(page, "RULES")), re.MULTILINE)
    return differences(where, table, [f"{name}: {text.lower()}" for name, text in rows])


def codes(text):
    """"code | name | status" of windows.def."""
    rows = re.findall(rf"^WINDOWS\((\d+), (0x[0-9A-F]+), {STRING}\)", text, re.MULTILINE)
    return [f"{code} | {name} | {status}" for status, code, name in rows]


def check_codes(where, text, table):
    rows = re.findall(r"^\| (0x[0-9A-F]+ \| WU_\w+ \| \d+) \|", text, re.MULTILINE)
    return [f"{where}:1: it does not say: {row}" for row in table if row not in rows]


def check_guide(where, text, known):
    """Every `sallyport WORDS` of a guide is a command."""
    names = {" ".join(words) for c in known
             for words in [re.match(r"[a-z-]+(?: [a-z-]+)*", c)[0].split()]}
    findings = []
    for match in re.finditer(r"(?:`|^ {4})sallyport ([a-z-]+(?: [a-z-]+)*)", text, re.MULTILINE):
        words = match[1].split()
        if not any(" ".join(words[:n]) in names for n in range(1, len(words) + 1)):
            findings.append(f"{where}:{line_of(text, match.start())}: no such command: {match[1]}")
    return findings


def lint(where, path):
    groff = shutil.which("groff")
    if not groff:
        print(f"SKIPPED: groff is not here to read {where}")
        return []
    done = subprocess.run([groff, "-ww", "-man", "-z", "-Tutf8", path], capture_output=True,
                          text=True, timeout=60, check=False)
    return [f"{where}:1: groff: {x}" for x in done.stderr.splitlines()]


def self_check():
    expect(len(check_guide("x", "`sallyport frob x`\n    sallyport ledger list\n", {"ledger list"}))
           == 1, "a command in a guide")
    expect(len(check_rules("x", ".SH RULES\n.TP\n.B a\\-b\nHolds.\n", ["a-b: fails", "c: d"])) == 3,
           "a rule")
    expect(check_codes("x", "| 0x1 | WU_A | 400 |", ["0x1 | WU_A | 400", "0x2 | WU_B | 401"])
           == ["x:1: it does not say: 0x2 | WU_B | 401"], "a code in a guide")
    page = (".SH COMMANDS\n.SS run \\-c FILE\n.SS stop\n.SH OPTIONS\n.TP\n.B \\-c FILE\n"
            ".B \\-\\-help \\-\\-version well\\-known\n"
            ".SH EXIT STATUS\n.TP\n.B 0\n.TP\n.B 1\n.TP\n.B 2\n"
            ".SH LOG\n.TP\n.B level = \\(dqa\\-b\\(dq\n")
    table = commands('CMD("run", f, "-c FILE", "help")\nCMD("stop", g, "", "")\n')
    expect(table == ["run -c FILE", "stop"], "rows of commands")
    expect(not check_commands("p", page, table), "a page that is right")
    expect(len(check_commands("p", page, table[:1])) == 1, "a command that is gone")
    expect(len(check_commands("p", page, [*table, "new --json"])) == 2, "a command, an option")
    expect(not check_statuses("p", page, set()), "exit statuses")
    expect(len(check_statuses("p", page, {9})) == 1, "an exit status that is missing")
    rows = keys('KEY(LOG, level, STR, "a-b", "x")\nKEY(TOP, n, INT, 0, "x")\n'
                'KEY(TOP, l, LIST, "", "x")\n')
    expect(rows == [("LOG", "level", '"a-b"'), ("TOP", "n", "0"), ("TOP", "l", "{}")], "rows")
    expect(not check_keys("p", page, rows[:1]), "keys")
    expect(len(check_keys("p", page, [("LOG", "level", '"c"')])) == 2, "another default")
    expect(kinds('FACT(ENTRY_KIND, "entry.kind", TEXT, "a, b")\n') == ["a", "b"], "kinds")
    expect(kinds_used('sp_facts_entry(f, "a", 1); x(F, SP_FACT_ENTRY_KIND,\n SP_VIEW("b"))')
           == {"a", "b"}, "kinds that are used")
    expect(len(check_kinds("p", ".SH KINDS\n.TP\n.B a\n.SH X\n", ["a", "b"])) == 1, "a kind")
    good = 'n = 0 # n = {\nlog { level = "a { b" }\nl = { "x", "y" }\n'
    expect(not check_example("p", good, rows), "an example")
    expect(len(check_example("p", "level = 1\n", rows)) == 1, "a key in the wrong section")
    expect(len(check_example("p", "log level\n", rows)) == 1, "no configuration")
    expect(examples('```\nupstream "a" {\n```\n.EX\nupstream \\(dqb\\(dq {\n.EE\n') ==
           ['upstream "a" {\n', 'upstream "b" {\n'], "where examples stand")
    expect(not check_edges("p", "    A  -> B C\n", [("A", "B"), ("A", "C")]), "edges")
    expect(len(check_edges("p", "    A  -> B C\n", [("A", "B"), ("B", "C")])) == 2, "an edge")


def main(source):
    self_check()
    root = pathlib.Path(source)

    def read(name):
        return (root / name).read_text(encoding="utf-8")
    table = {}
    for name, file, macro, rows_of in (("commands", "src/app/cmd/cmds.def", "CMD(", commands),
                                       ("keys", "src/app/config/config.def", "KEY(", keys),
                                       ("edges", "src/core/gate/edges.def", "EDGE(", edges)):
        text = read(file)
        table[name] = rows_of(text)
        rows = sum(line.startswith(macro) for line in text.splitlines())
        expect(0 < rows == len(table[name]), f"{file}: a row that cannot be read")
    man1, man5 = "docs/man/sallyport.1", "docs/man/sallyport.conf.5"
    policy5 = "docs/man/sallyport-policy.5"
    findings = check_commands(man1, read(man1), table["commands"])
    findings += check_statuses(man1, read(man1), statuses(read("src/core/base/err.def")))
    findings += check_keys(man5, read(man5), table["keys"])
    ledger = "docs/man/sallyport-ledger.5"
    known = kinds(read("src/core/custody/facts.def"))
    expect(len(known) > 5, "the kinds of entries cannot be read")
    findings += check_kinds(ledger, read(ledger), known)
    for path in sorted(root.glob("src/**/*.c")):
        findings += [f"{path.relative_to(root)}:1: no kind of entry: {x}" for x in
                     sorted(kinds_used(path.read_text(encoding="utf-8")) - set(known))]
    findings += check_edges("docs/ARCHITECTURE.md", read("docs/ARCHITECTURE.md"), table["edges"])
    guides = sorted(p.relative_to(root).as_posix() for p in root.glob("docs/guides/*.md"))
    for name in guides:
        findings += check_guide(name, read(name), {c.split(" [")[0] for c in table["commands"]})
        for text in examples(read(name)):
            findings += check_example(name, text, table["keys"])
    findings += check_codes("docs/guides/troubleshooting.md", read("docs/guides/troubleshooting.md"),
                            codes(read("src/core/gate/windows.def")))
    findings += check_rules(policy5, read(policy5), rules(read("src/core/policy/rules.def")))
    for name in (man5, "README.md"):
        found = examples(read(name))
        expect(bool(found), f"{name} has no example")
        for text in found:
            findings += check_example(name, text, table["keys"])
    for name in sorted(p.relative_to(root).as_posix() for p in root.glob("docs/man/*")):
        findings += lint(name, root / name)
    finish(findings, sum(len(rows) for rows in table.values()))


main(sys.argv[1])
