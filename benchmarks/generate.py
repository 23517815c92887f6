"""Writes the invented records twice: as files that `evidence load` takes, and as a database for the peers."""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from app.core.ids import fixed, k_of
from benchmarks import corpus
from benchmarks.corpus import Incident

AT_ONCE = 10_000
_TOLD = fixed("tst", "bench")

COLUMNS = {
    "uid": "TEXT",
    "title": "TEXT",
    "summary": "TEXT",
    "start_date": "TEXT",
    "end_date": "TEXT",
    "violation_type": "TEXT",
    "violations": "TEXT",
    "place": "TEXT",
    "province": "TEXT",
    "lat": "REAL",
    "lon": "REAL",
    "scope": "TEXT",
    "verification": "TEXT",
    "standard_of_proof": "TEXT",
    "victims": "INTEGER",
    "source": "TEXT",
    "symbol": "TEXT",
    "basis": "TEXT",
    "owner": "TEXT",
}
OBJECT = "json_object(" + ", ".join(f"'{name}', {name}" for name in ("id", *COLUMNS)) + ")"
_STATED = ", ".join(f"{name} {type} NOT NULL" for name, type in COLUMNS.items())
_TABLES = f"""
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -262144;
    CREATE TABLE draft (k INTEGER, {_STATED});
    CREATE TABLE incident (id INTEGER PRIMARY KEY, {_STATED});
    CREATE TABLE incident_violation (incident_id INTEGER NOT NULL, violation TEXT NOT NULL,
        PRIMARY KEY (incident_id, violation)) WITHOUT ROWID;
    CREATE TABLE stored (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""

# The peers break ties of date by a rising primary key, the service by a falling k: a key given out in falling order of
# k makes all orders one. Each index is the very order in which a page is asked for.
_FINISH = (
    f"INSERT INTO incident SELECT NULL, {', '.join(COLUMNS)} FROM draft ORDER BY k DESC",
    "INSERT INTO incident_violation SELECT incident.id, value FROM incident, "
    """json_each('["' || replace(violations, ' ', '","') || '"]')""",
    f"INSERT INTO stored SELECT id, CAST({OBJECT} AS BLOB) FROM incident ORDER BY id",
    "DROP TABLE draft",
    "CREATE UNIQUE INDEX incident_uid ON incident (uid)",
    "CREATE INDEX incident_start ON incident (start_date DESC)",
    "CREATE INDEX incident_violation_start ON incident (violation_type, start_date DESC)",
    "CREATE INDEX incident_province ON incident (province)",
    "CREATE INDEX incident_end ON incident (end_date)",
    "CREATE INDEX incident_counts ON incident (verification, end_date, start_date, violation_type)",
    "CREATE INDEX violation_incident ON incident_violation (violation, incident_id)",
    "ANALYZE",
    "VACUUM",
)


def vocabulary() -> Iterator[dict[str, Any]]:
    """Yield what incidents refer to: places, violations and sources."""
    yield {"kind": "place", "id": corpus.COUNTRY, "name": _text("Invented country"), "type": "country"}
    for number, (lon, lat, _) in enumerate(corpus.PROVINCES):
        place = corpus.province_id(number), f"Invented province {number}", "province", corpus.COUNTRY, lon, lat
        yield _place(*place)
    for one in corpus.facilities():
        yield _place(one.id, one.name, "labour-site", corpus.province_id(one.province), one.lon, one.lat)
    for number in range(corpus.MAIN + corpus.FURTHER):
        label = _text(f"Invented violation {number}")
        yield {"kind": "violation", "id": corpus.violation_id(number), "label": label}
    for number in range(corpus.SOURCES):
        title = _text(f"Invented source {number}")
        stated = {"title": title, "symbol": corpus.symbol(number), "type": "invented", "publisher": corpus.OWNER}
        yield {"kind": "source", "id": corpus.source_id(number), **stated}


def submitted(incident: Incident, one_view: bool = False) -> dict[str, Any]:
    """Return an incident as it is submitted to the service: published, or consented for the public view alone."""
    start, end = date.fromordinal(incident.start).isoformat(), date.fromordinal(incident.end).isoformat()
    basis = {"disclosure_basis": "consent", "testimonies": [_TOLD]} if one_view else {"disclosure_basis": "published"}
    return basis | {
        "kind": "incident",
        "id": incident.id,
        "scope": "event",
        "date": start if start == end else f"{start}/{end}",
        "title": {"public": _text(incident.title)},
        "summary": {"public": _text(incident.summary)},
        "places": [corpus.facilities()[incident.facility].id],
        "violations": list(incident.violations),
        "victims": {"best": incident.victims},
        "verification": incident.verification,
        "citations": [{"symbol": corpus.symbol(incident.source), "source": corpus.source_id(incident.source)}],
    }


def flat(incident: Incident) -> tuple[Any, ...]:
    """Return the same facts as a row for the peers."""
    place = corpus.facilities()[incident.facility]
    return (
        k_of(incident.id),
        incident.id,
        incident.title,
        incident.summary,
        date.fromordinal(incident.start).isoformat(),
        date.fromordinal(incident.end).isoformat(),
        incident.violations[0],
        " ".join(incident.violations),
        place.id,
        corpus.province_id(place.province),
        place.lat,
        place.lon,
        "event",
        incident.verification,
        "not-stated",
        incident.victims,
        corpus.source_id(incident.source),
        corpus.symbol(incident.source),
        "published",
        corpus.OWNER,
    )


def testimony() -> dict[str, Any]:
    """Return what incidents of one view rest on: an invented testimony, told to the public and to nobody else."""
    allowed = {"content": "full", "identity": "named", "place": "exact", "date": "day", "purposes": ["publication"]}
    consent = {"obtained_by": "B", "obtained_on": "2020", "form": "written", "language": "en", "recontact": False}
    return {
        "kind": "testimony",
        "id": _TOLD,
        "disclosure_basis": "consent",
        "witness": {"form": "unnamed"},
        "recorded_by": corpus.OWNER,
        "consent": consent | {"audiences": {"public": allowed}},
    }


def digest(one_view: bool = False) -> str:
    """Return what tells these invented records from those of another version: SHA-256 of the first of them, in hex."""
    first = (submitted(incident, one_view) for incident in corpus.incidents(0, 100))
    return sha256(b"".join(map(orjson.dumps, chain(vocabulary(), first)))).hexdigest()


def write_vocabulary(path: Path, one_view: bool = False) -> None:
    """Write the vocabulary, a record a line, and the testimony that incidents of one view rest on."""
    _write(path, chain(vocabulary(), [testimony()] if one_view else []))


def write_incidents(path: Path, first: int, count: int, one_view: bool = False) -> None:
    """Write a stretch of incidents, a record a line."""
    _write(path, (submitted(incident, one_view) for incident in corpus.incidents(first, count)))


def write_database(path: Path, count: int) -> None:
    """Write the first `count` incidents as a SQLite database: one table that holds all of a record, and its indexes."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    database = sqlite3.connect(new, isolation_level=None)
    database.executescript(_TABLES)
    rows = map(flat, corpus.incidents(0, count))
    while chunk := list(islice(rows, AT_ONCE)):
        database.execute("BEGIN")
        database.executemany(f"INSERT INTO draft VALUES ({', '.join('?' * len(chunk[0]))})", chunk)
        database.execute("COMMIT")
    for statement in _FINISH:
        database.execute(statement)
    database.close()
    new.replace(path)


def _write(path: Path, records: Iterable[dict[str, Any]]) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.writelines(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
    new.replace(path)


def _text(words: str) -> dict[str, str]:
    return {"en": words}


def _place(id: str, name: str, type: str, parent: str, lon: float, lat: float) -> dict[str, Any]:
    at = {"type": "Point", "coordinates": [lon, lat]}
    return {"kind": "place", "id": id, "name": _text(name), "type": type, "parent": parent, "geometry": at}
