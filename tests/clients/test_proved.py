"""A proof by the page alone: downloaded from a real server, checked by the command and by the program of the page."""

import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.pages import blocks

RECORD = "inc-5g30azxdsmtm3kb7dcyffd2k1h"


@pytest.fixture(scope="module")
def downloaded(live_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three files of the page."""
    folder, end = tmp_path_factory.mktemp("downloaded"), time.monotonic() + 60

    def get(address: str) -> bytes:
        with urllib.request.urlopen(live_server + address, timeout=10) as answer:
            body: bytes = answer.read()
        return body

    while orjson.loads(get("/v1/log"))["checkpoint"] is None:  # it is made beside the first answers
        assert time.monotonic() < end
        time.sleep(0.1)
    download, _ = blocks("custody.md", "sh")
    for line in download.splitlines()[:3]:
        script = line.replace("localhost:8000", live_server.removeprefix("http://")).replace("python3", sys.executable)
        subprocess.run(["/bin/sh", "-c", script], cwd=folder, check=True, timeout=30)  # noqa: S603 - our own page
    return folder


def verified(folder: Path, *words: str) -> tuple[int, str]:
    """Return how the command ended, and what it said."""
    done = CliRunner().invoke(app, ["verify", *words, "--key", (folder / "key.txt").read_text()])
    return done.exit_code, done.output


def test_the_command_of_the_page_proves_what_the_page_says(downloaded, monkeypatch):
    monkeypatch.chdir(downloaded)
    download, _ = blocks("custody.md", "sh")
    words = shlex.split(download.splitlines()[3])[1:]
    status, said = verified(downloaded, *words[1 : words.index("--key")])
    assert status == 0
    signed, proved, record = said.splitlines()
    assert signed.startswith("Signed by accountability-evidence/")
    assert proved.startswith(f"Proved: form 1 of {RECORD}, created ")
    assert record == "record.json is this form, byte by byte."


def test_what_was_changed_is_not_proved(downloaded, tmp_path):
    proof, changed = downloaded / "proof.json", tmp_path / "changed.json"
    changed.write_bytes((downloaded / "record.json").read_bytes().replace(b"Chongjin", b"Hamhung"))
    status, said = verified(downloaded, str(proof), "--record", str(changed))
    assert (status, said[:44]) == (1, "Not proved: the record has another digest th")
    for body, why in ((b"{", "this is not JSON"), (b"[]", "this is no proof")):
        changed.write_bytes(body)
        status, said = verified(downloaded, str(changed))
        assert (status, why in said) == (2, True)
    assert verified(downloaded, str(tmp_path / "nowhere"))[0] == 2


def test_a_program_of_nothing_of_ours_says_the_same(downloaded, tmp_path):
    (program,) = blocks("custody.md", "python")
    (tmp_path / "check.py").write_text(program)
    files = [str(downloaded / name) for name in ("record.json", "proof.json", "key.txt")]

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(tmp_path / "check.py"), *files]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603 - our own page

    assert run().stdout.startswith("proved: {'at': ")
    proof = orjson.loads((downloaded / "proof.json").read_bytes())
    form = proof["form"]
    for changed in (
        {"index": form["index"] ^ 1},
        {"salt": "00" * 32},
        {"leaf": form["leaf"] | {"revision": 2}},
        {"path": form["path"][:-1]},
    ):
        files[1] = str(tmp_path / "wrong.json")
        Path(files[1]).write_bytes(orjson.dumps(proof | {"form": form | changed}))
        assert "the leaf is not in the log" in run().stderr
    files[1] = str(downloaded / "proof.json")
    record = (downloaded / "record.json").read_bytes()
    files[0] = str(tmp_path / "changed.json")
    for more, why in (
        (record[:-1] + b',"title":{"en":"Another"}}', "does not end as it was logged"),
        (record.replace(b"Chongjin", b"Hamhung"), "the record was changed"),
    ):
        Path(files[0]).write_bytes(more)
        assert why in run().stderr


def test_a_proof_of_consistency_is_checked_too(downloaded, live_server, tmp_path):
    with urllib.request.urlopen(f"{live_server}/v1/log", timeout=10) as answer:
        size = orjson.loads(answer.read())["checkpoint"]["size"]
    with urllib.request.urlopen(f"{live_server}/v1/log/consistency?old={size}", timeout=10) as answer:
        (tmp_path / "consistency.json").write_bytes(answer.read())
    status, said = verified(downloaded, str(tmp_path / "consistency.json"))
    assert (status, said) == (0, f"The log of {size} leaves begins the log of {size}: nothing in it was changed.\n")
    status, said = verified(downloaded, str(tmp_path / "consistency.json"), "--record", str(downloaded / "record.json"))
    assert (status, "of no record" in said) == (2, True)
