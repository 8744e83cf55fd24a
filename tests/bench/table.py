"""What was found, as a Markdown table and as one of tabs."""
import statistics
from pathlib import Path

Results = dict[str, dict[str, list[dict[str, float]]]]  # of a job, of a server, each repetition's
AGAINST = ("nginx", "h2o", "trafficserver")
BEGIN, END = "<!-- scripts/bench writes the table from here -->", "<!-- to here -->"


def values(rows: dict[str, list], name: str, figure: str) -> list[float]:
    return [r[figure] for r in rows.get(name, []) if figure in r]


def ratios(rows: dict[str, list], name: str, over: str, figure: str) -> list[float]:
    """One server's figure over another's, inside each repetition that both did."""
    pairs = zip(rows.get(name, []), rows.get(over, []), strict=False)
    return [a[figure] / b[figure] for a, b in pairs if figure in a and b.get(figure, 0) > 0]


def quartiles(found: list[float]) -> tuple[float, float, float]:
    if len(found) < 2:
        return found[0], found[0], found[0]
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return low, middle, high


def shown_ratio(found: list[float]) -> str:
    if not found:
        return "-"
    low, middle, high = quartiles(found)
    return f"{middle:.2f}" if len(found) < 2 else f"{middle:.2f} ({low:.2f}-{high:.2f})"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Notes:
    """Footnotes: the same reason has the same number."""

    def __init__(self, refusals: dict[tuple[str, str], str]) -> None:
        self.refusals = refusals
        self.who: dict[str, list[str]] = {}  # by reason, in the order of their numbers

    def cell(self, job: str, name: str) -> str:
        if (job, name) not in self.refusals:
            return "-"
        why = self.refusals[job, name].replace("\n", " ")
        names = self.who.setdefault(why, [])
        if name not in names:
            names.append(name)
        return f"- [{list(self.who).index(why) + 1}]"

    def lines(self) -> list[str]:
        return [f"[{i}] {', '.join(names)}: {why}  "
                for i, (why, names) in enumerate(self.who.items(), 1)]


def markdown(results: Results, names: list[str], works: list,
             refusals: dict[tuple[str, str], str]) -> str:
    notes = Notes(refusals)
    against = [n for n in AGAINST if n in names and "sallyport" in names]
    lines = ["| workload | " + " | ".join(names) + "".join(f" | / {n}" for n in against) +
             " | goal |", "| --- |" + " --- |" * (len(names) + len(against) + 1)]
    for job in works:
        rows = results.get(job.name, {})
        for row in job.rows:
            found = {n: values(rows, n, row.figure) for n in names}
            cells = [number(statistics.median(v)) if v else notes.cell(job.name, n)
                     for n, v in found.items()]
            cells += [shown_ratio(ratios(rows, "sallyport", n, row.figure)) for n in against]
            lines.append("| " + " | ".join([row.text, *cells, row.goal]) + " |")
    return "\n".join([*lines, "", *notes.lines()])


def place(path: Path, report: str) -> None:
    """Between the marks where there are some, else the file is nothing but the report."""
    old = path.read_text() if path.exists() else ""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{report}\n{END}{after}" if end else report + "\n")


def write_tsv(path: Path, results: Results) -> None:
    """Five points of each figure, those of its ratios to each of AGAINST, and all values."""
    points = ("min", "q1", "median", "q3", "max")
    with path.open("w") as out:
        print("workload", "figure", "server", "n", *points,
              *(f"over_{n}_{p}" for n in AGAINST for p in points), "values", sep="\t", file=out)
        for job, rows in results.items():
            for name in rows:
                for figure in dict.fromkeys(f for r in rows[name] for f in r):
                    found = values(rows, name, figure)
                    sets = [found, *(ratios(rows, name, n, figure) for n in AGAINST)]
                    print(job, figure, name, len(found), *(c for s in sets for c in five(s)),
                          ",".join(f"{v:.5g}" for v in found), sep="\t", file=out)


def five(found: list[float]) -> list[str]:
    if not found:
        return [""] * 5
    return [f"{v:.5g}" for v in (min(found), *quartiles(found), max(found))]
