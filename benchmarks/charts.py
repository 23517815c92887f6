"""Charts of results: what each shows is worked out here, and drawn by matplotlib in an environment of its own."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import goals
from benchmarks.figures import Rates
from benchmarks.growth import QUESTIONS, Cost, comparable
from benchmarks.serving import R1, R1_HOT, R2, R3, R4, RUNS, UNCHANGED, Figure

_PACKAGES = ("matplotlib==3.11.2",)
_DRAWING = Path(__file__).with_name("drawing.py")
_SHOWN = (R1, R2, R3, R4, R1_HOT, UNCHANGED)


def draw(results: dict[str, Any], home: Path, folder: Path) -> list[tuple[str, str]]:
    """Draw all charts of what was measured; return the address of each as the page has it, and what it shows."""
    figures = [Figure(**one) for one in results.get("serving", ())]
    costs = [Cost(**one) for one in results.get("growth", ())]
    charts = [*([_rates(figures), *_ratios(figures)] if figures else []), *([_growth(costs)] if costs else [])]
    if not charts:
        return []
    python = _environment(home)
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        words = (str(python), str(_DRAWING), str(folder / f"{chart['name']}.svg"))
        subprocess.run(words, input=json.dumps(chart), text=True, check=True)
    return [(f"{folder.name}/{chart['name']}.svg", chart["title"]) for chart in charts]


def _environment(home: Path) -> Path:
    """Return a Python that has matplotlib, installed unless that has been done."""
    python = (home / "charts" / "bin" / "python").absolute()
    if not python.exists() or subprocess.run((python, "-c", "import matplotlib"), capture_output=True).returncode:
        subprocess.run((sys.executable, "-m", "venv", str(python.parents[1])), check=True)
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "--no-input")
        subprocess.run((*pip, "install", "--quiet", *_PACKAGES), check=True)
    return python


def _rates(figures: Sequence[Figure]) -> dict[str, Any]:
    """Return a panel for each run: a bar for each system, as long as its requests a second."""
    rates = Rates(figures)
    panels = []
    for run in _SHOWN:
        bars = [(system, *found) for system in rates.systems if (found := rates.of(system, run)) is not None]
        if bars:
            panels.append({"title": run, "bars": [_bar(*bar) for bar in bars]})
    title = "Requests a second (longer is faster; thin lines: least to most of the rounds)"
    return {"name": "rates", "kind": "bars", "title": title, "panels": panels}


def _ratios(figures: Sequence[Figure]) -> Iterable[dict[str, Any]]:
    """Yield a chart for each engine: how many times as many requests as each other system, in each run."""
    rates = Rates(figures)
    others = [name for name in rates.systems if not name.startswith("evidence")]
    for ours in (name for name in rates.systems if name.startswith("evidence")):
        engine = ours.rpartition(", ")[2]
        rows = []
        for run in RUNS:
            for other in others:
                if (found := rates.over((ours, run), (other, run))) is not None:
                    rows.append(_bar(f"{run}: {other}", *found) | {"goal": _goal(engine, run, other)})
        title = f"{ours}: times as many requests a second as … (logarithmic; red: what is to be reached)"
        yield {"name": f"ratios-{engine.lower()}", "kind": "dots", "title": title, "rows": rows}


def _growth(costs: Sequence[Cost]) -> dict[str, Any]:
    """Return a panel for each engine: a line for each question, processor time by records."""
    panels = []
    for engine in dict.fromkeys(one.engine for one in costs):
        lines = [{"name": name, "points": sorted(comparable(costs, engine, name))} for name in QUESTIONS]
        panels.append({"title": f"evidence, {engine}", "lines": [line for line in lines if line["points"]]})
    title = "Processor time of one request, in milliseconds, by records in each of three views (both logarithmic)"
    return {"name": "growth", "kind": "lines", "title": title, "panels": panels}


def _bar(name: str, least: float, median: float, most: float) -> dict[str, Any]:
    known = [value if value < float("inf") else None for value in (least, median, most)]
    return {"name": name, "least": known[0], "median": known[1], "most": known[2]}


def _goal(engine: str, run: str, other: str) -> float | None:
    return next(
        (one.least for one in goals.GOALS if (one.engine, one.run) == (engine, run) and other.startswith(one.over)),
        None,
    )
