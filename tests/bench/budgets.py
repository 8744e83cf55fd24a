"""Instructions of one item in each module of core, against what is recorded for it.

    budgets.py FOLDER [--record]     FOLDER has micro_core and its neighbours, of a release build

callgrind counts, on the processor that valgrind pretends to be: what stands in budgets.tsv is
compared, not told as what an item costs. More than 5 per cent above ends it with 1; --record
writes what was found."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = ("micro_core", "micro_custody", "micro_files")
BUDGETS = Path(__file__).with_name("budgets.tsv")
SLACK = 1.05
FEW, MANY = 2, 12
# One instruction that fills a block counts as one for each byte; so none is used.
NO_STRINGS = ("glibc.cpu.x86_rep_stosb_threshold=1000000000:"
              "glibc.cpu.x86_rep_movsb_threshold=1000000000")


def instructions(program: str, item: str, count: int) -> int:
    with tempfile.NamedTemporaryFile(prefix="callgrind-") as out:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, item,
             str(count)], capture_output=True, text=True, check=True,
        env={**os.environ, "GLIBC_TUNABLES": NO_STRINGS})
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def per_item(program: str, item: str) -> int:
    """What starting and ending cost is the same for few and for many."""
    return ((instructions(program, item, MANY) - instructions(program, item, FEW))
            // (MANY - FEW))


def read() -> dict[str, int]:
    rows = (line.split("\t") for line in BUDGETS.read_text().splitlines()[1:])
    return {item: int(count) for item, count in rows}


def names(program: str) -> list[str]:
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    print(out, end="", flush=True)
    return [line.split()[0] for line in out.splitlines()]


def can_run(name: str, files: str) -> bool:
    """micro_files wants files, which osslsigncode signs."""
    if name != "micro_files":
        return True
    os.environ["MICRO_FILES"] = files
    done = subprocess.run([sys.executable, Path(__file__).with_name("micro_files.py"), files],
                          check=False)
    if done.returncode not in (0, 77):
        raise SystemExit(done.returncode)
    return done.returncode == 0


def measure(folder: Path) -> dict[str, int]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="micro-") as files:
        programs = [str(folder / n) for n in PROGRAMS if can_run(n, files)]
        items = [(p, item) for p in programs for item in names(p)]
        for program, item in items:
            found[item] = per_item(program, item)
    return found


def main() -> int:
    found = measure(Path(sys.argv[1]))
    if "--record" in sys.argv:
        BUDGETS.write_text("item\tinstructions\n" +
                           "".join(f"{item}\t{n}\n" for item, n in sorted(found.items())))
        return 0
    budgets, broken = read(), 0
    for item, count in found.items():
        over = item not in budgets or count > budgets[item] * SLACK
        broken += over
        print(f"{item:20} {count:>12,} instructions, {budgets.get(item, 0):,} recorded"
              f"{': OVER' if over else ''}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
