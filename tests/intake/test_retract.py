"""Taking back: a record leaves every view, with what rests on it alone; others let go of it; the vault keeps it."""

from sqlalchemy import select

from app.intake.retract import retract
from app.vault.tables import REVISION
from tests.intake.house import (
    ACT,
    I1,
    I2,
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
    filed,
    history,
    revisions,
    seen_by,
    shown,
    submit,
)

EVERYBODY = consent(public={}, partner={}, mechanism={})
ALL = [PUBLIC, PARTNER, MECHANISM]


def test_what_rests_on_it_alone_goes_with_it_and_what_else_has_support_stays(intake, database, writer):
    rests = {"disclosure_basis": "consent", "citations": []}
    link = {"kind": "link", "id": "link-a", "type": "seen-with", "from": T1, "to": "camp", "confidence": "low"}
    submit(
        intake,
        *WORLD,
        a_testimony(T1, consent=EVERYBODY, citations=[]),
        a_testimony(T2, consent=EVERYBODY, citations=[], same_witness=[T1]),
        an_incident(I1, testimonies=[T1], **rests),
        an_incident(I2, testimonies=[T1, T2], contradicted_by=[T1], **rests),
        link | {"source": "src-a"},
    )
    assert [seen_by(database, id) for id in (T1, T2, I1, I2, "link-a")] == [ALL] * 5
    assert shown(database, PUBLIC, I2)["corroboration"] == 1  # one witness, twice
    assert retract(writer, T1, OWNER, "asked for it")
    assert [seen_by(database, id) for id in (T1, T2, I1, I2, "link-a")] == [[], ALL, [], ALL, []]
    left = shown(database, PUBLIC, I2)
    assert (left["testimonies"], left["contradicted_by"], left["corroboration"]) == ([T2], [], 1)
    assert shown(database, PUBLIC, T2)["same_witness"] == []
    assert T1 not in str(catalogue(database))
    for view in ALL:
        assert history(database, view, T1) == [("created", 1), ("removed", 1)]
        assert history(database, view, I1) == [("created", 1), ("removed", 1)]
        assert history(database, view, I2)[-1] == ("updated", 2)
    assert revisions(database, T1) == [(1, "submitted"), (2, "retracted")]
    assert revisions(database, I2) == [(1, "submitted")]
    assert check_log(writer)[0] == 13


def test_the_reason_is_kept_sealed(intake, database, writer):
    submit(intake, a_source())
    retract(writer, "src-a", OWNER, "THE-REASON")
    stored = database.look(lambda connection: writer.vault.read(connection, ["src-a"]))["src-a"]
    assert stored.content["retraction"] == {"reason": "THE-REASON"} and stored.state == "retracted"
    sealed = database.look(lambda connection: list(connection.scalars(select(REVISION.c.sealed))))
    assert not any(b"THE-REASON" in one or b"src-a" in one for one in sealed)


@ONE_ENGINE
def test_only_its_owner_takes_a_record_back_and_only_once(intake, database, writer):
    submit(intake, a_source())
    assert not retract(writer, "src-a", "other-body", "a test")
    assert not retract(writer, "nothing", OWNER, "a test")
    assert seen_by(database, "src-a") == ALL
    assert retract(writer, "src-a", OWNER, "a test")
    assert not retract(writer, "src-a", OWNER, "a test")
    assert check_log(writer) == (2, 6)


def test_what_is_submitted_again_goes_on_counting(intake, database, writer, clock):
    submit(intake, *WORLD, a_testimony(T1), an_incident(testimonies=[T1]))
    retract(writer, T1, OWNER, "a test")
    assert shown(database, PUBLIC, I1)["testimonies"] == []
    clock.now += 1000
    assert submit(intake, a_testimony(T1)).revised == [T1]
    again = shown(database, PUBLIC, T1)
    assert (again["revision"], again["updated"]) == (2, "2023-11-14T22:13:21.000Z")
    assert history(database, PUBLIC, T1) == [("created", 1), ("removed", 1), ("created", 2)]
    assert history(database, PUBLIC, I1) == [("created", 1), ("updated", 2), ("updated", 3)]
    assert shown(database, PUBLIC, I1)["testimonies"] == [T1]
    assert revisions(database, T1) == [(1, "submitted"), (2, "retracted"), (3, "submitted")]
    check_log(writer)


def test_a_publication_taken_back_publishes_nothing(intake, database, writer):
    accused = {"kind": "actor", "id": ACT, "name": {"en": "N"}, "type": "natural-person", "named_in": ["src-a"]}
    submit(intake, a_source(), a_source("src-b"), a_testimony(T1), an_incident(I1), accused)
    two = [{"symbol": "TEST/1", "source": "src-a"}, {"symbol": "TEST/2", "source": "src-b"}]
    submit(intake, an_incident(I2, actors=[ACT], citations=two))
    assert [seen_by(database, id) for id in (T1, I1, I2, ACT)] == [ALL] * 4
    assert shown(database, PUBLIC, I2)["actors"] == [ACT]
    retract(writer, "src-a", OWNER, "a test")
    assert [seen_by(database, id) for id in (T1, I1, I2, ACT)] == [[], [], ALL, [MECHANISM]]
    assert shown(database, MECHANISM, ACT)["named_in"] == []
    left = shown(database, PUBLIC, I2)
    assert [one["source"] for one in left["citations"]] == ["src-b"] and left["actors"] == []
    assert shown(database, MECHANISM, I2)["actors"] == [ACT]


def test_a_place_taken_back_is_left_out_and_nothing_is_filed_above_it(intake, database, writer):
    home = a_person(home_province="north")
    submit(intake, *WORLD, home, an_incident(I1, places=["camp", "south"]))
    retract(writer, "north", OWNER, "a test")
    assert shown(database, PUBLIC, "camp")["parent"] is None
    assert shown(database, PUBLIC, PER)["home_province"] is None
    assert shown(database, PUBLIC, I1)["places"] == ["camp", "south"]
    assert filed(database, PUBLIC, "place", "camp") == {I1} and filed(database, PUBLIC, "place", "north") == set()
    assert filed(database, PUBLIC, "place", "country") == {I1}  # by the south
    assert [row for row in catalogue(database)["term"] if row[3] == "north"] == []


def test_a_crime_taken_back_is_filed_under_no_more(intake, database, writer):
    crime = {"kind": "crime", "id": "crime-a", "label": {"en": "A crime"}, "provision": "1", "instrument_name": "A"}
    mapping = [{"crime": "crime-a", "basis": {"en": "ours"}}]
    submit(intake, *WORLD, an_incident(violations=["torture"]))
    submit(intake, crime, a_violation("ill-treatment", may_amount_to=mapping))
    assert filed(database, PUBLIC, "crime", "crime-a") == {I1, "ill-treatment"}
    retract(writer, "crime-a", OWNER, "a test")
    assert filed(database, PUBLIC, "crime", "crime-a") == set()
    assert shown(database, PUBLIC, "ill-treatment")["may_amount_to"] == []
    assert "crime-a" not in str(catalogue(database))
    submit(intake, crime)
    assert filed(database, PUBLIC, "crime", "crime-a") == {I1, "ill-treatment"}
    assert history(database, PUBLIC, I1) == [("created", 1)]


def test_a_restricted_place_is_for_mechanisms_and_so_is_what_it_lies_in(intake, database):
    submit(intake, *WORLD, an_incident(I1, places=["camp"]))
    submit(intake, a_place("north", type="province", parent="country", restricted=True))
    assert seen_by(database, "north") == [MECHANISM]
    assert [filed(database, view, "place", "north") for view in ALL] == [set(), set(), {I1}]
    assert [filed(database, view, "place", "country") for view in ALL] == [set(), set(), {I1}]
    assert [shown(database, view, "camp")["parent"] for view in ALL] == [None, None, "north"]
    submit(intake, a_place("north", type="province", parent="country"))
    assert [filed(database, view, "place", "country") for view in ALL] == [{I1}] * 3
