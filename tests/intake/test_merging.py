"""Merging: what views are shown of two records that are one, what is told of it, and how it is undone."""

import signal
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import select

from app.catalogue.tables import ROW, VIEW
from app.core.ids import fixed
from app.intake.erase import erase
from app.intake.merging import Unmergeable
from app.intake.objecting import object_to
from app.intake.rebuild import rebuild
from app.intake.restore import restore
from app.intake.retract import expire, retract, withdraw
from app.vault.tables import DISCLOSED, LED, MERGER, REVISION
from tests.intake import inline
from tests.intake.deployment import same
from tests.intake.house import (
    I1,
    I2,
    MECHANISM,
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
    an_incident,
    apart,
    catalogue,
    check_log,
    consent,
    filed,
    history,
    rows_of,
    shown,
    submit,
    together,
)

P1, P2, P3 = (fixed("per", name) for name in ("one", "two", "three"))


def refused(writer, one: str, into: str) -> str:
    """Return why two records cannot be one."""
    with pytest.raises(Unmergeable) as caught:
        together(writer, one, into)
    return str(caught.value)


def seen(database, id: str) -> list[int]:
    """Return the views that have a row of a record."""
    statement = select(ROW.c.view).where(ROW.c.id == id).order_by(ROW.c.view)
    found: list[int] = database.look(lambda connection: list(connection.scalars(statement)))
    return found


def act(person: str) -> dict[str, Any]:
    return {"violation": "torture", "people": [person]}


def test_what_names_the_one_is_shown_the_other(intake, database, writer):
    submit(intake, *WORLD, a_place("inside", parent="camp"), a_place("kamp", parent="south"))
    submit(intake, a_place("deeper", parent="kamp"), an_incident(I1, places=["kamp"]))
    submit(intake, an_incident(I2, places=["kamp", "camp"], acts=[{"violation": "torture", "places": ["kamp"]}]))
    together(writer, "kamp", "camp")
    for view in (PUBLIC, PARTNER, MECHANISM):
        assert seen(database, "kamp") == []
        assert shown(database, view, I1)["places"] == ["camp"]
        assert shown(database, view, I1)["geometry"] is not None
        assert shown(database, view, I2)["places"] == ["camp"]
        assert shown(database, view, I2)["acts"][0]["places"] == ["camp"]
        assert shown(database, view, "deeper")["parent"] == "camp"
        assert filed(database, view, "place", "north") >= {I1, I2}
        assert I1 not in filed(database, view, "place", "south")
        assert history(database, view, "kamp") == [("created", 1), ("merged", 1)]
        assert history(database, view, I1) == [("created", 1), ("updated", 2)]
    assert {target for _, _, target in rows_of(database, LED)} == {"camp"}
    check_log(writer)


def test_what_is_submitted_later_may_name_either(intake, database, writer):
    submit(intake, *WORLD, a_place("kamp"))
    together(writer, "kamp", "camp")
    submit(intake, an_incident(I1, places=["kamp"]))
    assert shown(database, PUBLIC, I1)["places"] == ["camp"]
    submit(intake, a_place("camp", parent="north", name={"en": "Another name"}, restricted=True))
    assert shown(database, PUBLIC, I1)["places"] == []
    assert shown(database, MECHANISM, I1)["places"] == ["camp"]


def test_what_is_sent_again_stays_merged(intake, database, writer):
    submit(intake, *WORLD, a_place("kamp"))
    together(writer, "kamp", "camp")
    n = len(rows_of(database, REVISION))
    assert submit(intake, a_place("kamp")).unchanged == ["kamp"]
    assert submit(intake, a_place("kamp", name={"en": "Changed"})).revised == ["kamp"]
    assert len(rows_of(database, REVISION)) == n + 1
    assert seen(database, "kamp") == []
    assert history(database, PUBLIC, "kamp") == [("created", 1), ("merged", 1)]


def test_chains_lead_to_the_end_and_come_apart_one_by_one(intake, database, writer):
    submit(intake, *WORLD, a_place("a"), a_place("b"), a_place("c"), an_incident(I1, places=["a"]))
    together(writer, "a", "b")
    assert shown(database, PUBLIC, I1)["places"] == ["b"]
    assert "merged into b" in refused(writer, "a", "c")
    assert "merged into b" in refused(writer, "c", "a")
    together(writer, "b", "c")
    assert shown(database, PUBLIC, I1)["places"] == ["c"]
    assert rows_of(database, MERGER) == [("a", "b", "c"), ("b", "c", "c")]
    apart(writer, "b")
    assert shown(database, PUBLIC, I1)["places"] == ["b"]
    assert rows_of(database, MERGER) == [("a", "b", "b")]
    apart(writer, "a")
    assert shown(database, PUBLIC, I1)["places"] == ["a"]
    assert rows_of(database, MERGER) == []
    assert history(database, PUBLIC, "a") == [("created", 1), ("merged", 1), ("created", 2)]
    check_log(writer)


def test_what_cannot_be_one_is_refused(intake, writer):
    submit(intake, *WORLD, a_testimony(T1), a_testimony(T2), a_place("secret", restricted=True))
    submit(intake, a_source("src-b", derived_from=["src-a"]), a_source("src-other"), owner=OWNER)
    assert "Accounts are never merged" in refused(writer, T1, T2)
    assert "itself" in refused(writer, "camp", "camp")
    assert "one kind" in refused(writer, "camp", "torture")
    assert "lies in it" in refused(writer, "north", "camp")
    assert "names src-a" in refused(writer, "src-a", "src-b")
    assert "restricted" in refused(writer, "secret", "camp")
    assert retract(writer, "src-other", OWNER, "a test")
    assert "taken back" in refused(writer, "src-other", "src-a")
    submit(intake, a_person(P1), a_person(P2))
    assert object_to(writer, P1, OWNER, "name", "a test")
    assert "objected" in refused(writer, P1, P2)
    together(writer, P2, P1)
    assert rows_of(writer.database, MERGER) == [(P2, P1, P1)]


def test_a_view_is_led_only_where_both_were_promised_to_be_shown(intake, database, writer):
    """What the one was promised holds on: where it might not be shown, nothing leads from it to the other."""
    submit(intake, *WORLD, a_person(P1, consent=consent(mechanism={})), a_person(P2))
    submit(intake, an_incident(I1, acts=[act(P1)]), an_incident(I2, acts=[act(P2)]))
    before = {view: shown(database, view, I1) for view in (PUBLIC, PARTNER)}
    generations = dict(database.look(lambda c: [tuple(row) for row in c.execute(select(VIEW.c.id, VIEW.c.generation))]))
    together(writer, P1, P2)
    for view in (PUBLIC, PARTNER):
        assert shown(database, view, I1) == before[view]
        assert shown(database, view, I2)["acts"][0]["people"] == [P2]
    assert shown(database, MECHANISM, I1)["acts"][0]["people"] == [P2]
    after = dict(database.look(lambda c: [tuple(row) for row in c.execute(select(VIEW.c.id, VIEW.c.generation))]))
    assert [view for view in generations if generations[view] != after[view]] == [MECHANISM]
    assert history(database, PUBLIC, P1) == []


def test_a_view_that_is_not_shown_the_survivor_is_told_removed(intake, database, writer):
    submit(intake, *WORLD, a_person(P1), a_person(P2, consent=consent(mechanism={})), an_incident(I1, acts=[act(P1)]))
    together(writer, P1, P2)
    assert history(database, PUBLIC, P1) == [("created", 1), ("removed", 1)]
    assert history(database, MECHANISM, P1) == [("created", 1), ("merged", 1)]
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == []
    assert shown(database, MECHANISM, I1)["acts"][0]["people"] == [P2]
    submit(intake, a_person(P2))  # shown to all from now on
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == [P2]
    assert history(database, PUBLIC, P1) == [("created", 1), ("removed", 1)]


@pytest.mark.parametrize("away", ["withdraw", "erase", "expire", "retract"])
def test_what_becomes_of_the_merged_one_later_takes_the_lead_away(intake, database, writer, clock, away):
    ends = consent("2023-12-31", public={}, partner={}, mechanism={})
    submit(intake, *WORLD, a_person(P1, consent=ends), a_person(P2), an_incident(I1, acts=[act(P1)]))
    together(writer, P1, P2)
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == [P2]
    if away == "expire":
        clock.now += 90 * 86_400_000
        assert expire(writer) == 1
    else:
        assert {"withdraw": withdraw, "erase": erase, "retract": retract}[away](writer, P1, OWNER, "a test")
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == []
    assert shown(database, PUBLIC, P2)["id"] == P2
    assert history(database, PUBLIC, P1) == [("created", 1), ("merged", 1), ("removed", 1)]
    if away == "erase":
        assert rows_of(database, MERGER) == rows_of(database, LED) == []
    check_log(writer)


def test_erasing_the_merged_one_takes_nothing_from_the_survivor(intake, database, writer, settings, monkeypatch):
    monkeypatch.setattr("app.intake.rebuild.workers", inline.workers)
    submit(intake, *WORLD, a_person(P1), a_person(P2), an_incident(I1, acts=[act(P1), act(P2)]))
    together(writer, P1, P2)
    assert erase(writer, P1, OWNER, "a test")
    assert [one["people"] for one in shown(database, PUBLIC, I1)["acts"]] == [[], [P2]]
    assert rebuild(writer, settings).changed == 0


def test_an_erased_one_leads_nowhere_any_more(intake, database, writer, settings, monkeypatch):
    monkeypatch.setattr("app.intake.rebuild.workers", inline.workers)
    submit(intake, *WORLD, a_place("kamp", parent="south"), a_place("deeper", parent="kamp"))
    submit(intake, an_incident(I1, places=["deeper"]))
    together(writer, "kamp", "camp")
    assert I1 in filed(database, PUBLIC, "place", "camp")
    assert erase(writer, "kamp", OWNER, "a test")
    submit(intake, an_incident(I2, places=["deeper"]))
    assert not {I1, I2} & filed(database, PUBLIC, "place", "camp")
    whole = catalogue(database)
    assert rebuild(writer, settings).changed == 0
    assert catalogue(database) == whole


def test_what_becomes_of_the_survivor_later_is_of_both(intake, database, writer):
    submit(intake, *WORLD, a_person(P1), a_person(P2), an_incident(I1, acts=[act(P1)]))
    together(writer, P1, P2)
    assert erase(writer, P2, OWNER, "a test")
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == []
    apart(writer, P1)
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == [P1]
    check_log(writer)


def test_accounts_of_persons_that_are_one_are_of_one_witness(intake, database, writer):
    named = [{"witness": {"form": "named", "person": one}} for one in (P1, P2)]
    submit(intake, *WORLD, a_person(P1), a_person(P2), a_testimony(T1, **named[0]), a_testimony(T2, **named[1]))
    submit(intake, an_incident(I1, testimonies=[T1, T2], citations=[{"symbol": "TEST/2"}]))
    assert shown(database, PUBLIC, I1)["corroboration"] == 2
    together(writer, P1, P2)
    assert shown(database, PUBLIC, I1)["corroboration"] == 1
    assert shown(database, PUBLIC, T1)["witness"]["person"] == P2
    assert filed(database, PUBLIC, "person", P2) >= {T1, T2}
    apart(writer, P1)
    assert shown(database, PUBLIC, I1)["corroboration"] == 2


def test_a_view_that_may_not_know_who_tells_counts_them_apart(intake, database, writer):
    """P1 is named to mechanisms alone: to all others the accounts stay two."""
    withheld = {"identity": "withheld"}
    submit(intake, *WORLD, a_person(P1, consent=consent(public=withheld, mechanism={})), a_person(P2))
    for id, person in ((T1, P1), (T2, P2)):
        submit(intake, a_testimony(id, witness={"form": "named", "person": person}))
    submit(intake, an_incident(I1, testimonies=[T1, T2], citations=[{"symbol": "TEST/2"}]))
    together(writer, P1, P2)
    assert shown(database, PUBLIC, I1)["corroboration"] == 2
    assert shown(database, PUBLIC, T1)["witness"]["person"] is None
    assert shown(database, MECHANISM, I1)["corroboration"] == 1
    assert shown(database, MECHANISM, T1)["witness"]["person"] == P2


def test_an_objection_of_the_survivor_is_of_both(intake, database, writer):
    submit(intake, *WORLD, a_person(P1), a_person(P2), a_testimony(T1, witness={"form": "named", "person": P1}))
    together(writer, P1, P2)
    assert object_to(writer, P2, OWNER, "name", "a test")
    assert shown(database, PUBLIC, T1)["witness"]["form"] == "withheld"


def test_two_ends_of_a_link_that_are_one_tie_nothing(intake, database, writer):
    link = {"kind": "link", "id": "tie", "type": "same-as", "from": "kamp", "to": "camp", "confidence": "low"}
    submit(intake, *WORLD, a_place("kamp"), link | {"source": "src-a"})
    together(writer, "kamp", "camp")
    assert seen(database, "tie") == []
    apart(writer, "kamp")
    assert seen(database, "tie") == [PUBLIC, PARTNER, MECHANISM]


def test_many_that_name_the_one_follow_and_come_back(intake, database, writer):
    """More than are shown anew at once: what may say too much goes first, and what still has support comes back."""
    ids = [fixed("inc", f"many-{n}") for n in range(130)]
    submit(intake, *WORLD, a_place("kamp"), *[an_incident(id, places=["kamp"]) for id in ids])
    together(writer, "kamp", "camp")
    restore(writer)
    assert all(shown(database, PUBLIC, id)["places"] == ["camp"] for id in ids)
    assert history(database, PUBLIC, "kamp") == [("created", 1), ("merged", 1)]
    check_log(writer)


def test_a_rebuild_gives_the_same_bytes(intake, database, writer, settings, monkeypatch):
    monkeypatch.setattr("app.intake.rebuild.workers", inline.workers)
    submit(intake, *WORLD, a_place("a"), a_place("b"), an_incident(I1, places=["a"]))
    submit(intake, a_person(P1), a_person(P2, consent=consent(mechanism={})), a_person(P3, consent=consent(public={})))
    submit(intake, an_incident(I2, acts=[act(P1), act(P3), act(PER)]), a_person(PER))
    for one, into in (("a", "b"), ("b", "camp"), (P1, P2), (P3, PER)):
        together(writer, one, into)
    before = catalogue(database), rows_of(database, DISCLOSED)
    done = rebuild(writer, settings)
    assert done.changed == 0
    assert (catalogue(database), rows_of(database, DISCLOSED)) == before
    apart(writer, "b")
    then = catalogue(database)
    assert rebuild(writer, settings).changed == 0
    assert catalogue(database) == then


@pytest.mark.parametrize(("where", "much"), [("within", 3), ("amid", 3), ("within", 100), ("after", 100)])
def test_killed_at_any_moment_it_is_done_whole_or_not_at_all(deploy, where, much):
    """With 3 records being much what names the one is shown anew by the journal; with 100 in the transaction."""
    ids = [fixed("inc", f"many-{n}") for n in range(7)]
    whole, cut = deploy(), deploy()
    for one in (whole, cut):
        submit(one.intake, *WORLD, a_place("kamp"), a_place("inside", parent="kamp"), a_person(P1), a_person(P2))
        submit(one.intake, *[an_incident(id, places=["kamp"], acts=[act(P1)]) for id in ids])
    before = catalogue(cut.database), check_log(cut.writer)
    together(whole.writer, "kamp", "camp")
    place = [cut.settings.database_url, str(cut.settings.home), "kamp", "camp", where, str(much)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.intake.killed_merging", *place], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    merged = rows_of(cut.database, MERGER)
    assert merged == ([] if where == "within" else [("kamp", "camp", "camp")])
    cut.writer.world.forget()
    if where == "within":
        assert (catalogue(cut.database), check_log(cut.writer)) == before
        together(cut.writer, "kamp", "camp")
    else:
        for id in (*ids, "inside"):  # whatever is left to be shown anew: nothing names what is no more
            assert seen(cut.database, id) in ([], [PUBLIC, PARTNER, MECHANISM])
        restore(cut.writer)
    assert all(shown(cut.database, view, id)["places"] == ["camp"] for id in ids for view in (PUBLIC, MECHANISM))
    assert history(cut.database, PUBLIC, "kamp") == [("created", 1), ("merged", 1)]
    if much == 100:
        same(whole, cut)


def test_where_the_one_was_hidden_nothing_is_taken_away_meanwhile(intake, database, writer, monkeypatch):
    """However much names it: a view that is not shown it sees no record go and come back."""
    for module in ("app.intake.write", "app.intake.deny"):
        monkeypatch.setattr(f"{module}.AT_ONCE", 1)
    hidden, ids = a_person(P1, consent=consent(mechanism={})), [fixed("inc", f"many-{n}") for n in range(3)]
    submit(intake, *WORLD, hidden, a_person(P2), *[an_incident(id, acts=[act(P1)]) for id in ids])
    restore(writer)
    before = {(view, id): history(database, view, id) for view in (PUBLIC, PARTNER, MECHANISM) for id in ids}
    for change in (lambda: together(writer, P1, P2), lambda: apart(writer, P1)):
        change()
        restore(writer)
        after = {one: history(database, *one) for one in before}
        assert [one for one in before if after[one] != before[one]] == [(MECHANISM, id) for id in ids]


def test_the_log_holds_where_one_on_the_way_to_the_survivor_is_erased(intake, writer):
    submit(intake, *WORLD, a_place("kamp"), a_place("lager"))
    together(writer, "lager", "kamp")
    together(writer, "kamp", "camp")
    assert erase(writer, "kamp", OWNER, "a test")
    check_log(writer)
