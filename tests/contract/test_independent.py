"""Independent computation: every answer about time, filters and relations equals one worked out from the files alone.

Nothing of the catalogue is used here: dates are read by `dates.py`, records by their own files, and the only things
known of a kind are where its date and its references stand.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from app.records import KINDS, Kind
from tests.contract.asking import Service, query
from tests.contract.dates import ALWAYS, NEVER, Span, day, matches, read, side
from tests.data.record import records

Fits = Callable[[Span | None, str], bool]  # whether an uncertain date fits, under a match
DATED = [kind for kind in KINDS if kind.date]
EDGES = {"2011-12-17": day(2011, 12, 17), "2014-02-07": day(2014, 2, 7), "1994-07-08": day(1994, 7, 8)}
MATCHES, ATS = ("possible", "certain", "within"), ("span", "start")
SIDES = ("before", "after", "straddling", "undetermined", "undated")
PERIODS = {record["id"]: read(record["date"]) for record in records("period")}
SPANS = {
    "from=2011-12-17": Span(day(2011, 12, 17), ALWAYS, day(2011, 12, 17), ALWAYS),
    "to=2009": Span(NEVER, day(2009, 12, 31), NEVER, day(2009, 12, 31)),
    "from=1997-02&to=2003": Span(day(1997, 2), day(2003, 12, 31), day(1997, 2), day(2003, 12, 31)),
}


def dates(kind: Kind) -> dict[str, Span | None]:
    return {one["id"]: read(one["date"]) if one.get("date") else None for one in records(kind.name)}


def check(
    service: Service,
    kind: Kind,
    asked: str,
    fits: Fits,
    match: str | None = None,
    boundary: dict[str, int] | None = None,
) -> None:
    """Ask for the records that fit, and for the counts of what fits each match; compare with the files."""
    heard = service.ask(f"/v1/{kind.path}?{asked}&limit=1000&fields=id&sort=id")
    assert heard.status == 200, (asked, heard.body)
    spans = dates(kind)
    found = sorted(id for id, span in spans.items() if fits(span, match or ""))
    assert (heard.ids, heard.json["total"], heard.json["next"]) == (found, len(found), None), asked
    stated: dict[str, Any] = {"undated": sum(span is None for span in spans.values())}
    if match is not None:
        stated["matched"] = {one: sum(fits(span, one) for span in spans.values()) for one in MATCHES}
    if boundary is not None:
        stated["boundary"] = boundary
    meta = heard.json["meta"]
    assert {name: value for name, value in meta.items() if name != "describes"} == stated, asked


def test_the_built_in_record_has_periods_and_dates_to_ask_for():
    assert (len(PERIODS), len(DATED)) == (14, 9)
    assert {kind.name: sum(span is not None for span in dates(kind).values()) for kind in DATED} == {
        "testimony": 141,
        "incident": 202,
        "place": 20,
        "source": 0,
        "period": 14,
        "instrument": 52,
        "weapons-event": 188,
        "statement": 21,
        "link": 0,
    }


def in_any(periods: Sequence[Span], at: str = "span") -> Fits:
    return lambda span, match: any(matches(span, period, match, at) for period in periods)


def on(number: int, name: str, at: str = "span") -> Fits:
    return lambda span, _: side(span, number, at) == name


def both(one: Fits, other: Fits) -> Fits:
    return lambda span, match: one(span, match) and other(span, match)


@pytest.mark.parametrize("kind", DATED, ids=lambda kind: kind.name)
def test_every_period_under_every_match(built_in, kind):
    for (id, period), match, at in itertools.product(PERIODS.items(), MATCHES, ATS):
        check(built_in, kind, query(period=id, match=match, at=at), in_any([period], at), match=match)


@pytest.mark.parametrize("kind", DATED, ids=lambda kind: kind.name)
def test_spans_of_days_and_several_periods_at_once(built_in, kind):
    for (asked, span), match, at in itertools.product(SPANS.items(), MATCHES, ATS):
        check(built_in, kind, f"{asked}&match={match}&at={at}", in_any([span], at), match=match)
    since_1990 = in_any([Span(day(1990), ALWAYS, day(1990), ALWAYS)])
    for some in (("pre-2011-12", "since-coi"), ("coi-mandate", "kim-il-sung-era", "covid-border-closure")):
        fits = both(in_any([PERIODS[id] for id in some]), since_1990)
        for match in MATCHES:
            check(built_in, kind, query(period=list(some), match=match, from_=1990), fits, match=match)


@pytest.mark.parametrize("kind", DATED, ids=lambda kind: kind.name)
def test_every_side_of_every_boundary(built_in, kind):
    for (edge, number), at in itertools.product(EDGES.items(), ATS):
        sides = [side(span, number, at) for span in dates(kind).values()]
        counted = {name: sides.count(name) for name in SIDES}
        assert sum(counted.values()) == len(sides)
        asked = query(boundary=edge, at=at)
        check(built_in, kind, asked, lambda span, _: True, boundary=counted)
        for name in SIDES:
            check(built_in, kind, f"{asked}&side={name}", on(number, name, at), boundary=counted)


@pytest.mark.parametrize("kind", DATED, ids=lambda kind: kind.name)
def test_a_side_within_a_period_counts_what_fits_both(built_in, kind):
    number = EDGES["2011-12-17"]
    for id, match in itertools.product(("post-2011-12", "coi-mandate", "kim-jong-il-era"), MATCHES):
        period = in_any([PERIODS[id]])
        inside = [side(span, number, "span") for span in dates(kind).values() if period(span, match)]
        counted = {name: inside.count(name) for name in SIDES}
        asked = query(period=id, match=match, boundary="2011-12-17")
        check(built_in, kind, asked, period, match=match, boundary=counted)
        for name in SIDES:
            check(built_in, kind, f"{asked}&side={name}", both(period, on(number, name)), match=match, boundary=counted)


# --- what records name ---


def at(path: str, record: Any) -> Iterator[str]:
    """Yield the texts at a path: `a.b`, `a[].b`, and `|` between paths."""
    for one in path.split("|"):
        step, _, rest = one.partition(".")
        value = record.get(step.removesuffix("[]"))
        for item in value if isinstance(value, list) else [] if value is None else [value]:
            yield from at(rest, item) if rest else [item]


def above(kind: str, id: str) -> Iterator[str]:
    """Yield a place or violation, and everything that it lies in."""
    parents = {record["id"]: record.get("parent") for record in records(kind)}
    one: str | None = id
    while one is not None:
        yield one
        one = parents[one]


def filed_under(record: Any, facet: str, path: str) -> set[str]:
    named = set(at(path, record))
    if facet in ("violation", "place"):
        return {one for value in named for one in above(facet, value)}
    return named


def crimes_of(record: Any) -> set[str]:
    mapping = {one["id"]: [crime["crime"] for crime in one.get("may_amount_to", ())] for one in records("violation")}
    paths = {kind.name: kind.facets["violation"] for kind in KINDS if "violation" in kind.facets}
    named = filed_under(record, "violation", paths[record["kind"]])
    return {crime for violation in named for crime in mapping[violation]}


def by_value(kind: Kind, facet: str) -> dict[str, list[str]]:
    """Return what each value of a facet finds."""
    found: dict[str, list[str]] = {}
    for record in sorted(records(kind.name), key=lambda one: one["id"]):
        own = facet in kind.facets  # only a violation names crimes itself
        values = filed_under(record, facet, kind.facets[facet]) if own else crimes_of(record)
        for value in values:
            found.setdefault(value, []).append(record["id"])
    return found


FACETS = [(kind, facet) for kind in KINDS for facet in kind.facets]
FACETS += [(kind, "crime") for kind in KINDS if "violation" in kind.facets and "crime" not in kind.facets]


@pytest.mark.parametrize(("kind", "facet"), FACETS, ids=lambda one: getattr(one, "name", one))
def test_every_value_of_every_filter_finds_the_records_that_name_it(built_in, kind, facet):
    name = f"{facet}_id" if kind.date and facet in ("from", "to") else facet
    expected = by_value(kind, facet)
    for value, ids in sorted(expected.items())[:: 1 + len(expected) // 25]:
        heard = built_in.ask(f"/v1/{kind.path}?{query(**{name: value})}&limit=1000&fields=id&sort=id")
        assert (heard.ids, heard.json["total"]) == (ids, len(ids)), value


REFERENCES = sorted(
    {
        (kind.name, to)
        for kind in KINDS
        for _, allowed in kind.references
        for to in ([allowed] if isinstance(allowed, str) else allowed)
        if to != kind.name and kind.name != "link"
    }
)
PATHS = {kind.name: kind.path for kind in KINDS}


@pytest.mark.parametrize(("one", "other"), REFERENCES)
def test_every_reference_is_a_list_at_both_of_its_ends(built_in, one, other):
    kind = next(kind for kind in KINDS if kind.name == one)
    paths = "|".join(path for path, to in kind.references if to == other)
    named = {record["id"]: set(at(paths, record)) - {record["id"]} for record in records(one)}
    for record in list(named)[::20]:
        heard = built_in.ask(f"/v1/{PATHS[one]}/{record}/{PATHS[other]}?limit=1000&fields=id&sort=id")
        assert heard.ids == sorted(named[record])
    for target in sorted(record["id"] for record in records(other))[::20]:
        heard = built_in.ask(f"/v1/{PATHS[other]}/{target}/{PATHS[one]}?limit=1000&fields=id&sort=id")
        # A violation or place has a list of what is filed under it, and under what lies in it.
        deep = other in ("violation", "place") and other in kind.facets
        lies = {id: {up for to in ids for up in above(other, to)} if deep else ids for id, ids in named.items()}
        assert heard.ids == sorted(id for id, under in lies.items() if target in under)
