"""The change feed: exact changes in their order, where it begins and ends, and what it never says."""

import hashlib
from contextlib import closing

import orjson
import pytest

from app.access.audit import unpacked
from app.catalogue.tables import VIEW
from app.core.db import Database
from app.core.ids import k_of
from app.core.moments import iso
from app.intake.erase import erase
from app.intake.retract import retract, withdraw
from app.vault.tables import DISCLOSED
from tests.conftest import START
from tests.contract.asking import BASE, Heard, Service
from tests.intake.house import OWNER, T1, T2, a_place, a_source, a_testimony, consent, history, submit

MECHANISM = 2


@pytest.fixture
def service(settings, intake):
    with closing(Service(settings)) as service:
        yield service


def told(heard: Heard) -> list[tuple[str, str, int]]:
    """Return what a page tells: change, id, revision."""
    assert heard.status == 200, heard.body
    return [(one["change"], one["id"], one["revision"]) for one in heard.json["items"]]


def test_nothing_has_changed_where_nothing_is(service):
    heard = service.ask("/v1/changes")
    assert (heard.json["items"], heard.json["more"]) == ([], False)
    assert heard.json["next"].startswith(f"{BASE}/v1/changes?after=")
    again = service.ask(heard.json["next"])
    assert again.json == heard.json
    assert heard["link"] == f'<{heard.json["next"]}>; rel="next"'


def test_changes_come_in_the_order_in_which_they_were_done(service, intake, clock):
    submit(intake, a_source())
    clock.now += 1000
    submit(intake, a_place("camp"), a_source("src-b"))
    clock.now += 1000
    submit(intake, a_place("camp", type="county"))
    assert retract(intake.writer, "src-b", OWNER, "a test")
    heard = service.ask("/v1/changes")
    assert told(heard) == [
        ("created", "src-a", 1),
        ("created", "src-b", 1),
        ("created", "camp", 1),
        ("updated", "camp", 2),
        ("removed", "src-b", 1),
    ]
    assert heard.json["more"] is False
    first, *_, last = heard.json["items"]
    past = service.ask("/v1/sources/src-a/history").json["items"]
    assert first == {
        "id": "src-a",
        "kind": "source",
        "change": "created",
        "revision": 1,
        "at": iso(START),
        "digest": past[0]["digest"],
        "url": f"{BASE}/v1/sources/src-a",
    }
    assert last["digest"] is None


def test_pages_go_on_where_they_ended_and_can_be_asked_again_later(service, intake):
    submit(intake, *[a_source(f"src-{n}") for n in range(5)])
    pages = [service.ask("/v1/changes?limit=2")]
    while pages[-1].json["more"]:
        pages.append(service.ask(pages[-1].json["next"]))
    assert [len(one.json["items"]) for one in pages] == [2, 2, 1]
    assert [one["id"] for page in pages for one in page.json["items"]] == [f"src-{n}" for n in range(5)]
    after = pages[-1].json["next"]
    assert service.ask(after).json == {"items": [], "more": False, "next": after}
    submit(intake, a_source("src-9"))
    assert told(service.ask(after)) == [("created", "src-9", 1)]


def test_a_page_that_ends_at_the_newest_change_has_no_more(service, intake):
    submit(intake, a_source("src-a"), a_source("src-b"))
    assert service.ask("/v1/changes?limit=2").json["more"] is False


def test_it_begins_now_or_at_the_start(service, intake):
    submit(intake, a_source())
    now = service.ask("/v1/changes?after=now").json
    assert (now["items"], now["more"]) == ([], False)
    assert told(service.ask("/v1/changes?after=start")) == [("created", "src-a", 1)]
    submit(intake, a_source("src-b"))
    assert told(service.ask(now["next"])) == [("created", "src-b", 1)]


def test_filters_are_kept_and_a_cursor_is_good_for_the_same_ones_only(service, intake, clock):
    submit(intake, a_source("src-a"), a_place("a"), a_place("b"))
    clock.now += 5000
    submit(intake, a_place("b", type="county"))
    places = service.ask("/v1/changes?kind=place&limit=1").json
    assert "kind=place&limit=1&after=" in places["next"]
    assert told(service.ask(places["next"])) == [("created", "b", 1)]
    cursor = places["next"].partition("after=")[2]
    wrong = service.ask(f"/v1/changes?kind=source&after={cursor}")
    assert (wrong.status, wrong.json["errors"][0]["name"]) == (422, "after")
    assert "other filters" in wrong.json["detail"]
    late = service.ask(f"/v1/changes?updated_since={iso(START + 1)}")
    assert told(late) == [("updated", "b", 2)]
    assert "updated_since=2023" in late.json["next"]
    assert [id for _, id, _ in told(service.ask("/v1/changes?kind=place&kind=source"))] == ["src-a", "a", "b", "b"]


def test_a_filter_looks_at_so_many_changes_and_says_that_there_are_more(service, intake, monkeypatch):
    monkeypatch.setattr("app.catalogue.changes.WINDOW", 3)
    monkeypatch.setattr("app.catalogue.changes.INLINE", 1)
    submit(intake, *[a_source(f"src-{n}") for n in range(7)])
    submit(intake, a_place("camp"))
    page, asked, found = service.ask("/v1/changes?kind=place"), 1, []
    while page.json["more"]:
        found += told(page)
        page, asked = service.ask(page.json["next"]), asked + 1
    assert found + told(page) == [("created", "camp", 1)]
    assert asked == 3


def test_a_record_comes_with_its_change_as_it_is_now(service, intake):
    submit(intake, a_source("src-a"), a_source("src-b"))
    submit(intake, a_source("src-a", publisher="P"))
    assert retract(intake.writer, "src-b", OWNER, "a test")
    heard = service.ask("/v1/changes?include=record")
    record = service.ask("/v1/sources/src-a")
    assert heard.body.count(b'"record":' + record.body + b"}") == 2
    assert [one.get("record", "none") and one["id"] for one in heard.json["items"]] == ["src-a", None, "src-a", "src-b"]
    assert "record" not in heard.json["items"][-1]


def test_ndjson_gives_all_and_says_where_to_go_on(service, intake):
    submit(intake, *[a_source(f"src-{n}") for n in range(3)])
    heard = service.ask("/v1/changes?format=ndjson")
    assert heard["content-type"] == "application/x-ndjson"
    page = service.ask("/v1/changes")
    assert [line for line in heard.body.splitlines()] == page.body.partition(b"[")[2].partition(b"]")[0].replace(
        b"},{", b"}\n{"
    ).splitlines()
    following = heard["link"].partition(">")[0].removeprefix("<")
    submit(intake, a_place("camp"))
    assert b'"id":"camp"' in service.ask(following).body
    one = service.ask("/v1/changes?format=ndjson&limit=1")
    assert one.body.count(b"\n") == 1
    assert service.ask(one["link"].partition(">")[0].removeprefix("<")).body.count(b'"src-1"') == 1


def test_how_a_record_went_is_not_told(service, intake):
    """Retracted, withdrawn, erased: the same change, and of none of them a digest is left."""
    third = T1[:-1] + ("0" if T1[-1] != "0" else "1")
    submit(intake, a_source(), *[a_testimony(id) for id in (T1, T2, third)])
    for take_away, id in ((retract, T1), (withdraw, T2), (erase, third)):
        assert take_away(intake.writer, id, OWNER, "a test")
    for view in (0, 1, 2):
        gone = [one for one in service.ask("/v1/changes?kind=testimony&include=record", view).json["items"]]
        alike = [{**one, "id": "", "url": ""} for one in gone]
        assert alike[0] == alike[1] == alike[2]
        assert alike[3] == alike[4] == alike[5]
        assert [one["change"] for one in alike] == ["created"] * 3 + ["removed"] * 3
        assert {one["digest"] for one in gone} == {None}


def test_what_is_erased_after_it_was_taken_back_changes_no_byte(service, intake):
    submit(intake, a_source(), a_testimony(T1))
    assert retract(intake.writer, T1, OWNER, "a test")
    before = service.ask("/v1/changes")
    assert erase(intake.writer, T1, OWNER, "a test")
    assert service.ask("/v1/changes") == before


def test_a_view_is_told_of_what_it_is_shown_alone(service, intake, database):
    submit(intake, a_source(), a_testimony(T1, consent=consent(mechanism={})))
    before = service.ask("/v1/changes")
    assert told(before) == [("created", "src-a", 1)]
    assert told(service.ask("/v1/changes", MECHANISM)) == [("created", "src-a", 1), ("created", T1, 1)]
    submit(intake, a_testimony(T1, consent=consent(mechanism={}), note={"en": "more"}))
    assert service.ask("/v1/changes") == before
    assert history(database, MECHANISM, T1) == [("created", 1), ("updated", 2)]


def test_a_cursor_is_of_one_view(service, intake):
    submit(intake, a_source())
    of_all = service.ask("/v1/changes").json["next"]
    assert service.ask(of_all, MECHANISM).status == 422


@pytest.mark.parametrize("after", ["nonsense", "never", "AAAA", "a.b", ""])
def test_what_is_no_cursor_is_refused(service, after):
    heard = service.ask(f"/v1/changes?after={after}")
    assert (heard.status, heard.json["errors"][0]["name"]) == (422, "after")


@pytest.mark.parametrize("asked", ["violation=torture", "kind=place,source", "place=camp", "cursor=x", "limit=0"])
def test_what_cannot_be_answered_is_refused(service, asked):
    assert service.ask(f"/v1/changes?{asked}").status == 422


def test_a_cursor_from_a_state_that_is_no_longer_there_is_refused(service, intake, clock, database: Database):
    """As after a backup was restored: going on from it would leave out what came otherwise."""
    submit(intake, a_source("src-a"))
    submit(intake, a_source("src-b"))
    ahead = service.ask("/v1/changes").json["next"]

    def back(connection):
        connection.execute(DISCLOSED.delete().where(DISCLOSED.c.seq == 2))
        connection.execute(VIEW.update().values(generation=1))

    database.write(back)
    heard = service.ask(ahead)
    assert heard.status == 422
    assert "'start'" in heard.json["detail"]
    database.write(
        lambda connection: connection.execute(
            DISCLOSED.insert().values(
                view=0,
                seq=2,
                id="x",
                kind="source",
                revision=1,
                at=clock.now + 7,
                change="created",
                digest=b"",
                salt=b"",
                leaf=9,
                previous=0,
            )
        )
    )
    database.write(lambda connection: connection.execute(VIEW.update().values(generation=2)))
    assert service.ask(ahead).status == 422


def test_caching_is_that_of_lists(service, intake):
    submit(intake, a_source())
    heard = service.ask("/v1/changes")
    assert heard["cache-control"] == "public, max-age=0, s-maxage=60, must-revalidate"
    assert service.ask("/v1/changes", if_none_match=heard["etag"]).status == 304
    assert service.ask("/v1/changes?format=ndjson", if_none_match=heard["etag"]).status == 200
    assert service.ask("/v1/changes", MECHANISM)["cache-control"] == "private, no-store"
    assert service.ask("/v1/changes", MECHANISM)["etag"] != heard["etag"]
    assert service.ask("/v1/changes", method="HEAD")["etag"] == heard["etag"]
    submit(intake, a_place("camp"))
    assert service.ask("/v1/changes", if_none_match=heard["etag"]).status == 200


def test_the_account_has_each_record_whose_digest_or_body_was_told(service, settings, intake):
    submit(intake, a_source("src-a"), a_source("src-b"))
    assert retract(intake.writer, "src-b", OWNER, "a test")
    for asked in ("/v1/changes", "/v1/changes?format=ndjson", "/v1/changes/stream"):
        assert service.ask(asked, MECHANISM).status == 200
        service.ask(asked)  # of what is public there is no account
    lines = [
        orjson.loads(line.partition(b"\t")[0])
        for path in sorted((settings.home / "audit").iterdir())
        for line in path.read_bytes().splitlines()
    ]
    assert [one["route"] for one in lines if unpacked(one["ids"])] == [
        "/v1/changes",
        "/v1/changes",
        "/v1/changes/stream",
    ]
    assert [unpacked(one["ids"]) for one in lines if unpacked(one["ids"])] == [[k_of("src-a")]] * 3
    assert {one["view"] for one in lines} == {MECHANISM}


def test_what_was_narrowed_cannot_be_guessed_and_held_against_a_digest(service, intake):
    """All else of a former form may still be shown: who tries each day of the year would find the one that was told."""
    allowed = consent(public={"identity": "withheld"})
    submit(intake, a_source("src-a"), a_testimony(T1, consent=allowed, date="2012-03-04"))
    former = service.ask(f"/v1/testimonies/{T1}").json
    submit(intake, a_testimony(T1, consent=consent(public={"identity": "withheld", "date": "year"}), date="2012-03-04"))
    submit(intake, a_source("src-a", title={"en": "Another title"}))
    del former["revision"], former["updated"]
    digest = f"sha256:{hashlib.sha256(orjson.dumps(former)).hexdigest()}"
    now = {name: value for name, value in service.ask(f"/v1/testimonies/{T1}").json.items() if name in former}
    newest = f"sha256:{hashlib.sha256(orjson.dumps(now)).hexdigest()}"
    assert [one["digest"] for one in service.ask(f"/v1/testimonies/{T1}/history").json["items"]] == [None, newest]
    assert [one["digest"] for one in service.ask("/v1/changes?kind=testimony").json["items"]] == [None, newest]
    for address in ("/v1/changes?include=record", "/v1/changes?format=ndjson", "/v1/changes/stream"):
        body = service.ask(address).body
        assert newest.encode() in body and digest.encode() not in body
    assert all(one["digest"] for one in service.ask("/v1/sources/src-a/history").json["items"])
