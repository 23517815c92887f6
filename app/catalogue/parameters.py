"""The filter vocabulary: every query parameter there is, declared once; a kind has those that it can answer."""

import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import BigInteger, Float, Integer, exists, literal_column, select

from app.catalogue import examples, facets, when
from app.catalogue.meanings import FACETS
from app.catalogue.parameter import Parameter, box, date, day, identifier, moment, one_of, whole, words
from app.catalogue.relations import outward, targets
from app.catalogue.tables import SPOT
from app.core.moments import iso
from app.records import KINDS, Kind
from app.records.shown import ShownRecord
from app.search.query import MOST_SIGNS
from app.vocabulary.edtf import UNDATED, bounds

MOST_IDS = 1000
MOST_MARKED = 100  # records of a page with highlights: their texts are read again, word by word
FORMATS = ("json", "ndjson", "csv", "xlsx", "parquet", "geojson")

_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_DATE = {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_UNDATED = literal_column(str(UNDATED), Integer)

_TIME = (
    Parameter(
        "period",
        "Only what happened in this named period (the id of a period, see /v1/periods); repeated: in any of them.",
        "post-2011-12",
        when.period,
        _TEXT,
        "time",
        many=True,
        targets=("period",),
    ),
    Parameter("from", "Only what happened on this day, month or year or later.", "2011-12-17", date, _DATE, "time"),
    Parameter("to", "Only what happened on this day, month or year or earlier.", "2024", date, _DATE, "time"),
    Parameter(
        "match",
        "How an uncertain date has to match: it may touch the period (possible, the default), it surely touches it "
        "(certain), or it surely lies inside it (within).",
        "within",
        one_of(when.MATCHES),
        {"type": "string", "enum": list(when.MATCHES)},
        "time",
    ),
    Parameter(
        "at",
        "Which part of a date to look at: all of it (span, the default) or its beginning alone (start).",
        "start",
        one_of(when.ATS),
        {"type": "string", "enum": list(when.ATS)},
        "time",
    ),
    Parameter(
        "boundary",
        "Count on which side of this day, the first one of 'after', each record lies (meta.boundary).",
        "2011-12-17",
        day,
        _DAY,
        "time",
    ),
    Parameter(
        "side",
        "Only records on this side of the boundary; meta.boundary still counts all sides.",
        "straddling",
        one_of(when.SIDES),
        {"type": "string", "enum": list(when.SIDES)},
        "time",
    ),
)


def _touches(column0: str, column1: str, until: bool) -> Callable[..., Any]:
    def where(row: Any, day: Any) -> Any:
        first, last = row.c[column0], row.c[column1]
        # Written out: a bound value would be named after the column, g0_1, as those of a group of values are.
        return (first != _UNDATED) & ((first <= day) if until else (last >= day))

    return where


def _dated(name: str, doc: str, example: str, words: str, columns: tuple[str, str]) -> Parameter:
    until = name.endswith("until")
    return Parameter(
        name,
        doc,
        example,
        date,
        _DATE,
        words=words,
        where=_touches(*columns, until),
        types=(Integer(),),
        parts=lambda text: (bounds(text).e1 if until else bounds(text).s0,),
    )


def _meets(row: Any, w: Any, s: Any, e: Any, n: Any) -> Any:
    spot = SPOT.alias("spot")
    c = spot.c
    here = (c.view == row.c.view) & (c.s0 == row.c.s0) & (c.k == row.c.k)
    # A box whose western side lies east of its eastern one goes across longitude 180.
    meets = ((c.w <= e) & (c.e >= w)) | ((w > e) & ((c.w <= e) | (c.e >= w)))
    return exists(select(c.k).where(here, meets, c.s <= n, c.n >= s))


_GIVEN = (
    _dated("given_from", "Only accounts given then or later.", "2013", "given in {} or later", ("g0", "g1")),
    _dated("given_until", "Only accounts given then or earlier.", "2014", "given in {} or earlier", ("g0", "g1")),
)


def _left(who: str) -> tuple[Parameter, ...]:
    columns = ("l0", "l1")
    return (
        _dated("left_from", "Only witnesses who left then or later.", "2005", who + " left in {} or later", columns),
        _dated(
            "left_until", "Only witnesses who left then or earlier.", "2012", who + " left in {} or earlier", columns
        ),
    )


_LEFT = {"left": _left("who"), "witness.left": _left("of witnesses who")}
_BBOX = Parameter(
    "bbox",
    "Only records whose geometry as shown meets this box: west,south,east,north in degrees, not across longitude 180.",
    "126.5,40.5,130.7,43.1",
    box,
    {"type": "array", "items": {"type": "number", "minimum": -180, "maximum": 180}, "minItems": 4, "maxItems": 4},
    commas=True,
    words="meeting the box {}",
    where=_meets,
    of_row=False,
    types=(Float(), Float(), Float(), Float()),
    parts=lambda value: value,
    shown=lambda value: ",".join(f"{degrees:.12g}" for degrees in value),
)
_CORROBORATION = Parameter(
    "corroboration_min",
    "Only records with at least this many distinct witnesses and independent sources.",
    "2",
    whole(0, 1_000_000),
    {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    words="corroborated by at least {}",
    where=lambda row, least: row.c.corroboration >= least,
    types=(Integer(),),
)
_UPDATED = Parameter(
    "updated_since",
    "Only records that this audience was first shown in their present form at this moment or later.",
    "2026-01-01T00:00:00Z",
    moment,
    {"type": "string", "examples": ["2026-01-01", "2026-01-01T00:00:00Z"]},
    words="updated since {}",
    where=lambda row, since: row.c.updated >= since,
    types=(BigInteger(),),
    shown=iso,
)
_Q = Parameter(
    "q",
    'Only records with these words in their texts: all of them, in any order; a "phrase" as it stands, camp* for words '
    "that begin so, -word for those without it.",
    "torture",
    words,
    {"type": "string", "minLength": 1, "maxLength": MOST_SIGNS},
    words="with the words {}",
    shown=lambda query: query.text,
)
_IDS = Parameter(
    "ids",
    f"Only these records: their ids, repeated or separated by commas, at most {MOST_IDS}.",
    "",
    identifier,
    {"type": "string", "pattern": "^[a-z0-9.-]+(,[a-z0-9.-]+)*$"},
    many=True,
    words="of these ids: {}",
)


def _flag(name: str, doc: str) -> Parameter:
    return Parameter(
        name, doc, "true", one_of(("true", "false")), {"type": "string", "enum": ["true", "false"]}, "page"
    )


HIGHLIGHTS = _flag(
    "highlights",
    "Say where in its texts each record of the page has the words of q, as offsets; for at most "
    f"{MOST_MARKED} records a page.",
)
_EXPORTED = (
    _flag("bom", "In CSV: begin with a byte order mark, by which some programs know UTF-8."),
    _flag("cursors", "In NDJSON and CSV: end each record with a cursor; an answer that was cut off goes on from it."),
)


def _page(kind: Kind) -> tuple[Parameter, ...]:
    sorts = sorts_of(kind)
    fields = members(kind)
    return (
        Parameter(
            "sort",
            f"The order; a minus turns it round; undated records come last in both; without it {sorts[0]}. With q also "
            "relevance, the best match first.",
            sorts[0],
            one_of(sorts),
            {"type": "string", "enum": list(sorts)},
            "page",
        ),
        Parameter(
            "limit",
            "How many records a page has at most (50); without it all formats but JSON and GeoJSON give all of them "
            "at once.",
            "10",
            whole(1, 1000),
            {"type": "integer", "minimum": 1, "maximum": 1000},
            "page",
        ),
        Parameter(
            "cursor",
            "Where the page begins: taken from 'next' of the page before, for the same filters and order only.",
            "",
            identifier,
            {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
            "page",
        ),
        Parameter(
            "fields",
            "Only these members of each record, separated by commas; 'id' and 'kind' are always there.",
            f"{fields[2]},updated",
            identifier,
            {"type": "array", "items": {"type": "string", "enum": list(fields)}, "minItems": 1},
            "page",
            commas=True,
        ),
        HIGHLIGHTS,
        *_EXPORTED,
        format_of(formats_of(kind)),
    )


def formats_of(kind: Kind) -> tuple[str, ...]:
    """Return the formats of a kind's lists."""
    return FORMATS if kind.geometry else FORMATS[:-1]


def format_of(formats: tuple[str, ...]) -> Parameter:
    """Return the parameter that names a format; it goes before the header Accept."""
    return Parameter(
        "format",
        "The format of the answer; it goes before the header Accept.",
        formats[-1],
        one_of(formats),
        {"type": "string", "enum": list(formats)},
        "page",
    )


def sorts_of(kind: Kind) -> tuple[str, ...]:
    """Return the orders of a kind, the one that it has by itself first."""
    plain = ("id", "-id", "updated", "-updated", "relevance")
    return ("-date", "date", *plain) if kind.date else plain


@cache
def _members(model: type[BaseModel]) -> tuple[str, ...]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    shared = ShownRecord.model_fields
    return tuple(sorted(names, key=lambda name: {"id": 0, "kind": 1}.get(name, 3 if name in shared else 2)))


def members(kind: Kind) -> tuple[str, ...]:
    """Return the names of the top-level members of a kind's records, `id` and `kind` first."""
    return _members(kind.shown)


def literals(model: Any, path: str) -> tuple[str, ...]:
    """Return the words that may stand at a path of a model; empty where it is not a closed list."""
    name, _, rest = path.partition(".")
    field = model.model_fields.get(name.removesuffix("[]"))
    return () if field is None else _words(field.annotation, rest)


def _words(annotation: Any, rest: str) -> tuple[str, ...]:
    origin = get_origin(annotation)
    if origin is Literal:
        return get_args(annotation) if not rest else ()
    if origin is Annotated:
        return _words(get_args(annotation)[0], rest)
    if origin in (Union, types.UnionType, list):
        return next(filter(None, (_words(one, rest) for one in get_args(annotation))), ())
    if rest and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return literals(annotation, rest)
    return ()


def _facet(kind: Kind, facet: str) -> Parameter:
    path = kind.facets.get(facet, facet)
    named = targets(kind, facet) if facet in kind.facets else ("crime",) if facet == "crime" else ()
    words = () if named else literals(kind.shown, path)
    label = facet.replace("_", " ")
    doc, example, clause = FACETS.get(facet, (f"Only records with this {label}.", "", f"with the {label} {{}}"))
    taken = any(facet == one.name for one in _TIME)
    return Parameter(
        f"{facet}_id" if taken else facet,
        doc + " Repeated: any of them.",
        example,
        one_of(words) if words else identifier,
        {"type": "string", "enum": list(words)} if words else _TEXT,
        many=True,
        words=clause,
        targets=named,
        facet=facet,
        open=not (words or named),
    )


def _named_by(other: Kind, path: str) -> Parameter:
    label = other.name.replace("-", " ")
    return Parameter(
        f"of_{other.name.replace('-', '_')}",
        f"Only records that this {label} names (its id).",
        _id_of(other),
        identifier,
        _TEXT,
        words=f"named by the {label} {{}}",
        targets=(other.name,),
        of=(other.name, path),
    )


def _id_of(kind: Kind) -> str:
    examples = kind.shown.model_fields["id"].examples
    return str(examples[0]) if examples else ""


def _filters(kind: Kind) -> list[Parameter]:
    found = list(_TIME) if kind.date else []
    facets = [*kind.facets]
    if "violation" in facets and "crime" not in facets:
        facets.insert(facets.index("violation") + 1, "crime")
    found += [_facet(kind, facet) for facet in (*facets, "owner")]
    found += [_BBOX] if kind.geometry else []
    found += _GIVEN if "given" in kind.dates else ()
    found += [parameter for path in kind.dates for parameter in _LEFT.get(path, ())]
    found += [_CORROBORATION] if "corroboration" in kind.shown.model_fields else []
    found += [_UPDATED, _Q, replace(_IDS, example=_id_of(kind))]
    for other in KINDS:
        if path := outward(other, kind.name):
            found.append(_named_by(other, path))
    return found


@cache
def _vocabulary(name: str) -> Mapping[str, Parameter]:
    kind = next(one for one in KINDS if one.name == name)
    filters = _filters(kind)
    found = (*filters, *_page(kind), *facets.parameters(kind, filters))
    return {one.name: replace(one, example=examples.of(name, one.name, one.example)) for one in found}


def vocabulary(kind: Kind) -> Mapping[str, Parameter]:
    """Return the parameters of a kind, by name, in the order in which they are documented."""
    return _vocabulary(kind.name)


@cache
def all_names() -> frozenset[str]:
    """Return the names of all parameters of all kinds."""
    return frozenset(name for kind in KINDS for name in vocabulary(kind))


@cache
def tests() -> Mapping[str, Parameter]:
    """Return the parameters that test a row by an expression, by name: the same for every kind."""
    return {one.name: one for kind in KINDS for one in vocabulary(kind).values() if one.where is not None}
