"""src/LAYERS holds: who includes whom, and where third-party headers may stand. Tests may
include anything. The core includes ISO C and compiler intrinsics only."""
import pathlib
import re
import sys

from common import expect, files, finish, line_of, without_comments

ISO_C = set("""assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h
    locale.h math.h setjmp.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h
    stdio.h stdlib.h stdnoreturn.h string.h tgmath.h time.h uchar.h wchar.h wctype.h""".split())
IMPURE = {"locale.h", "setjmp.h", "stdatomic.h"}
INTRINSICS = {"immintrin.h", "emmintrin.h", "tmmintrin.h", "smmintrin.h", "cpuid.h"}
SYSTEM = set("""arpa/inet.h dirent.h fcntl.h getopt.h grp.h ifaddrs.h net/if.h netdb.h
    linux/audit.h linux/filter.h linux/landlock.h linux/seccomp.h
    netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h sched.h semaphore.h signal.h spawn.h
    strings.h sys/epoll.h sys/eventfd.h sys/file.h sys/ioctl.h sys/mman.h sys/prctl.h
    sys/random.h sys/resource.h sys/sendfile.h sys/signalfd.h sys/socket.h sys/stat.h
    sys/statvfs.h sys/syscall.h sys/time.h sys/timerfd.h sys/types.h sys/uio.h sys/un.h
    sys/utsname.h sys/wait.h sys/xattr.h syslog.h termios.h threads.h unistd.h""".split())
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def parse(text):
    """({layer: {layers}}, {third-party header: [places]})"""
    layers, fences = {}, {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("@"):
            header, _, places = line[1:].partition(":")
            fences[header] = places.split()
        elif line:
            layer, _, others = line.partition(":")
            layers[layer] = set(others.split())
    for others in layers.values():
        for folder in [x for x in others if x.endswith("/")]:
            others.remove(folder)
            others |= {x for x in layers if x.startswith(folder)}
    return layers, fences


def cycles(layers):
    left = {layer: others & set(layers) for layer, others in layers.items()}
    while free := [layer for layer, others in left.items() if not others & set(left)]:
        for layer in free:
            del left[layer]
    return sorted(left)


def layer_of(path, layers):
    """path is relative to src; None where no layer covers it."""
    return next((x for x in layers if path.startswith((x + "/", x + "."))), None)


def stands_in(path, place):
    return path.startswith(place) and path[len(place):len(place) + 1] in ("/", ".", "_")


def fence_of(header, fences):
    return next((f for f in fences if header == f or (f[-1] == "/" and header.startswith(f))),
                None)


def check_third_party(path, header, fences):
    fence = fence_of(header, fences)
    is_core = path.startswith(("core/", "sallyport/"))
    if fence:
        if not any(stands_in(path, place) for place in fences[fence]):
            return f"<{header}> belongs to {' '.join(fences[fence])} only"
    elif is_core and header not in (ISO_C - IMPURE) | INTRINSICS:
        return f"<{header}> has no place in the core"
    elif not is_core and header not in ISO_C | INTRINSICS | SYSTEM and not (
            header.startswith("linux/")):
        return f"<{header}> is not named in src/LAYERS"
    return None


def check_own(path, header, layers):
    if header.startswith("sallyport/"):
        return None
    if path.startswith("sallyport/"):
        return None if header.endswith(".def") else f'a public header includes "{header}"'
    mine, other = layer_of(path, layers), layer_of(header, layers)
    if mine is None:
        return "no layer in src/LAYERS covers this file"
    if other is None:
        return f'"{header}" is not a path from src or include'
    if other != mine and other not in layers[mine]:
        return f'{mine} may not include {other} ("{header}")'
    return None


def check_file(name, text, layers, fences):
    """name as printed: src/... or include/..."""
    path = name.split("/", 1)[1]
    findings = []
    code = without_comments(text, keep_strings=True)
    for match in INCLUDE.finditer(code):
        quote, header = match.groups()
        wrong = (check_third_party(path, header, fences) if quote == "<"
                 else check_own(path, header, layers))
        if wrong:
            findings.append(f"{name}:{line_of(code, match.start())}: {wrong}")
    return findings


def self_check():
    layers, fences = parse("core/a:\ncore/b: core/a # why\nio/n: core/a\n"
                           "app: io/\n@x.h: io/n\n@y/: core/b tests\n")

    def found(name, line):
        return check_file(name, line + "\n", layers, fences)
    good = [("src/core/b/f.c", '#include "core/a/a.h"'), ("src/core/b/f.c", "#include <y/z.h>"),
            ("src/core/b/f.c", '#include "sallyport/s.h"'), ("src/io/n/f.c", "#include <x.h>"),
            ("src/core/a/f.c", '/* #include "core/b/b.h" */'),
            ("src/app/f.c", '#include "io/n/n.h"'), ("src/core/a/f.c", "#include <string.h>"), ("src/io/n/f.c", "#include <poll.h>"),
            ("include/sallyport/p.h", '#include "core/b/rules.def"')]
    bad = [("src/app/f.c", '#include "core/a/a.h"'), ("src/core/a/f.c", '#include "core/b/b.h"'), ("src/core/b/f.c", '#include "io/n/n.h"'),
           ("src/core/b/f.c", "# include <x.h>"), ("src/core/a/f.c", "#include <y/z.h>"),
           ("src/core/a/f.c", "#include <poll.h>"), ("src/core/a/f.c", "#include <setjmp.h>"),
           ("src/io/n/f.c", "#include <zzz.h>"), ("src/io/n/f.c", '#include "gone.h"'),
           ("src/new/f.c", '#include "core/a/a.h"'),
           ("include/sallyport/p.h", '#include "core/b/b.h"')]
    for name, line in good:
        expect(not found(name, line), f"{name} may {line}")
    for name, line in bad:
        expect(len(found(name, line)) == 1, f"{name} must not {line}")
    expect(cycles({"a": {"b"}, "b": {"a"}, "c": set()}) == ["a", "b"], "a cycle")
    expect(not stands_in("iox/f.c", "io"), "a place is not a prefix of a word")


def main(source):
    self_check()
    layers, fences = parse(pathlib.Path(source, "src/LAYERS").read_text(encoding="utf-8"))
    findings = [f"src/LAYERS:1: {x} is part of a cycle" for x in cycles(layers)]
    sources = files(source, ("src", "include"), {".c", ".h", ".def"})
    for name, text in sources:
        findings += check_file(name, text, layers, fences)
    finish(findings, len(sources))


main(sys.argv[1])
