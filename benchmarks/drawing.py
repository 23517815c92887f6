"""Draws one chart: JSON on standard input, an SVG file. Runs where matplotlib is, and reads nothing else.

The same figures give the same bytes: no date, no random ids, letters as outlines.
"""

import json
import sys
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot, rcParams, ticker  # noqa: E402

OURS, OTHERS, GOAL = "#1b6e53", "#9aa5ad", "#b3261e"
LINES = ("#1b6e53", "#c4661f", "#3b5ba5", "#8a3f8f", "#7a7a1f", "#b3261e", "#2a8a9d", "#5f4b32")
MARKS = "osD^vP*X"

rcParams.update({"svg.hashsalt": "evidence", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})


def bars(chart: dict[str, Any]) -> Any:
    """Return a figure with a panel for each run, and a bar for each system."""
    panels = chart["panels"]
    heights = [1 + len(panel["bars"]) for panel in panels]
    figure, all_axes = pyplot.subplots(
        len(panels), 1, figsize=(9, 0.25 * sum(heights) + 1), gridspec_kw={"height_ratios": heights}, squeeze=False
    )
    for axes, panel in zip(all_axes[:, 0], panels, strict=True):
        rows = panel["bars"]
        for at, row in enumerate(rows):
            axes.barh(at, row["median"], color=OURS if row["name"].startswith("evidence") else OTHERS, height=0.7)
            axes.plot([row["least"], row["most"]], [at, at], color="black", linewidth=1)
            words = f" {row['median']:,.0f}" if row["median"] else " no answer in time"
            axes.text(row["most"], at, words, va="center")
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.15 * max(row["most"] for row in rows) or 1)
        axes.set_title(panel["title"], loc="left", fontweight="bold", fontsize=9)
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(_number))
    return figure


def dots(chart: dict[str, Any]) -> Any:
    """Return a figure with a row for each run and system: the median, the spread, and the goal."""
    rows = chart["rows"]
    figure, axes = pyplot.subplots(figsize=(9, 0.22 * len(rows) + 1.2))
    axes.axvline(1, color="black", linewidth=0.8)
    ends = [value for row in rows for value in (row["least"], row["most"], row["goal"]) if value]
    for at, row in enumerate(rows):
        axes.axhline(at, color="#e6e6e6", linewidth=0.5, zorder=0)
        if row["goal"]:
            axes.plot([row["goal"]], [at], "|", color=GOAL, markersize=11, markeredgewidth=2.2)
        if row["least"]:
            axes.plot([row["least"], row["most"] or max(ends)], [at, at], color=OURS, linewidth=2)
        words = "no answer in time"
        if row["median"]:
            axes.plot([row["median"]], [at], "o", color=OURS, markersize=5)
            words = f"{row['median']:,.2f}"
        words += f"  (of {row['goal']:,.3g})" if row["goal"] else ""
        axes.text(1.01, at, words, va="center", transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.margins(y=0.02)
    _logarithmic(axes.set_xscale, axes.xaxis)
    return figure


def lines(chart: dict[str, Any]) -> Any:
    """Return a figure with a panel for each engine, and a line for each question."""
    panels = chart["panels"]
    figure, all_axes = pyplot.subplots(
        1, len(panels), figsize=(max(7, 5 * len(panels)), 5.4), sharey=True, squeeze=False
    )
    for axes, panel in zip(all_axes[0], panels, strict=True):
        for number, line in enumerate(panel["lines"]):
            sizes, costs = zip(*line["points"], strict=True)
            axes.plot(sizes, costs, marker=MARKS[number], color=LINES[number], label=line["name"], markersize=5)
        axes.set_xlabel("records")
        axes.set_title(panel["title"], loc="left", fontweight="bold", fontsize=9)
        axes.grid(which="major", color="#e6e6e6")
        _logarithmic(axes.set_xscale, axes.xaxis, (1,))
        _logarithmic(axes.set_yscale, axes.yaxis)
        axes.margins(x=0.1)
    all_axes[0][0].set_ylabel("ms")
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _logarithmic(set_scale: Any, axis: Any, steps: tuple[int, ...] = (1, 2, 5)) -> None:
    set_scale("log")
    axis.set_major_locator(ticker.LogLocator(subs=steps))
    axis.set_major_formatter(ticker.FuncFormatter(_number))
    axis.set_minor_formatter(ticker.NullFormatter())


def _number(value: float, _: Any) -> str:
    return f"{value:,.10g}"


def main() -> None:
    """Draw what standard input says into the file that is named."""
    chart = json.load(sys.stdin)
    figure = {"bars": bars, "dots": dots, "lines": lines}[chart["kind"]](chart)
    figure.set_layout_engine("constrained")
    figure.suptitle(chart["title"], x=0.01, ha="left", fontsize=10)
    figure.savefig(sys.argv[1], metadata={"Date": None, "Creator": None}, facecolor="white")


if __name__ == "__main__":
    main()
