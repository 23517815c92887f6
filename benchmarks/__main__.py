"""`python -m benchmarks`: prepares, compares, measures and reports; `--smoke` does all of it on very little."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import (
    charts,
    counting,
    equality,
    exporting,
    growth,
    importing,
    judging,
    machine,
    overload,
    peers,
    report,
    scaling,
    searching,
    serving,
    totals,
    wrk,
)
from benchmarks.ours import Ours
from benchmarks.peers import Chosen
from benchmarks.postgresql import Cluster, postgresql
from benchmarks.questions import EXPORTED, Truth
from benchmarks.workspace import Workspace, plain

DOCS = Path(__file__).resolve().parents[1] / "docs"
ALONE = ("importing", "scaling", "judging")  # need none of the systems of the others
PARTS = ("loading", "serving", "totals", "counts", "exports", "searching", "overload", *ALONE)
SMOKE = 2_000


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("verb", nargs="?", choices=("measure", "generate", "report"), default="measure")
    parser.add_argument("--smoke", action="store_true", help=f"{SMOKE} incidents, no peers, no wrk: does it run?")
    home = Path(os.environ.get("BENCH_HOME", "var/bench"))
    parser.add_argument("--home", type=Path, default=home, help="where files are kept ($BENCH_HOME)")
    parser.add_argument("--n", type=int, default=1_000_000, help="how many incidents (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of each run of a round")
    parser.add_argument("--cold", type=int, default=200, help="questions of each form with a total never asked before")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure only this (may be repeated)")
    parser.add_argument("--engine", action="append", choices=peers.ENGINES, help="of the service (default: both)")
    parser.add_argument("--peer", action="append", choices=(*peers.PEERS, "none"), help="default: all of them")
    parser.add_argument("--growth", action="store_true", help="how costs grow with the records, instead of the parts")
    parser.add_argument(
        "--sizes", type=_sizes, default=growth.SIZES, help="of --growth (default: 10000,100000,1000000)"
    )
    parser.add_argument("--one-view", action="store_true", help="of --growth: records that only the public is shown")
    parser.add_argument("--fresh", action="store_true", help="load the service's database anew")
    parser.add_argument("--write", action="store_true", help="put the tables into performance.md, and draw the charts")
    chosen = parser.parse_args()
    if chosen.smoke:
        with TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # run as root, PostgreSQL is another user
            _smoke(Workspace(Path(folder), SMOKE))
        return
    workspace = Workspace(chosen.home, chosen.n)
    if chosen.verb == "generate":
        workspace.generate()
    elif chosen.verb == "measure" and chosen.growth:
        _grow(chosen)
    elif chosen.verb == "measure":
        workspace.generate()
        _measure(workspace, chosen)
    if chosen.verb != "generate":
        results = workspace.results() | {"growth": _grown(chosen.home)}
        drawn = charts.draw(results, chosen.home, DOCS / "benchmarks") if chosen.write else ()
        measured = report.text(results, drawn)
        print(measured)
        _say("What was tried where a goal is not met, and what limits it: docs/performance.md")
        if chosen.write:
            report.put(DOCS / "performance.md", measured)
            if "scaling" in results:
                report.put(DOCS / "scale.md", report.scaled(results))


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _smoke(workspace: Workspace) -> None:
    begun = time.monotonic()
    workspace.generate()
    truth = Truth(workspace.database)
    questions = truth.questions().fewer(30)
    with ExitStack() as stack:
        cluster = stack.enter_context(postgresql(workspace.postgresql, workspace.database))
        chosen = Chosen(peers.ENGINES, ("naive", "asyncpg"))
        running = stack.enter_context(peers.started(workspace, chosen, cluster))
        compared = equality.compare(running, truth, questions, _silent)
        hot = stack.enter_context(peers.kept(running, workspace, questions))
        figures = [one for some in (*running, *hot) for one in serving.plain(some, questions, 24)]
        ours = running[: len(peers.ENGINES)]
        colds = totals.measure(ours[0].server, truth, 3, seed=0)
        counted = counting.measure(running, truth, workspace.database, 3, seed=0)
        taken = exporting.measure(running, workspace.store().home, len(truth.exported(EXPORTED)), 1)
        words = searching.measure([searching.ours(ours[0].system.name, ours[0].server)], workspace.database, 3)
        start = ours[0].server.started_in
        pressed = overload.measure(
            ours[0].system.name, ours[0].server, [ours[0].system.page(page) for page in questions.pages], 0.5
        )
    brought = importing.measure(workspace.folder / "importing", 500)
    costs = growth.measure(workspace, Ours(workspace.store()), _silent, seconds=0.05)
    results = {"n": workspace.n, "rounds": 1, "seconds": 0, "compared": compared._asdict(), "start": start}
    scaled = scaling.measure(workspace.n, 0)
    parts: dict[str, Iterable[Any]] = {
        "serving": figures,
        "totals": colds,
        "counts": counted,
        "exports": taken,
        "searching": words,
        "overload": pressed,
        "growth": costs,
        "importing": [brought],
        "scaling": scaled,
    }
    print(report.text(results | {name: plain(found) for name, found in parts.items()}))
    print(f"The benchmark runs: {time.monotonic() - begun:.1f} s. These figures mean nothing.")


def _measure(workspace: Workspace, arguments: argparse.Namespace) -> None:
    parts, chosen = arguments.part or PARTS, Chosen.of(arguments)
    if "serving" in parts:
        wrk.program()  # better missed now than after an hour of loading
    workspace.keep(n=workspace.n, machine=machine.describe())
    if "importing" in parts:
        found = importing.measure(workspace.folder / "importing", min(importing.ROWS, workspace.n))
        workspace.keep(importing=plain([found]))
    if "scaling" in parts:
        workspace.keep(scaling=plain(scaling.measure(workspace.n, arguments.seconds)))
    if "judging" in parts:
        with TemporaryDirectory() as folder, judging.engines(Path(folder)) as engines:
            workspace.keep(judging=plain(judging.measure(engines)))
    if {*parts} <= {*ALONE}:
        return
    with ExitStack() as stack:
        cluster = stack.enter_context(peers.clusters(workspace, chosen))
        if arguments.fresh:
            for engine in chosen.engines:
                workspace.forget(workspace.store(cluster if engine == "postgresql" else None))
        if "loading" in parts:
            workspace.keep(loading=plain(workspace.measure_loading()))
        truth = Truth(workspace.database)
        if "totals" in parts:
            _total(workspace, arguments, chosen, cluster, truth)
        if not {"serving", "counts", "exports"}.isdisjoint(parts):
            _compete(workspace, arguments, chosen, cluster, truth, parts)
        if "searching" in parts:
            workspace.keep(searching=plain(_search(workspace, arguments, chosen, cluster)))
        if "overload" in parts:
            workspace.keep(overload=plain(_overload(workspace, arguments, chosen, cluster, truth)))


def _search(
    workspace: Workspace, arguments: argparse.Namespace, chosen: Chosen, cluster: Cluster | None
) -> list[searching.Searching]:
    """Look for words in the service on each engine, and on the first of them in the peers that take part."""
    searching.index(workspace.database)
    with ExitStack() as stack:
        seekers: list[searching.Seeker] = []
        if "datasette" in chosen.peers:
            datasette = peers.datasette(workspace)
            server = stack.enter_context(serving.serving(datasette, workspace.logs))
            seekers.append(searching.datasette(datasette.name, server, workspace.database.stem))
        if cluster is not None and "postgraphile" in chosen.peers:
            postgraphile = peers.postgraphile(workspace, cluster)
            server = stack.enter_context(serving.serving(postgraphile, workspace.logs))
            seekers.append(searching.postgraphile(postgraphile, server))
        found: list[searching.Searching] = []
        for ours in peers.ours(workspace, chosen, cluster):
            with serving.serving(ours, workspace.logs) as server:
                asked = [searching.ours(ours.name, server), *seekers]
                found += searching.measure(asked, workspace.database, arguments.cold)
            seekers = []
        return found


def _overload(
    workspace: Workspace, arguments: argparse.Namespace, chosen: Chosen, cluster: Cluster | None, truth: Truth
) -> list[overload.Overload]:
    """Ask the service on each engine for more than it can answer, its kept answers switched off."""
    pages, found = truth.questions().pages, []
    for ours in peers.ours(workspace, chosen, cluster):
        with serving.serving(ours, workspace.logs) as server:
            found += overload.measure(ours.name, server, [ours.page(page) for page in pages], arguments.seconds)
    return found


def _total(
    workspace: Workspace, arguments: argparse.Namespace, chosen: Chosen, cluster: Cluster | None, truth: Truth
) -> None:
    """Measure totals never asked before, on the engine that was named first."""
    first = peers.ours(workspace, chosen, cluster)[0]
    with serving.serving(first, workspace.logs) as server:
        workspace.keep(totals=plain(totals.measure(server, truth, arguments.cold, seed=1)), start=server.started_in)


def _compete(
    workspace: Workspace,
    arguments: argparse.Namespace,
    chosen: Chosen,
    cluster: Cluster | None,
    truth: Truth,
    parts: Iterable[str],
) -> None:
    """Measure what is measured beside peers: all servers stay up, and take turns."""
    questions = truth.questions()
    with ExitStack() as stack:
        running = stack.enter_context(peers.started(workspace, chosen, cluster))
        compared = equality.compare(running, truth, questions, _say)
        _say(f"equal in all {len(running)} systems: {compared}")
        conditions = {"compared": compared._asdict()}
        if "serving" in parts:
            conditions |= {"rounds": arguments.rounds, "seconds": arguments.seconds}
            with peers.kept(running, workspace, questions) as hot:
                figures = serving.measure([*running, *hot], questions, arguments.rounds, arguments.seconds, _say)
            workspace.keep(serving=plain(figures), **conditions)
        if "counts" in parts:
            counted = counting.measure(running, truth, workspace.database, arguments.cold, seed=2)
            workspace.keep(counts=plain(counted))
        if "exports" in parts:
            home = workspace.store().home if "sqlite" in chosen.engines else None
            taken = exporting.measure(running, home, len(truth.exported(EXPORTED)), arguments.rounds)
            workspace.keep(exports=plain(taken))


def _grow(arguments: argparse.Namespace) -> None:
    """Measure how costs grow, size by size; what was measured of other sizes before is kept."""
    chosen = Chosen(tuple(arguments.engine or peers.ENGINES), ())
    for n in arguments.sizes:
        workspace = Workspace(arguments.home, n, 1 if arguments.one_view else 3)
        workspace.generate(peers="postgresql" in chosen.engines)
        with peers.clusters(workspace, chosen) as cluster:
            for ours in peers.ours(workspace, chosen, cluster):
                new = plain(growth.measure(workspace, ours, _say))
                key = (ours.store.engine, n, workspace.views)
                old = [one for one in _grown(arguments.home) if (one["engine"], one["n"], one["views"]) != key]
                (arguments.home / "growth.json").write_text(json.dumps([*old, *new], indent=1))


def _grown(home: Path) -> list[dict[str, object]]:
    kept = home / "growth.json"
    found: list[dict[str, object]] = json.loads(kept.read_text()) if kept.exists() else []
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _silent(line: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    main()
