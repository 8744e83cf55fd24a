"""What the architecture tests share: the source files, C text without its comments, and
one way to end. A finding is "file:line: what is wrong"."""
import pathlib
import re
import sys

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def without_comments(text, keep_strings=False):
    """The same text with comments (and strings) blanked; every line stays where it is."""
    def blank(match):
        token = match.group(0)
        if keep_strings and token[0] in "\"'":
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKEN.sub(blank, text)


def files(source, folders, suffixes):
    """(path relative to source as text, content), sorted."""
    found = []
    for folder in folders:
        for path in sorted(pathlib.Path(source, folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                found.append((path.relative_to(source).as_posix(),
                              path.read_text(encoding="utf-8")))
    return found


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def expect(condition, what):
    """For the self-checks: a checker that cannot find what was planted is broken."""
    if not condition:
        sys.exit(f"self-check failed: {what}")


def finish(findings, looked_at):
    expect(looked_at > 0, "nothing was looked at")
    for finding in findings:
        print(finding)
    print(f"{looked_at} looked at, {len(findings)} findings")
    sys.exit(1 if findings else 0)
