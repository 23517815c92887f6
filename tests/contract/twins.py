"""Twins: vaults that one view sees alike, whatever is drawn for all that it may not see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import strategies as st

from app.core.ids import fixed
from app.intake.objecting import object_to
from app.intake.restore import restore
from app.intake.retract import expire, retract
from app.records import BY_NAME
from tests.contract.planting import AUDIENCES
from tests.contract.vault import OpenVault
from tests.intake.house import together

PURPOSES = ("publication", "research", "un-reporting")
SOON = "2023-11-15"  # the consent of what expires; the clock begins a day before
FULL = {"content": "full", "identity": "named", "place": "exact", "date": "day"}
COARSE = {"content": "summary", "place": "province", "date": "year"}
LEVELS = {name: COARSE | {"identity": name} for name in ("withheld", "pseudonym")}
NAMES = [f"hidden-{number}" for number in range(6)]
MERGED = ("no", "hidden", "shown")  # into what a hidden person, and a hidden incident, is merged
TO_SHOWN = ("shown", "us")  # by whose owner alone
WAYS = ("none", "counted", "unnamed", "purpose", "condition", "expired", "retracted", "protected", "nobody")
SITES = ("site-a", "site-b")
CITED = [{"symbol": "TEST/1", "paragraph": "1", "source": "src-a"}]
tst, inc, per = (partial(fixed, prefix) for prefix in ("tst", "inc", "per"))


def text(words: str) -> dict[str, str]:
    return {"en": words}


@dataclass
class Step:
    """One thing that is done: a record is submitted, taken back, merged, or its witness objects to the name."""

    content: dict[str, Any] = field(default_factory=dict)
    owner: str = "us"
    retracted: str = ""
    objected: str = ""
    merged: tuple[str, str] = ("", "")


# --- what is drawn ---

words = st.sampled_from(["one", "two", "place site-a in 2003-04", "=three", "넷"])
days = st.sampled_from(["2003-04-05", "2003-11-30", "2003-07"])  # all of one year: no finer is shown
some_days = st.one_of(st.none(), days, st.sampled_from(["1999", "2011-12-17", "[..2013]"]))
bodies = st.sampled_from(["coi", "hidden-body", "hidden-bodies"])
groups = st.lists(st.sampled_from(["believer", "hidden-group"]), unique=True)
places = st.lists(st.sampled_from(["county", *SITES, "province-b"]), unique=True, max_size=2)
violations = st.lists(st.sampled_from(["beating", "torture", "hunger"]), unique=True, max_size=2)


@st.composite
def lives(draw: st.DrawFn) -> dict[str, Any]:
    """Draw one hidden account, what rests on it, and how it comes to be hidden."""
    return {
        "way": draw(st.sampled_from(WAYS)),
        "to_others": draw(st.booleans()),
        "date": draw(some_days),
        "places": draw(places),
        "violations": draw(violations),
        "recorded_by": draw(bodies),
        "groups": draw(groups),
        "merged": draw(st.sampled_from(MERGED)),
        "owner": draw(st.sampled_from(["us", "hidden-owner"])),
        "words": draw(words),
        "incident": draw(st.booleans()),
        "revisions": draw(st.integers(1, 2)),
    }


@st.composite
def hidden_parts(draw: st.DrawFn, least: int = 0, ties: bool = False) -> dict[str, Any]:
    """Draw all that a view may not see; with `ties` also what tells two witnesses, or two sources, from one."""
    return {
        "lives": draw(st.dictionaries(st.sampled_from(NAMES), lives(), min_size=least, max_size=least + 1)),
        "early": draw(st.booleans()),
        "named": draw(st.booleans()),  # shown records name hidden ones
        "restricted": draw(st.booleans()),
        "site": draw(st.sampled_from(SITES)),
        "date": draw(days),
        "left": draw(days),
        "words": draw(words),
        "for_others": draw(st.sampled_from(["none", "summary", "full"])),
        "protection": draw(st.booleans()),
        "ties": ties and draw(st.booleans()),
    }


# --- the vault that is made of it ---


def steps(view: int, identity: str, hidden: Mapping[str, Any]) -> list[Step]:
    """Return what is done to a vault: what the view is shown, and what is hidden from it, in the order drawn."""
    shown = _shown(view, identity, hidden)
    unseen = [step for name, life in hidden["lives"].items() for step in _life(view, name, life)]
    base, rest = shown[: len(BASE)], shown[len(BASE) :]
    if hidden["restricted"] and view != 2:
        unseen = [*_restricted(), *unseen]
        if hidden["ties"]:  # one source draws on the other, by way of one that the view may not see
            unseen.append(Step({**BASE[1], "derived_from": ["hidden-source"]}))
    gone = [
        Step(owner=life["owner"], retracted=one)
        for name, life in hidden["lives"].items()
        for one in (tst(name), per(name))
        if life["way"] == "retracted"
    ]
    # What is named is there before what names it.
    early = hidden["early"] or hidden["named"]
    to_shown = {name: life for name, life in hidden["lives"].items() if (life["merged"], life["owner"]) == TO_SHOWN}
    merged = [Step(merged=(per(name), per("known"))) for name in to_shown]
    merged += [Step(merged=(inc(name), inc("told"))) for name, life in to_shown.items() if life["incident"]]
    return [*base, *(unseen if early else ()), *rest, *(() if early else unseen), *merged, *gone]


BASE: list[dict[str, Any]] = [
    {"kind": "source", "id": "src-b", "title": text("B"), "type": "report"},
    {"kind": "source", "id": "src-a", "title": text("A"), "type": "report"},
    {"kind": "crime", "id": "a-crime", "label": text("C"), "provision": "1", "instrument_name": "I"},
    {
        "kind": "violation",
        "id": "torture",
        "label": text("T"),
        "may_amount_to": [{"crime": "a-crime", "basis": text("B")}],
    },
    {"kind": "violation", "id": "beating", "label": text("B"), "parent": "torture"},
    {"kind": "violation", "id": "hunger", "label": text("H")},
    {"kind": "place", "id": "country", "name": text("C"), "type": "country"},
    {"kind": "place", "id": "province", "name": text("P"), "type": "province", "parent": "country"},
    {"kind": "place", "id": "province-b", "name": text("P"), "type": "province", "parent": "country"},
    {"kind": "place", "id": "county", "name": text("C"), "type": "county", "parent": "province"},
    *(
        {
            "kind": "place",
            "id": site,
            "name": text("S"),
            "type": "execution-site",
            "parent": "county",
            "geometry": {"type": "Point", "coordinates": [126.0 + position, 39.5]},
            "date": "1990/..",
        }
        for position, site in enumerate(SITES)
    ),
    {"kind": "actor", "id": "ministry", "name": text("M"), "type": "institution"},
    {"kind": "period", "id": "after", "label": text("A"), "date": "2011-12-17/..", "citations": CITED},
    {"kind": "period", "id": "famine", "label": text("F"), "date": "1994/2003", "citations": CITED},
]


def _shown(view: int, identity: str, hidden: Mapping[str, Any]) -> list[Step]:
    audience, others = AUDIENCES[view], [name for name in AUDIENCES if name != AUDIENCES[view]]
    lives = hidden["lives"] if hidden["named"] else {}
    lost = [tst(name) for name in lives]
    tied = lost if hidden["ties"] else []
    unseen = hidden["named"] and hidden["restricted"] and view != 2
    citations = [*CITED, {"symbol": "HIDDEN", "source": "hidden-source"}] if unseen else CITED
    more_places, more_actors = (["hidden-place"], [fixed("act", "hidden")]) if unseen else ([], [])
    allowed = {audience: {**LEVELS[identity], "purposes": [PURPOSES[view]]}}
    for other in others:
        theirs = {"identity": "withheld"} if hidden["for_others"] == "none" else {}
        allowed[other] = {**FULL, "content": hidden["for_others"], **theirs}
        allowed[other] |= {"purposes": [PURPOSES[AUDIENCES.index(other)]]}
    said = {
        "kind": "testimony",
        "disclosure_basis": "consent",
        "consent": _consent(allowed, hidden["words"]),
        "protection": {
            "reasons": ["child"],
            "assessed_by": hidden["words"],
            "assessed_on": "2020",
            "limits": {name: {"content": "none"} for name in others},
        }
        if hidden["protection"]
        else None,
        "recorded_by": "coi",
        "date": hidden["date"],
        "given": hidden["date"],
        "places": [hidden["site"], *more_places],
        "violations": ["beating"],
        "actors": ["ministry", *more_actors],
        "title": {name: text(hidden["words"] if name != audience else "Marked as fit") for name in AUDIENCES},
        "summary": {name: text(hidden["words"]) for name in others},
        "own_words": {name: text(hidden["words"]) for name in AUDIENCES},
        "full_text": text(hidden["words"]),
        "note": text(hidden["words"]),
        "given_place": hidden["words"],
        "setting": text(hidden["words"]),
        "transcription_note": text(hidden["words"]),
        "reliability_note": text(hidden["words"]),
        "same_witness": lost,
        "citations": citations,
        "slug": "slug-" + hidden["site"],
    }
    witness: dict[str, Any] = {
        "form": "named",
        "designation": text(hidden["words"]),
        "role": text(hidden["words"]),
        "left": hidden["left"],
    }
    citations = [*citations, {"symbol": "TEST/2", "source": "src-b"}]
    published = {"disclosure_basis": "published", "citations": citations}
    incident = {
        "kind": "incident",
        "scope": "event",
        "places": ["county", *more_places],
        "actors": ["ministry", *more_actors],
        "victim_groups": ["believer"],
    }
    # Named or not where more is told than they allow: nobody is to know which.
    victims = [*map(per, lives), *([per("coarse")] if hidden["early"] else [])]
    if identity == "withheld" and hidden["ties"]:
        witness["person"] = per("known")
    coarse = {
        **incident,
        "id": inc("coarse"),
        "disclosure_basis": "consent",
        "date": hidden["date"],
        "places": [hidden["site"]],
        "title": {name: text(hidden["words"]) for name in others},
        "testimonies": [tst("coarse"), tst("coarse-2"), *lost],
        "note": text(hidden["words"]),
        "victims": {"best": 3, "described": text(hidden["words"])},
        "acts": [
            {
                "violation": "beating",
                "date": hidden["date"],
                "places": [hidden["site"]],
                "people": [per("coarse"), *(per(name) for name in lives)],
            }
        ],
        "citations": citations,
    }
    told: dict[str, Any] = {
        "kind": "testimony",
        **published,
        "recorded_by": "ohchr",
        "violations": ["torture"],
        "places": ["county"],
    }
    # Two accounts under a name: of two witnesses, or of one who keeps the name back or is not there for this view.
    quiet = {audience: {**FULL, "identity": "withheld", "purposes": [PURPOSES[view]]}}
    one = next(map(per, lives), per("quiet")) if hidden["ties"] else None
    named = {**told, "date": "2012-03", "witness": {"form": "named", "designation": text("N"), "person": one}}
    plain: list[dict[str, Any]] = [
        {"kind": "person", **published, "id": per("known"), "name": text("N"), "home_province": "province"},
        {**said, "id": tst("coarse"), "witness": witness},
        {**said, "id": tst("coarse-2"), "witness": witness, "same_witness": tied},
        {**told, "id": tst("told"), "date": "2012-03", "witness": {"form": "unnamed"}, "same_witness": tied},
        {**told, "id": tst("undated"), "witness": {"form": "unnamed"}},
        {"kind": "person", "disclosure_basis": "consent", "consent": _consent(quiet, "quiet"), "id": per("quiet")},
        {"kind": "person", "disclosure_basis": "consent", "consent": said["consent"], "id": per("coarse")},
        *({**named, "id": tst(id)} for id in ("named", "named-2")),
        {
            **incident,
            "id": inc("named"),
            "disclosure_basis": "consent",
            "date": "2012-03",
            "testimonies": [tst("named"), tst("named-2")],
        },
        coarse,
        {
            **incident,
            **published,
            "id": inc("told"),
            "date": "2010/2012",
            "violations": ["beating"],
            "testimonies": [tst("told"), tst("coarse"), *lost],
            "contradicted_by": [tst("undated"), *lost],
            "acts": [{"violation": "torture", "people": victims}],
        },
        {**incident, **published, "id": inc("undated"), "violations": ["hunger"], "testimonies": lost},
        {
            "kind": "finding",
            "id": "finding-1",
            "document": "D",
            "area": "A",
            "paragraph": "1",
            "paraphrase": text("P"),
            "citations": citations,
        },
    ]
    # One whose witness objected to being named: what is said of them from then on matters to nobody.
    once = {**told, "id": tst("once"), "witness": {"form": "named", "designation": text("N"), "person": per("known")}}
    again = {**once, "witness": {**witness, "left": None}, "note": text(hidden["words"])}
    again |= {name: {"public": text(hidden["words"])} for name in ("title", "summary", "own_words")}
    again |= {name: text(hidden["words"]) for name in ("setting", "full_text")}
    objected = [Step(once), Step(objected=tst("once")), Step(again)]
    return [*map(Step, BASE), *map(Step, plain), *objected]


def _consent(audiences: Mapping[str, Any], words: str, expires: str | None = None) -> dict[str, Any]:
    return {
        "obtained_by": words,
        "obtained_on": "2020",
        "form": "written",
        "language": "ko",
        "recontact": True,
        "expires": expires,
        "audiences": dict(audiences),
    }


def _restricted() -> list[Step]:
    restricted = {"restricted": True}
    contents: list[dict[str, Any]] = [
        {
            "kind": "source",
            "id": "hidden-source",
            "title": text("H"),
            "type": "report",
            "derived_from": ["src-b"],
            **restricted,
        },
        {"kind": "place", "id": "hidden-place", "name": text("H"), "type": "other", "parent": "county", **restricted},
        {
            "kind": "actor",
            "id": fixed("act", "hidden"),
            "name": text("H"),
            "type": "natural-person",
            "named_in": ["hidden-source"],
        },
    ]
    return [Step(one, "hidden-owner") for one in contents]


def _life(view: int, name: str, life: Mapping[str, Any]) -> list[Step]:
    """Return an account that a view may not see, and what rests on it alone."""
    audience, way, words = AUDIENCES[view], life["way"], life["words"]
    mine: dict[str, Any] = {**FULL, "purposes": [PURPOSES[view]]}
    # What expires or is taken back was never shown to this view: a view may know what it was shown once.
    if way in ("none", "counted", "expired", "retracted"):
        mine |= {"content": way if way == "counted" else "none", "identity": "withheld"}
    mine |= {"purpose": {"purposes": ["advocacy"]}, "condition": {"conditions": ["fair-trial"]}}.get(way, {})
    allowed = {other: {**FULL, "purposes": list(PURPOSES)} for other in AUDIENCES if life["to_others"]} | {
        audience: mine
    }
    if way == "unnamed":
        del allowed[audience]
    consent = _consent(allowed, words, SOON if way == "expired" else None)
    basis: dict[str, Any] = {"disclosure_basis": "consent", "consent": consent, "citations": CITED}
    if way == "protected":
        basis["protection"] = {
            "reasons": ["child"],
            "assessed_by": words,
            "assessed_on": "2020",
            "limits": {audience: {"content": "none"}},
        }
    if way == "nobody":
        basis |= {"consent": _consent({}, words)}
    where = {"date": life["date"], "places": life["places"], "violations": life["violations"]}
    person = {"kind": "person", **basis, "id": per(name), "name": text(words), "home_province": "province"}
    contents: list[dict[str, Any]] = [person]
    witness = {"form": "named", "designation": text(words), "person": per(name)}
    for revision in range(life["revisions"]):
        told = {"kind": "testimony", **basis, "id": tst(name), **where, "witness": witness}
        contents.append({**told, "recorded_by": life["recorded_by"], "note": text(f"{words} {revision}")})
    if life["incident"]:
        rests = {
            "disclosure_basis": "consent",
            "scope": "event",
            "victim_groups": life["groups"],
            "testimonies": [tst(name)],
        }
        contents.append({"kind": "incident", "id": inc(name), **where, **rests, "summary": {"public": text(words)}})
    found = [Step(one, life["owner"]) for one in contents]
    if life["merged"] == "hidden":  # the same person, and the same event, are there twice
        found += _life(view, f"{name}-again", {**life, "merged": "no"})
        found += [Step(merged=(of(name), of(f"{name}-again"))) for of in (per, inc)[: 1 + life["incident"]]]
    return found


def make(vault: OpenVault, todo: list[Step]) -> None:
    """Do all of it, and then let what is over expire."""
    for step in todo:
        if step.retracted:
            assert retract(vault.writer, step.retracted, step.owner, "It was asked for.")
        elif step.merged[0]:
            together(vault.writer, *step.merged)
        elif step.objected:
            assert object_to(vault.writer, step.objected, step.owner, "name", "It was asked for.")
        else:
            model = BY_NAME[step.content["kind"]].model.model_validate(step.content)
            vault.intake.submit([vault.intake.draft(model, step.owner)], step.owner)
        restore(vault.writer)  # what there was too much of to be shown anew at once
    vault.clock.now += 2 * 86_400_000
    expire(vault.writer)
    restore(vault.writer)
