"""Parquet: flat rows in typed columns, one schema for each kind, group after group of rows.

Texts are strings, days are dates (`date32`), lists of words are lists, all other structure is JSON text. Any value may
be missing. The file's metadata has the question, the view, and its generation: `evidence.question` and so on.
"""

from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from app.catalogue import flat
from app.catalogue.exports import Wanted
from app.core.db import Rows
from app.vocabulary.edtf import bounds

GROUP = 10_000  # rows that are written together: some 30 MB while they wait
EPOCH = bounds("1970-01-01").s0
_TYPES = {
    "text": pa.string(),
    "json": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "words": pa.list_(pa.string()),
}


def schema(kind: str, fields: tuple[str, ...] | None = None, metadata: dict[str, str] | None = None) -> pa.Schema:
    """Return the columns of a kind with their types: the same ones for every question with these fields."""
    columns = [("url", pa.string()), *((one.name, _TYPES[one.sort]) for one in flat.columns(kind, fields))]
    return pa.schema(columns, metadata)


class _Sink:
    """A file that is only written to, and emptied meanwhile."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(self._parts[-1])

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Columnar:
    """One Parquet file in the making."""

    def __init__(self, wanted: Wanted) -> None:
        """Begin."""
        told, kind = wanted.told, wanted.kind
        metadata = {
            "evidence.question": told.question,
            "evidence.address": told.address,
            "evidence.view": told.view,
            "evidence.generation": str(told.generation),
            "evidence.as_of": told.as_of,
        }
        self._address = f"{wanted.base}/v1/{kind.path}/"
        self._schema = schema(kind.name, wanted.fields, metadata)
        self._days = [i for i, one in enumerate(flat.columns(kind.name, wanted.fields), 1) if one.sort == "day"]
        self._read = flat.Reader(kind.name, wanted.fields, flat.listed).row
        self._sink = _Sink()
        self._waiting: list[list[Any]] = []
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, "w"), self._schema, compression="zstd")

    def begin(self) -> bytes:
        """Return what a Parquet file begins with."""
        return self._sink.taken()

    def rows(self, rows: Rows) -> bytes:
        """Take some records; return a group of rows, when there are enough."""
        for row in rows:
            record = orjson.loads(row[0])
            self._waiting.append([self._address + record["id"], *self._read(record)])
        if len(self._waiting) >= GROUP:
            self._write()
        return self._sink.taken()

    def _write(self) -> None:
        columns: list[Any] = list(zip(*self._waiting, strict=True))
        self._waiting = []
        for place in self._days:
            columns[place] = [None if day is None else _day(day) for day in columns[place]]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def end(self) -> bytes:
        """Return the last group, and where everything stands."""
        if self._waiting:
            self._write()
        self._writer.close()
        return self._sink.taken()


def _day(text: str) -> int:
    """Return a day as Parquet counts it, from 1970 on."""
    return bounds(text).s0 - EPOCH
