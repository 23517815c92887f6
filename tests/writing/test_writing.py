"""Writing: what POST, PUT, PATCH and DELETE do to a record of one's own, and to what others are shown of it."""

import asyncio
import threading

import pytest
from sqlalchemy import func, select

from app.core.ids import new
from app.records import KINDS
from app.vault.keys import KeyStore
from app.vault.tables import RECORD, REVISION
from tests.access.conftest import MECHANISM, MECHANISMS, OPEN, PARTNER, PARTNERS
from tests.intake.house import OWNER, consent
from tests.writing.conftest import NUMBERS, Hand, a_place, a_witness, another, count, held

NOWHERE = '"000000000000000000000000"'


def test_a_record_is_submitted_read_revised_and_taken_back(hand, house):
    made = hand.ask("POST", "/v1/testimonies", a_witness())
    assert made.status_code == 201
    assert made.headers["cache-control"] == "private, no-store"
    here, body = made.headers["location"], made.json()
    assert here == f"/v1/testimonies/{body['id']}"
    assert (body["owner"], body["revision"], body["state"], body["outcome"]) == (hand.owner, 1, "live", "created")
    assert house.client.get(here).status_code == 200
    read = hand.ask("GET", f"{here}/submitted")
    assert read.json() == {name: value for name, value in body.items() if name not in ("outcome", "warnings")}
    assert read.headers["etag"] == made.headers["etag"]
    assert hand.ask("GET", f"{here}/submitted", if_none_match=read.headers["etag"]).status_code == 304
    changed = hand.ask("PATCH", here, {"setting": {"en": "A room"}}, if_match=made.headers["etag"])
    assert (changed.status_code, changed.json()["revision"], changed.json()["outcome"]) == (200, 2, "revised")
    assert house.client.get(here).json()["setting"] == {"en": "A room"}
    whole = {**read.json()["record"], "setting": {"en": "Another room"}}
    put = hand.ask("PUT", here, whole, if_match=changed.headers["etag"])
    assert (put.status_code, put.json()["record"]) == (200, whole)
    again = hand.ask("PUT", here, whole, if_match=put.headers["etag"])
    assert (again.json()["outcome"], again.headers["etag"]) == ("unchanged", put.headers["etag"])
    gone = hand.ask("DELETE", here, {"reason": "a mistake"}, if_match=put.headers["etag"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert house.client.get(here).status_code == 404
    left = hand.ask("GET", f"{here}/submitted").json()
    assert (left["state"], left["reason"], left["record"]) == ("retracted", "a mistake", whole)
    for tag in ("*", hand.tag(here)):  # a change of a part shows nothing again
        held(hand.ask("PATCH", here, {"note": {"en": "x"}}, if_match=tag), 409)
    assert house.client.get(here).status_code == 404
    back = hand.ask("PUT", here, whole, if_match=hand.tag(here))
    assert (back.json()["state"], house.client.get(here).status_code) == ("live", 200)


def test_a_patch_changes_the_record_as_it_was_submitted_member_by_member(hand):
    content = a_witness(setting={"en": "A room", "ko": "방"}, witness={"form": "unnamed", "role": {"en": "guard"}})
    body = hand.post("/v1/testimonies", content)
    here = f"/v1/testimonies/{body['id']}"
    changes = {"setting": {"ko": None, "fr": "Une salle"}, "witness": {"role": None}, "places": []}
    record = hand.ask("PATCH", here, changes, if_match=hand.tag(here)).json()["record"]
    assert record == {
        **body["record"],
        "setting": {"en": "A room", "fr": "Une salle"},
        "witness": {**body["record"]["witness"], "role": None},
    }
    held(hand.ask("PATCH", here, {"witness": None}, if_match=hand.tag(here)), 422, "/witness")
    held(hand.ask("PATCH", here, {"id": OPEN}, if_match=hand.tag(here)), 422, "/id")
    held(hand.ask("PATCH", here, {"kind": "incident"}, if_match=hand.tag(here)), 422, "/kind")
    assert hand.ask("GET", f"{here}/submitted").json()["record"] == record


def test_an_id_that_people_read_is_put_and_one_that_is_drawn_is_not(hand, house):
    place = a_place()
    here = f"/v1/places/{place['id']}"
    made = hand.ask("PUT", here, place, if_none_match="*")
    assert (made.status_code, made.headers["location"]) == (201, here)
    assert house.client.get(here).json()["owner"] == hand.owner
    held(hand.ask("PUT", here, place, if_none_match="*"), 412)
    assert "this id is taken" not in held(hand.ask("POST", "/v1/places", place), 409)
    unknown = new("tst")
    held(hand.ask("PUT", f"/v1/testimonies/{unknown}", a_witness()), 404)
    held(hand.ask("POST", "/v1/testimonies", a_witness() | {"id": unknown}), 422, "/id")
    held(hand.ask("POST", "/v1/places", {"name": {"en": "x"}, "type": "other"}), 422, "/id")
    slugged = a_witness(slug="our-number-7")
    assert hand.post("/v1/testimonies", slugged)["record"]["slug"] == "our-number-7"
    assert "PUT or PATCH" in held(hand.ask("POST", "/v1/testimonies", slugged), 409)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_takes_what_it_answers_as_submitted(house, kind, builtin):
    """A record of the built-in data goes in, comes out as submitted, and goes in again unchanged."""
    hand, content = builtin(kind)
    base = f"/v1/{kind.path}"
    body = hand.post(base, content)
    here = f"{base}/{body['id']}"
    again = hand.ask("PUT", here, body["record"], if_match=hand.tag(here))
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    changed = hand.ask("PATCH", here, {"note": {"en": "Made up"}}, if_match=again.headers["etag"])
    assert (changed.json()["outcome"], changed.json()["record"]["note"]) == ("revised", {"en": "Made up"})
    assert hand.ask("DELETE", f"{here}?reason=x", if_match=changed.headers["etag"]).status_code == 204


def test_records_of_others_are_forbidden_where_they_are_shown_and_else_as_if_there_were_none(house):
    hand = another(house)
    unknown = new("tst")
    for method, tail, body in (
        ("PUT", "", a_witness()),
        ("PATCH", "", {"note": None}),
        ("DELETE", "", {"reason": "x"}),
        ("GET", "/submitted", None),
        ("GET", "/disclosure", None),
        ("POST", "/withdrawal", {"reason": "x"}),
        ("POST", "/objection", {"to": "record", "reason": "x"}),
    ):
        answers = {
            id: hand.ask(method, f"/v1/testimonies/{id}{tail}", body, if_match=NOWHERE)
            for id in (OPEN, PARTNERS, MECHANISMS, unknown)
        }
        for id in (OPEN, PARTNERS):
            assert "'contribute' or 'steward' of the organisation that holds it" in held(answers[id], 403).replace(
                "the record: its `owner`", "it"
            )
        assert answers[MECHANISMS].content == answers[unknown].content
        held(answers[unknown], 404)
    assert count(house) == count(house, RECORD) + _later(house)


def test_who_may_not_read_is_told_by_what_is_public_alone(house):
    hand = another(house, roles=("contribute",))
    assert hand.ask("DELETE", f"/v1/testimonies/{OPEN}", {"reason": "x"}).status_code == 403
    assert hand.ask("DELETE", f"/v1/testimonies/{PARTNERS}", {"reason": "x"}).status_code == 404


def test_a_steward_revises_and_does_not_submit(house):
    hand = another(house)
    steward = another(house, roles=("steward",), owner=hand.owner)
    here = f"/v1/testimonies/{hand.post('/v1/testimonies', a_witness())['id']}"
    assert "'contribute'" in held(steward.ask("POST", "/v1/testimonies", a_witness()), 403)
    place = a_place()
    held(steward.ask("PUT", f"/v1/places/{place['id']}", place), 404)
    assert steward.ask("PATCH", here, {"note": None}, if_match=steward.tag(here)).status_code == 200
    assert steward.ask("DELETE", here, {"reason": "x"}, if_match=steward.tag(here)).status_code == 204


def test_nothing_that_the_service_says_can_be_submitted(hand, house):
    before = count(house)
    for name, value in (("owner", OWNER), ("k", 1), ("revision", 9), ("state", "live"), ("updated", "x")):
        reason = held(hand.ask("POST", "/v1/testimonies", a_witness() | {name: value}), 422, f"/{name}")
        assert reason == "It is not submitted: the service says it."
    assert count(house) == before


def _later(house) -> int:
    """Return how many revisions are not the first of their record."""
    later = select(func.count()).select_from(REVISION).where(REVISION.c.revision > 1)
    found: int = house.database.look(lambda connection: connection.scalar(later))
    return found


class TestConditions:
    def test_a_change_states_the_form_that_it_changes(self, hand, house):
        here = f"/v1/testimonies/{hand.post('/v1/testimonies', a_witness())['id']}"
        tag, before = hand.tag(here), count(house)
        for method, body in (("PUT", a_witness()), ("PATCH", {"note": None}), ("DELETE", {"reason": "x"})):
            assert "If-Match" in held(hand.ask(method, here, body), 428)
            for wrong in (NOWHERE, f"W/{tag}", house.client.get(here).headers["etag"]):
                held(hand.ask(method, here, body, if_match=wrong), 412)
            held(hand.ask(method, here, body, if_match=tag.strip('"')), 422, "If-Match")
        assert count(house) == before
        assert hand.ask("PATCH", here, {"note": None}, if_match=f"{NOWHERE}, {tag}").status_code == 200
        held(hand.ask("PATCH", here, {"medium": "tape"}, if_match=tag), 412)
        assert hand.ask("PATCH", here, {"medium": "tape"}, if_match="*").status_code == 200

    def test_of_two_who_write_one_record_one_is_told_that_it_changed(self, house):
        one = another(house)
        other = another(house, owner=one.owner)
        here = f"/v1/testimonies/{one.post('/v1/testimonies', a_witness())['id']}"
        for turn in range(5):
            tag, found = one.tag(here), list[int]()

            def write(hand: Hand, name: str, tag=tag, found=found) -> None:
                found.append(hand.ask("PATCH", here, {"medium": name}, if_match=tag).status_code)

            both = [threading.Thread(target=write, args=(hand, f"{turn}{id(hand)}")) for hand in (one, other)]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
            assert sorted(found) == [200, 412]
        assert one.ask("GET", f"{here}/submitted").json()["revision"] == 6


class TestAgain:
    def test_the_same_request_is_answered_the_same_and_done_once(self, hand, house):
        content, key = a_witness(), f"key-{next(NUMBERS)}"
        first = hand.ask("POST", "/v1/testimonies", content, idempotency_key=key)
        assert first.status_code == 201
        before = count(house)
        again = hand.ask("POST", "/v1/testimonies", content, idempotency_key=f'"{key}"')
        colleague = another(house, owner=hand.owner).ask("POST", "/v1/testimonies", content, idempotency_key=key)
        for answer in (again, colleague):
            assert (answer.status_code, answer.content) == (201, first.content)
            assert [answer.headers[name] for name in ("etag", "location")] == [
                first.headers[name] for name in ("etag", "location")
            ]
        held(hand.ask("POST", "/v1/testimonies", a_witness(), idempotency_key=key), 422, "Idempotency-Key")
        held(hand.ask("POST", "/v1/people", content, idempotency_key=key), 422)
        assert count(house) == before
        elsewhere = another(house).ask("POST", "/v1/testimonies", content, idempotency_key=key)
        assert (elsewhere.status_code, elsewhere.json()["id"] != first.json()["id"]) == (201, True)

    def test_what_lost_its_key_with_an_older_copy_of_the_database_is_not_answered_again(self, hand, house):
        content = a_witness()
        made = hand.post("/v1/testimonies", content, idempotency_key="of-an-older-copy")["id"]
        keys = KeyStore.open(house.settings, ())
        keys.destroy([made])
        asyncio.run(keys.close())
        held(hand.ask("POST", "/v1/testimonies", content, idempotency_key="of-an-older-copy"), 409)

    def test_what_is_kept_says_nothing_of_the_record_or_of_the_key(self, hand, house):
        from app.vault.tables import ANSWERED

        content = a_witness() | {"transcription_note": {"en": "MARKED-BY-THIS-TEST"}}
        hand.post("/v1/testimonies", content, idempotency_key="KEY-OF-THIS-TEST")
        rows = house.database.look(lambda connection: connection.execute(select(ANSWERED)).all())
        assert rows and all(
            b"OF-THIS-TEST" not in bytes(value) and b"MARKED" not in bytes(value)
            for row in rows
            for value in row
            if isinstance(value, bytes | memoryview)
        )

    def test_a_refused_request_may_come_again_with_its_key(self, hand):
        key = f"key-{next(NUMBERS)}"
        held(hand.ask("POST", "/v1/testimonies", a_witness() | {"nothing": 1}, idempotency_key=key), 422)
        assert hand.ask("POST", "/v1/testimonies", a_witness(), idempotency_key=key).status_code == 201

    def test_at_once_it_is_done_once(self, hand, house):
        content, key, before, found = a_witness(), f"key-{next(NUMBERS)}", count(house), []

        def write() -> None:
            found.append(hand.ask("POST", "/v1/testimonies", content, idempotency_key=key))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in found} <= {201, 409} and count(house) == before + 1
        assert all(answer.headers["retry-after"] == "1" for answer in found if answer.status_code == 409)


class TestMinimal:
    def test_no_body_is_sent_where_none_is_wanted(self, hand):
        made = hand.ask("POST", "/v1/testimonies", a_witness(), prefer="return=minimal")
        assert (made.status_code, made.content, made.headers["preference-applied"]) == (201, b"", "return=minimal")
        here = made.headers["location"]
        changed = hand.ask("PATCH", here, {"note": None}, if_match=made.headers["etag"], prefer="return=minimal")
        assert (changed.status_code, changed.content) == (204, b"")
        assert changed.headers["etag"] == hand.tag(here) != made.headers["etag"]


class TestDryRun:
    def test_it_answers_what_would_happen_and_writes_nothing(self, hand, house):
        tables = (RECORD, REVISION)
        before = [count(house, table) for table in tables]
        content = a_witness(consent=consent(partner={}), summary={"public": {"en": "Call 010-1234-5678"}})
        content["consent"]["audiences"]["public"] = {"content": "none"}
        answer = hand.ask("POST", "/v1/testimonies?dry_run=true", content)
        assert answer.status_code == 200
        body = answer.json()
        assert (body["dry_run"], body["status"], body["outcome"]) == (True, 201, "created")
        assert {one["audience"]: one["shown"] for one in body["views"]} == {
            "public": False,
            "partner": True,
            "mechanism": False,
        }
        assert [count(house, table) for table in tables] == before
        made = hand.post("/v1/testimonies", content)
        assert made["record"] == body["record"] and made["warnings"] == body["warnings"]
        here = f"/v1/testimonies/{made['id']}"
        shown = hand.ask("GET", f"{here}/disclosure").json()["views"]
        for one in shown:
            for name in ("revision", "updated") if one["as_shown"] else ():
                del one["as_shown"][name]
        assert shown == body["views"]
        tag = hand.tag(here)
        held(hand.ask("PATCH", f"{here}?dry_run=true", {"note": None}, if_match=NOWHERE), 412)
        gone = hand.ask("DELETE", f"{here}?dry_run=true", {"reason": "x"}, if_match=tag).json()
        assert (gone["status"], [one["shown"] for one in gone["views"]]) == (204, [False, False, False])
        held(hand.ask("POST", "/v1/testimonies?dry_run=true", a_witness(places=["nowhere"])), 422, "/places/0")
        held(hand.ask("POST", "/v1/testimonies?dryrun=true", content), 422, "dryrun")
        held(hand.ask("POST", "/v1/testimonies?dry_run=yes", content), 422, "dry_run")
        assert hand.tag(here) == tag


class TestConsent:
    def test_a_consent_changed_by_patch_changes_what_the_next_request_of_each_view_sees(self, house):
        hand, mechanism = another(house), house.key(MECHANISM)
        partner = house.key(PARTNER)
        content = a_witness(consent=consent(public={}, partner={}, mechanism={}))
        here = f"/v1/testimonies/{hand.post('/v1/testimonies', content)['id']}"

        def seen() -> list[int]:
            return [house.ask(here, key).status_code for key in (None, partner, mechanism)]

        assert seen() == [200, 200, 200]
        close = {"consent": {"audiences": {"public": {"content": "none", "identity": "withheld"}, "partner": None}}}
        assert hand.ask("PATCH", here, close, if_match=hand.tag(here)).status_code == 200
        assert seen() == [404, 404, 200]
        past = {"consent": {"expires": "2001-01-01"}}
        reason = held(hand.ask("PATCH", here, past, if_match=hand.tag(here)), 422, "/consent/expires")
        assert reason.startswith("It ")
        wrong = {"consent": {"audiences": {"nobody": {"content": "full"}}}}
        held(hand.ask("PATCH", here, wrong, if_match=hand.tag(here)), 422)
        assert seen() == [404, 404, 200]
        ended = hand.ask("POST", f"{here}/withdrawal", {"reason": "The witness asked"})
        assert (ended.status_code, ended.json()["state"], ended.json()["reason"]) == (
            200,
            "withdrawn",
            "The witness asked",
        )
        assert seen() == [404, 404, 404]
        assert hand.ask("POST", f"{here}/withdrawal", {"reason": "again"}).json()["outcome"] == "unchanged"
        reason = held(hand.ask("PATCH", here, {"note": None}, if_match=hand.tag(here)), 422, "/consent")
        assert "obtained since" in reason

    def test_an_objection_hides_a_published_record_and_whatever_is_sent_afterwards_does_not_lift_it(self, hand, house):
        here = f"/v1/testimonies/{hand.post('/v1/testimonies', a_witness())['id']}"
        done = hand.ask("POST", f"{here}/objection", {"to": "record", "reason": "They asked"})
        assert done.status_code == 200
        assert done.json()["objection"] == {"to": "record", "reason": "They asked"} and done.json()["resting"] == []
        assert house.client.get(here).status_code == 404
        changed = hand.ask("PATCH", here, {"medium": "tape"}, if_match=done.headers["etag"]).json()
        assert changed["objection"]["to"] == "record" and "objection" not in changed["record"]
        assert house.client.get(here).status_code == 404
        hand.ask("POST", f"{here}/objection", {"to": "nothing", "reason": "They asked"})
        assert house.client.get(here).status_code == 200
        held(hand.ask("POST", f"{here}/objection", {"to": "all", "reason": "x"}), 422, "/to")
        held(hand.ask("POST", f"{here}/objection", {"to": "name"}), 422, "/reason")
        theirs = hand.post("/v1/testimonies", a_witness(consent=consent(public={})))["id"]
        held(hand.ask("POST", f"/v1/testimonies/{theirs}/objection", {"to": "name", "reason": "x"}), 409)


def test_a_person_in_an_act_is_tied_to_no_more_than_they_allow(hand):
    place, violation, source = (f"{name}-{next(NUMBERS)}" for name in ("camp", "act", "report"))
    hand.post("/v1/places", a_place(id=place))
    hand.post("/v1/violations", {"id": violation, "label": {"en": "A violation"}})
    hand.post("/v1/sources", {"id": source, "title": {"en": "A report"}, "type": "report"})
    whole = consent(public={}, partner={})
    person = {"disclosure_basis": "consent", "name": {"en": "N"}, "consent": whole}
    id = hand.post("/v1/people", person)["id"]
    act = {"violation": violation, "people": [id], "date": "2012-03-04", "places": [place]}
    incident = {"disclosure_basis": "published", "scope": "event", "citations": [{"symbol": "TEST/1"}], "acts": [act]}
    here = f"/v1/incidents/{hand.post('/v1/incidents', incident)['id']}"
    link = {"id": f"held-{next(NUMBERS)}", "type": "held-at", "from": id, "to": place}
    held_at = f"/v1/links/{hand.post('/v1/links', link | {'confidence': 'low', 'source': source})['id']}"
    public = Hand(hand.house, hand.owner, None)

    def seen(one: Hand) -> tuple[list[str], int, int, int]:
        lists = (f"/v1/incidents?person={id}", f"/v1/people/{id}/incidents")
        totals = [one.ask("GET", address).json()["total"] for address in lists]
        people = one.ask("GET", here).json()["acts"][0]["people"]
        return people, *totals, one.ask("GET", held_at).status_code

    assert seen(public) == ([id], 1, 1, 200)
    coarse = {"content": "summary", "identity": "withheld", "place": "country", "date": "year"}
    changes = {"consent": consent(public=coarse, partner={})}
    assert hand.ask("PATCH", f"/v1/people/{id}", changes, if_match="*").status_code == 200
    assert public.ask("GET", f"/v1/people/{id}").status_code == 200
    assert seen(public) == ([], 0, 0, 404)
    assert id not in public.ask("GET", here).text and id not in public.ask("GET", f"{here}/people").text
    assert seen(hand) == ([id], 1, 1, 200)
    views = {one["audience"]: one for one in hand.ask("GET", f"{here}/disclosure").json()["views"]}
    said = {name: [one["rule"] for one in views[name]["reasons"] if one["about"] == id] for name in views}
    assert said["public"] == ["consented", "part", "says-more"] and said["partner"] == ["consented", "part"]
    assert views["public"]["as_shown"]["acts"][0]["people"] == []
