"""One server under measurement: started, asked, weighed, and stopped with all that it started."""

import http.client
import os
import signal
import socket
import subprocess
import time
from email.message import Message
from pathlib import Path
from types import TracebackType

import psutil  # type: ignore[import-untyped]

from benchmarks.system import Command, Request

IDLE = 2  # seconds after which a connection is not used again
PATIENCE = 120.0  # seconds
RESTING = 0.25  # seconds
IDLE_SHARE = 0.2  # of one processor: less is nothing


class Failed(Exception):
    """A server did not start, or refused a request; the message says why."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def private_bytes(pid: int) -> int:
    """Return the memory that a process and its children have for themselves (RssAnon): no mapped file counts in."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(map(_private, family))


def processor_seconds(pid: int) -> float:
    """Return the processor time, user and system, of a process and its children."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(map(_worked, family))


def _worked(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it has just ended
        return 0.0
    # What ended meanwhile is counted by whoever waited for it.
    return float(times.user + times.system + times.children_user + times.children_system)


def _private(process: psutil.Process) -> int:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:  # it has just ended
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)


class Server:
    """A server process."""

    def __init__(self, name: str, command: Command, port: int, ready: Request, log: Path) -> None:
        """Say how it is started; what it prints goes to a file."""
        self.name = name
        self.port = port
        self.started_in = 0.0  # seconds from its start to its first answer
        self._command = command
        self._ready = ready
        self._log = log
        self._connection: http.client.HTTPConnection | None = None
        self._asked = 0.0  # when, last
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        """Start it and wait for its first answer."""
        started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command.argv,
                env=os.environ | self._command.env,
                cwd=self._command.cwd,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while True:
            try:
                self.ask(self._ready)
                self.started_in = time.monotonic() - started
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() - started > PATIENCE:
                    self.__exit__(None, None, None)
                    raise Failed(f"{self.name} does not start: {self._log.read_text()[-2_000:]}") from None
                time.sleep(0.02)
            except Failed:
                self.__exit__(None, None, None)
                raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            stop(self._process)
            self._process = None

    def ask(self, request: Request) -> bytes:
        """Return the body of an answer.

        Raises:
            Failed: its status is not 200, or 304 where that was asked for.
            OSError: there is none.
        """
        return self._answer(request)[0]

    def etag(self, request: Request) -> str:
        """Return the entity tag of an answer, as its header has it.

        Raises:
            Failed: its status is not 200, or it has none.
            OSError: there is no answer.
        """
        tag = self._answer(request)[1].get("ETag")
        if not tag:
            raise Failed(f"{self.name} gives no ETag for {request.path}")
        return str(tag)

    def _answer(self, request: Request) -> tuple[bytes, Message]:
        if self._connection is not None and time.monotonic() - self._asked > IDLE:
            self._connection.close()  # servers close a connection that nobody uses
            self._connection = None
        self._asked = time.monotonic()
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if request.body else {})
        headers |= {"If-None-Match": request.match} if request.match else {}
        try:
            self._connection.request(
                "POST" if request.body else "GET", request.path, request.body.encode() or None, headers
            )
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._connection = None
            raise OSError(str(error)) from error
        if answer.status != (304 if request.match else 200):
            raise Failed(
                f"{self.name} answers {answer.status} to {request.path}: {body[:500].decode(errors='replace')}"
            )
        return body, answer.headers

    def check(self) -> None:
        """See that it still runs.

        Raises:
            Failed: it has ended by itself.
        """
        if self._process is not None and (code := self._process.poll()) is not None:
            raise Failed(f"{self.name} ended with {code}: {self._log.read_text()[-2_000:]}")

    def children(self) -> list[psutil.Process]:
        """Return the processes that it has started."""
        try:
            return psutil.Process(self._process.pid).children(recursive=True) if self._process is not None else []
        except psutil.NoSuchProcess:
            return []

    @staticmethod
    def private_of(process: psutil.Process) -> int:
        """Return the memory that one process has for itself."""
        return _private(process)

    def private_bytes(self) -> int:
        """Return the memory that it has for itself."""
        return private_bytes(self._process.pid) if self._process is not None else 0

    def processor_seconds(self) -> float:
        """Return the processor time that it, its children and what works behind it have used so far."""
        pids = [*([self._process.pid] if self._process is not None else []), *self._command.behind]
        return sum(map(processor_seconds, pids))

    def rest(self, patience: float = PATIENCE) -> None:
        """Wait until it does nothing: what nobody waits for any more may still be worked at."""
        until = time.monotonic() + patience
        before = self.processor_seconds()
        while time.monotonic() < until:
            time.sleep(RESTING)
            now = self.processor_seconds()
            if now - before < RESTING * IDLE_SHARE:
                return
            before = now


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children: asked first, then made to."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for one in family:
        if one.is_running():
            one.terminate()
    for one in psutil.wait_procs(family, 5)[1]:
        one.kill()
