"""The same endpoints as most would write them: FastAPI, SQLModel, a session for each request, `response_model`.

uvicorn benchmarks.naive:app

Written to be read, as the tutorials do, with the same versions of everything as the service; by `naive` no more is
meant than that nobody has measured it.
"""

import csv
import io
import os
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from sqlmodel import Field, Session, SQLModel, String, cast, col, create_engine, func, select

engine = create_engine(f"sqlite:///{os.environ['BENCH_DATABASE']}", connect_args={"check_same_thread": False})
app = FastAPI()


class IncidentBase(SQLModel):
    """What is known of an incident."""

    uid: str
    title: str
    summary: str
    start_date: date
    end_date: date
    violation_type: str
    violations: str
    place: str
    province: str
    lat: float
    lon: float
    scope: str
    verification: str
    standard_of_proof: str
    victims: int
    source: str
    symbol: str
    basis: str
    owner: str


class Incident(IncidentBase, table=True):
    """A row."""

    id: int | None = Field(default=None, primary_key=True)


class IncidentRead(IncidentBase):
    """What is answered."""

    id: int


class Count(SQLModel):
    """How many incidents of a violation touch a year."""

    violation_type: str
    year: int
    incidents: int


class Total(SQLModel):
    """How many incidents fit."""

    total: int


def get_session() -> Iterator[Session]:
    """Give a session to one request."""
    with Session(engine) as session:
        yield session


Asking = Annotated[Session, Depends(get_session)]


def get_filter(
    violation: str | None = None,
    province: str | None = None,
    verification: str | None = None,
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: date | None = None,
) -> list[Any]:
    """Return what incidents have to fit."""
    conditions: list[Any] = []
    if violation is not None:
        conditions.append(Incident.violation_type == violation)
    if province is not None:
        conditions.append(Incident.province == province)
    if verification is not None:
        conditions.append(Incident.verification == verification)
    if from_ is not None:
        conditions.append(Incident.end_date >= from_)
    if to is not None:
        conditions.append(Incident.start_date <= to)
    return conditions


Filtered = Annotated[list[Any], Depends(get_filter)]


@app.get("/incidents", response_model=list[IncidentRead])
def list_incidents(
    session: Asking, conditions: Filtered, offset: int = 0, limit: Annotated[int, Query(le=1000)] = 50
) -> Any:
    """List incidents, newest first."""
    newest = (col(Incident.start_date).desc(), col(Incident.id))
    return session.exec(select(Incident).where(*conditions).order_by(*newest).offset(offset).limit(limit)).all()


@app.get("/incidents/count", response_model=Total)
def count_incidents(session: Asking, conditions: Filtered) -> Any:
    """Count incidents."""
    return Total(total=session.exec(select(func.count()).select_from(Incident).where(*conditions)).one())


@app.get("/incidents.csv")
def export_incidents(session: Asking, conditions: Filtered) -> Any:
    """Give all incidents that fit as CSV."""
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=list(IncidentRead.model_fields))
    writer.writeheader()
    for incident in session.exec(select(Incident).where(*conditions)):
        writer.writerow(IncidentRead.model_validate(incident).model_dump())
    return StreamingResponse(iter([written.getvalue()]), media_type="text/csv")


@app.get("/incidents/{id}", response_model=IncidentRead)
def get_incident(session: Asking, id: int) -> Any:
    """Return one incident."""
    incident = session.get(Incident, id)
    if incident is None:
        raise HTTPException(404)
    return incident


@app.get("/counts", response_model=list[Count])
def count_by_year(session: Asking, conditions: Filtered) -> Any:
    """Count incidents by violation and by each year that they touch."""
    starts, ends = (func.substr(cast(column, String), 1, 4) for column in (Incident.start_date, Incident.end_date))
    groups = select(Incident.violation_type, starts, ends, func.count()).where(*conditions)
    counts: dict[tuple[str, int], int] = {}
    for violation, start, end, count in session.exec(groups.group_by(Incident.violation_type, starts, ends)):
        for year in range(int(start), int(end) + 1):
            counts[violation, year] = counts.get((violation, year), 0) + count
    return [Count(violation_type=violation, year=year, incidents=n) for (violation, year), n in counts.items()]
