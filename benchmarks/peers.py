"""Which systems take part: the service on each engine, its peers, and the limits of the machine."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.applications import Constant, copying, limits, naive
from benchmarks.datasette import Datasette
from benchmarks.ours import KEEPS_ANSWERS, Ours
from benchmarks.postgraphile import PostGraphile
from benchmarks.postgresql import Cluster, postgis, postgresql, programs_with_postgis
from benchmarks.questions import Questions
from benchmarks.serving import Running, serving
from benchmarks.system import Served
from benchmarks.tipg import Tipg
from benchmarks.workspace import Workspace

PEERS = ("datasette", "postgraphile", "tipg", "naive", "asyncpg")
ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Chosen:
    """What takes part: engines of the service, and peers."""

    engines: tuple[str, ...]
    peers: tuple[str, ...]

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> "Chosen":
        """Return what a command line chose; without a word everything.

        Raises:
            Failed: a peer needs what is not on this machine.
        """
        peers = [] if "none" in (chosen.peer or []) else chosen.peer or PEERS
        if "tipg" in peers:
            programs_with_postgis()  # better missed now than after an hour of loading
        return cls(tuple(dict.fromkeys(chosen.engine or ENGINES)), tuple(peers))

    @property
    def needs_server(self) -> bool:
        """Whether the service or a peer wants the PostgreSQL of the tests."""
        return "postgresql" in self.engines or not {"postgraphile", "asyncpg"}.isdisjoint(self.peers)


@contextmanager
def clusters(workspace: Workspace, chosen: Chosen) -> Iterator[Cluster | None]:
    """Give the PostgreSQL server of the service and its peers, running, if anything wants it."""
    if not chosen.needs_server:
        yield None
        return
    with postgresql(workspace.postgresql, workspace.database) as cluster:
        yield cluster


def ours(workspace: Workspace, chosen: Chosen, cluster: Cluster | None) -> list[Ours]:
    """Return the service on each engine that was chosen, loaded."""
    found = []
    for engine in chosen.engines:
        store = workspace.store(cluster if engine == "postgresql" else None)
        workspace.load(store)
        found.append(Ours(store))
    return found


def datasette(workspace: Workspace) -> Datasette:
    """Return Datasette, ready to serve the peers' database."""
    found = Datasette(workspace.home, workspace.database)
    found.prepare()
    return found


def postgraphile(workspace: Workspace, cluster: Cluster) -> PostGraphile:
    """Return PostGraphile, ready to serve the peers' database of a PostgreSQL server."""
    found = PostGraphile(workspace.home, cluster)
    found.prepare()
    return found


@contextmanager
def started(
    workspace: Workspace, chosen: Chosen, cluster: Cluster | None, bare: bool = True
) -> Iterator[list[Running]]:
    """Give every system that takes part with its server running, the service first.

    Args:
        workspace: where the records are.
        chosen: what takes part.
        cluster: the PostgreSQL server, if anything wants it.
        bare: whether the limits of SQLite take part too.
    """
    with ExitStack() as stack:
        systems: list[Served] = [*ours(workspace, chosen, cluster)]
        if "datasette" in chosen.peers:
            systems.append(datasette(workspace))
        if cluster is not None and "postgraphile" in chosen.peers:
            systems.append(postgraphile(workspace, cluster))
        if "tipg" in chosen.peers:
            tipg = Tipg(workspace.home, stack.enter_context(postgis(workspace.postgis, workspace.database)))
            tipg.prepare()
            systems.append(tipg)
        if "naive" in chosen.peers:
            systems.append(naive(workspace.database))
        if cluster is not None and "asyncpg" in chosen.peers:
            systems.append(copying(cluster))
        systems += limits(workspace.database)
        yield [Running(system, stack.enter_context(serving(system, workspace.logs))) for system in systems]


@contextmanager
def kept(running: list[Running], workspace: Workspace, questions: Questions) -> Iterator[list[Running]]:
    """Give what is asked for kept answers: the service with its answers kept, and a constant body as large as R1."""
    with ExitStack() as stack:
        found = []
        for one in running:
            if isinstance(one.system, Ours):
                hot = Ours(one.system.store, keeps=True)
                server = stack.enter_context(serving(hot, workspace.logs)) if KEEPS_ANSWERS else one.server
                found.append(Running(hot, server, hot=True))
        constant = Constant()
        sizes = [len(found[0].server.ask(found[0].system.page(page))) for page in questions.pages]
        constant.size = sum(sizes) // len(sizes)
        server = stack.enter_context(serving(constant, workspace.logs))
        yield [*found, Running(constant, server, hot=True)]
