"""A small catalogue, written straight into its tables: exact rows, so that tests can state exact answers."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from app.catalogue.tables import POSTING, ROW, SPOT, TERM, TERM_COUNT, VIEW, term_id
from app.core.db import Database
from app.core.ids import fixed, k_of
from app.core.moments import iso
from app.vault.tables import DISCLOSED
from app.vocabulary.edtf import UNDATED, UNDATED_BOUNDS, bounds, shown

AT = 1_700_000_000_000  # 2023-11-14T22:13:20Z


@dataclass
class One:
    """One record in one view."""

    kind: str
    id: str
    body: dict[str, Any] = field(default_factory=dict)
    date: str | None = None
    terms: dict[str, list[str]] = field(default_factory=dict)
    given: str | None = None
    left: str | None = None
    corroboration: int = 0
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    owner: str = "us"
    updated: int = AT

    def shown(self) -> bytes:
        """Return its body."""
        date = {"date": None if self.date is None else shown(self.date)}
        end = {"owner": self.owner, "revision": 1, "updated": iso(self.updated)}
        return orjson.dumps({"id": self.id, "kind": self.kind, **date, **self.body, **end})


def incident(name: str) -> str:
    """Return the id of an incident."""
    return fixed("inc", name)


def account(name: str) -> str:
    """Return the id of a testimony."""
    return fixed("tst", name)


def _row(view: int, one: One) -> dict[str, Any]:
    body = one.shown()
    dates = bounds(one.date) if one.date is not None else UNDATED_BOUNDS
    ends: dict[str, int] = {}
    for letter, text in (("g", one.given), ("l", one.left)):
        found = bounds(text) if text is not None else UNDATED_BOUNDS
        ends |= {f"{letter}0": found.s0, f"{letter}1": found.e1 if text is not None else UNDATED}
    row = {
        "view": view,
        "k": k_of(one.id),
        "seq": 1,
        "kind": one.kind,
        "id": one.id,
        "owner": one.owner,
        **dates._asdict(),
        **ends,
        "corroboration": one.corroboration,
        "revision": 1,
        "updated": one.updated,
        "etag": hashlib.sha256(body).hexdigest()[:24],
        "terms": b"",
        "body": body,
    }
    return {column.name: row[column.name] for column in ROW.columns}


def fill(database: Database, records: Iterable[One], view: int = 0, generation: int = 1) -> None:
    """Put records into a view, and set its generation."""
    made = list(records)
    database.write(lambda connection: _fill(connection, made, view, generation))


def _fill(connection: Connection, records: list[One], view: int, generation: int) -> None:
    about = {"id": view, "audience": "public", "purpose": "publication", "recipient": "[]", "owner": None}
    connection.execute(delete(VIEW).where(VIEW.c.id == view))
    connection.execute(insert(VIEW).values(**about, state="live", generation=generation, next_expiry=None))
    rows: list[Any] = []
    postings: list[Any] = []
    spots: list[Any] = []
    terms: dict[int, Any] = {}
    counts: dict[int, int] = {}
    for one in records:
        row = _row(view, one)
        rows.append(row)
        key = {name: row[name] for name in ("view", "s0", "k")}
        for facet, values in {**one.terms, "owner": [one.owner]}.items():
            for value in values:
                term = term_id(one.kind, facet, value)
                terms[term] = {"id": term, "kind": one.kind, "facet": facet, "value": value}
                counts[term] = counts.get(term, 0) + 1
                postings.append({**key, "term": term, "s1": row["s1"], "e0": row["e0"], "e1": row["e1"]})
        for part, box in enumerate(one.boxes):
            spots.append({**key, "part": part, **dict(zip("wsen", box, strict=True))})
    connection.execute(delete(TERM).where(TERM.c.id.in_(list(terms)[:30000])))
    tables: tuple[tuple[Any, list[Any]], ...] = (
        (ROW, rows),
        (POSTING, postings),
        (SPOT, spots),
        (TERM, list(terms.values())),
    )
    for table, batch in tables:
        if batch:
            connection.execute(insert(table), batch)
    c, numbers = TERM_COUNT.c, list(terms)
    old = {row[0]: row[1] for row in connection.execute(select(c.term, c.n).where(c.view == view))}
    connection.execute(delete(TERM_COUNT).where(c.view == view, c.term.in_(numbers[:30000])))
    if numbers:
        n: list[dict[str, int]] = [
            {"view": view, "term": term, "n": counts[term] + old.get(term, 0)} for term in numbers
        ]
        connection.execute(insert(TERM_COUNT), n)


def disclose(database: Database, one: One, changes: list[str], view: int = 0) -> None:
    """Record what a view was shown of a record, one day after another."""
    rows = [
        {"view": view, "seq": i + 1, "id": one.id, "kind": one.kind, "revision": i + 1, "at": AT + i * 86_400_000}
        | {"change": change, "digest": bytes([i]) * 32, "salt": b"", "leaf": i, "previous": i}
        for i, change in enumerate(changes)
    ]
    newest = update(ROW).where(ROW.c.view == view, ROW.c.id == one.id).values(seq=len(changes))

    def _disclose(connection: Connection) -> None:
        connection.execute(insert(DISCLOSED), rows)
        connection.execute(newest)

    database.write(_disclose)


def set_view(database: Database, view: int = 0, **values: Any) -> None:
    """Change a view."""
    database.write(lambda connection: connection.execute(update(VIEW).where(VIEW.c.id == view).values(**values)))
