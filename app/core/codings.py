"""Codings: in which content coding an answer is sent (RFC 9110, 8.4 and 12.5.3), and what packs its bytes.

Each coding has one level, so that an entity tag always stands for the same bytes: see docs/decisions/0089.
"""

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

import brotli
import zstandard

ZSTD, BROTLI, GZIP = "zstd", "br", "gzip"
OFFERED = (ZSTD, BROTLI, GZIP)  # what costs least for as few bytes comes first
LEAST = 1_400  # bytes: fewer go out in one packet as they are
_ALSO = {"x-gzip": GZIP}  # RFC 9110, 8.4.1.3
_SHORT = 256  # bytes of a header Accept-Encoding that may be remembered
_LEVELS = {ZSTD: 3, BROTLI: 3, GZIP: 3}
_GZIP = 16 + zlib.MAX_WBITS  # its form, without name and time


class Accepted(NamedTuple):
    """What a caller takes.

    Attributes:
        best: the coding that it likes best; None: it takes none of those that are offered.
        every: all that it takes of those that are offered.
        plain: it takes bytes as they are.
    """

    best: str | None
    every: tuple[str, ...] = ()
    plain: bool = True


AS_IT_IS = Accepted(None)


def accepted(header: bytes) -> Accepted:
    """Return what the header Accept-Encoding takes.

    What is no coding with a weight is passed over. Who takes nothing that there is gets bytes as they are: a header
    that cannot be honoured is disregarded (RFC 9110, 12.4.1), for any answer is better than none.
    """
    if not header:
        return AS_IT_IS
    return _remembered(header) if len(header) <= _SHORT else _accepted(header)


def _accepted(header: bytes) -> Accepted:
    weights: dict[str, float] = {}
    for part in header.decode("latin-1").lower().split(","):
        name, *parameters = [piece.strip() for piece in part.split(";")]
        weight = _weight(parameters)
        if name and weight is not None:
            weights[_ALSO.get(name, name)] = weight
    others = weights.get("*", 0.0)
    liked = {name: weights.get(name, others) for name in OFFERED}
    every = tuple(name for name in OFFERED if liked[name] > 0)
    plain = weights.get("identity", 0.0 if "*" in weights and not others else 1.0)
    if not every or ("identity" in weights and plain > max(liked.values())):
        return Accepted(None, every)
    return Accepted(max(every, key=lambda name: liked[name]), every, plain > 0)


_remembered = lru_cache(512)(_accepted)


def _weight(parameters: list[str]) -> float | None:
    """Return the weight that parameters state: 1 without one; None, if they are none."""
    if not parameters:
        return 1.0
    name, _, value = parameters[0].partition("=")
    whole, _, rest = value.partition(".")
    if len(parameters) > 1 or name != "q" or whole not in ("0", "1") or not (rest + "0").isdecimal() or len(rest) > 3:
        return None
    return min(float(value), 1.0)


class Coder(Protocol):
    """What packs one answer, part by part."""

    def add(self, part: bytes) -> bytes:
        """Return what of the answer can be sent with this part."""
        ...

    def end(self) -> bytes:
        """Return the rest."""
        ...


class _Zstd:
    def __init__(self) -> None:
        self._made = zstandard.ZstdCompressor(level=_LEVELS[ZSTD]).compressobj()

    def add(self, part: bytes) -> bytes:
        return self._made.compress(part) + self._made.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._made.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


class _Brotli:
    def __init__(self) -> None:
        self._made = brotli.Compressor(quality=_LEVELS[BROTLI])

    def add(self, part: bytes) -> bytes:
        packed: bytes = self._made.process(part) + self._made.flush()
        return packed

    def end(self) -> bytes:
        packed: bytes = self._made.finish()
        return packed


class _Gzip:
    def __init__(self) -> None:
        self._made = zlib.compressobj(_LEVELS[GZIP], zlib.DEFLATED, _GZIP)

    def add(self, part: bytes) -> bytes:
        return self._made.compress(part) + self._made.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._made.flush()


_CODERS: dict[str, Callable[[], Coder]] = {ZSTD: _Zstd, BROTLI: _Brotli, GZIP: _Gzip}
# One for all answers that are packed as a whole: only the event loop does that.
_ZSTD = zstandard.ZstdCompressor(level=_LEVELS[ZSTD])


def coder(coding: str) -> Coder:
    """Return what packs a stream: of each part all bytes can be read as soon as they came."""
    return _CODERS[coding]()


def packed(coding: str, body: bytes) -> bytes:
    """Return a whole body in a coding; on the event loop only."""
    if coding == ZSTD:
        return _ZSTD.compress(body)
    if coding == BROTLI:
        whole: bytes = brotli.compress(body, quality=_LEVELS[BROTLI])
        return whole
    return zlib.compress(body, _LEVELS[GZIP], _GZIP)


def tag(etag: str, coding: str | None) -> str:
    """Return the entity tag of a form in a coding: other bytes have another strong tag (RFC 9110, 8.8.3)."""
    return etag if coding is None else f'{etag[:-1]}-{coding}"'
