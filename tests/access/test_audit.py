"""The account of reads: a line before the first byte, in a chain, in the database within seconds, and for whom."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.access import chain
from app.access.audit import Spool, packed, unpacked
from app.access.keys import Keys
from app.access.shipping import Shipper, month_of
from app.access.tables import AUDIT_ENTRY, AUDIT_READ
from app.access.verify import verify
from app.core import moments
from app.core.db import Database
from app.core.ids import k_of
from app.core.problems import Problem
from app.main import create_app
from tests.access.conftest import MECHANISM, MECHANISMS, OPEN, PARTNER, PARTNERS, House, fill
from tests.conftest import environment, free_port
from tests.intake.house import ONE_ENGINE, OWNER, rows_of

ALL = sorted([OPEN, PARTNERS, MECHANISMS])


@pytest.fixture
def own(settings, monkeypatch):
    """A deployment of its own, with the shipping done by hand."""

    async def nothing(_):
        pass

    monkeypatch.setattr(Shipper, "once", nothing)
    fill(settings)
    database = Database.main(settings)
    with TestClient(create_app(settings)) as client:
        yield House(settings, database, Keys(database), client)
    asyncio.run(database.close())


def lines_in(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of all spools, each chain checked."""
    found = []
    for path in sorted(folder.glob("*.spool")):
        previous = chain.START
        for raw in path.read_bytes().splitlines():
            text, _, stated = raw.rpartition(b"\t")
            previous = chain.link(previous, text)
            assert previous.hex().encode() == stated
            found.append(orjson.loads(text))
    return found


def ship(house: House) -> list[str]:
    """Ship as another process would, once the one that wrote is gone; return what failed."""
    failed: list[str] = []
    Shipper(house.database, Spool(house.settings.home / "audit"), failed.append).ship()
    return failed


def close(house: House) -> None:
    """Let the process that writes go, with nothing shipped."""
    house.client.app.router.routes[0]._trails._spool.close()  # type: ignore[attr-defined]


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


class TestShipping:
    def test_anonymous_leaves_nothing_to_ship(self, own):
        own.sees()
        assert ship(own) == []
        assert [line for line in rows_of(own.database, AUDIT_ENTRY) if line[1] != "acts"] == []

    def test_lines_are_in_the_database_within_five_seconds(self, own, monkeypatch):
        key = own.key(PARTNER)
        monkeypatch.undo()
        with TestClient(create_app(own.settings)) as client:
            client.get("/v1/testimonies", headers={"Authorization": f"Bearer {key}"})
            deadline = time.monotonic() + 5
            while not rows_of(own.database, AUDIT_READ):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert sorted(row[2] for row in rows_of(own.database, AUDIT_READ)) == sorted([OPEN, PARTNERS])
        assert list((own.settings.home / "audit").iterdir()) == []  # taken over whole as the process ended

    def test_nobody_ships_for_a_process_that_lives_and_nothing_twice(self, own):
        key = own.key(PARTNER)
        own.sees(key)
        assert ship(own) == []
        assert rows_of(own.database, AUDIT_READ) == []
        close(own)
        assert ship(own) == ship(own) == []
        assert len(rows_of(own.database, AUDIT_READ)) == 2
        own.sees(key)
        close(own)
        assert ship(own) == []
        assert len(rows_of(own.database, AUDIT_READ)) == 4

    def test_a_line_that_was_cut_short_is_of_no_answer(self, own):
        own.sees(own.key(PARTNER))
        close(own)
        (path,) = (own.settings.home / "audit").iterdir()
        with path.open("ab") as file:
            file.write(b'{"seq":1,"at":5')
        assert ship(own) == []
        assert verify(own.database, own.settings.home / "audit").faults == []
        assert len(rows_of(own.database, AUDIT_READ)) == 2 and not path.exists()

    def test_a_file_that_was_changed_is_set_aside_and_told_of(self, own):
        key = own.key(PARTNER)
        own.sees(key)
        own.sees(key)
        close(own)
        (path,) = (own.settings.home / "audit").iterdir()
        path.write_bytes(path.read_bytes().replace(b'"seq":1', b'"seq":2'))
        assert ship(own) == ["broken spool"]
        assert [one.suffix for one in (own.settings.home / "audit").iterdir()] == [".broken"]
        assert len(rows_of(own.database, AUDIT_READ)) == 2  # of the line that still holds
        (fault,) = verify(own.database, own.settings.home / "audit").faults
        assert fault.endswith(".broken: a line was changed, or is missing")

    def test_a_process_that_was_killed_loses_nothing(self, own):
        """The service is killed with -9 while it answers: each answer that came has its line."""
        key, port = own.key(PARTNER), free_port()
        command = [sys.executable, "-c", KILLED]
        server = subprocess.Popen(command, env=environment(own.settings, port), stderr=subprocess.DEVNULL)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/testimonies", headers={"Authorization": f"Bearer {key}"}
        )
        answered = 0
        try:
            deadline = time.monotonic() + 30
            while answered < 40:
                try:
                    with urllib.request.urlopen(request, timeout=5) as answer:
                        assert answer.status == 200 and answer.read(1) == b"{"
                        answered += 1
                except OSError:
                    assert server.poll() is None and time.monotonic() < deadline
                    time.sleep(0.1)
        finally:
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
        assert len(lines_in(own.settings.home / "audit")) == 40
        assert verify(own.database, own.settings.home / "audit").waiting == 40
        assert ship(own) == []
        assert len({row[1] for row in rows_of(own.database, AUDIT_READ)}) > 1
        found = verify(own.database, own.settings.home / "audit")
        assert (found.faults, found.waiting, found.entries) == ([], 0, 42)


KILLED = """
import app.access.shipping as shipping
shipping.SECONDS = 600  # nothing is shipped before it is killed
from app.cli import main
import sys
sys.argv = ["evidence", "serve"]
main()
"""


class TestVerifying:
    def test_anonymous_has_no_part_in_it(self, own):
        own.sees()
        found = verify(own.database, own.settings.home / "audit")
        assert (found.entries, found.chains, found.waiting, found.faults) == (0, 0, 0, [])

    def test_a_line_changed_taken_out_or_cut_off_is_found(self, own):
        folder = own.settings.home / "audit"
        key = own.key(PARTNER)
        for _ in range(3):
            own.sees(key)
        close(own)
        ship(own)
        found = verify(own.database, folder)
        assert (found.entries, found.chains, found.faults) == (5, 2, [])
        assert verify(own.database, folder, (found.entries, found.head)).faults == []
        c = AUDIT_ENTRY.c
        whole = own.database.look(lambda connection: connection.scalar(select(c.line).where(c.entry == 3)))

        def change(entry, **values):
            own.database.write(
                lambda connection: connection.execute(update(AUDIT_ENTRY).where(c.entry == entry).values(**values))
            )

        change(3, line=bytes(whole).replace(b'"status":200', b'"status":404'))
        assert [one.partition(": ")[2][:6] for one in verify(own.database, folder).faults] == ["line 1"]
        change(3, line=bytes(whole))
        assert verify(own.database, folder).faults == []
        own.database.write(lambda connection: connection.execute(AUDIT_ENTRY.delete().where(c.entry == 3)))
        assert verify(own.database, folder).faults[0] == "entry 3 is missing"
        own.database.write(lambda connection: connection.execute(AUDIT_ENTRY.delete().where(c.entry >= 3)))
        assert verify(own.database, folder).faults == []  # the end can be cut off …
        assert verify(own.database, folder, (found.entries, found.head)).faults == [  # … but not for who noted the head
            "the entries are not those that were expected"
        ]


class TestAsking:
    def test_anonymous_is_told_nothing(self, own):
        for address in ("/v1/audit", "/v1/audit/seals"):
            assert own.ask(address).status_code == 401
        assert own.ask("/v1/audit", own.key(PARTNER)).status_code == 403

    @pytest.fixture
    def steward(self, own):
        """The key of a steward of the organisation that holds the records."""
        own.keys.create_organisation(OWNER, "The owner", [PARTNER])
        return own.key(PARTNER, organisation=OWNER, roles=("steward",))

    def test_an_owner_learns_who_has_read_its_records(self, own, steward):
        row, key = own.make(PARTNER)
        own.sees(key)
        own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        close(own)
        ship(own)
        body = own.ask("/v1/audit", steward).json()
        at = {item.pop("at") for item in body["items"]}
        assert len(at) == 1 and at.pop().endswith("Z")
        assert body == {
            "items": [
                {"record": id, "kind": "testimony", "reader": row["organisation"], "view": PARTNER}
                for id in sorted([OPEN, PARTNERS], reverse=True)
            ],
            "next": None,
        }
        assert len(own.ask(f"/v1/audit?record={PARTNERS}", steward).json()["items"]) == 1
        assert own.ask(f"/v1/audit?record={MECHANISMS}", steward).json()["items"] == []

    def test_of_its_own_readers_it_learns_which_key(self, own, steward):
        row, key = own.make(PARTNER, organisation=OWNER)
        own.ask(f"/v1/testimonies/{PARTNERS}", key)
        close(own)
        ship(own)
        (item,) = own.ask("/v1/audit", steward).json()["items"]
        assert (item["reader"], item["credential"]) == (OWNER, row["id"])

    def test_another_organisation_learns_nothing_of_it(self, own):
        own.sees(own.key(PARTNER))
        close(own)
        ship(own)
        assert own.ask("/v1/audit", own.key(PARTNER, roles=("steward",))).json() == {"items": [], "next": None}

    def test_page_by_page(self, own, steward):
        key, other = own.key(PARTNER), own.key(PARTNER, roles=("steward",))
        for _ in range(3):
            own.sees(key)
            time.sleep(0.002)
        close(own)
        ship(own)
        found, address = [], "/v1/audit?limit=4"
        sizes = []
        while address:
            page = own.ask(address, steward).json()
            found += [(item["at"], item["record"]) for item in page["items"]]
            sizes.append(len(page["items"]))
            address = (page["next"] or "").removeprefix("http://testserver")
            if address:
                assert own.ask(address, other).status_code == 422
                assert own.ask(address + f"&record={OPEN}", steward).status_code == 422
        assert sizes == [4, 2]
        assert found == sorted(set(found), reverse=True) and len(found) == 6

    def test_a_mechanism_appears_as_one_this_month(self, own, steward):
        keys = [own.key(MECHANISM) for _ in range(2)]
        for key in keys * 2:
            own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        close(own)
        ship(own)
        assert own.ask("/v1/audit", steward).json()["items"] == [
            {
                "record": MECHANISMS,
                "kind": "testimony",
                "month": moments.iso(moments.now())[:7],
                "reader": "a mechanism",
            }
        ]

    def test_a_mechanism_seals_what_it_reads_for_a_stated_time(self, own, steward):
        organisation = own.organisation(MECHANISM)
        key = own.key(MECHANISM, organisation=organisation)
        sealing = own.key(MECHANISM, organisation=organisation, roles=("steward",))
        other = own.key(MECHANISM)
        seal = {"until": moments.iso(moments.now() + 3000)}
        assert (
            own.client.post("/v1/audit/seals", json=seal, headers={"Authorization": f"Bearer {steward}"}).status_code
            == 403
        )
        made = own.client.post("/v1/audit/seals", json=seal, headers={"Authorization": f"Bearer {sealing}"})
        assert (made.status_code, made.json()["organisation"]) == (201, organisation)
        assert own.ask("/v1/audit/seals", sealing).json()["items"] == [made.json()]
        assert own.ask("/v1/audit/seals", own.key(MECHANISM, roles=("steward",))).json()["items"] == []
        own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        own.ask(f"/v1/testimonies/{OPEN}", other)
        close(own)
        ship(own)
        told = own.ask("/v1/audit", steward).json()["items"]
        assert [item["record"] for item in told] == [OPEN]
        time.sleep(3.1)
        assert sorted(item["record"] for item in own.ask("/v1/audit", steward).json()["items"]) == sorted(
            [OPEN, MECHANISMS]
        )

    @ONE_ENGINE
    @pytest.mark.parametrize("until", ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2027-01-01", "x"])
    def test_a_seal_of_no_such_time(self, own, until):
        headers = {"Authorization": f"Bearer {own.key(MECHANISM, roles=('steward',))}"}
        answer = own.client.post("/v1/audit/seals", json={"until": until}, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/until")

    def test_the_operator_sees_every_line(self, own):
        operator = own.organisation(operator=True)
        auditor = own.key(organisation=operator, roles=("steward",))
        row, key = own.make(MECHANISM)
        own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        close(own)
        ship(own)
        body = own.ask(f"/v1/audit?organisation={row['organisation']}", auditor).json()
        (item,) = body["items"]
        assert item["hash"] and item["chain"] and item["at"].endswith("Z")
        assert {name: item[name] for name in ("organisation", "credential", "route", "one", "records", "status")} == {
            "organisation": row["organisation"],
            "credential": row["id"],
            "route": "/v1/testimonies/{id}",
            "one": MECHANISMS,
            "records": [MECHANISMS],
            "status": 200,
        }
        acts = [item["act"] for item in own.ask("/v1/audit", auditor).json()["items"] if "act" in item]
        assert acts == ["create-credential", "create-organisation"] * 2
        pages, address = 0, "/v1/audit?limit=2"
        while address:
            page = own.ask(address, auditor).json()
            address, pages = (page["next"] or "").removeprefix("http://testserver"), pages + 1
        assert pages == 3

    @ONE_ENGINE
    def test_bad_input(self, own, steward):
        for query, name in (
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=zz", "cursor"),
            ("cursor=00", "cursor"),
            ("recrod=x", "recrod"),
            ("organisation=x", "organisation"),
            ("record=", "record"),
            ("access_token=x", "access_token"),
        ):
            answer = own.ask(f"/v1/audit?{query}", steward)
            assert (answer.status_code, answer.json()["errors"][0]["name"]) == (422, name)


@ONE_ENGINE
def test_acts_of_managing_are_kept_in_the_transaction_that_does_them(own):
    row, _ = own.make(PARTNER)
    own.keys.rotate(row["id"], 1)
    own.keys.revoke(row["id"])
    own.keys.revoke(row["id"])  # a second time nothing happens, and nothing is kept
    with pytest.raises(ValueError, match="revoked"):
        own.keys.rotate(row["id"], 1)
    lines = [orjson.loads(line[4]) for line in rows_of(own.database, AUDIT_ENTRY)]
    assert [(line["act"], line["of_credential"], line["credential"]) for line in lines] == [
        ("create-organisation", None, None),
        ("create-credential", row["id"], None),
        ("rotate-credential", row["id"], None),
        ("revoke-credential", row["id"], None),
    ]
    assert verify(own.database, own.settings.home / "audit").faults == []


@ONE_ENGINE
def test_a_month_begins_on_its_first_day(engine):
    assert moments.iso(month_of(1_700_000_000_000)) == "2023-11-01T00:00:00.000Z"
