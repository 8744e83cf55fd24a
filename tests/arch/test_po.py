"""The Japanese catalogue has every text that people read, and nothing else: none missing, none
fuzzy, none left over, and each with the same places for values as the text it stands for."""
import pathlib
import re
import shutil
import subprocess
import sys

from common import expect, finish

TEXT = r'((?:"(?:\\.|[^"\\])*"\s*)+)'
ENTRY = re.compile(rf"^msgid {TEXT}\nmsgstr {TEXT}", re.MULTILINE)
PLACE = re.compile(r"%(?:(\d+)\$)?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?(hh|h|ll|l|j|z|t)?([a-zA-Z%])")


def joined(text):
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', text))


def entries(text):
    """[(flags and other comments, msgid, msgstr)] without the header."""
    found = []
    for block in re.split(r"\n{2,}", text):
        if match := ENTRY.search(block + "\n"):
            comments = [line for line in block.splitlines() if line.startswith("#")]
            found.append((comments, joined(match[1]), joined(match[2])))
    return [row for row in found if row[1]]


def places(text):
    """{number: kind} of the values that a format takes."""
    found, number = {}, 0
    for at, _, width, precision, size, kind in PLACE.findall(text):
        if kind == "%":
            continue
        for star in (width, precision):
            if star == "*":
                number += 1
                found[number] = "*"
        number += 1
        found[int(at) if at else number] = size + kind
    return found


def check_catalogue(where, wanted, found):
    """wanted: texts; found: entries of the catalogue."""
    have = {text: (comments, said) for comments, text, said in found}
    yield from (f"{where}:1: it is missing: {t}" for t in sorted(set(wanted) - set(have)))
    yield from (f"{where}:1: nobody says: {t}" for t in sorted(set(have) - set(wanted)))
    for text, (comments, said) in have.items():
        if not said:
            yield f"{where}:1: it is not translated: {text}"
        elif any(c.startswith("#,") and "fuzzy" in c for c in comments):
            yield f"{where}:1: it is fuzzy: {text}"
        elif places(text) != places(said):
            yield f"{where}:1: its values are not those of the text: {text}"
        elif (text.startswith("\\n"), text.endswith("\\n")) != (said.startswith("\\n"),
                                                               said.endswith("\\n")):
            yield f"{where}:1: its lines do not begin and end as those of the text: {text}"


def self_check():
    expect(places("%s %zu %% %-8.*s %2$d") == {1: "s", 2: "d", 3: "*", 4: "s"}, "places")
    expect(places("%2$s %1$d") == places("%d %s"), "places in another order")
    expect(places("%ju") != places("%d"), "another kind")
    rows = entries('msgid ""\nmsgstr "x"\n\n#: a.c\n#, fuzzy, c-format\nmsgid ""\n"a %s\\n"\n'
                   '"b"\nmsgstr "c %s"\n')
    expect(rows == [(["#: a.c", "#, fuzzy, c-format"], r"a %s\nb", "c %s")], "an entry")

    def found(text, said, comments=(), wanted=None):
        return list(check_catalogue("p", [text] if wanted is None else wanted,
                                    [(list(comments), text, said)]))
    expect(not found("a %s", "b %s"), "a good one")
    expect(len(found("a", "")) == 1 and len(found("a", "b", ["#, fuzzy"])) == 1, "not done")
    expect(len(found("a %s", "b")) == 1 and len(found("a\\n", "b")) == 1, "not the same shape")
    expect(len(found("a", "b", wanted=["a", "c"])) == 1, "a missing one")
    expect(len(found("a", "b", wanted=[])) == 1, "one too many")


def main(source):
    self_check()
    root = pathlib.Path(source)
    if not shutil.which("xgettext"):
        print("SKIPPED: gettext is not here to read the sources")
        return
    made = subprocess.run([root / "scripts/po", "--template"], capture_output=True, text=True,
                          timeout=120, check=True)
    wanted = [text for _, text, _ in entries(made.stdout)]
    expect(len(wanted) > 400, "texts of the sources")
    findings = [f"po:1: a value that the catalogue cannot hold, write %ju: {text}"
                for text in wanted if "<PRI" in text]
    catalogue = (root / "po/ja.po").read_text(encoding="utf-8")
    findings += check_catalogue("po/ja.po", wanted, entries(catalogue))
    done = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", root / "po/ja.po"],
                          capture_output=True, text=True, timeout=60, check=False)
    findings += [f"po/ja.po:1: msgfmt: {line}" for line in done.stderr.splitlines()]
    if findings:
        print("scripts/po brings po/ja.po up to date; then translate what it added.")
    finish(findings, len(wanted))


main(sys.argv[1])
