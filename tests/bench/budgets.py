"""Instructions of one item in each module of core, against what is recorded for it.

    budgets.py PROGRAM [--record]     PROGRAM is micro_core, of a release build

callgrind counts, on the processor that valgrind pretends to be: what stands in budgets.tsv is
compared, not told as what an item costs. More than 5 per cent above ends it with 1; --record
writes what was found."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BUDGETS = Path(__file__).with_name("budgets.tsv")
SLACK = 1.05
FEW, MANY = 2, 12


def instructions(program: str, item: str, count: int) -> int:
    with tempfile.NamedTemporaryFile(prefix="callgrind-") as out:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, item,
             str(count)], capture_output=True, text=True, check=True)
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
    print(out)
    return [line.split()[0] for line in out.splitlines()]


def main() -> int:
    program, record = sys.argv[1], "--record" in sys.argv
    budgets, found, broken = {} if record else read(), {}, []
    for item in names(program):
        found[item] = per_item(program, item)
        allowed = budgets.get(item)
        over = not record and (allowed is None or found[item] > allowed * SLACK)
        broken += [item] if over else []
        print(f"{item:20} {found[item]:>12,} instructions"
              + ("" if record else f", {allowed or 0:,} recorded{': OVER' if over else ''}"),
              flush=True)
    if record:
        BUDGETS.write_text("item\tinstructions\n" +
                           "".join(f"{item}\t{n}\n" for item, n in found.items()))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
