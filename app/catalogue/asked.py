"""What a request asks: its query string, checked and made canonical. Nothing of any view is in it."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from app.access.caller import NOT_HERE, names_a_credential
from app.catalogue import facets, when
from app.catalogue.parameter import Parameter, Wrong, is_identifier, shortened
from app.catalogue.parameters import MOST_IDS, all_names, members, sorts_of, vocabulary
from app.catalogue.when import When
from app.core.problems import Fault, Problem, invalid, nearest
from app.records import BY_NAME, Kind
from app.search.query import Query

MOST_BYTES = 8192
SHORT = 1024  # bytes of a query string that may be remembered
MOST_PARAMETERS = 100
MOST_FAULTS = 10
# What a parameter is called with many other services: no spelling leads from there to ours.
ELSEWHERE = {
    **dict.fromkeys(("search", "query", "text", "keyword", "keywords"), "q"),
    **dict.fromkeys(("page", "offset", "skip", "after", "start_after"), "cursor"),
    **dict.fromkeys(("size", "count", "per_page", "page_size", "pagesize", "rows", "max"), "limit"),
    **dict.fromkeys(("order", "order_by", "orderby", "sort_by"), "sort"),
    **dict.fromkeys(("since", "start", "start_date", "date_from", "year"), "from"),
    **dict.fromkeys(("until", "end", "end_date", "date_to"), "to"),
    **dict.fromkeys(("category", "abuse", "crime_type"), "violation"),
    **dict.fromkeys(("location", "camp", "province", "where"), "place"),
    **dict.fromkeys(("perpetrator", "unit", "institution"), "actor"),
    **dict.fromkeys(("victim", "witness", "name"), "person"),
}
PLAIN = ",:-._~"  # what stands in an address as it is


@dataclass(frozen=True)
class Asked:
    """A question: its filters in the order of the vocabulary, their values in their own; and which page of the answer.

    Attributes:
        given: filters and parameters of time -> values.
        when: the form of what is asked about time.
        digest: stands for kind and filters.
        kept: the query string of everything but the cursor, for the address of the next page.
        canonical: stands for all of it: equal for two query strings that ask the same.
    """

    kind: Kind = field(compare=False)
    given: Mapping[str, tuple[Any, ...]] = field(compare=False)
    when: When
    sort: str
    limit: int | None
    cursor: str | None
    fields: tuple[str, ...] | None
    facets: tuple[str, ...]
    facet_limit: int
    format: str | None
    highlights: bool
    bom: bool
    cursors: bool
    digest: bytes
    kept: str
    canonical: bytes

    @property
    def query(self) -> Query | None:
        """What is looked for in texts."""
        values = self.given.get("q")
        return values[0] if values else None


def read(kind: Kind, raw: bytes) -> Asked:
    """Read the query string of a list of a kind; short ones are remembered.

    Raises:
        Problem: invalid-request, each fault with its own explanation.
    """
    return _remembered(kind.name, raw) if len(raw) <= SHORT else _read(kind, raw)


@lru_cache(2048)
def _remembered(kind: str, raw: bytes) -> Asked:
    return _read(BY_NAME[kind], raw)


def _read(kind: Kind, raw: bytes) -> Asked:
    found = texts(raw)
    given = _checked(vocabulary(kind), found, kind)
    kept = [(name, text) for name in given if name != "cursor" for text in found[name]]
    return of(kind, given, "&".join(f"{name}={quote(text, safe=PLAIN)}" for name, text in kept))


def checked(known: Mapping[str, Parameter], raw: bytes) -> dict[str, tuple[Any, ...]]:
    """Return the values that a query string gives for known parameters, in their order.

    Raises:
        Problem: invalid-request.
    """
    return checked_texts(known, texts(raw))


def checked_texts(known: Mapping[str, Parameter], found: Mapping[str, list[str]]) -> dict[str, tuple[Any, ...]]:
    """Return the same of the texts that a query string gives for each name."""
    return _checked(known, found, None)


def _checked(
    known: Mapping[str, Parameter], texts: Mapping[str, list[str]], kind: Kind | None
) -> dict[str, tuple[Any, ...]]:
    faults: list[Fault] = []
    given: dict[str, tuple[Any, ...]] = {}
    for name, parameter in known.items():
        if name in texts:
            try:
                given[name] = _values(parameter, texts[name], kind)
            except Wrong as wrong:
                faults.append(Fault("query", name, str(wrong)))
    unknown = [name for name in texts if name not in known][:MOST_FAULTS]
    faults += [Fault("query", shortened(name), _unknown(name, known, kind)) for name in unknown]
    if given.get("sort") == ("relevance",) and "q" not in texts:
        faults.append(
            Fault("query", "sort", "How relevant a record is can be asked with q only: say what to look for.")
        )
    if given.get("highlights") == ("true",) and "q" not in texts:
        faults.append(Fault("query", "highlights", "There is nothing to highlight without q: say what to look for."))
    faults += [Fault("query", name, why) for name, why in when.check(given)] if not faults else []
    if faults:
        raise invalid(faults[:MOST_FAULTS])
    return given


def texts(raw: bytes) -> dict[str, list[str]]:
    """Return the texts that a query string gives for each name.

    Raises:
        Problem: it is too long, or not UTF-8.
    """
    if not raw:
        return {}
    if len(raw) > MOST_BYTES:
        raise Problem("too-long", f"The query string has {len(raw)} bytes; {MOST_BYTES} are the most that is read.")
    pairs = [pair for pair in raw.split(b"&") if pair]
    if len(pairs) > MOST_PARAMETERS:
        raise Problem("too-long", f"There are {len(pairs)} parameters; {MOST_PARAMETERS} are the most that are read.")
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        found.setdefault(_decoded(name, "a name"), []).append(_decoded(value, _shown(name)))
    return found


def _shown(name: bytes) -> str:
    return shortened(name.decode("ascii", "replace"))


def _decoded(raw: bytes, name: str) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise invalid([Fault("query", name, "This is not UTF-8, percent-encoded.")]) from None
    if "\0" in text:
        raise invalid([Fault("query", name, "There is a character NUL in it.")])
    return text


def _values(parameter: Parameter, texts: list[str], kind: Kind | None) -> tuple[Any, ...]:
    if "" in texts:
        raise Wrong("It has no value. Leave it out, or give it one.")
    if parameter.name == "fields" and kind is not None:
        return (_fields(kind, _single(texts)),)
    if parameter.name in ("facets", "group_by"):
        return (_chosen(parameter.schema["items"]["enum"], _single(texts), "is no facet that can be counted here"),)
    if parameter.name == "ids":
        texts = [one for text in texts for one in text.split(",")]
        if len(texts) > MOST_IDS:
            raise Wrong(f"There are {len(texts)} ids; {MOST_IDS} are the most.")
        if "" in texts:
            raise Wrong("There is an empty id in it: two commas follow one another, or one stands at an end.")
    if parameter.many:
        return tuple(sorted({parameter.read(text) for text in texts}))
    return (parameter.read(_single(texts)),)


def _single(texts: list[str]) -> str:
    if len(texts) > 1:
        raise Wrong("It is given more than once, and can have one value only.")
    return texts[0]


def _fields(kind: Kind, text: str) -> tuple[str, ...]:
    known = members(kind)
    names = _chosen(known, text, "is no member of a record of this kind")
    return tuple(name for name in known if name in ("id", "kind") or name in names)


def _chosen(known: Sequence[str], text: str, wrong: str) -> tuple[str, ...]:
    names = text.split(",")
    for name in names:
        if name not in known:
            near = nearest(name, known) or f"It can be {', '.join(known[:-1])} or {known[-1]}."
            raise Wrong(f"'{shortened(name)}' {wrong}. {near}")
    return tuple(name for name in known if name in names)


def _unknown(name: str, known: Collection[str], kind: Kind | None) -> str:
    if kind is not None and name in all_names():
        of_time = name in ("period", "from", "to", "match", "at", "boundary", "side")
        return (
            f"{kind.title} have no date, so this cannot be asked of them."
            if of_time
            else (
                f"{kind.title} have nothing that this asks about; /v1/{kind.path}/queryables lists what can be asked."
            )
        )
    if names_a_credential(name):
        return NOT_HERE
    where = f"All of them: /v1/{kind.path}/queryables." if kind is not None else ""
    meant = ELSEWHERE.get(name.casefold(), "")
    near = f"Did you mean '{meant}'?" if meant in known else nearest(name, known)
    return " ".join(filter(None, (f"There is no parameter '{shortened(name)}'.", near, where)))


def of(kind: Kind, given: Mapping[str, tuple[Any, ...]], kept: str = "") -> Asked:
    """Return the question that the values of parameters ask, in the order of the vocabulary."""
    known = vocabulary(kind)

    def page(name: str) -> Any:
        values = given.get(name)
        return None if values is None else values[0]

    filters = {name: values for name, values in given.items() if known[name].role != "page"}
    for name, default in (("match", "possible"), ("at", "span")):
        if filters.get(name) == (default,):
            del filters[name]
    sort = page("sort") or sorts_of(kind)[0]
    digest = hashlib.blake2b(repr((kind.name, *filters.items())).encode(), digest_size=16).digest()
    highlights, bom, cursors = (page(name) == "true" for name in ("highlights", "bom", "cursors"))
    rest = (sort, *map(page, ("limit", "cursor", "fields", "facets", "facet_limit")), highlights, bom, cursors)
    return Asked(
        kind=kind,
        given=filters,
        when=when.form(filters),
        sort=sort,
        limit=page("limit"),
        cursor=page("cursor"),
        fields=page("fields"),
        facets=page("facets") or (),
        facet_limit=page("facet_limit") or facets.VALUES,
        format=page("format"),
        highlights=highlights,
        bom=bom,
        cursors=cursors,
        digest=digest,
        kept=kept,
        canonical=digest + repr(rest).encode(),
    )


def is_address(identifier: str) -> bool:
    """Tell whether the last part of an address can be the id of a record at all."""
    return is_identifier(identifier)
