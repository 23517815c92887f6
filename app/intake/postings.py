"""Postings on their way into an empty or large index: packed into files, sorted there, and inserted in order."""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# view, term, s0, k, s1, e0, e1. The order of the bytes is that of the key but for days before the year 0, which come
# late: an index does not mind.
FORM = struct.Struct(">BQiQiii")
MOST_AT_ONCE = 250_000
_BLOCK = 20_000


def bucket_of(view: int, term: int) -> int:
    """Return the number of the file that holds a posting: files in order hold keys in order."""
    return view << 4 | term >> 44


def pack(postings: Iterable[tuple[int, ...]]) -> dict[int, bytes]:
    """Return packed postings by bucket, in order."""
    buckets: dict[int, bytearray] = {}
    write = FORM.pack
    for one in sorted(postings):
        bucket = bucket_of(one[0], one[1])
        if bucket not in buckets:
            buckets[bucket] = bytearray()
        buckets[bucket] += write(*one)
    return {bucket: bytes(packed) for bucket, packed in buckets.items()}


def unpack(packed: dict[int, bytes]) -> Iterator[tuple[int, ...]]:
    """Yield packed postings in order."""
    return FORM.iter_unpack(b"".join(packed.values()))


class Pile:
    """Packed postings in files, one a bucket."""

    def __init__(self, folder: Path) -> None:
        """Pile up in an empty folder."""
        self._folder = folder
        self._files: dict[int, Any] = {}

    def add(self, packed: dict[int, bytes]) -> None:
        """Put postings on the pile."""
        for bucket, text in packed.items():
            file = self._files.get(bucket)
            if file is None:
                file = self._files[bucket] = (self._folder / f"{bucket:03}").open("wb", buffering=1 << 18)
            file.write(text)

    def finish(self) -> list[Path]:
        """Close the files; return them in order."""
        for file in self._files.values():
            file.close()
        return [self._folder / f"{bucket:03}" for bucket in sorted(self._files)]


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
    """Yield the postings of sorted runs in order, holding a block of each."""
    files = [run.open("rb") for run in runs]
    blocks: list[list[bytes]] = [_block(file) for file in files]
    while True:
        live = [index for index, block in enumerate(blocks) if block]
        if not live:
            break
        bound = min(blocks[index][-1] for index in live)
        taken: list[bytes] = []
        for index in live:
            cut = bisect_right(blocks[index], bound)
            taken += blocks[index][:cut]
            blocks[index] = blocks[index][cut:] or _block(files[index])
        if len(live) > 1:
            taken.sort()
        yield from FORM.iter_unpack(b"".join(taken))
    for file, run in zip(files, runs, strict=True):
        file.close()
        run.unlink()


def _block(file: Any) -> list[bytes]:
    text = file.read(FORM.size * _BLOCK)
    return [text[at : at + FORM.size] for at in range(0, len(text), FORM.size)]
