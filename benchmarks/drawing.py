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
        len(panels), 1, figsize=(9, 0.27 * sum(heights) + 1), gridspec_kw={"height_ratios": heights}, squeeze=False
    )
    for axes, panel in zip(all_axes[:, 0], panels, strict=True):
        rows = panel["bars"]
        known = [row["median"] for row in rows if row["median"]]
        left = 10 ** (len(str(int(min(known)))) - 2) if known else 1
        for at, row in enumerate(rows):
            colour = OURS if row["name"].startswith("evidence") else OTHERS
            if row["median"]:
                axes.barh(at, row["median"] - left, left=left, color=colour, height=0.7)
                axes.plot([max(row["least"], left), row["most"]], [at, at], color="black", linewidth=1)
            words = f" {row['median']:,.0f}" if row["median"] else " none in time"
            axes.text(max(row["most"], left), at, words, va="center")
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(left, 2.5 * max(known, default=10))
        axes.set_title(panel["title"], loc="left", fontweight="bold", fontsize=9)
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    return figure


def dots(chart: dict[str, Any]) -> Any:
    """Return a figure with a row for each run and system: the median, the spread, and the goal."""
    rows = chart["rows"]
    figure, axes = pyplot.subplots(figsize=(9, 0.24 * len(rows) + 1.2))
    axes.axvline(1, color="black", linewidth=0.8)
    ends = [value for row in rows for value in (row["least"], row["most"], row["goal"]) if value]
    for at, row in enumerate(rows):
        if row["goal"]:
            axes.plot([row["goal"]], [at], "|", color=GOAL, markersize=13, markeredgewidth=2.2)
        if row["median"] is None:
            axes.text(1.1, at, "gave no answer in time", va="center")
            continue
        axes.plot([row["least"], row["most"] or max(ends)], [at, at], color=OURS, linewidth=2)
        axes.plot([row["median"]], [at], "o", color=OURS, markersize=5)
        axes.annotate(f"{row['median']:,.2f}", (max(row["most"] or 0, row["goal"] or 0, row["median"]), at),
                      (8, 0), textcoords="offset points", va="center")  # fmt: skip
        axes.axhline(at, color="#e6e6e6", linewidth=0.5, zorder=0)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(min(ends) / 1.3, max(ends) * 2.2)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
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
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("records")
        axes.set_title(panel["title"], loc="left", fontweight="bold", fontsize=9)
        axes.grid(which="major", color="#e6e6e6")
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())
        axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    all_axes[0][0].set_ylabel("ms")
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def main() -> None:
    """Draw what standard input says into the file that is named."""
    chart = json.load(sys.stdin)
    figure = {"bars": bars, "dots": dots, "lines": lines}[chart["kind"]](chart)
    figure.set_layout_engine("constrained")
    figure.suptitle(chart["title"], x=0.01, ha="left", fontsize=10)
    figure.savefig(sys.argv[1], metadata={"Date": None, "Creator": None}, facecolor="white")


if __name__ == "__main__":
    main()
