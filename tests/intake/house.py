"""Made-up records, ways to put them in and to look at what came of it. Nobody in them is real."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, Table, select

from app.catalogue.tables import POSTING, ROW, SEARCHED, SPOT, TERM, TERM_COUNT, VIEW, WORD
from app.core.db import Database
from app.core.ids import fixed
from app.custody import held
from app.intake import deny, write
from app.intake.checking import content_of
from app.intake.checkpointing import signer_of
from app.intake.merging import merge, planned, unmerge, unmerging
from app.intake.submit import Intake, Outcome
from app.intake.write import Writer
from app.vault.chains import unpack
from app.vault.tables import DISCLOSED, RECORD, REVISION

OWNER = "test-body"
# For a test of what happens before the database is reached: one engine is enough.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
PUBLIC, PARTNER, MECHANISM = 0, 1, 2
CATALOGUE = (ROW, POSTING, SPOT, TERM, TERM_COUNT, SEARCHED, WORD)
T1, T2, T3 = (fixed("tst", name) for name in "abc")
I1, I2 = (fixed("inc", name) for name in "ab")
PER = fixed("per", "a")
ACT = fixed("act", "a")

Value = dict[str, Any]


def a_source(id: str = "src-a", **more: Any) -> Value:
    return {"kind": "source", "id": id, "title": {"en": f"Report {id}"}, "type": "report", **more}


def a_place(id: str, **more: Any) -> Value:
    return {"kind": "place", "id": id, "name": {"en": f"Place {id}"}, "type": "other", **more}


def a_violation(id: str = "torture", **more: Any) -> Value:
    return {"kind": "violation", "id": id, "label": {"en": f"Violation {id}"}, **more}


def a_testimony(id: str = T1, **more: Any) -> Value:
    """A published testimony, or one with a consent."""
    return {
        "kind": "testimony",
        "id": id,
        "disclosure_basis": "consent" if "consent" in more else "published",
        "witness": {"form": "unnamed"},
        "recorded_by": "body",
        "citations": [{"symbol": "TEST/1", "source": "src-a"}],
        **more,
    }


def an_incident(id: str = I1, **more: Any) -> Value:
    return {
        "kind": "incident",
        "id": id,
        "disclosure_basis": "published",
        "scope": "event",
        "date": "2012-03-04",
        "citations": [{"symbol": "TEST/1", "source": "src-a"}],
        **more,
    }


def a_person(id: str = PER, **more: Any) -> Value:
    basis = "consent" if "consent" in more else "published"
    return {"kind": "person", "id": id, "disclosure_basis": basis, "citations": [{"symbol": "TEST/1"}], **more}


def consent(expires: str | None = None, **audiences: Any) -> Value:
    """A consent that allows audiences everything, but for what is stated of each."""
    whole = {"content": "full", "identity": "named", "place": "exact", "date": "day"}
    purposes = ["publication", "research", "un-reporting"]
    return {
        "obtained_by": "A test",
        "obtained_on": "2020",
        "form": "written",
        "language": "ko",
        "recontact": False,
        "expires": expires,
        "audiences": {name: {**whole, "purposes": purposes, **one} for name, one in audiences.items()},
    }


# A small world: two provinces with a camp each, two violations, a source.
WORLD = (
    a_source(),
    a_place("country", type="country"),
    a_place("north", type="province", parent="country"),
    a_place("south", type="province", parent="country"),
    a_place("camp", parent="north", geometry={"type": "Point", "coordinates": [127.5, 41.25]}),
    a_violation("ill-treatment"),
    a_violation("torture", parent="ill-treatment"),
)


def submit(intake: Intake, *values: Mapping[str, Any], owner: str = OWNER) -> Outcome:
    """Submit records together."""
    return intake.submit([intake.draft(content_of(orjson.dumps(value)), owner) for value in values], owner)


def together(writer: Writer, one: str, into: str, reason: str = "they are one") -> None:
    """Merge a record into another one."""

    def work(connection: Connection, at: int, size: int) -> None:
        stored = writer.vault.read(connection, [one, into])
        merge(connection, writer, at, size, planned(connection, writer, stored[one], stored[into], reason))

    writer.transact(work)


def apart(writer: Writer, one: str) -> None:
    """Undo it."""

    def work(connection: Connection, at: int, size: int) -> None:
        unmerge(connection, writer, at, size, unmerging(writer.vault.read(connection, [one])[one], "they are two"))

    writer.transact(work)


def shown(database: Database, view: int, id: str) -> Value:
    """Return what a view is shown of a record, from the catalogue; fails where it is shown nothing."""
    statement = select(ROW.c.body).where(ROW.c.view == view, ROW.c.id == id)
    body = database.look(lambda connection: connection.scalar(statement))
    assert body is not None
    value: Value = orjson.loads(body)
    return value


def seen_by(database: Database, id: str) -> list[int]:
    """Return the views that are shown a record, from the catalogue and from the vault, which must agree."""
    views = select(ROW.c.view).where(ROW.c.id == id).order_by(ROW.c.view)
    found = database.look(lambda connection: list(connection.scalars(views)))
    mask = database.look(lambda connection: connection.scalar(select(RECORD.c.views).where(RECORD.c.id == id)))
    assert [view for view in range(16) if (mask or 0) >> view & 1] == found
    return found


def history(database: Database, view: int, id: str) -> list[tuple[str, int]]:
    """Return the changes of what a view is shown of a record: what happened, and the view's own revision."""
    where = (DISCLOSED.c.view == view, DISCLOSED.c.id == id)
    statement = select(DISCLOSED.c.change, DISCLOSED.c.revision).where(*where).order_by(DISCLOSED.c.seq)
    return database.look(lambda connection: [(change, n) for change, n in connection.execute(statement)])


def revisions(database: Database, id: str) -> list[tuple[int, str]]:
    """Return the revisions that the vault has of a record."""
    statement = select(REVISION.c.revision, REVISION.c.change).where(REVISION.c.record == id)
    rows = statement.order_by(REVISION.c.revision)
    return database.look(lambda connection: [(n, change) for n, change in connection.execute(rows)])


def filed(database: Database, view: int, facet: str, value: str) -> set[str]:
    """Return the ids that a view finds under a term."""
    join = ROW.join(POSTING, (POSTING.c.view == ROW.c.view) & (POSTING.c.k == ROW.c.k))
    join = join.join(TERM, TERM.c.id == POSTING.c.term)
    where = (ROW.c.view == view, TERM.c.facet == facet, TERM.c.value == value, TERM.c.kind == ROW.c.kind)
    statement = select(ROW.c.id).select_from(join).where(*where)
    return database.look(lambda connection: set(connection.scalars(statement)))


def rows_of(database: Database, table: Table) -> list[tuple[Any, ...]]:
    """Return a table, sorted."""
    return sorted(database.look(lambda connection: [tuple(row) for row in connection.execute(select(table))]), key=repr)


def catalogue(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything in the catalogue, but the counters of its views."""
    return {table.name: rows_of(database, table) for table in CATALOGUE}


def count(database: Database, table: Table) -> int:
    return len(rows_of(database, table))


def check_chains(connection: Connection, changes: Sequence[Any]) -> None:
    """Check that the changes of a record for a view are one chain, whose newest link the record and its row name."""
    newest: dict[tuple[int, str], int] = {}
    for one in sorted(changes, key=lambda one: (one.view, one.seq)):
        assert one.previous == newest.get((one.view, one.id), 0)
        newest[one.view, one.id] = one.seq
    for id, shown in connection.execute(select(RECORD.c.id, RECORD.c.shown)):
        assert unpack(shown) == {view: seq for (view, of), seq in newest.items() if of == id}
    for view, id, seq in connection.execute(select(ROW.c.view, ROW.c.id, ROW.c.seq)):
        assert newest[view, id] == seq


def check_log(writer: Writer) -> tuple[int, int]:
    """Check each revision and each change disclosed against its leaf, from salts and contents; return how many."""
    found = held.check(writer.vault, signer_of(writer.master).key)
    assert (found.faults, found.wrong) == ([], 0)
    assert found.leaves == found.revisions + found.forms + found.filled  # no leaf without its reason

    def _check(connection: Connection) -> None:
        changes = connection.execute(select(DISCLOSED)).all()
        check_chains(connection, changes)
        for view, generation in connection.execute(select(VIEW.c.id, VIEW.c.generation)):
            assert sorted(row.seq for row in changes if row.view == view) == list(range(1, generation + 1))

    writer.database.look(_check)
    return found.revisions, found.forms


def at_once(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have no more than so many records shown anew with what they rest on, in one transaction."""
    monkeypatch.setattr(deny, "AT_ONCE", number)
    monkeypatch.setattr(write, "AT_ONCE", number)


def step(writer: Writer, count: int = 1) -> int:
    """Work off so much of the journal; return how many records were shown anew."""
    return writer.transact(lambda connection, at, size: writer.restore(connection, at, size, count))
