"""Handing a file in, piece by piece: what came stays, so a transfer that broke goes on where it was.

As draft-ietf-httpbis-resumable-upload-12 has it for an upload resource: `HEAD` says how much is there, `PATCH` puts
more behind it. Digests are those of RFC 9530.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from app.access.bodies import Body
from app.core.problems import Fault, Problem, invalid
from app.core.settings import Settings
from app.imports.sealed import FRAME, Sealed, Sealing

PARTIAL = "application/partial-upload"
BASE = "/v1/imports"
MB = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,15}")
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)")


class Part(NamedTuple):
    """What the headers of a part say: where it begins, whether it is the last one, and what it must amount to."""

    offset: int
    last: bool
    length: int | None
    content: bytes | None
    whole: bytes | None


def part_of(headers: Mapping[bytes, bytes]) -> Part:
    """Read the headers of a part.

    Raises:
        Problem: unsupported-media-type, invalid-request.
    """
    text = {name.decode("latin-1"): value.decode("latin-1").strip() for name, value in headers.items()}
    if text.get("content-type", "").partition(";")[0].strip().lower() != PARTIAL:
        raise Problem("unsupported-media-type", f"A part of a file is {PARTIAL}.", headers={"Accept-Patch": PARTIAL})
    faults = []
    if not _NUMBER.fullmatch(text.get("upload-offset", "")):
        faults.append(Fault("header", "Upload-Offset", "How many bytes are there already: ask by HEAD. At first 0."))
    if text.get("upload-complete") not in ("?0", "?1"):
        faults.append(Fault("header", "Upload-Complete", "?1 with the last part, ?0 with one before it."))
    if not _NUMBER.fullmatch(text.get("upload-length", "0")):
        faults.append(Fault("header", "Upload-Length", "How many bytes the whole file has."))
    found = {}
    for name in ("content-digest", "repr-digest"):
        match = _SHA256.search(text[name]) if name in text else None
        if name in text and match is None:
            faults.append(Fault("header", name.title(), "As RFC 9530 has it, with sha-256: sha-256=:…:"))
        found[name] = base64.b64decode(match[1]) if match is not None else None
    if faults:
        raise invalid(faults)
    length = int(text["upload-length"]) if "upload-length" in text else None
    offset, last = int(text["upload-offset"]), text["upload-complete"] == "?1"
    return Part(offset, last, length, found["content-digest"], found["repr-digest"])


def most_of_upload(settings: Settings) -> Callable[[Mapping[str, Any]], int]:
    """Return what tells how many bytes the body of a request may have, where it is a part of a file; else 0."""
    most, address = settings.import_mb * MB, re.compile(f"{BASE}/[^/]+/file")

    def most_of(scope: Mapping[str, Any]) -> int:
        return most if scope["method"] == "PATCH" and address.fullmatch(scope["path"]) else 0

    return most_of


def digest_text(digest: bytes) -> str:
    """Return a SHA-256 digest as headers have it."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


class Uploading:
    """One part that comes in."""

    def __init__(self, path: Path, key: bytes, name: str, most: int) -> None:
        """Put it behind what is in a file, which may have `most` bytes."""
        self._path, self._key, self._name, self._most = path, key, name, most

    async def take(self, part: Part, body: Body, stated: int | None) -> tuple[int, bytes | None]:
        """Take a part; return how many bytes are there then and, after the last one, the digest of all.

        Raises:
            Problem: conflict, where it does not begin where the file ends; too-large; invalid-request, where it is not
                what its digests or lengths say: then nothing of it is kept. What comes and breaks off is kept.
        """
        file = await asyncio.to_thread(Sealing, self._path, self._key, self._name)
        try:
            if part.offset != file.size:
                detail = f"There are {file.size} bytes of the file: go on from there, and not from {part.offset}."
                raise Problem("conflict", detail, headers={"Upload-Offset": str(file.size)})
            length = part.length if part.length is not None else stated
            try:
                content = await self._receive(file, body, part.offset, min(self._most, length or self._most))
            finally:
                await asyncio.shield(asyncio.to_thread(file.settle))
            return file.size, await self._held_to(part, file, content, length)
        except OSError:
            detail = "The file cannot be kept here now. Tell the operator, and go on with it later."
            raise Problem("unavailable", detail, headers={"Retry-After": "60"}) from None
        finally:
            file.close()

    async def _receive(self, file: Sealing, body: Body, begin: int, most: int) -> bytes:
        """Put what comes into the file; return its digest."""
        digest, size = hashlib.sha256(), begin
        async for piece in body.pieces():
            size += len(piece)
            if size > most:
                await asyncio.to_thread(file.cut, begin)
                raise Problem("too-large", f"The file has more than {most} bytes.", headers={"Connection": "close"})
            digest.update(piece)
            if file.is_due(piece):
                await asyncio.to_thread(file.write, piece)
            else:
                file.write(piece)
        return digest.digest()

    async def _held_to(self, part: Part, file: Sealing, content: bytes, length: int | None) -> bytes | None:
        """Hold a part to what was said of it; return the digest of the whole, if it is whole."""
        if part.content is not None and part.content != content:
            await self._refuse(file, part, "Content-Digest", "The part has another digest: send it again.")
        if not part.last:
            return None
        if length is not None and length != file.size:
            why = f"The file has {file.size} bytes with this part, and was to have {length}."
            await self._refuse(file, part, "Upload-Length", why)
        whole = await asyncio.to_thread(self._digest)
        if part.whole is not None and part.whole != whole:
            why = "The file has another digest. If parts came before this one, hand it in as a new import."
            await self._refuse(file, part, "Repr-Digest", why)
        return whole

    async def _refuse(self, file: Sealing, part: Part, header: str, why: str) -> None:
        await asyncio.to_thread(file.cut, part.offset)
        raise invalid([Fault("header", header, why)])

    def _digest(self) -> bytes:
        digest, piece = hashlib.sha256(), bytearray(FRAME)
        with Sealed(self._path, self._key, self._name) as file:
            while count := file.readinto(piece):
                digest.update(memoryview(piece)[:count])
        return digest.digest()


class Locks:
    """One part of one file at a time, in this process."""

    def __init__(self) -> None:
        """Nothing comes in yet."""
        self._held: set[str] = set()

    async def alone(self, id: str, work: Callable[[], Awaitable[tuple[int, bytes | None]]]) -> tuple[int, bytes | None]:
        """Do it, if nothing else is done for this one.

        Raises:
            Problem: conflict.
        """
        if id in self._held:
            detail = "Another part of this file is just coming in, or its connection has not ended yet."
            raise Problem("conflict", detail, headers={"Retry-After": "5"})
        self._held.add(id)
        try:
            return await work()
        finally:
            self._held.discard(id)
