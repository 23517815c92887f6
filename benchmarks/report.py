"""Results as tables in Markdown: for the terminal, and between two marks in `docs/performance.md`."""

from collections.abc import Iterable, Sequence
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import scaling
from benchmarks.counting import Counting
from benchmarks.exporting import Export
from benchmarks.loading import Loading
from benchmarks.serving import RUNS, Figure
from benchmarks.totals import Cold

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_OURS = "evidence"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; all columns but the first hold numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(results: dict[str, Any]) -> str:
    """Return everything that was measured."""
    parts = []
    if "machine" in results:
        parts.append("\n".join(f"- {name}: {value}" for name, value in results["machine"].items()))
    if "serving" in results:
        figures = [Figure(**one) for one in results["serving"]]
        parts += [f"### Reading\n\n{_conditions(results)}", _rates(figures), "Ratios", _ratios(figures)]
    if "start" in results:
        start = f"{results['start']:.2f} s from the command to the first list answered"
        parts.append(f"Start of the server on the loaded database: {start}.")
    if "totals" in results:
        parts += ["### A total never asked before", _cold(Cold(**one) for one in results["totals"])]
    if "counts" in results:
        parts += ["### Counts by facets, never asked before", _counts(Counting(**one) for one in results["counts"])]
    if "exports" in results:
        parts += ["### Everything at once (R6)", _exports(Export(**one) for one in results["exports"])]
    if "loading" in results:
        parts += ["### Loading", _loads([Loading(**one) for one in results["loading"]])]
    if "scaling" in results:
        parts += ["### Several processes", scaled(results)]
    return "\n\n".join(parts) + "\n"


def scaled(results: dict[str, Any]) -> str:
    """Return what each part of a deployment costs."""
    head, *rows = scaling.rows([scaling.Scaling(**one) for one in results["scaling"]])
    return table(head, rows)


def put(path: Path, measured: str) -> None:
    """Replace what stands between the marks of a file."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{measured}\n{END}{after}")


def _conditions(results: dict[str, Any]) -> str:
    said = f"{results['n']:,} incidents in each of 3 views; {results['rounds']} rounds of {results['seconds']} s"
    compared = results["compared"]
    return (
        f"{said}. Before: the ids of {compared['pages']} pages, {compared['totals']} counts and the facts of "
        f"{compared['records']} records were the same in every system."
    )


def _rates(figures: list[Figure]) -> str:
    head = ("system", "run", "requests/s (least to most)", "p50 ms", "p99 ms", "bytes", "private MB")
    rows = []
    for run in RUNS:
        for system in dict.fromkeys(one.system for one in figures):
            mine = [one for one in figures if (one.system, one.run) == (system, run)]
            rates = [one.rate for one in mine]
            spread = f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
            waits = (f"{median(values):.1f}" for values in ([one.p50 for one in mine], [one.p99 for one in mine]))
            private = max(one.private for one in mine) / 1e6
            rows.append((system, run, spread, *waits, f"{mine[-1].size:,}", f"{private:.0f}"))
    return table(head, rows)


def _ratios(figures: list[Figure]) -> str:
    """Return our rate over each other system's, taken round by round: least, median, most."""
    rate = {(one.system, one.run, one.round): one.rate for one in figures}
    rounds = sorted({one.round for one in figures})
    systems = [name for name in dict.fromkeys(one.system for one in figures) if name != _OURS]
    rows = []
    for run in RUNS:
        shares = [[_times(rate[_OURS, run, n], rate[name, run, n]) for n in rounds] for name in systems]
        rows.append((f"{run} over", *(_spread(one) for one in shares)))
    own = [rate[_OURS, "R2", n] / rate[_OURS, "R1", n] for n in rounds]
    rows.append((f"R2 over our own R1: {_spread(own)}", *[""] * len(systems)))
    return table(("evidence", *systems), rows)


def _times(one: float, other: float) -> float:
    """Return how many times as much one is; without end where the other gave no answer in time."""
    return one / other if other else inf


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} – **{median(values):.2f}** – {max(values):.2f}"


def _cold(colds: Iterable[Cold]) -> str:
    head = ("filter", "asked", "p50 ms", "p99 ms", "most ms")
    return table(head, ((c.form, str(c.asked), f"{c.p50:.1f}", f"{c.p99:.1f}", f"{c.most:.1f}") for c in colds))


def _counts(counts: Iterable[Counting]) -> str:
    head = ("question", "system", "asked", "p50 ms", "p99 ms")
    rows = ((c.question, c.system, str(c.asked), f"{c.p50:.1f}", f"{c.p99:.1f}") for c in counts)
    return table(head, sorted(rows, key=lambda row: row[0]))


def _exports(exports: Iterable[Export]) -> str:
    head = ("what", "first byte ms", "seconds", "MB", "MB/s", "most private MB")
    return table(
        head,
        (
            (
                one.what,
                f"{one.first * 1e3:.0f}",
                f"{one.whole:.2f}",
                f"{one.size / 1e6:,.0f}",
                f"{one.size / 1e6 / one.whole:,.0f}",
                f"{one.private / 1e6:.0f}" if one.private else "",
            )
            for one in exports
        ),
    )


def _loads(loads: Iterable[Loading]) -> str:
    head = ("what", "incidents", "seconds", "incidents/s", "most private MB", "database MB")
    return table(
        head,
        (
            (
                one.name,
                f"{one.incidents:,}",
                f"{one.seconds:.1f}",
                f"{one.incidents / one.seconds:,.0f}",
                f"{one.private / 1e6:.0f}",
                f"{one.database / 1e6:,.0f}",
            )
            for one in loads
        ),
    )
