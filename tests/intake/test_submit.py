"""Submitting: all or nothing, references checked, and a revision only where something changed."""

from typing import Any

import orjson
import pytest

from app.core.ids import is_opaque
from app.custody.tables import LEAF
from app.intake.checking import content_of
from app.intake.retract import retract
from app.intake.submit import Refusal, Refused
from app.vault.tables import DISCLOSED, RECORD, REVISION
from tests.intake.house import (
    I1,
    MECHANISM,
    ONE_ENGINE,
    OWNER,
    PARTNER,
    PER,
    PUBLIC,
    T1,
    T2,
    WORLD,
    a_person,
    a_place,
    a_source,
    a_testimony,
    a_violation,
    an_incident,
    catalogue,
    check_log,
    consent,
    count,
    filed,
    history,
    revisions,
    seen_by,
    shown,
    submit,
)

TABLES = ("row", "posting", "spot", "term", "term_count", "searched", "word")
NOTHING: dict[str, list[Any]] = {name: [] for name in TABLES}


def refusals(intake, *values, owner=OWNER):
    with pytest.raises(Refused) as refused:
        submit(intake, *values, owner=owner)
    return refused.value.refusals


def test_one_submission_is_taken_whole(intake, database, writer):
    outcome = submit(
        intake, *WORLD, a_testimony(), an_incident(testimonies=[T1], places=["camp"], violations=["torture"])
    )
    assert len(outcome.created) == 9 and outcome.revised == outcome.unchanged == []
    assert seen_by(database, I1) == seen_by(database, T1) == [PUBLIC, PARTNER, MECHANISM]
    incident = shown(database, PUBLIC, I1)
    assert incident is not None
    assert incident["testimonies"] == [T1] and incident["corroboration"] == 1
    assert incident["revision"] == 1 and incident["updated"] == "2023-11-14T22:13:20.000Z"
    assert incident["geometry"] == {"type": "Point", "coordinates": [127.5, 41.25]}
    assert filed(database, PUBLIC, "place", "north") == filed(database, PUBLIC, "violation", "ill-treatment") == {I1}
    assert filed(database, PUBLIC, "place", "south") == set()
    assert check_log(writer) == (9, 27)


def test_if_one_reference_leads_nowhere_nothing_is_taken(intake, database):
    good, bad = a_testimony(T1), an_incident(places=["nowhere"], testimonies=[T2, T1])
    assert refusals(intake, a_source(), good, bad) == (
        Refusal(2, "places", "names no place that is on record"),
        Refusal(2, "testimonies", "names no testimony that is on record"),
    )
    assert [count(database, table) for table in (RECORD, REVISION, DISCLOSED, LEAF)] == [0, 0, 0, 0]
    assert catalogue(database) == NOTHING
    assert submit(intake, a_source(), good, an_incident(testimonies=[T1])).created == ["src-a", T1, I1]


@ONE_ENGINE
def test_a_reference_to_another_kind_leads_nowhere(intake):
    submit(intake, a_source(), a_place("camp"))
    assert refusals(intake, an_incident(violations=["camp"], places=["src-a"])) == (
        Refusal(0, "places", "names no place that is on record"),
        Refusal(0, "violations", "names no violation that is on record"),
    )


def test_a_reference_to_what_was_retracted_leads_nowhere(intake, writer):
    submit(intake, a_source(), a_place("camp"))
    assert retract(writer, "camp", OWNER, "a test")
    assert refusals(intake, an_incident(places=["camp"])) == (Refusal(0, "places", "names no place that is on record"),)
    assert submit(intake, a_place("camp"), an_incident(places=["camp"])).revised == ["camp"]


def test_what_is_promised_by_a_later_submission_may_be_named(intake, database):
    submit(intake, a_source())
    draft = intake.draft(content_of(orjson.dumps(an_incident(places=["camp"]))), OWNER)
    with pytest.raises(Refused):
        intake.submit([draft], OWNER, lambda id: "violation")
    intake.submit([draft], OWNER, {"camp": "place"}.get)
    assert shown(database, PUBLIC, I1)["places"] == []  # there is no such place to show yet
    submit(intake, a_place("camp"))
    assert shown(database, PUBLIC, I1)["places"] == ["camp"]
    assert history(database, PUBLIC, I1) == [("created", 1), ("updated", 2)]


@ONE_ENGINE
def test_a_record_belongs_to_its_owner_and_keeps_its_kind(intake):
    submit(intake, a_source(), a_place("camp"))
    assert refusals(intake, a_place("camp", status="open"), owner="other-body") == (
        Refusal(0, "id", "belongs to a record of another kind or owner"),
    )
    assert refusals(intake, a_violation("camp")) == (Refusal(0, "id", "belongs to a record of another kind or owner"),)
    assert refusals(intake, a_place("new"), a_place("new", status="open")) == (
        Refusal(1, "id", "stands twice in one submission"),
    )


def test_what_is_unchanged_makes_no_revision(intake, database, writer):
    submit(intake, *WORLD, an_incident(places=["camp"]))
    before, leaves = catalogue(database), count(database, LEAF)
    outcome = submit(intake, *WORLD, an_incident(places=["camp"]))
    assert (outcome.created, outcome.revised, len(outcome.unchanged)) == ([], [], 8)
    assert catalogue(database) == before and count(database, LEAF) == leaves
    # The order of the members, and members stated as they would be anyway, are no change.
    same = dict(reversed(an_incident(places=["camp"], violations=[], note=None).items()))
    assert submit(intake, same).unchanged == [I1]
    assert check_log(writer) == (8, 24)


def test_a_change_makes_a_revision_and_the_views_that_see_it_count_their_own(intake, database, clock, writer):
    submit(intake, a_source(), a_testimony(consent=consent(mechanism={}), note={"en": "first"}))
    clock.now += 1000
    assert submit(intake, a_testimony(consent=consent(mechanism={}), note={"en": "second"})).revised == [T1]
    clock.now += 1000
    assert submit(intake, a_testimony(consent=consent(mechanism={}, public={}), note={"en": "second"})).revised == [T1]
    assert revisions(database, T1) == [(1, "submitted"), (2, "submitted"), (3, "submitted")]
    assert history(database, MECHANISM, T1) == [("created", 1), ("updated", 2)]
    assert history(database, PUBLIC, T1) == [("created", 1)]
    mechanism, public = shown(database, MECHANISM, T1), shown(database, PUBLIC, T1)
    assert (mechanism["revision"], mechanism["updated"]) == (2, "2023-11-14T22:13:21.000Z")
    assert (public["revision"], public["updated"]) == (1, "2023-11-14T22:13:22.000Z")
    assert check_log(writer) == (4, 6)


def test_what_a_revision_no_longer_names_is_let_go(intake, database):
    submit(intake, *WORLD, an_incident(places=["camp"], violations=["torture"]))
    submit(intake, an_incident(places=["south"]))
    assert filed(database, PUBLIC, "place", "camp") == filed(database, PUBLIC, "violation", "torture") == set()
    assert filed(database, PUBLIC, "place", "south") == {I1}
    assert [row for row in catalogue(database)["term"] if row[2] == "violation"] == []


def test_a_change_above_moves_what_is_filed_below_and_is_no_change_of_it(intake, database):
    submit(intake, *WORLD, an_incident(places=["camp"], violations=["torture"]))
    submit(intake, a_place("north", type="province"))
    assert filed(database, PUBLIC, "place", "country") == set()
    submit(intake, a_place("camp", parent="south"))
    assert filed(database, PUBLIC, "place", "north") == set()
    assert filed(database, PUBLIC, "place", "south") == filed(database, PUBLIC, "place", "country") == {I1}
    assert shown(database, PUBLIC, I1)["geometry"] is None  # the camp states none any more
    assert history(database, PUBLIC, I1) == [("created", 1), ("updated", 2)]
    submit(intake, a_violation("torture"))
    assert filed(database, PUBLIC, "violation", "ill-treatment") == set()
    assert history(database, PUBLIC, I1) == [("created", 1), ("updated", 2)]


def test_a_source_is_shown_from_its_first_day_though_it_cites_itself(intake, database):
    submit(intake, a_source(citations=[{"symbol": "TEST/1", "source": "src-a"}]))
    assert history(database, PUBLIC, "src-a") == [("created", 1)]
    assert [one["source"] for one in shown(database, PUBLIC, "src-a")["citations"]] == ["src-a"]


def test_a_person_who_takes_their_name_back_is_led_to_no_more(intake, database):
    account = a_testimony(witness={"form": "named", "designation": {"en": "N"}, "person": PER})
    submit(intake, a_source(), a_person(PER, consent=consent(public={}, mechanism={})), account)
    assert shown(database, PUBLIC, T1)["witness"]["person"] == PER and filed(database, PUBLIC, "person", PER) == {T1}
    submit(intake, a_person(PER, consent=consent(public={"identity": "withheld"}, mechanism={})))
    assert shown(database, PUBLIC, T1)["witness"]["person"] is None and filed(database, PUBLIC, "person", PER) == set()
    assert shown(database, MECHANISM, T1)["witness"]["person"] == PER
    assert [history(database, view, T1)[-1] for view in (PUBLIC, MECHANISM)] == [("updated", 2), ("created", 1)]


@ONE_ENGINE
def test_records_without_an_id_are_given_one_that_their_slug_or_content_keeps(intake, database):
    def account(**more):
        return {name: value for name, value in a_testimony(**more).items() if name != "id"}

    submit(intake, a_source())
    by_slug, by_content = account(slug="nobody-one"), account(note={"en": "nobody"})
    first, second = submit(intake, by_slug, by_content).created
    assert is_opaque(first) and is_opaque(second) and first != second
    assert submit(intake, account(slug="nobody-one", note={"en": "more"}), by_content).revised == [first]
    assert submit(intake, by_content).unchanged == [second]
    assert submit(intake, by_slug, owner="other-body").created not in ([first], [second])
    assert "nobody-one" not in str(catalogue(database))


@ONE_ENGINE
def test_a_readable_id_has_to_be_stated(intake):
    nameless = {name: value for name, value in a_place("x").items() if name != "id"}
    assert refusals(intake, nameless) == (Refusal(0, "id", "is required: records of this kind have readable ids"),)


def test_korean_and_emoji_come_back_as_they_went_in(intake, database):
    note = {"ko": "요덕 정치범수용소 — 고문 👩‍👧 \u200b", "zh-Hant": "勞改 𠮷", "original": "ko"}
    submit(intake, a_source(), an_incident(note=note))
    assert shown(database, PUBLIC, I1)["note"] == note
