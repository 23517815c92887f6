"""`python -m benchmarks`: prepares, compares, measures and reports; `--smoke` does all of it on very little."""

import argparse
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import counting, equality, exporting, machine, report, scaling, serving, totals, wrk
from benchmarks.datasette import Datasette
from benchmarks.limit import limits
from benchmarks.ours import Ours
from benchmarks.postgraphile import PostGraphile, postgresql
from benchmarks.questions import Questions, Truth
from benchmarks.system import System
from benchmarks.workspace import Workspace, plain

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
PARTS = ("loading", "serving", "totals", "counts", "exports", "scaling")
SCALE = DOCUMENT.with_name("scale.md")
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
    parser.add_argument("--peer", action="append", choices=("datasette", "postgraphile"), help="default: datasette")
    parser.add_argument("--fresh", action="store_true", help="load the service's database anew")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCUMENT.name}")
    chosen = parser.parse_args()
    if chosen.smoke:
        with TemporaryDirectory() as folder:
            _smoke(Workspace(Path(folder), SMOKE))
        return
    workspace = Workspace(chosen.home, chosen.n)
    if chosen.verb != "report":
        workspace.generate()
    if chosen.verb == "measure":
        _measure(workspace, chosen)
    if chosen.verb != "generate":
        measured = report.text(workspace.results())
        print(measured)
        if chosen.write:
            report.put(DOCUMENT, measured)
            if "scaling" in (results := workspace.results()):
                report.put(SCALE, report.scaled(results))


def _smoke(workspace: Workspace) -> None:
    begun = time.monotonic()
    workspace.generate()
    workspace.load()
    truth = Truth(workspace.database)
    questions = truth.questions()
    systems: list[System] = [Ours(workspace.ours), *limits(workspace.database)]
    with serving.started(systems, workspace.logs) as running:
        compared = equality.compare(running, truth, questions)
        figures = [one for system, server in running for one in serving.plain(system, server, questions, 24)]
        colds = totals.measure(running[0][1], truth, 3, seed=0)
        counted = counting.measure(running[0][1], None, workspace.database, 3, seed=0)
        taken = exporting.measure(running[0][1], workspace.ours, None, 1)
        start = running[0][1].started_in
    results = {"n": workspace.n, "rounds": 1, "seconds": 0, "compared": compared._asdict(), "start": start}
    scaled = scaling.measure(workspace.n, 0)
    parts = {"scaling": scaled, "serving": figures, "totals": colds, "counts": counted, "exports": taken}
    print(report.text(results | {name: plain(found) for name, found in parts.items()}))
    print(f"The benchmark runs: {time.monotonic() - begun:.1f} s. These figures mean nothing.")


def _measure(workspace: Workspace, chosen: argparse.Namespace) -> None:
    parts = chosen.part or PARTS
    if "serving" in parts:
        wrk.program()  # better missed now than after an hour of loading
    workspace.keep(n=workspace.n, machine=machine.describe())
    if chosen.fresh:
        workspace.forget()
    if "loading" in parts:
        workspace.keep(loading=plain(workspace.measure_loading()))
    if "scaling" in parts:
        workspace.keep(scaling=plain(scaling.measure(workspace.n, chosen.seconds)))
    if {*parts} <= {"scaling"}:
        return
    workspace.load()
    truth = Truth(workspace.database)
    ours = Ours(workspace.ours)
    if "serving" in parts:
        _serve(workspace, ours, chosen, truth, truth.questions())
    if "totals" in parts:
        with serving.serving(ours, workspace.logs) as server:
            workspace.keep(totals=plain(totals.measure(server, truth, chosen.cold, seed=1)), start=server.started_in)
    if "counts" in parts:
        workspace.keep(counts=plain(_count(workspace, ours, chosen)))
    if "exports" in parts:
        workspace.keep(exports=plain(_export(workspace, ours, chosen)))


def _count(workspace: Workspace, ours: Ours, chosen: argparse.Namespace) -> list[counting.Counting]:
    with ExitStack() as stack:
        server, peer = stack.enter_context(serving.serving(ours, workspace.logs)), None
        if (datasette := _datasette(workspace, chosen)) is not None:
            other = stack.enter_context(serving.serving(datasette, workspace.logs))
            peer = (datasette.name, other, workspace.database.stem)
        return counting.measure(server, peer, workspace.database, chosen.cold, seed=2)


def _export(workspace: Workspace, ours: Ours, chosen: argparse.Namespace) -> list[exporting.Export]:
    with ExitStack() as stack:
        server, peer = stack.enter_context(serving.serving(ours, workspace.logs)), None
        if (datasette := _datasette(workspace, chosen)) is not None:
            peer = stack.enter_context(serving.serving(datasette, workspace.logs)), datasette.everything()
        return exporting.measure(server, workspace.ours, peer, chosen.rounds)


def _datasette(workspace: Workspace, chosen: argparse.Namespace) -> Datasette | None:
    if "datasette" not in (chosen.peer or ["datasette"]):
        return None
    datasette = Datasette(workspace.home, workspace.database)
    datasette.prepare()
    return datasette


def _serve(workspace: Workspace, ours: Ours, chosen: argparse.Namespace, truth: Truth, questions: Questions) -> None:
    peers = chosen.peer or ["datasette"]
    with ExitStack() as stack:
        systems: list[System] = [ours]
        if "datasette" in peers:
            datasette = Datasette(workspace.home, workspace.database)
            datasette.prepare()
            systems.append(datasette)
        if "postgraphile" in peers:
            address = stack.enter_context(postgresql(workspace.folder / "postgresql", workspace.database))
            postgraphile = PostGraphile(workspace.home, address)
            postgraphile.prepare()
            systems.append(postgraphile)
        systems += limits(workspace.database)
        running = stack.enter_context(serving.started(systems, workspace.logs))
        compared = equality.compare(running, truth, questions)
        _say(f"equal in all {len(running)} systems: {compared}")
        figures = serving.measure(running, questions, chosen.rounds, chosen.seconds, _say)
        conditions = {"rounds": chosen.rounds, "seconds": chosen.seconds, "compared": compared._asdict()}
        workspace.keep(serving=plain(figures), **conditions)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
