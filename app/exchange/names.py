"""Finding records by name, among those that everybody may see and the owner's own, and ids by external ids."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.catalogue.tables import ROW
from app.core import ids
from app.exchange.fields import near
from app.intake.submit import Intake
from app.records import BY_NAME
from app.vault.keys import chunks
from app.vault.tables import GONE, RECORD

PUBLIC = 0
_SPACES = re.compile(r"\s+")
_OUTSIDE = re.compile(r"[^a-z0-9-]")
LONGEST = 121  # a slug
MOST_NEAREST = 300  # names of which the nearest is looked for: of a wrong column every one would be, for hours
MANY_ALIKE = 3  # so short a word is a part of too many names


def folded(name: str) -> str:
    """Return a name as it is compared: compatible forms, case and spaces make no difference."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", name)).strip().casefold()


def slug_of(space: str, external: str) -> str:
    """Return an external id as the slug of a record: what no slug may hold is written in hexadecimal digits."""
    safe = _OUTSIDE.sub(lambda one: "".join(f".{byte:02x}" for byte in one[0].encode()), external)
    slug = f"{space}.{safe}"
    if len(slug) <= LONGEST:
        return slug
    # Two dots never stand together above, so this is the slug of nothing else.
    return f"{space}..{ids.k_of(external):016x}{ids.k_of(external[::-1]):016x}"


class Several(Exception):
    """A name is that of several records; the message names some of them."""


class Names:
    """What an owner's file can name."""

    def __init__(self, intake: Intake, owner: str) -> None:
        """Look for nothing yet."""
        self._intake = intake
        self.owner = owner
        self.made: set[str] = set()  # ids of what this import made from names
        self._nearest: dict[tuple[str, str], str | None] = {}
        self._known: dict[str, dict[str, dict[str, bool]]] = {}  # kind -> folded name -> id -> is it the owner's

    def id_of(self, kind: str, slug: str, opaque: bool) -> str:
        """Return the id of the owner's record with a slug; `opaque` where such a record's ids are."""
        digest = self._intake.digest(kind, slug.encode(), self.owner)
        return ids.fixed(str(BY_NAME[kind].prefix), digest) if opaque else f"{kind}-{digest[:20]}"

    def find(self, kind: str, name: str) -> str | None:
        """Return the id of a record with a name, or with that very id; nothing where there is none.

        Raises:
            Several: more than one record has it, and not exactly one is the owner's.
        """
        found = self._of(kind).get(folded(name), {})
        if len(found) > 1:
            own = [id for id, is_own in found.items() if is_own]
            if len(own) != 1:
                raise Several(f"is the name of several: {', '.join(sorted(found)[:5])}")
            return own[0]
        return next(iter(found), None)

    def nearest(self, kind: str, name: str) -> str | None:
        """Return the known name that is nearest to one, with its id; of the first few hundred names only."""
        asked = kind, folded(name)
        if asked not in self._nearest and len(self._nearest) < MOST_NEAREST:
            self._nearest[asked] = self._near(*asked)
        return self._nearest.get(asked)

    def _near(self, kind: str, word: str) -> str | None:
        known = self._of(kind)
        close = near(word, known)
        if close is None and len(word) > MANY_ALIKE:  # a name is often written with more words
            close = min((one for one in known if word in one), key=len, default=None)
        if close is None:
            return None
        id = next(iter(known[close]))
        return id if id == close else f"{close} ({id})"

    def _of(self, kind: str) -> Mapping[str, Mapping[str, bool]]:
        if kind not in self._known:
            known: dict[str, dict[str, bool]] = {}

            def add(content: Mapping[str, Any], is_own: bool) -> None:
                id = content["id"]
                for name in (id, *_names(content)):
                    ids = known.setdefault(folded(name), {})
                    ids[id] = is_own or ids.get(id, False)

            self._intake.writer.database.look(lambda connection: self._gather(connection, kind, add))
            self._known[kind] = known
        return self._known[kind]

    def _gather(self, connection: Connection, kind: str, add: Any) -> None:
        for (body,) in connection.execute(select(ROW.c.body).where(ROW.c.view == PUBLIC, ROW.c.kind == kind)):
            add(orjson.loads(body), False)
        own = select(RECORD.c.id).where(
            RECORD.c.kind == kind, RECORD.c.owner == self.owner, RECORD.c.state.not_in(sorted(GONE))
        )
        for some in chunks(list(connection.scalars(own))):
            for stored in self._intake.writer.vault.read(connection, some).values():
                add(stored.content, True)


def _names(content: Mapping[str, Any]) -> Iterator[str]:
    for text in (content.get("name"), content.get("label"), content.get("title")):
        if isinstance(text, dict):
            said = [words for key, words in text.items() if key not in ("original", "translated_by")]
            yield from said
            if content.get("type") == "province":  # others write North Hamgyong
                yield from (words.removesuffix(" Province") for words in said)
    yield from content.get("aliases") or ()
    if content.get("symbol"):
        yield content["symbol"]
