"""README.ja.md says what README.md says, as far as a machine can see: the same chapters in the
same order, the same commands, configuration, values in code, links and rows of tables."""
import pathlib
import re
import sys

from common import expect, finish

OTHER = re.compile(r"^\[[^]]+\]\(README(?:\.ja)?\.md\)$", re.MULTILINE)


def chapters(text):
    """[(level, lines)]: what stands below each heading, fenced blocks taken for text."""
    found, fenced = [], False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            found.append((line.count("#", 0, line.index(" ")), []))
        elif found:
            found[-1][1].append(line)
    return found


def code_of(lines):
    """Lines of blocks without what is said about them: comments, and the second column."""
    kept, fenced = [], False
    for line in lines:
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            bare = re.sub(r"\s+#\s.*$", "", line).rstrip()
            kept.append(re.split(r"(?<=\S)\s{2,}(?=\S)", bare)[0] if "sallyport " in bare[:14]
                        else bare)
    return [line for line in kept if line]


def outside(lines):
    text, fenced = [], False
    for line in lines:
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            text.append(line)
    return "\n".join(text)


def facts(lines):
    """What must be the same in both languages."""
    text = outside(lines)
    return {"code": code_of(lines), "values": sorted(set(re.findall(r"`([^`]+)`", text))),
            "links": re.findall(r"\]\(([^)]+)\)", text),
            "rows": len(re.findall(r"^\|", text, re.MULTILINE)),
            "points": len(re.findall(r"^(?:-|\d\.) ", text, re.MULTILINE))}


def compare(english, japanese):
    a, b = chapters(OTHER.sub("", english)), chapters(OTHER.sub("", japanese))
    if [level for level, _ in a] != [level for level, _ in b]:
        yield f"README.ja.md:1: {len(b)} chapters, README.md has {len(a)}, or other levels"
        return
    for number, ((_, one), (_, two)) in enumerate(zip(a, b), 1):
        wanted, found = facts(one), facts(two)
        for what, value in wanted.items():
            if found[what] != value:
                yield (f"README.ja.md:1: chapter {number}: {what}: README.md has {value}, "
                       f"it has {found[what]}")


def self_check():
    a = "# t\n[x](README.ja.md)\n## A\nsay `x` and [l](m)\n\n    sallyport x   does\n- p\n"
    b = "# t\n[y](README.md)\n## あ\n`x` と [く](m)\n\n    sallyport x   する\n- て\n"
    expect(not list(compare(a, b)), "the same in another language")
    for old, new in (("`x`", "`y`"), ("(m)", "(n)"), ("sallyport x", "sallyport y"),
                     ("- て", "て"), ("## あ", "# あ"), ("## あ\n", "")):
        expect(list(compare(a, b.replace(old, new))), f"{old} that became {new}")


def main(source):
    self_check()
    root = pathlib.Path(source)
    english = (root / "README.md").read_text(encoding="utf-8")
    japanese = (root / "README.ja.md").read_text(encoding="utf-8")
    findings = list(compare(english, japanese))
    findings += [f"README.ja.md:1: it links to {link}, which is not there"
                 for link in re.findall(r"\]\(([^):#]+)\)", japanese)
                 if not (root / link).exists()]
    finish(findings, len(chapters(english)))


main(sys.argv[1])
