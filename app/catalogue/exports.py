"""Exports: what makes a file of a list, batch by batch, in each of the formats that give everything.

Nothing is written to a disk: a batch is rendered and sent, and its bytes are counted into the digest (RFC 9530).
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.catalogue import formats, separated
from app.catalogue.negotiate import CSV, NDJSON, PARQUET
from app.core import codings
from app.core.db import Rows
from app.records import Kind

Mark = Callable[[int | str, int], str]  # the sort value and the tie-break of a row -> its cursor


@dataclass(frozen=True)
class Told:
    """What a file says of itself: the question in words, the view by name, its generation and when that began."""

    question: str
    view: str
    generation: int
    as_of: str
    address: str


@dataclass(frozen=True)
class Wanted:
    """A list as a file: of which kind, which members, addresses below which base, and what is asked of the format."""

    kind: Kind
    fields: tuple[str, ...] | None
    base: str
    told: Told
    bom: bool = False
    mark: Mark | None = None


class Encoder(Protocol):
    """One file in the making."""

    def begin(self) -> bytes:
        """Return what stands before the first record."""
        ...

    def rows(self, rows: Rows) -> bytes:
        """Return some records (body, sort value, tie-break), or what of them is ready."""
        ...

    def end(self) -> bytes:
        """Return the rest."""
        ...


class Plain:
    """A record a line: NDJSON."""

    def __init__(self, wanted: Wanted) -> None:
        """Begin."""
        self._fields, self._mark = wanted.fields, wanted.mark

    def begin(self) -> bytes:
        """Return nothing: the first line is a record."""
        return b""

    def rows(self, rows: Rows) -> bytes:
        """Return some records, each with its cursor as its last member where it is asked for."""
        bodies = [row[0] for row in rows]
        if self._fields is not None:
            bodies = [formats.projected(body, self._fields) for body in bodies]
        if self._mark is not None:
            marks = [self._mark(value, k).encode() for _, value, k in rows]
            bodies = [b'%b,"cursor":"%b"}' % (body[:-1], mark) for body, mark in zip(bodies, marks, strict=True)]
        bodies.append(b"")
        return b"\n".join(bodies)

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class Separated:
    """CSV."""

    def __init__(self, wanted: Wanted) -> None:
        """Begin."""
        self._wanted, self._mark = wanted, wanted.mark
        self._lines = separated.Lines(wanted.kind, wanted.fields, wanted.base)

    def begin(self) -> bytes:
        """Return the byte order mark, if it is asked for, and the header."""
        wanted = self._wanted
        more = () if self._mark is None else ("cursor",)
        return (separated.MARK if wanted.bom else b"") + separated.header(wanted.kind, wanted.fields, more)

    def rows(self, rows: Rows) -> bytes:
        """Return some records, each with its cursor in the last column where it is asked for."""
        more = None if self._mark is None else [self._mark(value, k) for _, value, k in rows]
        return self._lines.lines([row[0] for row in rows], more)

    def end(self) -> bytes:
        """Return nothing."""
        return b""


def encoder(format: str, wanted: Wanted) -> Encoder:
    """Return what makes a file in a format; the larger libraries are loaded when they are first needed."""
    if format == NDJSON:
        return Plain(wanted)
    if format == CSV:
        return Separated(wanted)
    if format == PARQUET:
        from app.catalogue.columnar import Columnar

        return Columnar(wanted)
    from app.catalogue.workbook import Workbook

    return Workbook(wanted)


class File:
    """The bytes of one file, and their digest as far as it is made."""

    def __init__(self, encoder: Encoder, coding: str | None = None) -> None:
        """Begin; with a coding its bytes, and so its digest, are those in the coding."""
        self._encoder = encoder
        self._coder = None if coding is None else codings.coder(coding)
        self._digest = hashlib.sha256()
        self._begun = False

    def rows(self, rows: Rows) -> bytes:
        """Return the next part."""
        head = b"" if self._begun else self._encoder.begin()
        self._begun = True
        return self._counted(self._coded(head + self._encoder.rows(rows)))

    def end(self) -> bytes:
        """Return the last part; it may be empty."""
        head = b"" if self._begun else self._encoder.begin()
        self._begun = True
        part = self._coded(head + self._encoder.end())
        return self._counted(part if self._coder is None else part + self._coder.end())

    def whole(self, rows: Rows) -> bytes:
        """Return all of a file that has these rows."""
        return self.rows(rows) + self.end()

    def _coded(self, part: bytes) -> bytes:
        return part if self._coder is None or not part else self._coder.add(part)

    def _counted(self, part: bytes) -> bytes:
        self._digest.update(part)
        return part

    def digest(self) -> bytes:
        """Return the field `Repr-Digest` of what was made so far."""
        return b"sha-256=:%b:" % base64.b64encode(self._digest.digest())
