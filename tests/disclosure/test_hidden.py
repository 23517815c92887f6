"""Hidden records, planted anywhere in records of any kind: no byte of them is shown, and nothing about them matters."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from app.disclosure import project
from app.disclosure.view import Account
from app.records import BY_NAME, references
from tests.disclosure.fake import MECHANISM, PARTNER, PUBLIC, FakeFacts, allowed, consent, content, shown
from tests.often import often

# Ids without a hyphen, so that a title made from them can be searched too.
POOL: dict[str, list[str]] = {
    "place": [f"qplace{n}q" for n in range(6)],
    "violation": [f"qviolation{n}q" for n in range(4)],
    "source": [f"qsource{n}q" for n in range(4)],
    "crime": ["qcrime0q", "qcrime1q"],
    "instrument": [f"qinstrument{n}q" for n in range(3)],
    "testimony": [f"tst-0000000000000000000000000{n}" for n in "abcd"],
    "person": [f"per-0000000000000000000000000{n}" for n in "abc"],
    "actor": ["qactor0q", "qactor1q", "act-0000000000000000000000000a"],
    "incident": ["inc-0000000000000000000000000a"],
}
EVERYTHING = [id for ids in POOL.values() for id in ids]
OWN = {"testimony": "tst-1111111111111111111111111a", "incident": "inc-1111111111111111111111111a"}
OWN |= {"person": "per-1111111111111111111111111a"}


def one(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(POOL[kind])


def some(kind: str, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(one(kind), max_size=most, unique=True)


citations = st.lists(st.builds(lambda to: {"symbol": f"of {to}", "source": to}, one("source")), min_size=1, max_size=3)
texts = st.sampled_from([None, {"public": {"en": "marked"}}])
dates = st.sampled_from([None, "2003", "2003-04", "2003-04-05"])
levels = st.fixed_dictionaries(
    {
        "content": st.sampled_from(["summary", "full"]),
        "identity": st.sampled_from(["withheld", "pseudonym", "named"]),
        "place": st.sampled_from(["country", "province", "county", "exact"]),
        "date": st.sampled_from(["year", "month", "day"]),
    }
)


@st.composite
def of_people(draw: st.DrawFn, /, kind: str, **fields: Any) -> dict[str, Any]:
    stated = {name: draw(strategy) for name, strategy in fields.items()}
    if kind != "incident" and draw(st.booleans()):
        stated |= {"disclosure_basis": "consent", "consent": consent(public=allowed(**draw(levels)))}
    else:
        stated["disclosure_basis"] = (
            draw(st.sampled_from(["published", "consent"])) if kind == "incident" else "published"
        )
    return content(kind, id=draw(st.just(OWN[kind])), citations=draw(citations), **stated)


def a_testimony() -> st.SearchStrategy[dict[str, Any]]:
    people = st.one_of(st.none(), one("person"))
    witness = st.builds(lambda to: {"form": "named", "designation": {"en": "N"}, "person": to}, people)
    named: dict[str, Any] = {"violations": some("violation"), "places": some("place"), "actors": some("actor")}
    named["recorded_by"] = st.just("body")
    return of_people("testimony", witness=witness, title=texts, date=dates, same_witness=some("testimony"), **named)


acts = st.lists(
    st.fixed_dictionaries(
        {
            "violation": one("violation"),
            "people": some("person"),
            "actors": some("actor"),
            "places": some("place"),
            "date": dates,
        }
    ),
    max_size=2,
)
assessments = st.one_of(
    st.none(),
    st.builds(
        lambda to: {
            "by": "A",
            "on": "2014",
            "standard": "not-stated",
            "citation": {"symbol": f"of {to}", "source": to},
        },
        one("source"),
    ),
)
incidents = of_people(
    "incident",
    scope=st.just("event"),
    title=texts,
    date=dates,
    places=some("place"),
    violations=some("violation"),
    actors=some("actor"),
    testimonies=some("testimony"),
    contradicted_by=some("testimony"),
    acts=acts,
    assessment=assessments,
)
people = of_people("person", home_province=st.one_of(st.none(), one("place")), left=dates)
parents = st.lists(st.builds(lambda to: {"actor": to, "date": "2001"}, one("actor")), max_size=2)
mappings = st.lists(st.builds(lambda to: {"crime": to, "basis": {"en": "ours"}}, one("crime")), max_size=2)
plain_ones = st.one_of(
    st.builds(
        lambda **more: content("place", id="own", name={"en": "A"}, type="other", **more),
        parent=st.one_of(st.none(), one("place")),
        citations=citations,
    ),
    st.builds(
        lambda **more: content("actor", id="own", name={"en": "A"}, type="unit", **more),
        parents=parents,
        named_in=some("source"),
        citations=citations,
    ),
    st.builds(
        lambda **more: content("source", id="own", title={"en": "A"}, type="report", **more),
        derived_from=some("source"),
        citations=citations,
    ),
    st.builds(
        lambda **more: content("violation", id="own", label={"en": "A"}, **more),
        parent=st.one_of(st.none(), one("violation")),
        may_amount_to=mappings,
        citations=citations,
    ),
    st.builds(
        lambda **more: content("instrument", id="own", title={"en": "A"}, type="law", body="A", **more),
        violations=some("violation"),
        creates=some("instrument"),
        renews=some("instrument"),
        ends=some("instrument"),
        citations=citations,
    ),
    st.builds(
        lambda ends, **more: content(
            "link", id="own", type="seen-with", confidence="low", **{"from": ends[0], "to": ends[1]}, **more
        ),
        ends=st.lists(st.sampled_from(EVERYTHING), min_size=2, max_size=2, unique=True),
        source=one("source"),
        citations=citations,
    ),
)
records = st.one_of(a_testimony(), incidents, people, plain_ones)
TYPES = ["country", "province", "county", "execution-site", "other"]
LEVELS = [("withheld", "country", "year"), ("pseudonym", "county", "day"), ("named", "exact", "month")]
BASES: list[dict[str, Any]] = [{"disclosure_basis": "published"}]
for identity, place, date in LEVELS:
    allows = consent(public=allowed(identity=identity, place=place, date=date))
    BASES.append({"disclosure_basis": "consent", "consent": allows})
ACCOUNTS = [
    content(
        "testimony",
        id=OWN["testimony"],
        recorded_by="body",
        witness={"form": "named", "person": person},
        places=POOL["place"][:2],
        date="2003-04",
        title_only=title_only,
        citations=[{"symbol": "A", "source": "qsource0q"}],
        **basis,
    )
    for title_only in (False, True)
    for person in (None, POOL["person"][0])
    for basis in BASES
]


@st.composite
def worlds(draw: st.DrawFn) -> FakeFacts:
    """Facts in which places and violations lie in one another, and testimonies allow this and that."""
    known = FakeFacts(types={}, parents={}, shapes={})
    for kind in ("place", "violation"):
        for position, id in enumerate(POOL[kind][1:]):
            known.parents[id] = draw(st.sampled_from(POOL[kind][: position + 1]))
    for position, place in enumerate(POOL["place"]):
        known.types[place] = draw(st.sampled_from(TYPES))
        known.shapes[place] = {"type": "Point", "coordinates": [float(position), 1.0]}
    for id in POOL["person"]:
        basis = draw(st.sampled_from(BASES))
        known.accounts[id] = Account(content("person", id=id, citations=[{"symbol": "A"}], **basis))
    for id in POOL["testimony"]:
        known.accounts[id] = Account(draw(st.sampled_from(ACCOUNTS)) | {"id": id}, draw(st.booleans()))
    return known


@st.composite
def planted(draw: st.DrawFn) -> tuple[dict[str, Any], FakeFacts, set[str]]:
    """A record, the facts about what it names, and some of that, or of what stands above it, hidden."""
    value, known = draw(records), draw(worlds())
    named = [to for _, to, _ in references(BY_NAME[value["kind"]], value)]
    around = sorted({one for to in named for one in known.lineage(to)})
    hidden = draw(st.sets(st.sampled_from(around), max_size=3)) if around else set()
    known.hidden[PUBLIC.id] = hidden
    return value, known, hidden


@settings(max_examples=often(400))
@given(planted())
def test_no_byte_of_a_hidden_id_is_shown_and_nothing_about_it_matters(drawn):
    value, known, hidden = drawn
    found = shown(value, PUBLIC, known)
    if found is not None:
        text = (orjson.dumps(found.record).decode() + str(found.terms)).lower()
        assert [id for id in hidden if id in text] == []
    for id in hidden:
        known.accounts.pop(id, None)
        known.parents.pop(id, None)
        known.shapes.pop(id, None)
        if id in known.types:
            known.types[id] = TYPES[TYPES.index(known.types[id]) - 1]
    assert shown(value, PUBLIC, known) == found


@settings(max_examples=often(200))
@given(planted())
def test_what_is_alike_to_all_views_is_shown_alike(drawn):
    value, known, _ = drawn
    known.hidden = {None: known.hidden[PUBLIC.id]}  # from every view, or from none
    if project.is_alike(value):
        assert shown(value, PUBLIC, known) == shown(value, PARTNER, known) == shown(value, MECHANISM, known)


def test_every_kind_that_names_others_is_planted():
    planted = {"testimony", "incident", "person", "place", "actor", "source", "violation", "instrument", "link"}
    others = {"crime", "period", "finding", "recommendation", "weapons-event", "statement"}
    assert planted | others == set(BY_NAME)
