"""The core is pure: its objects call nothing that opens, reads a clock, starts a thread or
draws chance, and keep no variable that lives on. Judged by the symbols of libcore.a against
purity.allow."""
import pathlib
import re
import subprocess
import sys

from common import expect, finish

SANITIZED = ("__asan_", "__tsan_", "__ubsan_", "__sanitizer_cov")
WRITABLE = re.compile(r"^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)")


def parse_allow(text):
    """[(name or prefix with '*', [objects])], [(variable, object)]"""
    calls, data = [], []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["data"]:
            data.append((words[1], words[2]))
        elif words:
            calls.append((words[0], words[1:]))
    return calls, data


def is_allowed(symbol, member, calls):
    return any((symbol == name or (name[-1] == "*" and symbol.startswith(name[:-1])))
               and (not members or member in members) for name, members in calls)


def parse_nm(text):
    """nm -A --format=posix: "libcore.a[x.c.o]: name type ..." -> [(member, name, type)]"""
    rows = re.findall(r"^[^\[\n]*\[([^\]]+)\]: (\S+) (\S)", text, re.MULTILINE)
    return [(member, name, kind) for member, name, kind in rows]


def check_calls(symbols, calls):
    own = {name for _, name, kind in symbols if kind.isupper() and kind != "U"}
    for member, name, kind in symbols:
        if kind in "Uvw" and name not in own and not is_allowed(name, member, calls):
            yield f"{member}:1: {name} is not in tests/arch/purity.allow for this object"


def parse_objdump(text):
    """objdump -t: [(member, section, name)] of the objects that hold data."""
    rows, member = [], "?"
    for line in text.splitlines():
        if match := re.match(r"(\S+):\s+file format", line):
            member = match.group(1)
        elif match := re.match(r"[0-9a-f]+ .{6}O (\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$",
                               line):
            rows.append((member, match.group(1), match.group(2)))
        elif match := re.match(r"[0-9a-f]+ .{7} (\*COM\*)\s+[0-9a-f]+\s+(\S+)$", line):
            rows.append((member, match.group(1), match.group(2)))
    return rows


def check_data(objects, data):
    for member, section, name in objects:
        # constants that hold addresses are written once, by the loader
        if (WRITABLE.match(section) and not section.startswith(".data.rel.ro")
                and (name, member) not in data):
            yield f"{member}:1: {name} in {section} is state that outlives a call"


def self_check():
    calls, data = parse_allow("memcpy\nEVP_* # why\nabort err.c.o\ndata table a.c.o\n")
    symbols = parse_nm("libcore.a[a.c.o]: sp_a T 0 4\nlibcore.a[b.c.o]: sp_a U         \n"
                       "libcore.a[b.c.o]: memcpy U\nlibcore.a[b.c.o]: EVP_sha256 U\n"
                       "libcore.a[err.c.o]: abort U\nlibcore.a[b.c.o]: abort U\n"
                       "libcore.a[b.c.o]: open U\nlibcore.a[b.c.o]: memcpyx U\n")
    found = [f.split()[:2] for f in check_calls(symbols, calls)]
    expect(found == [["b.c.o:1:", "abort"], ["b.c.o:1:", "open"], ["b.c.o:1:", "memcpyx"]],
           f"three planted calls, found {found}")
    objects = parse_objdump("a.c.o:     file format elf64-x86-64\n"
                            "0000000000000000 l     O .rodata\t0000000000000010 text\n"
                            "0000000000000000 l     O .data.rel.ro.local\t10 rows\n"
                            "0000000000000000 l     O .data\t0000000000000004 table\n"
                            "0000000000000000 l     O .bss\t0000000000000004 counter\n"
                            "0000000000000004       O *COM*\t0000000000000004 common\n")
    found = [f.split()[1] for f in check_data(objects, data)]
    expect(found == ["counter", "common"], f"two planted variables, found {found}")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(source, build):
    self_check()
    library = pathlib.Path(build, "libcore.a")
    allow = pathlib.Path(source, "tests/arch/purity.allow").read_text(encoding="utf-8")
    calls, data = parse_allow(allow)
    symbols = parse_nm(run("nm", "-A", "--format=posix", str(library)))
    findings = list(check_calls(symbols, calls))
    if any(name.startswith(SANITIZED) for _, name, _ in symbols):
        print("SKIP: variables are not looked at: sanitizers add their own")
    else:
        objects = parse_objdump(run("objdump", "-t", str(library)))
        expect(objects, "objdump shows no object at all")
        findings += check_data(objects, data)
    finish(findings, len(symbols))


main(sys.argv[1], sys.argv[2])
