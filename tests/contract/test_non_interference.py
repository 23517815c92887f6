"""Non-interference: two vaults that differ only in what a view may not see give it the same bytes, by the same SQL."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.catalogue.parameters import FORMATS, vocabulary
from app.catalogue.relations import relations
from app.core.ids import fixed
from app.core.settings import Settings
from app.intake import deny, write
from app.records import KINDS
from tests.conftest import settings_for
from tests.contract.asking import Service, query
from tests.contract.twins import BASE, LEVELS, NAMES, SITES, hidden_parts, inc, make, per, steps, tst
from tests.contract.vault import empty, open_vault
from tests.often import often

SHOWN = {
    "testimony": [tst("coarse"), tst("told"), tst("named"), tst("once")],
    "incident": [inc("coarse"), inc("told"), inc("named"), inc("undated")],
    "person": [per("known"), per("quiet"), per("coarse")],
    "finding": ["finding-1"],
}
for record in BASE:
    SHOWN.setdefault(record["kind"], []).append(record["id"])
HIDDEN = {
    "testimony": [tst(name) for name in NAMES],
    "incident": [inc(name) for name in NAMES],
    "person": [per(NAMES[0]), per(f"{NAMES[0]}-again"), *map(per, NAMES[1:])],
    "source": ["hidden-source", "hidden-sourc"],
    "place": ["hidden-place", "hidden-plac"],
    "actor": [fixed("act", "hidden")],
}
WORDS = {
    "recorded_by": ["coi", "hidden-body", "hidden-bodi"],
    "victim_group": ["believer", "hidden-group", "hidden-grou"],
    "owner": ["us", "hidden-owner", "hidden-owne"],
    # Words of what is shown, of what is hidden, and of both.
    "q": ["marked fit", "place", '"place site" -one', "pl*", "two", "넷", "=three", "hidden*", "child -place", "a"],
}
TIME = [
    query(period="after", match="certain"),
    query(period=["after", "famine"], boundary="2011-12-17"),
    query(boundary="2003-04-05", side="undetermined"),
    query(from_="2003-04-05", to="2003-04-05", match="within"),
    query(from_="2003-04-05", to="2003-04-05", at="start"),
    query(from_="1999", to="2003", sort="date"),
    query(bbox="126,39.5,126,39.5"),
    query(bbox="124,37.5,131,43.1", place="province"),
    query(crime="a-crime", violation="torture", limit=1),
    query(corroboration_min=2),
    query(corroboration_min=1, sort="-updated", limit=2),
    query(given_from="2003-04-06", left_until="2003-11-29"),
    query(updated_since="2023-11-14"),
    query(fields="title,date", sort="id"),
    query(limit=1, sort="-id"),
    query(period="famin"),
]


def questions() -> Iterator[str]:
    """Yield every address, with ordinary and with hidden values."""
    formats = itertools.cycle(FORMATS)
    for kind in KINDS:
        base = f"/v1/{kind.path}"
        yield from (base, f"{base}/queryables")
        yield from (f"{base}?format={format}" for format in FORMATS)
        for id in (*SHOWN.get(kind.name, ()), *HIDDEN.get(kind.name, ())[:3]):
            yield from (f"{base}/{id}", f"{base}/{id}/history")
            yield from (f"{base}/{id}/{name}" for path, name in relations() if path == kind.path)
        if kind.geometry:
            collection = f"/v1/collections{base.removeprefix('/v1')}"
            yield from (collection, f"{collection}/items", f"{collection}/items?datetime=2003-04-05/..&limit=2")
            yield from (f"{collection}/items?{query(bbox='128,38,127,41', q='place')}", f"{collection}/items?q=hidden*")
            ids = (*SHOWN.get(kind.name, ()), *HIDDEN.get(kind.name, ())[:3])
            yield from (f"{collection}/items/{id}" for id in ids)
        for parameter in vocabulary(kind).values():
            targets = (kind.name,) if parameter.name == "ids" else parameter.targets
            for value in WORDS.get(parameter.name, ()):
                yield f"{base}?{query(**{parameter.name: value})}&format={next(formats)}"
                if parameter.name == "q":
                    yield f"{base}?{query(q=value, sort='relevance', limit=2)}"
            for target in targets[:3]:
                for value in (*SHOWN.get(target, ())[:3], *HIDDEN.get(target, ())[:2]):
                    yield f"{base}?{query(**{parameter.name: value})}"
        for name in vocabulary(kind)["facets"].schema["items"]["enum"]:
            yield f"{base}?facets={name}"
        if kind.name in ("testimony", "incident", "place"):
            yield from (f"{base}?{asked}&facets=violation,year" for asked in TIME[:3] if "violation" in kind.facets)
            yield from (f"{base}?{asked}" for asked in TIME)
    for site in SITES:
        yield f"/v1/incidents?place={site}&violation=beating"
    for asked in ("", "?include=record&format=ndjson", "?kind=incident&limit=3", "?updated_since=2023-11-15"):
        yield f"/v1/changes{asked}"
    yield from ("/v1/changes/stream?include=record", "/v1/changes?after=now&wait=1&kind=link")
    yield from ("/v1/changes?after=now", "/v1/changes?limit=2", "/v1/changes?kind=hidden")
    yield from ("/v1", "/openapi.json", "/problems", "/healthz", "/readyz", "/v1/incidents?hidden-owner=1")


GROUPS = ("year", "violation", "place,decade", "violation,place", "source", "owner,year")
COUNTS = "/v1/statistics/counts"


def statistics() -> Iterator[str]:
    """Yield counts, with ordinary and with hidden values."""
    yield COUNTS
    for group in GROUPS:
        yield from (f"{COUNTS}?group_by={group}&kind={kind}" for kind in ("incident", "testimony"))
        yield from (f"{COUNTS}?group_by={group}&place={id}" for id in HIDDEN["place"])
    yield f"{COUNTS}?group_by=victim_group&format=csv"
    yield from (f"{COUNTS}?scope={scope}" for scope in ("event", "pattern", "situation"))
    yield from (f"{COUNTS}?{asked}&group_by=violation" for asked in TIME[:2])


# Words that are nowhere, near to what is shown and to what is hidden.
MISSPELT = ("markd fitt", "hiden", "hidden-placs", "넵", "provinze")


def searches() -> Iterator[str]:
    """Yield questions to all kinds at once."""
    for q in (*WORDS["q"], *MISSPELT):
        for asked in ("limit=2", "sort=relevance&highlights=true", "sort=updated&kind=place&kind=incident"):
            yield f"/v1/search?{query(q=q)}&{asked}"
    yield from (f"/v1/incidents?{query(q=q)}&highlights=true&facets=year" for q in MISSPELT)


QUESTIONS = [*questions(), *statistics(), *searches()]
VIEWS = (0, 1, 2)


def answers(service: Service, view: int) -> Iterator[tuple[str, Any, Any]]:
    """Ask everything, and page after page to the end; yield each question, its answer, and the SQL that it cost."""
    for address in QUESTIONS:
        following: str | None = address
        while following:
            service.database.statements.clear()
            heard = service.ask(following, view)
            yield following, heard, list(service.database.statements)
            more = heard.status == 200 and b'"next":"' in heard.body and "limit=" in address
            more = more and heard.json.get("more", True)
            following = heard.json["next"] if more else None


def ask_all(settings: Settings, view: int, identity: str, hidden: Any) -> list[tuple[str, Any, Any]]:
    with open_vault(settings) as vault:
        empty(vault)
        make(vault, steps(view, identity, hidden))
    with closing(Service(settings)) as service:
        return list(answers(service, view))


@pytest.fixture(scope="module")
def twins(engine: str, new_database: Callable[[str], str], tmp_path_factory) -> tuple[Settings, Settings]:
    """Settings of two databases, made new for every example."""
    home = tmp_path_factory.mktemp("twins")
    return settings_for(new_database(engine), home), settings_for(new_database(engine), home)


def rules(examples: int) -> settings:
    """Few examples, always the same, and no search for a smaller one: each makes two vaults and asks 1,700 times."""
    return settings(
        max_examples=often(examples),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def same(twins: tuple[Settings, Settings], view: int, identity: str, one: Any, other: Any) -> None:
    made = [ask_all(settings, view, identity, hidden) for settings, hidden in zip(twins, (one, other), strict=True)]
    for left, right in zip(*made, strict=True):
        address, heard, statements = left
        assert right[0] == address
        assert (address, right[1]) == (address, heard)
        assert (address, right[2]) == (address, statements)


@pytest.mark.prove
def test_what_is_hidden_changes_no_byte_and_no_statement(twins, engine):
    @rules(6 if engine == "sqlite" else 2)
    @given(st.sampled_from(VIEWS), st.sampled_from(sorted(LEVELS)), hidden_parts(3, ties=True), hidden_parts(ties=True))
    def alike(view, identity, one, other):
        same(twins, view, identity, one, other)

    alike()


@pytest.mark.prove
def test_nor_does_it_where_much_rests_on_what_changes(twins, engine, monkeypatch):
    """With one record being much: whether a view loses sight of records meanwhile follows from what it is shown."""
    for module in (deny, write):
        monkeypatch.setattr(module, "AT_ONCE", 1)

    @rules(3 if engine == "sqlite" else 1)
    @given(st.sampled_from(VIEWS), st.sampled_from(sorted(LEVELS)), hidden_parts(3, ties=True), hidden_parts(ties=True))
    def alike(view, identity, one, other):
        same(twins, view, identity, one, other)

    alike()
