"""Results as tables in Markdown: for the terminal, and between two marks in `docs/performance.md`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import goals, scaling
from benchmarks.counting import Counting
from benchmarks.exporting import Export
from benchmarks.figures import Rates, Spread, growth, per_million
from benchmarks.growth import QUESTIONS, SLOPE, TWICE, Cost, comparable
from benchmarks.importing import Importing
from benchmarks.judging import Judgement
from benchmarks.loading import Loading
from benchmarks.overload import Overload
from benchmarks.searching import Searching
from benchmarks.serving import FACETS, R1, R1_NEW, R2, RUNS, Figure
from benchmarks.totals import Cold

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_OURS = "evidence"
_OWN = (R1_NEW, R2, FACETS)  # what is told in times of our own R1


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; all columns but the first hold numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(results: dict[str, Any], charts: Iterable[tuple[str, str]] = ()) -> str:
    """Return everything that was measured.

    Args:
        results: by part, as they were kept.
        charts: the address of each, and what it shows.
    """
    figures = [Figure(**one) for one in results.get("serving", ())]
    exports = [Export(**one) for one in results.get("exports", ())]
    costs = [Cost(**one) for one in results.get("growth", ())]
    parts = []
    if "machine" in results:
        parts.append("\n".join(f"- {name}: {value}" for name, value in results["machine"].items()))
    parts += [f"![{shows}]({address})" for address, shows in charts]
    if reached := _goals(results, figures, exports):
        parts += ["### What is to be reached", *([_conditions(results)] if figures else []), _reached(reached)]
    if figures:
        parts += ["### Reading", _rates(figures), "### Ratios", *_ratios(figures)]
    if "start" in results:
        start = f"{results['start']:.2f} s from the command to the first list answered"
        parts.append(f"Start of the server on the loaded database: {start}.")
    if "totals" in results:
        parts += ["### A total never asked before", _cold(Cold(**one) for one in results["totals"])]
    if "counts" in results:
        parts += ["### Counts by facets, never asked before", _counts(Counting(**one) for one in results["counts"])]
    if "searching" in results:
        parts += ["### Words never looked for before (R5)", _words(Searching(**one) for one in results["searching"])]
    if "overload" in results:
        parts += ["### More than can be answered (R1)", _overload(Overload(**one) for one in results["overload"])]
    if "judging" in results:
        parts += ["### How good the order by relevance is", _judged(Judgement(**one) for one in results["judging"])]
    if exports:
        parts += ["### A tenth of all records at once (R6)", _exports(exports)]
    if costs:
        parts += ["### Growth", *_growth(costs)]
    if "importing" in results:
        parts += ["### A sheet over HTTP", _imports(Importing(**one) for one in results["importing"])]
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
        f"{said}. Before: the ids of {compared['pages']} pages, {compared['totals']} totals, the facts of "
        f"{compared['records']} records and the counts by facets of {compared['counts']} questions were the same in "
        f"every system that gives them, and so were the ids in {compared['files']} exported files."
    )


def _goals(results: dict[str, Any], figures: list[Figure], exports: list[Export]) -> list[goals.Reached]:
    """Return how far every goal is that was measured."""
    engine = next((one.system.partition(", ")[2] for one in figures if one.system.startswith(_OURS)), "SQLite")
    colds = [Cold(**one) for one in results.get("totals", ())]
    return [
        *goals.read(figures, exports),
        *goals.sought([Searching(**one) for one in results.get("searching", ())]),
        *(goals.begun(colds, results["start"], engine) if "start" in results else ()),
        *goals.loaded([Loading(**one) for one in results.get("loading", ())]),
    ]


def _reached(reached: Iterable[goals.Reached]) -> str:
    head = ("run", "engine", "to be reached", "measured", "")
    rows = ((one.run, one.engine, one.wanted, one.measured, "met" if one.is_met else "not met") for one in reached)
    return table(head, rows)


def _rates(figures: list[Figure]) -> str:
    head = ("system", "run", "requests/s (least to most)", "p50 ms", "p99 ms", "bytes", "private MB")
    rates, rows = Rates(figures), []
    for run in RUNS:
        for system in rates.systems:
            mine = [one for one in figures if (one.system, one.run) == (system, run)]
            if (rate := rates.of(system, run)) is not None:
                spread = f"{rate.median:,.0f} ({rate.least:,.0f} to {rate.most:,.0f})"
                waits = (f"{median(values):.1f}" for values in ([one.p50 for one in mine], [one.p99 for one in mine]))
                private = max(one.private for one in mine) / 1e6
                rows.append((system, run, spread, *waits, f"{mine[-1].size:,}", f"{private:.0f}"))
    return table(head, rows)


def _ratios(figures: list[Figure]) -> Iterable[str]:
    """Yield for each engine our rate over each other system's, taken round by round: least, median, most."""
    rates = Rates(figures)
    others = [name for name in rates.systems if not name.startswith(_OURS)]
    for ours in (name for name in rates.systems if name.startswith(_OURS)):
        rows = []
        for run in RUNS:
            shares = [rates.over((ours, run), (other, run)) for other in others]
            own = rates.over((ours, run), (ours, R1)) if run in _OWN else None
            if any((*shares, own)):
                rows.append((f"{run} over", *(_spread(one) for one in (*shares, own))))
        yield table((ours, *others, "own R1"), rows)


def _spread(one: Spread | None) -> str:
    return "" if one is None else f"{one.least:.2f} – **{one.median:.2f}** – {one.most:.2f}"


def _growth(costs: list[Cost]) -> Iterable[str]:
    """Yield for each engine what each question costs at each size, and how that grows."""
    yield (
        "Milliseconds of processor time of one request (of waiting for it, at the median), one after the other, all "
        f"totals never asked for before. May be: {TWICE:.0f} times as much at the largest size as at the smallest, or "
        f"{SLOPE:.0f} ms more for a million records more. Of records in one view the growth is not told."
    )
    for engine in dict.fromkeys(one.engine for one in costs):
        mine = [one for one in costs if one.engine == engine]
        sizes = sorted({(one.n, one.views) for one in mine})
        head = [f"{n:,}{'' if views == 3 else ', one view'}" for n, views in sizes]
        rows = []
        for question, bounded in QUESTIONS.items():
            by_size = {(one.n, one.views): one for one in mine if one.question == question}
            cells = [f"{it.processor:.2f} ({it.p50:.2f})" if (it := by_size.get(size)) else "" for size in sizes]
            rows.append((question, *cells, *_grown(comparable(mine, engine, question), bounded)))
        yield table((engine, *head, "growth", "may be", ""), rows)


def _grown(costs: list[tuple[int, float]], bounded: bool) -> tuple[str, str, str]:
    if len(costs) < 2:
        return "", "", ""
    if bounded:
        factor = growth(costs)
        return f"{factor:.2f} times", f"{TWICE:.0f} times", "met" if factor <= TWICE else "not met"
    slope = per_million(costs)
    told = f"{slope:.2f} ms a million" if slope > 0 else "none"
    return told, f"{SLOPE:.0f} ms", "met" if slope <= SLOPE else "not met"


def _cold(colds: Iterable[Cold]) -> str:
    head = ("filter", "asked", "p50 ms", "p99 ms", "most ms")
    return table(head, ((c.form, str(c.asked), f"{c.p50:.1f}", f"{c.p99:.1f}", f"{c.most:.1f}") for c in colds))


def _counts(counts: Iterable[Counting]) -> str:
    head = ("question", "system", "asked", "p50 ms", "p99 ms")
    rows = ((c.question, c.system, str(c.asked), f"{c.p50:.1f}", f"{c.p99:.1f}") for c in counts)
    return table(head, sorted(rows, key=lambda row: row[0]))


def _words(words: Iterable[Searching]) -> str:
    head = ("question", "system", "found", "p50 ms", "p99 ms", "asked again, p50 ms")
    return table(
        head,
        (
            (one.question, one.system, f"{one.found:,}", f"{one.first:.2f}", f"{one.p99:.2f}", f"{one.again:.2f}")
            for one in words
        ),
    )


def _overload(loads: Iterable[Overload]) -> str:
    head = ("system", "of what it carries", "asked a second", "answered", "p50 ms", "p99 ms", "refused", "p99 ms")
    rows = (
        (
            one.system,
            f"{one.share:.1f} times",
            f"{one.offered:,.0f}",
            f"{one.answered:,.0f}",
            f"{one.p50:.1f}",
            f"{one.p99:.1f}",
            f"{one.refused:,.0f}",
            f"{one.refused_p99:.1f}",
        )
        for one in loads
    )
    return table(head, rows)


def _judged(judged: Iterable[Judgement]) -> str:
    head = ("engine", "language", "questions", "nDCG@10")
    return table(head, ((one.engine, one.language, str(one.questions), f"{one.ndcg:.3f}") for one in judged))


def _exports(exports: Iterable[Export]) -> str:
    head = ("what", "first byte ms", "seconds", "MB", "MB/s", "most private MB", "of which for this")
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
                f"{one.more / 1e6:.0f}" if one.private else "",
            )
            for one in exports
        ),
    )


def _imports(imports: Iterable[Importing]) -> str:
    head = ("rows", "seconds", "of the processor", "most private MB", "of the service", "read before ms", "during ms")
    rows = (
        (
            f"{one.rows:,}",
            f"{one.seconds:.1f}",
            f"{one.processor:.1f}",
            f"{one.private / 1e6:.0f}",
            f"{one.server / 1e6:.0f}",
            f"{one.before:.2f}",
            f"{one.during:.2f}",
            f"{one.withdrawal:.0f}",
        )
        for one in imports
    )
    return table((*head, "longest withdrawal ms"), rows)


def _loads(loads: Iterable[Loading]) -> str:
    head = ("what", "incidents", "seconds", "incidents/s", "processor µs each", "most private MB", "database MB")
    return table(
        head,
        (
            (
                one.name,
                f"{one.incidents:,}",
                f"{one.seconds:.1f}",
                f"{one.incidents / one.seconds:,.0f}",
                f"{one.processor / one.incidents * 1e6:.0f}" if one.processor else "",
                f"{one.private / 1e6:.0f}" if one.private else "",
                f"{one.database / 1e6:,.0f}",
            )
            for one in loads
        ),
    )
