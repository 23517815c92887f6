"""The account of reads: a line before the first byte, whole, in a chain; and none of who reads what is public."""

import asyncio
import os

import pytest

from app.access.audit import Spool, packed, unpacked
from app.core import moments
from app.core.ids import k_of
from app.core.problems import Problem
from tests.access.conftest import MECHANISMS, OPEN, PARTNER, PARTNERS, lines_in
from tests.intake.house import ONE_ENGINE


class TestLines:
    def test_anonymous_readers_are_never_tracked(self, own):
        own.sees()
        own.ask(f"/v1/testimonies/{OPEN}")
        own.ask("/v1/testimonies?format=csv")
        assert not (own.settings.home / "audit").exists()

    def test_who_may_read_what_is_public_is_not_tracked_either(self, own):
        own.sees(own.key("public/publication"))
        assert not (own.settings.home / "audit").exists()

    def test_a_line_says_who_read_what_and_not_what_was_asked(self, own):
        row, key = own.make(PARTNER)
        own.ask("/v1/testimonies?owner=test-body&limit=1", key, Purpose="research")
        (line,) = lines_in(own.settings.home / "audit")
        assert abs(line.pop("at") - moments.now()) < 10_000
        keys = unpacked(line.pop("ids"))
        assert len(keys) == 1 and keys[0] in (k_of(OPEN), k_of(PARTNERS))
        assert line == {
            "seq": 0,
            "organisation": row["organisation"],
            "credential": row["id"],
            "view": 1,
            "method": "GET",
            "route": "/v1/testimonies",
            "status": 200,
        }

    @pytest.mark.parametrize(
        ("address", "status", "one", "shown"),
        [
            ("/v1/testimonies", 200, None, [OPEN, PARTNERS]),
            ("/v1/testimonies?sort=id&fields=id", 200, None, [OPEN, PARTNERS]),
            ("/v1/incidents", 200, None, []),
            (f"/v1/testimonies/{PARTNERS}", 200, PARTNERS, [PARTNERS]),
            (f"/v1/testimonies/{PARTNERS}/history", 200, PARTNERS, [PARTNERS]),
            ("/v1/sources/src-a/testimonies", 200, "src-a", [OPEN, PARTNERS]),
            (f"/v1/testimonies/{MECHANISMS}", 404, MECHANISMS, []),
            ("/v1/testimonies?peroid=1", 422, None, []),
            ("/v1/testimonies/queryables", 200, None, []),
        ],
    )
    def test_every_answer_has_one(self, own, address, status, one, shown):
        assert own.ask(address, own.key(PARTNER)).status_code == status
        (line,) = lines_in(own.settings.home / "audit")
        assert (line["status"], line.get("one")) == (status, one)
        assert sorted(unpacked(line["ids"])) == sorted(k_of(id) for id in shown)

    def test_of_a_stream_every_part_has_one_before_it_is_sent(self, own):
        own.ask("/v1/testimonies?format=ndjson", own.key(PARTNER))
        first, second = lines_in(own.settings.home / "audit")
        assert (first["ids"], second["more"], len(unpacked(second["ids"]))) == ("", True, 2)

    def test_what_is_known_already_is_a_read_too(self, own):
        key = own.key(PARTNER)
        etag = own.ask(f"/v1/testimonies/{PARTNERS}", key).headers["etag"]
        assert own.ask(f"/v1/testimonies/{PARTNERS}", key, "HEAD", if_none_match=etag).status_code == 304
        lines = lines_in(own.settings.home / "audit")
        assert [(line["method"], line["status"], unpacked(line["ids"])) for line in lines] == [
            ("GET", 200, [k_of(PARTNERS)]),
            ("HEAD", 304, [k_of(PARTNERS)]),
        ]

    def test_a_caller_without_the_right_leaves_none(self, own):
        assert own.ask("/v1/testimonies", own.key(PARTNER, roles=("contribute",))).status_code == 403
        assert not (own.settings.home / "audit").exists()


class TestSpool:
    def test_anonymous_answers_even_where_it_cannot_be_written(self, own):
        (own.settings.home / "audit").write_text("in the way")
        assert own.sees() == [OPEN]
        answer = own.ask("/v1/testimonies", own.key(PARTNER))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert answer.json()["type"] == "/problems/unavailable"
        assert PARTNERS not in answer.text
        (own.settings.home / "audit").unlink()
        assert own.ask("/v1/testimonies", own.key(PARTNER)).status_code == 200

    @ONE_ENGINE
    def test_a_line_is_written_whole_or_not_at_all(self, home, engine, monkeypatch):
        spool, whole = Spool(home / "audit"), os.write
        asyncio.run(spool.keep({"a": 1}))
        monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:9]))
        with pytest.raises(Problem):
            asyncio.run(spool.keep({"a": 2}))
        monkeypatch.undo()
        asyncio.run(spool.keep({"a": 3}))
        spool.close()
        files = sorted((home / "audit").iterdir())
        assert [path.stat().st_mode & 0o777 for path in files] == [0o600, 0o600]
        assert [path.read_bytes().count(b"\n") for path in files] == [1, 1]

    @ONE_ENGINE
    def test_a_full_file_is_followed_by_another(self, home, engine):
        spool = Spool(home / "audit", fsync=True, most=150)
        for i in range(4):
            asyncio.run(spool.keep({"a": i}))
        spool.close()
        assert [line["a"] for line in lines_in(home / "audit")] == [0, 1, 2, 3]
        assert [line["seq"] for line in lines_in(home / "audit")] == [0, 1, 0, 1]

    @ONE_ENGINE
    def test_tie_breaks_take_eight_bytes_each(self, engine):
        keys = [k_of(f"tst-{i}") for i in range(1000)]
        assert unpacked(packed(keys)) == keys
        assert len(packed(keys)) == 10_668
