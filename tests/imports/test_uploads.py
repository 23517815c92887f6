"""Handing a file in: in parts, broken off and gone on with, held to its digests, and never readable on the disk."""

import base64
import hashlib
import os

import pytest

from app.imports.keeping import folder_of
from app.imports.sealed import FRAME, Sealed, Sealing, size_of
from tests.imports.conftest import PARTIAL, good

SECRET = "Marked-7c1d"


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def test_parts_go_behind_one_another_and_only_there(hand):
    content = good().encode()
    one = hand.make(size=len(content))
    head = hand.ask("HEAD", f"{one}/file")
    assert (head.status_code, head.headers["upload-offset"], head.headers["upload-complete"]) == (200, "0", "?0")
    assert head.headers["upload-limit"] == "max-size=2048000000"
    first = hand.put(one, content[:100], last=False, content_digest=digest(content[:100]))
    assert (first.status_code, first.headers["upload-offset"], first.headers["upload-complete"]) == (204, "100", "?0")
    for offset in (0, 99, 101):
        answer = hand.put(one, content[offset:], offset)
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "100")
    assert hand.ask("GET", f"{one}/file").json() == {"received": 100, "complete": False, "most": 2_048_000_000}
    last = hand.put(one, content[100:], 100, repr_digest=digest(content))
    assert (last.status_code, last.headers["upload-complete"], last.json()["file"]["digest"]) == (
        200,
        "?1",
        digest(content),
    )
    assert hand.until(one)["state"] == "ready"
    assert hand.put(one, b"more", len(content)).status_code == 409


def test_what_is_not_what_was_said_of_it_is_not_kept(hand):
    content = good().encode()
    one = hand.make(size=len(content))
    wrong = digest(b"something else")
    for given, name in (({"content_digest": wrong}, "Content-Digest"), ({"repr_digest": wrong}, "Repr-Digest")):
        answer = hand.put(one, content, **given)
        assert answer.status_code == 422 and answer.json()["errors"][0]["name"] == name
        assert hand.ask("HEAD", f"{one}/file").headers["upload-offset"] == "0"
    short = hand.put(one, content[:-1])
    assert short.status_code == 422 and short.json()["errors"][0]["name"] == "Upload-Length"
    assert hand.put(one, content + b"x").status_code == 413
    assert hand.ask("HEAD", f"{one}/file").headers["upload-offset"] == "0"
    assert hand.put(one, content).status_code == 200


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"upload_offset": "-1"}, "Upload-Offset"),
        ({"upload_offset": "many"}, "Upload-Offset"),
        ({"upload_complete": "yes"}, "Upload-Complete"),
        ({"upload_length": "x"}, "Upload-Length"),
        ({"content_digest": "md5=:AAAA:"}, "Content-Digest"),
    ],
)
def test_headers_of_a_part_that_cannot_be_read_are_named(hand, headers, name):
    answer = hand.put(hand.make(), b"x", **headers)
    assert answer.status_code == 422 and [one["name"] for one in answer.json()["errors"]] == [name]


def test_another_media_type_and_a_file_that_is_too_large_are_refused(hand):
    one = hand.make()
    answer = hand.ask("PATCH", f"{one}/file", content=b"x", **{"content-type": "text/csv"})
    assert (answer.status_code, answer.headers["accept-patch"]) == (415, PARTIAL)
    new = {"file": {"name": "a.csv", "size": 3_000_000_000}, "mapping": "acled"}
    assert hand.ask("POST", "/v1/imports", new).status_code == 413


def test_nothing_of_a_file_can_be_read_on_the_disk_and_nothing_stays(hand):
    content = good().replace("An event", SECRET).encode()
    one = hand.make()
    assert hand.put(one, content[:200], last=False).status_code == 204
    assert found_on_disk(hand) == []
    assert hand.put(one, content[200:], 200).status_code == 200
    found = hand.until(one)
    assert found_on_disk(hand) == []
    assert hand.ask("DELETE", one).status_code == 204
    assert not folder_of(hand.house.settings.home, found["id"]).exists()
    gone = hand.ask("GET", one).json()
    assert (gone["state"], gone["file"]["name"], gone["kept_until"]) == ("abandoned", None, None)
    assert hand.ask("GET", f"{one}/report").status_code == 404


def found_on_disk(hand) -> list[str]:
    """Return the files below the data folder, and of the database, in which the word can be read."""
    home, url = hand.house.settings.home, hand.house.settings.database_url
    files = [path for path in home.rglob("*") if path.is_file()]
    files += [path for path in type(home)(url.removeprefix("sqlite:///")).parent.glob("*") if path.is_file()]
    assert any(path.name == "file" for path in files)
    return [str(path) for path in files if SECRET.encode() in path.read_bytes()]


# --- the file itself ---


def test_a_sealed_file_is_read_anywhere_and_grows_at_its_end(tmp_path):
    path, key = tmp_path / "file", os.urandom(32)
    content = os.urandom(2 * FRAME + 1_000)
    written = 0
    for size in (10, FRAME, 7, len(content)):
        file = Sealing(path, key, "a")
        assert file.size == written
        piece = content[written : written + size]
        file.write(piece)
        file.settle()
        file.close()
        written += len(piece)
        assert size_of(path) == written
    with Sealed(path, key, "a") as opened:
        for at in (0, 5, 10, FRAME - 1, FRAME + 9, FRAME + 17, len(content) - 1, len(content)):
            opened.seek(at)
            got = b""
            while piece := opened.read(300_000):
                got += piece
            assert got == content[at:]


def test_a_frame_that_was_cut_short_is_cut_off_and_a_changed_one_is_not_opened(tmp_path):
    path, key = tmp_path / "file", os.urandom(32)
    for piece in (b"first", b"second"):
        file = Sealing(path, key, "a")
        file.write(piece)
        file.settle()
        file.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    again = Sealing(path, key, "a")
    assert again.size == 5
    again.write(b"second")
    again.settle()
    again.close()
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    file = Sealing(path, key, "a")
    assert file.size == 5
    file.close()
    assert b"first" not in whole and b"second" not in whole
