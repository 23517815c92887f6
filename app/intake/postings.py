"""Postings on their way into an empty or large index: packed into files, sorted there, and inserted in order."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

# term, s0, k, s1, e0, e1. The order of the bytes is that of the key but for days before the year 0, which come late: an
# index does not mind. The views are not in it: most records are shown alike to all, and are sorted once for all.
FORM = struct.Struct(">QiQiii")
MOST_AT_ONCE = 50_000
_HELD = 32_000  # while runs are merged, of all of them together
Place = tuple[int, int]  # views (one bit each), bucket


@lru_cache(1024)
def views_in(mask: int) -> tuple[int, ...]:
    """Return the views of a mask."""
    return tuple(view for view in range(mask.bit_length()) if mask >> view & 1)


class Packed:
    """Postings packed by views and bucket: buckets in order hold terms in order."""

    def __init__(self) -> None:
        """Start with none."""
        self._lists: dict[Place, list[bytes]] = {}

    def add(self, mask: int, terms: tuple[int, ...], k: int, bounds: tuple[int, int, int, int]) -> None:
        """Add the postings of one record."""
        s0, s1, e0, e1 = bounds
        for term in terms:
            place = (mask, term >> 44)
            if place not in self._lists:
                self._lists[place] = []
            self._lists[place].append(FORM.pack(term, s0, k, s1, e0, e1))

    def sorted(self) -> dict[Place, bytes]:
        """Return them, each bucket sorted."""
        return {place: b"".join(sorted(self._lists[place])) for place in sorted(self._lists)}


def rows_of(packed: dict[Place, bytes]) -> Iterator[tuple[int, Iterator[tuple[int, ...]]]]:
    """Yield packed postings as rows without their views, which come before them (one bit each)."""
    for mask, places in groupby(packed, key=itemgetter(0)):
        yield mask, chain.from_iterable([FORM.iter_unpack(packed[place]) for place in places])


class Pile:
    """Packed postings in files, one for each place."""

    def __init__(self, folder: Path) -> None:
        """Pile up in an empty folder."""
        self._folder = folder
        self._files: dict[Place, Any] = {}

    def add(self, packed: dict[Place, bytes]) -> None:
        """Put postings on the pile."""
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


def sort_file(path: Path) -> list[Path]:
    """Sort a file of the pile into runs of bounded length; return the runs. Runs in a process of its own."""
    size, runs = FORM.size, list[Path]()
    with path.open("rb") as file:
        while text := file.read(size * MOST_AT_ONCE):
            run = path.with_name(f"{path.name}-{len(runs):04}")
            run.write_bytes(b"".join(sorted([text[at : at + size] for at in range(0, len(text), size)])))
            runs.append(run)
    path.unlink()
    return runs


def merged(runs: list[Path]) -> Iterator[tuple[int, ...]]:
    """Yield the postings of sorted runs as rows without their views, in order, holding a block of each run.

    The more runs there are the smaller are their blocks: what is held does not grow with them.
    """
    files = [run.open("rb") for run in runs]
    size = max(1, _HELD // max(1, len(files)))
    blocks: list[list[bytes]] = [_block(file, size) for file in files]
    while True:
        live = [index for index, block in enumerate(blocks) if block]
        if not live:
            break
        bound = min(blocks[index][-1] for index in live)
        taken: list[bytes] = []
        for index in live:
            cut = bisect_right(blocks[index], bound)
            taken += blocks[index][:cut]
            blocks[index] = blocks[index][cut:] or _block(files[index], size)
        if len(live) > 1:
            taken.sort()
        yield from FORM.iter_unpack(b"".join(taken))
    for file in files:
        file.close()


def _block(file: Any, size: int) -> list[bytes]:
    text = file.read(FORM.size * size)
    return [text[at : at + FORM.size] for at in range(0, len(text), FORM.size)]
