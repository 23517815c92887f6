"""One request for a list: what it asks of which view, and what follows for tags and addresses."""

import hashlib
from dataclasses import dataclass

from app.catalogue import negotiate
from app.catalogue.answer import Request
from app.catalogue.asked import Asked
from app.core.db import Rows


@dataclass(slots=True)
class Run:
    """One request for a list."""

    request: Request
    view: int
    one: str
    asked: Asked
    digest: bytes
    format: str
    base: str
    path: str

    def etag(self, generation: int) -> str:
        """Return the entity tag: it stands for the whole question, its format, and the generation of the view."""
        whole = b"1|%d|%d|" % (self.view, generation) + self.digest + self.asked.canonical
        whole += f"|{self.format}|{self.base}".encode()
        return f'"{hashlib.blake2b(whole, digest_size=12).hexdigest()}"'

    @property
    def coding(self) -> str | None:
        """In which coding a file is made; the larger ones are packed as they are."""
        return None if self.format in negotiate.LARGE else self.request.accepted.best

    async def shown(self, rows: Rows) -> None:
        """Tell who keeps an account which records are about to be sent."""
        if self.request.trail is not None:
            await self.request.shown([row[2] for row in rows])

    def address(self, cursor: str | None) -> str:
        """Return the address of a page."""
        query = "&".join(part for part in (self.asked.kept, f"cursor={cursor}" if cursor else "") if part)
        return f"{self.base}{self.path}?{query}" if query else self.base + self.path
