"""A weapons event: a missile launch or a nuclear test."""

from typing import Annotated, Literal

from pydantic import Field

from app.records.base import Content, Count, Edtf, Name, OwnSlug, Piece
from app.records.geometry import Shape
from app.records.kind import Kind
from app.records.shown import Date, Shown, ShownRecord, says

WeaponsEventType = Literal["missile-launch", "nuclear-test"]


class Outcomes(Piece):
    """Of the launches of one event, how many did what."""

    success: Count
    failure: Count
    unknown: Count


class WeaponsEvent(Content):
    """Launches of one weapon on one day from one site, or one test."""

    kind: Literal["weapons-event"] = "weapons-event"
    id: OwnSlug | None = None
    type: WeaponsEventType
    date: Edtf | None = None
    weapon: Name | None = None
    weapon_class: Name
    count: Count
    outcomes: Outcomes | None = None
    facility: Name | None = None
    geometry: Shape | None = None
    max_distance_km: Annotated[float, Field(ge=0, le=100_000)] | None = None


class ShownOutcomes(Shown):
    """How many did what."""

    success: int = says("Flew as meant.", 0)
    failure: int = says("Failed.", 0)
    unknown: int = says("Not known.", 5)


class WeaponsEventShown(ShownRecord):
    """A missile launch or a nuclear test."""

    id: str = says("Readable and permanent.", "msl-2026-04-18-hwasong-11d-sinpo")
    kind: Literal["weapons-event"] = says("Always weapons-event.", "weapons-event")
    type: WeaponsEventType = says("What it was.", "missile-launch")
    date: Date | None = says(
        "When.", {"edtf": "2026-04-18", "start": ["2026-04-18", "2026-04-18"], "end": ["2026-04-18", "2026-04-18"]}
    )
    weapon: str | None = says("The weapon.", "Hwasong-11D (KN-35)")
    weapon_class: str = says("Its class.", "SRBM")
    count: int = says("How many were launched or tested.", 5)
    outcomes: ShownOutcomes | None = says("How many did what.", {"success": 0, "failure": 0, "unknown": 5})
    facility: str | None = says("From where.", "Sinpo Shipyard")
    geometry: Shape | None = says("Where that is.", {"type": "Point", "coordinates": [128.18, 40.04]})
    max_distance_km: float | None = says("The farthest that one flew, in kilometres.", 140.0)


KIND = Kind(
    name="weapons-event",
    path="weapons-events",
    title="Weapons events",
    about="Missile launches since 1984 and nuclear tests.",
    model=WeaponsEvent,
    shown=WeaponsEventShown,
    geometry=True,
    date="date",
    dates=("date",),
    references=(("citations[].source", "source"),),
    facets={"source": "citations[].source"},
)
