"""Postings and spots on their way into an empty or large index: packed, sorted in files, and inserted in order."""

import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from app.catalogue.tables import POSTING, SPOT
from app.vocabulary.edtf import Bounds

# term, s0, k, s1, e0, e1. The order of the bytes is that of the key but for days before the year 0, which come late: an
# index does not mind. The views are not in it: most records are shown alike to all, and are sorted once for all.
_POSTING = struct.Struct(">QiQiii")
_SPOT = struct.Struct(">iQhdddd")  # s0, k, part, w, s, e, n: likewise
_SPOTS = 16  # the bucket of spots, after all those of postings
MOST_AT_ONCE = 50_000
_HELD = 32_000  # while runs are merged, of all of them together
Place = tuple[int, int]  # views (one bit each), bucket
Box = tuple[float, float, float, float]


@lru_cache(1024)
def views_in(mask: int) -> tuple[int, ...]:
    """Return the views of a mask."""
    return tuple(view for view in range(mask.bit_length()) if mask >> view & 1)


def _form(bucket: int) -> struct.Struct:
    return _SPOT if bucket == _SPOTS else _POSTING


def table_of(bucket: int) -> Table:
    """Return the table of what is in a bucket."""
    return SPOT if bucket == _SPOTS else POSTING


class Packed:
    """Postings, and spots, packed by views and bucket: buckets in order hold terms in order."""

    def __init__(self) -> None:
        """Start with none."""
        self._lists: defaultdict[Place, list[bytes]] = defaultdict(list)

    def add(self, mask: int, terms: Iterable[int], k: int, bounds: Bounds, boxes: Iterable[Box]) -> None:
        """Add the postings and the spots of one record."""
        s0, s1, e0, e1 = bounds
        for term in terms:
            self._lists[mask, term >> 44].append(_POSTING.pack(term, s0, k, s1, e0, e1))
        for part, box in enumerate(boxes):
            self._lists[mask, _SPOTS].append(_SPOT.pack(s0, k, part, *box))

    def sorted(self) -> dict[Place, bytes]:
        """Return them, each bucket sorted."""
        return {place: b"".join(sorted(self._lists[place])) for place in sorted(self._lists)}


def rows_of(packed: dict[Place, bytes]) -> Iterator[tuple[int, Table, Iterator[tuple[Any, ...]]]]:
    """Yield what is packed as rows without their views, which come before them (one bit each), and the table."""
    for (mask, table), places in groupby(packed, key=lambda place: (place[0], table_of(place[1]))):
        yield mask, table, chain.from_iterable([_form(place[1]).iter_unpack(packed[place]) for place in places])


class Pile:
    """What is packed, in files, one for each place."""

    def __init__(self, folder: Path) -> None:
        """Pile up in an empty folder."""
        self._folder = folder
        self._files: dict[Place, Any] = {}

    def add(self, packed: dict[Place, bytes]) -> None:
        """Put what is packed on the pile."""
        for place, text in packed.items():
            file = self._files.get(place)
            if file is None:
                mask, bucket = place
                file = self._files[place] = (self._folder / f"{mask:04x}-{bucket:02}").open("wb", buffering=1 << 18)
            file.write(text)

    def finish(self) -> dict[Place, Path]:
        """Close the files; return them."""
        for file in self._files.values():
            file.close()
        return {place: Path(file.name) for place, file in self._files.items()}


def sort_file(path: Path, bucket: int) -> list[Path]:
    """Sort a file of the pile into runs of bounded length; return the runs. Runs in a process of its own."""
    size, runs = _form(bucket).size, list[Path]()
    with path.open("rb") as file:
        while text := file.read(size * MOST_AT_ONCE):
            run = path.with_name(f"{path.name}-{len(runs):04}")
            run.write_bytes(b"".join(sorted([text[at : at + size] for at in range(0, len(text), size)])))
            runs.append(run)
    path.unlink()
    return runs


def merged(runs: list[Path], bucket: int) -> Iterator[tuple[Any, ...]]:
    """Yield what sorted runs hold as rows without their views, in order, holding a block of each run.

    The more runs there are the smaller are their blocks: what is held does not grow with them.
    """
    form, files = _form(bucket), [run.open("rb") for run in runs]
    most = max(1, _HELD // max(1, len(files)))
    blocks: list[list[bytes]] = [_block(file, form.size, most) for file in files]
    while True:
        live = [index for index, block in enumerate(blocks) if block]
        if not live:
            break
        bound = min(blocks[index][-1] for index in live)
        taken: list[bytes] = []
        for index in live:
            cut = bisect_right(blocks[index], bound)
            taken += blocks[index][:cut]
            blocks[index] = blocks[index][cut:] or _block(files[index], form.size, most)
        if len(live) > 1:
            taken.sort()
        yield from form.iter_unpack(b"".join(taken))
    for file in files:
        file.close()


def _block(file: Any, size: int, most: int) -> list[bytes]:
    text = file.read(size * most)
    return [text[at : at + size] for at in range(0, len(text), size)]
