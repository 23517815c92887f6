"""What is said beside the requests: a line of JSON each, with nothing of what was asked."""

import logging
import os
import socket
import subprocess
import sys

import orjson

from app.core.observe import logger
from app.server import Lines
from tests.cluster import free_port, wait_for


def test_what_libraries_say_is_a_line_of_json_and_says_nothing_of_what_was_asked(capfdbinary):
    lines = Lines(logger("info"))
    try:
        raise RuntimeError("secret detail")
    except RuntimeError:
        failed = sys.exc_info()
    for name, level, said, given, info in (
        ("uvicorn.error", 40, "Exception in ASGI application\n", (), failed),
        (
            "asyncio",
            40,
            "Task exception was never retrieved\nfuture: <Task … RuntimeError('secret detail')>",
            (),
            failed,
        ),
        ("urllib3", 30, "Retrying %s", ("secret detail",), None),
        ("uvicorn.error", 40, OSError(98, "Address already in use"), (), None),
        ("asyncio", 50, ValueError("secret detail"), (), None),
        ("uvicorn.error", 40, "Traceback (most recent call last):\n  File …\nOSError: secret detail\n", (), None),
        ("asyncio", 20, "secret detail", (), None),
    ):
        record = logging.LogRecord(name, level, "", 1, said, given, info)
        if record.levelno >= lines.level:
            lines.handle(record)
    told = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert [(one["by"], one["level"], one["event"], one.get("error")) for one in told] == [
        ("uvicorn.error", "error", "Exception in ASGI application", "RuntimeError"),
        ("asyncio", "error", "Task exception was never retrieved", "RuntimeError"),
        ("urllib3", "warning", "Retrying %s", None),
        ("uvicorn.error", "error", "Address already in use", None),
        ("asyncio", "error", "ValueError", None),
        ("uvicorn.error", "error", "Traceback (most recent call last):", "OSError"),
    ]


def test_what_is_no_request_leaves_no_line_in_the_log(tmp_path):
    ports = {"EVIDENCE_PORT": str(port := free_port()), "EVIDENCE_METRICS_PORT": "0", "EVIDENCE_BUILTIN": "0"}
    env = {**os.environ, **ports, "EVIDENCE_HOME": str(tmp_path / "home")}
    with subprocess.Popen([sys.executable, "-m", "app", "serve"], env=env, stderr=subprocess.PIPE) as server:
        try:
            wait_for(port, server)
            for said in (
                b"nonsense\r\n\r\n",
                b"GET /healthz HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            ):
                with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
                    one.sendall(said)
                    assert one.recv(65536).startswith(b"HTTP/1.1 ")
        finally:
            server.terminate()
        assert server.stderr is not None
        first, *lines = server.stderr.read().splitlines()
    assert first.startswith(b"Serving http://localhost:")
    assert [orjson.loads(line)["route"] for line in lines] == ["/healthz"]
