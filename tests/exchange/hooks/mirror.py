"""Copies that a partner keeps over HTTP, by the feed and by webhooks, while by chance everything goes wrong."""

import http.client
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

import orjson

from app.core.settings import Settings
from app.records import BY_NAME
from tests.cluster import free_port
from tests.conftest import environment
from tests.exchange.hooks.receiver import Came, Receiver
from tests.pages import defined

PATIENCE = 600  # seconds in which a service that was begun has to answer


class Lost(Exception):
    """An answer did not come whole."""


class Server:
    """A real server, in a process of its own, which is killed now and then and begins anew at the same address."""

    def __init__(self, settings: Settings, **more: str) -> None:
        self.port = free_port()
        self.kills = 0
        self._environment = environment(settings, self.port) | more
        self._log = settings.home / "server.log"
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment, stderr=log)

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None, self._log.read_bytes()[-2000:]
                assert time.monotonic() < end
                time.sleep(0.1)

    def kill(self) -> None:
        """Kill it, whatever it is doing, and begin anew; nobody waits for it."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.kills += 1
        self._start()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


@dataclass
class Client:
    """Asks by one key; by chance the connection is dropped in the middle of the answer."""

    server: Server
    key: str
    chance: random.Random
    faults: int = 0
    sound: bool = False

    def ask(self, address: str) -> tuple[int, bytes]:
        """Return status and body.

        Raises:
            Lost: nothing, or not all of it, came.
        """
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
            answer = connection.getresponse()
            if not self.sound and self.chance.random() < 0.05:
                answer.read(40)
                self.faults += 1
                raise Lost
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.faults += 1
            raise Lost from error
        finally:
            connection.close()

    def certain(self, address: str) -> tuple[int, bytes]:
        """Ask again until there is an answer."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                status, body = self.ask(address)
                if status < 500:
                    return status, body
            except Lost:
                pass
            assert time.monotonic() < end
            time.sleep(0.05)


@dataclass
class ByFeed:
    """The copy that follows `/v1/changes`; its place is kept after what came with it, and may be lost in between."""

    client: Client
    bodies: dict[str, bytes] = field(default_factory=dict)
    next: str = "/v1/changes?limit=50&include=record"

    def follow(self, most: int = 1_000_000) -> None:
        for _ in range(most):
            status, body = self.client.certain(self.next)
            assert status == 200, body
            page = orjson.loads(body)
            for one in page["items"]:
                if one.get("record") is None:
                    self.bodies.pop(one["id"], None)
                else:
                    self.bodies[one["id"]] = orjson.dumps(one["record"])
            if not self.client.sound and self.client.chance.random() < 0.1:
                continue  # it died here, and begins again from the place before
            self.next = page["next"]
            if not page["more"]:
                return


class ByPage:
    """The copy that the program of docs/sync.md keeps, from the place that it told last, whatever became of it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.copy: dict[str, Any] = {}
        self._place: str | None = None
        page = defined("sync.md")
        page["urllib"] = SimpleNamespace(request=SimpleNamespace(Request=urllib.request.Request, urlopen=self._open))
        self._follow = page["follow"]

    def _open(self, request: urllib.request.Request, timeout: int) -> io.BytesIO:
        try:
            status, body = self.client.ask(request.full_url)
        except Lost:
            raise URLError("it did not come whole") from None
        if status != 200:
            raise URLError(f"it is {status}")
        return io.BytesIO(body)

    def follow(self) -> bool:
        """Call it once; tell whether it came to the end."""
        try:
            self._place = self._follow(f"http://127.0.0.1:{self.client.server.port}", "", self._place, self.copy)
        except URLError:
            return False
        return True


@dataclass
class ByHooks:
    """The copy that is told by webhooks, drops what it has by its id, and asks for each record that it is told of."""

    client: Client
    secret: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    held_back: list[Came] = field(default_factory=list)
    answers: dict[Any, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, _: Receiver, came: Came) -> tuple[int, dict[str, str]] | None:
        """Verify a message and keep it; by chance fail in one of the ways in which receivers do."""
        came.verify(self.secret)
        with self.lock:
            drawn = None if self.client.sound else self.client.chance.random()
            fault = self._fault(drawn) if drawn is not None else 0
            self.answers[fault] = self.answers.get(fault, 0) + 1
            if fault in (429, 503):
                return fault, {"Retry-After": "1"}
            if fault == 500:
                return 500, {}
            self.held_back.append(came)  # also where the connection is cut now: then it comes once more
            if drawn is not None and drawn > 0.9:
                self.held_back.append(came)  # twice
            return None if fault is None else (204, {})

    @staticmethod
    def _fault(drawn: float) -> int | None:
        for bound, fault in ((0.04, 429), (0.08, 500), (0.1, 503), (0.16, None)):
            if drawn < bound:
                return fault
        return 0

    def work(self) -> None:
        """Take over what came, in any order, each message once."""
        with self.lock:
            came, self.held_back = self.held_back, []
        self.client.chance.shuffle(came)
        for one in came:
            if one.id not in self.known:
                for change in one.message["data"]["changes"]:
                    self._fetch(change["kind"], change["id"])
                self.known.add(one.id)

    def _fetch(self, kind: str, id: str) -> None:
        status, body = self.client.certain(f"/v1/{BY_NAME[kind].path}/{id}")
        assert status in (200, 308, 404), body  # merged: it is the other one's from now on
        if status == 200:
            self.bodies[id] = body
        else:
            self.bodies.pop(id, None)
