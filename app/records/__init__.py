"""Records: one content model a kind, what the API shows of it, and all that the service knows of the kind as data."""

from app.records import (
    actor,
    crime,
    finding,
    incident,
    instrument,
    link,
    period,
    person,
    place,
    recommendation,
    source,
    statement,
    testimony,
    violation,
    weapons_event,
)
from app.records.kind import Kind, pick, references

__all__ = ["BY_NAME", "BY_PATH", "KINDS", "Kind", "pick", "references"]

# In the order of DESIGN.md section 3.
KINDS: tuple[Kind, ...] = (
    testimony.KIND,
    incident.KIND,
    person.KIND,
    actor.KIND,
    place.KIND,
    source.KIND,
    violation.KIND,
    crime.KIND,
    period.KIND,
    instrument.KIND,
    finding.KIND,
    recommendation.KIND,
    weapons_event.KIND,
    statement.KIND,
    link.KIND,
)
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
BY_PATH: dict[str, Kind] = {kind.path: kind for kind in KINDS}
