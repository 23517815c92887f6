"""Made-up facts and records for the tests of disclosure. Nobody in them is real."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.ids import fixed
from app.disclosure import project
from app.disclosure.view import Account, View
from app.records import BY_NAME, references
from app.records.kind import Kind

SECRET = b"s" * 32
PUBLIC = View(0, "public", "publication")
PARTNER = View(1, "partner", "research")
MECHANISM = View(2, "mechanism", "un-reporting")
OHCHR = View(3, "mechanism:ohchr", "un-reporting")
T1, T2, T3, T4 = (fixed("tst", name) for name in "abcd")
INC, PER, PER2, ACT = fixed("inc", "a"), fixed("per", "a"), fixed("per", "b"), fixed("act", "a")
CITED = [{"symbol": "TEST/1", "source": "src-test"}]

# A camp in a county in a province in a country.
PARENTS = {"camp": "county", "county": "province", "province": "country", "beating": "torture"}
TYPES = {"camp": "political-prison-camp", "county": "county", "province": "province", "country": "country"}
POINTS = {"camp": [126.85, 39.67], "county": [126.5, 39.5], "province": [126.0, 39.0]}


KIND_OF = {str(kind.prefix): kind.name for kind in BY_NAME.values() if kind.opaque}


@dataclass
class FakeFacts:
    """Facts that a test states: everything is shown to everybody but what is hidden, by view or from all (None)."""

    accounts: dict[str, Account] = field(default_factory=dict)
    hidden: dict[int | None, set[str]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=lambda: dict(PARENTS))
    types: dict[str, str] = field(default_factory=lambda: dict(TYPES))
    shapes: dict[str, Mapping[str, Any]] = field(
        default_factory=lambda: {place: {"type": "Point", "coordinates": point} for place, point in POINTS.items()}
    )
    amounts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    derived: dict[str, tuple[str, ...]] = field(default_factory=dict)
    survivors: dict[str, str] = field(default_factory=dict)

    def visible(self, view: int, record: str) -> bool:
        return record not in self.hidden.get(view, ()) and record not in self.hidden.get(None, ())

    def lineage(self, record: str) -> tuple[str, ...]:
        found = [record]
        while (above := self.parents.get(found[-1])) is not None:
            found.append(above)
        return tuple(found)

    def kind_of(self, record: str) -> str | None:
        return KIND_OF.get(record.partition("-")[0], "place" if record in self.types else "violation")

    def type_of(self, record: str) -> str | None:
        return self.types.get(record)

    def geometry(self, place: str) -> Mapping[str, Any] | None:
        return self.shapes.get(place)

    def crimes(self, violation: str) -> tuple[str, ...]:
        return self.amounts.get(violation, ())

    def derived_from(self, source: str) -> tuple[str, ...]:
        return self.derived.get(source, ())

    def testimony(self, record: str) -> Account | None:
        return self.accounts.get(record)

    def person(self, record: str) -> Account | None:
        published = content("person", id=record, disclosure_basis="published", citations=CITED)
        return self.accounts.get(record, Account(published))

    def owner_of(self, record: str) -> str | None:
        account = self.accounts.get(record)
        return account.owner if account is not None else None

    def objects(self, person: str) -> bool:
        account = self.accounts.get(person)
        objection = account.content.get("objection") if account is not None else None
        return objection is not None and objection["to"] != "nothing"

    def linked(self, person: str) -> tuple[str, ...]:
        account = self.person(person)
        return () if account is None else tuple(account.content.get("linked") or ())

    def leads_to(self, record: str) -> str:
        return self.survivors.get(record, record)


def content(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a valid content of a kind."""
    return BY_NAME[kind].model.model_validate({"kind": kind, **fields}).content()


def allowed(**more: Any) -> dict[str, Any]:
    """Return what an audience is allowed: everything that the content allows, for every purpose, some of it changed."""
    purposes = ["publication", "research", "advocacy", "un-reporting", "criminal-proceedings"]
    identity = "withheld" if more.get("content") in ("none", "counted") else "named"
    return {"content": "full", "identity": identity, "place": "exact", "date": "day", "purposes": purposes, **more}


def consent(**audiences: Any) -> dict[str, Any]:
    """Return a consent for audiences; `mechanism__ohchr` stands for `mechanism:ohchr`."""
    return {
        "obtained_by": "A test",
        "obtained_on": "2020",
        "form": "written",
        "language": "ko",
        "recontact": False,
        "audiences": {name.replace("__", ":"): one for name, one in audiences.items()},
    }


def a_testimony(id: str = T1, **more: Any) -> dict[str, Any]:
    """Return a testimony whose every field says something; consented to if `consent` is given, else published."""
    fields: dict[str, Any] = {
        "id": id,
        "disclosure_basis": "consent" if "consent" in more else "published",
        "witness": {
            "designation": {"en": "Nobody Real"},
            "form": "named",
            "role": {"en": "a guard at the camp"},
            "person": PER,
            "left": "2009-03-04",
        },
        "date": "2003-04-05",
        "given": "2012-06-07",
        "given_place": "A room",
        "recorded_by": "test-body",
        "setting": {"en": "a hearing"},
        "medium": "film",
        "language": "ko",
        "violations": ["torture"],
        "places": ["camp"],
        "note": {"en": "a note"},
        "transcription_note": {"en": "smudged"},
        "citations": CITED,
        **more,
    }
    return content("testimony", **fields)


def an_incident(**more: Any) -> dict[str, Any]:
    """Return an incident on which a test may hang testimonies."""
    fields: dict[str, Any] = {
        "id": INC,
        "disclosure_basis": "published",
        "scope": "event",
        "date": "2003-04-05",
        "places": ["camp"],
        "violations": ["torture"],
        "victims": {"best": 3, "described": {"en": "three men of one village"}},
        "note": {"en": "a note"},
        "citations": CITED,
        **more,
    }
    return content("incident", **fields)


def facts(*testimonies: Mapping[str, Any], expired: tuple[str, ...] = (), **more: Any) -> FakeFacts:
    """Return facts with some testimonies on record."""
    accounts = {one["id"]: Account(one, one["id"] in expired) for one in testimonies}
    return FakeFacts(accounts=accounts, **more)


def decided(
    value: Mapping[str, Any],
    view: View,
    known: FakeFacts | None = None,
    expired: bool = False,
    owner: str | None = None,
) -> Any:
    """Return the decision about a content for a view."""
    kind = BY_NAME[value["kind"]]
    known, state = known or facts(), "expired" if expired else "live"
    return project.decide(kind, value, _named(kind, value), view, known, state=state, secret=SECRET, owner=owner)


def shown(
    value: Mapping[str, Any], view: View = PUBLIC, known: FakeFacts | None = None, expired: bool = False
) -> project.Shown | None:
    """Return what a view is shown of a content; it is held against the model of what the kind shows."""
    decision = decided(value, view, known, expired)
    if decision is None:
        return None
    kind = BY_NAME[value["kind"]]
    found = project.show(kind, value, decision, "test-owner", known or facts())
    kind.shown.model_validate(found.record | {"revision": 1, "updated": "2026-01-01T00:00:00.000Z"}, strict=False)
    return found


def record_of(
    value: Mapping[str, Any], view: View = PUBLIC, known: FakeFacts | None = None, expired: bool = False
) -> dict[str, Any]:
    """Return the record that a view is shown; fails where it is shown none."""
    found = shown(value, view, known, expired)
    assert found is not None
    return found.record


def _named(kind: Kind, value: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(to for _, to, _ in references(kind, value)))
