"""A garden: a vault with records of every way of being shown and hidden, planted with marks; and who may see which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.intake.objecting import object_to
from app.intake.retract import expire, retract
from app.intake.submit import Intake
from app.records import BY_NAME
from tests.contract.allowed import LEAST, SOME, WHOLE, Level, Planted, shown
from tests.contract.planting import AUDIENCES, Ids, Marks, Path, Planter, opaque, word
from tests.intake.house import together

VIEWS = (0, 1, 2)
PURPOSES = ("publication", "research", "un-reporting")
DAY = 86_400_000
OVER = "2023-11-15"  # the day after the clock of the tests begins
PUBLISHED = {"disclosure_basis": "published", "consent": None}
OURS = "us"


@dataclass
class Garden:
    """All records of the vault, by a name of this file."""

    marks: Marks = field(default_factory=Marks)
    records: dict[str, Planted] = field(default_factory=dict)

    def add(self, name: str, kind: str, views: Any = VIEWS, owner: str = "", **given: Any) -> None:
        """Plant a record; `views` are those that are shown it, all of it or at a level; `given` values as they are."""
        levels = views if isinstance(views, dict) else dict.fromkeys(views, WHOLE)
        given = {path.replace("__", "."): value for path, value in given.items()}
        number = self.marks.new(name, ("id",))
        id = opaque(str(BY_NAME[kind].prefix), number) if BY_NAME[kind].draws_id(given) else word(number)
        fixed = {"kind": kind, "id": id, "restricted": False, **given}
        if "protection.limits" not in given:
            fixed["protection"] = None
        for path, of in BY_NAME[kind].references:
            fixed.setdefault(path.replace("[]", ""), self.all_of(*([of] if isinstance(of, str) else of)))
        before, now = (Planter(self.marks, name + when, fixed).plant(kind) for when in ("@before", ""))
        owner = owner or (OURS if levels else word(self.marks.new(name, ("owner",))))
        published = given.get("disclosure_basis") == "published"
        self.records[name] = Planted(kind, now, before, levels, owner, published)

    def all_of(self, *kinds: str) -> Ids:
        """Return the ids of all records of some kinds so far, shown and hidden."""
        return Ids(one.id for one in self.records.values() if one.kind in kinds)

    def id(self, name: str) -> str:
        return self.records[name].id

    def ids(self, *names: str) -> Ids:
        return Ids(self.id(name) for name in names)

    def hidden_from(self, view: int) -> set[str]:
        """Return the ids of the records that a view is not shown."""
        return {one.id for one in self.records.values() if view not in one.levels}

    def shown_to(self, view: int) -> dict[int, str]:
        """Return the marks that a view is to be shown; of a date how finely, of anything else the empty word."""
        hidden = self.hidden_from(view)
        seen: dict[tuple[str, Path], str] = {}
        for name, one in self.records.items():
            if view in one.levels:
                seen |= {(name, path): level for path, level in shown(one, view, hidden)}
        told = {number: (leaf, seen.get((leaf.record, leaf.path))) for number, leaf in self.marks.leaves.items()}
        return {number: level if leaf.year else "" for number, (leaf, level) in told.items() if level is not None}


def consent(levels: Mapping[int, Level], conditions: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """Return what a witness allowed, as values of the paths of the consent; what is not said here is planted."""
    audiences: dict[str, Any] = {
        AUDIENCES[view]: {**level._asdict(), "purposes": [PURPOSES[view]], "conditions": list(conditions)} | more
        for view, level in levels.items()
    }
    return {"disclosure_basis": "consent", "consent.audiences": audiences, "consent.expires": None}


def everyone(level: Level) -> dict[int, Level]:
    return dict.fromkeys(VIEWS, level)


RISING = {0: LEAST, 1: SOME, 2: WHOLE}
PARTNER = {1: WHOLE}
NOBODY: dict[int, Level] = {}
# Every way to be a record about one person: name -> (what is said of it, the views that are shown it).
WAYS: dict[str, tuple[dict[str, Any], dict[int, Level]]] = {
    "published": (PUBLISHED, everyone(WHOLE)),
    "retracted": (PUBLISHED, NOBODY),
    "objected": (PUBLISHED, NOBODY),
    "published-out-of-sight": (PUBLISHED, {2: WHOLE}),  # its one source is restricted
    "rising": (consent(RISING), RISING),
    "partner": (consent(PARTNER), PARTNER),
    "none": (consent(everyone(Level("none", "withheld"))), NOBODY),
    "counted": (consent(everyone(Level("counted", "withheld"))), NOBODY),
    "other-purpose": (consent(everyone(WHOLE), purposes=["advocacy"]), NOBODY),
    "condition": (consent(everyone(WHOLE), ("no-death-penalty",)), NOBODY),
    "expired": (consent(everyone(WHOLE)) | {"consent.expires": OVER}, NOBODY),
    "protected": (
        consent(everyone(WHOLE)) | {"protection.limits": {"public": {"content": "none"}, "partner": LEAST._asdict()}},
        {1: LEAST, 2: WHOLE},
    ),
    "protected-published": (
        PUBLISHED | {"protection.limits": {"public": SOME._asdict()}},
        {0: SOME, 1: WHOLE, 2: WHOLE},
    ),
}

# Which of them are found to be which others.
MERGERS = {
    "place-merged": "place",
    "person-partner-merged": "person-published",
    "person-none-merged": "person-rising",
}


def grow() -> Garden:
    """Return a garden with every way of being shown and hidden; what comes later names all that came before."""
    garden = Garden()
    for ending, views in (("", VIEWS), ("-restricted", (2,)), ("-retracted", ())):
        restricted: dict[str, Any] = {"restricted": ending == "-restricted"}
        garden.add(f"source{ending}", "source", views, **restricted)
        garden.add(f"actor{ending}", "actor", views, type="institution", **restricted)
        garden.add(f"place{ending}", "place", views, type="country", parent=None, **restricted)
        if ending != "-restricted":
            garden.add(f"crime{ending}", "crime", views)
            garden.add(f"violation{ending}", "violation", views, parent=None)
            garden.add(f"instrument{ending}", "instrument", views)
    natural = {"type": "natural-person"}
    garden.add("actor-named", "actor", **natural)
    garden.add("actor-unnamed", "actor", (2,), named_in=garden.ids("source-restricted", "source-retracted"), **natural)
    for type, above in (("province", "place"), ("county", "province"), ("execution-site", "county")):
        garden.add(type, "place", type=type, parent=garden.id(above))
    garden.add("place-merged", "place", (), OURS, type="country", parent=None)
    garden.add("place-below-a-hidden-one", "place", type="other", parent=garden.id("place-restricted"))
    _people(garden)
    _incidents(garden)
    # Ours, and found to be others of ours: before it one was shown to everybody, one to partners, one to nobody.
    for name in ("partner", "none"):
        garden.add(f"person-{name}-merged", "person", (), OURS, home_province=garden.id("province"), **WAYS[name][0])
    for kind in ("period", "finding", "recommendation", "weapons-event", "statement"):
        garden.add(kind, kind, source=garden.id("source"))
        garden.add(f"{kind}-retracted", kind, (), source=garden.id("source"))
    _link(garden, "link", VIEWS, "violation", "incident-published", "source")
    _link(garden, "link-with-a-hidden-end", (2,), "violation", "actor-unnamed", "source")
    _link(garden, "link-with-a-lost-end", (), "incident-expired", "violation", "source")
    _link(garden, "link-by-a-hidden-source", (2,), "violation", "crime", "source-restricted")
    _link(garden, "link-retracted", (), "violation", "crime", "source")
    return garden


def _people(garden: Garden) -> None:
    for name, (said, views) in WAYS.items():
        more: dict[str, Any] = dict(said)
        if name == "published-out-of-sight":
            more["citations.source"] = garden.ids("source-restricted")
        garden.add(f"person-{name}", "person", views, home_province=garden.id("province"), **more)
        more["witness.person"] = garden.id(f"person-{name}")
        garden.add(f"testimony-{name}", "testimony", views, **more)


def _incidents(garden: Garden) -> None:
    for name, (said, views) in WAYS.items():
        published = said["disclosure_basis"] == "published"
        more: dict[str, Any] = {"disclosure_basis": said["disclosure_basis"], "assessment.citation.source": None}
        if name == "published-out-of-sight":
            more["citations.source"] = garden.ids("source-restricted")
        seen = everyone(WHOLE) if name in ("protected-published", "objected") else views
        garden.add(f"incident-{name}", "incident", seen, testimonies=garden.ids(f"testimony-{name}"), **more)
        assert published or "published" not in name
    named = {"assessment.citation.source": garden.id("source-restricted"), "disclosure_basis": "published"}
    garden.add("incident-assessed-by-a-hidden-source", "incident", **named)
    some = garden.ids("testimony-rising", "testimony-partner", "testimony-expired")
    garden.add("incident-of-several", "incident", RISING, disclosure_basis="consent", testimonies=some)


def _link(garden: Garden, name: str, views: tuple[int, ...], one: str, other: str, source: str) -> None:
    ends = {"from": garden.id(one), "to": garden.id(other), "source": garden.id(source)}
    garden.add(name, "link", views, **ends)


def sow(garden: Garden, intake: Intake, clock: Any) -> str:
    """Put a garden into a vault: each record, then as it was revised; then take back and let expire what must.

    Returns:
        The reason that was given for the retractions: a mark that nobody may see.
    """
    reason = f"=Text {word(garden.marks.new('the reason of a retraction', ()))}"
    kinds = {one.id: one.kind for one in garden.records.values()}
    for revision in ("before", "content"):
        for owner in dict.fromkeys(one.owner for one in garden.records.values()):
            mine = [one for one in garden.records.values() if one.owner == owner]
            models = [BY_NAME[one.kind].model.model_validate(getattr(one, revision)) for one in mine]
            intake.submit([intake.draft(model, owner) for model in models], owner, kinds.get)
        clock.now += 1000
    for name, one in garden.records.items():
        if name.endswith("-retracted"):
            assert retract(intake.writer, one.id, one.owner, reason)
        if name in MERGERS:
            together(intake.writer, one.id, garden.id(MERGERS[name]), reason)
        if name in ("person-objected", "testimony-objected"):
            assert object_to(intake.writer, one.id, one.owner, "record", reason)
    clock.now += 2 * DAY
    assert expire(intake.writer) == sum(
        name.endswith("-expired") and one.kind != "incident" for name, one in garden.records.items()
    )
    return reason
