"""Handling: from a request to one transaction at the desk, and from what came of it to the answer."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from app.access.caller import Identity
from app.core import moments
from app.core.answer import CLOSED, Answer, Header, Receive, Request, private
from app.core.bodies import MERGE_PATCH
from app.core.problems import Fault, Problem, not_found
from app.intake.explaining import disclosure
from app.intake.objecting import Unobjectable, objecting
from app.intake.retract import withdrawing
from app.intake.submit import Asker
from app.intake.write import Writer
from app.records import Kind
from app.records.base import Words
from app.writing import kept
from app.writing.acts import Became, Done, Foreseen, Place, carried_out, foretold, shown
from app.writing.asked import Wishes, body, wishes
from app.writing.desk import Desk
from app.writing.recipients import recipients

T = TypeVar("T")
WHO = ("contribute", "steward")  # either revises what is there; only the first submits what is new
_WORDS: TypeAdapter[str] = TypeAdapter(Words)
_MINIMAL: Header = (b"preference-applied", b"return=minimal")


@dataclass(frozen=True)
class Asking:
    """One request: of which kind, at which id, by whom."""

    request: Request
    receive: Receive
    kind: Kind
    id: str | None
    who: Identity
    asker: Asker

    @property
    def place(self) -> Place:
        """Where it writes."""
        return Place(self.kind, self.id, self.asker, "contribute" in self.who.roles)


Handler = Callable[[Asking], Awaitable[Answer]]
Work = Callable[[Writer, Connection, int, int], Done]


class Writing:
    """The handlers of every address that writes, and of what owners read."""

    def __init__(self, desk: Desk, repeating: "Repeating") -> None:
        """Have the work done at a desk, and once for each key of a request."""
        self._desk, self._repeating = desk, repeating

    # --- POST, PUT, PATCH, DELETE ---

    async def post(self, asking: Asking) -> Answer:
        """Take a new record."""
        asked = wishes(asking.request, ("dry_run",))
        raw, content = await body(asking.request, asking.receive)
        place = asking.place

        draft = await self._desk.think(lambda writer: place.draft(writer, content))

        def adding(writer: Writer, connection: Connection) -> Any:
            place.added(connection, draft)
            return draft, place.plan(connection, writer, draft)

        if asked.dry_run:
            return foreseen(
                201,
                await self._desk.look(lambda writer, connection: _foretell(writer, connection, adding, place.asker)),
            )
        return await self._repeating.answer(asking, asked, raw, lambda *given: _carry_out(given, adding))

    async def put(self, asking: Asking) -> Answer:
        """Take a whole record under an id: what is there is revised, what is not is made."""
        asked = wishes(asking.request, ("dry_run",))
        _, content = await body(asking.request, asking.receive)
        place = asking.place

        draft = await self._desk.think(lambda writer: place.draft(writer, content))

        def putting(writer: Writer, connection: Connection) -> Any:
            place.put(connection, writer, asked)
            return draft, place.plan(connection, writer, draft)

        return await self._revise(asking, asked, putting)

    async def patch(self, asking: Asking) -> Answer:
        """Change some members of a record as it was submitted."""
        asked = wishes(asking.request, ("dry_run",))
        _, changes = await body(asking.request, asking.receive, MERGE_PATCH)
        place = asking.place

        def patching(writer: Writer, connection: Connection) -> Any:
            draft = place.draft(writer, place.patched(connection, writer, asked, changes))
            return draft, place.plan(connection, writer, draft)

        return await self._revise(asking, asked, patching)

    async def _revise(self, asking: Asking, asked: Wishes, revising: Callable[[Writer, Connection], Any]) -> Answer:
        if asked.dry_run:
            found = await self._desk.look(
                lambda writer, connection: _foretell(writer, connection, revising, asking.asker)
            )
            return foreseen(201 if found.became == "created" else 200, found)
        done = await self._desk.write(lambda *given: _carry_out(given, revising))
        return answered(asking, done, asked.minimal)

    async def delete(self, asking: Asking) -> Answer:
        """Take a record back: it leaves every view; the vault keeps it, and the reason."""
        asked = wishes(asking.request, ("dry_run", "reason"))
        reason, place = await reason_of(asking, asked), asking.place

        def foreseeing(writer: Writer, connection: Connection) -> Foreseen:
            addition = place.taken(connection, writer, asked, reason)
            before = place.own(connection, writer)
            return Foreseen("retracted", before.submitted, (), shown(connection, writer, addition, place.asker))

        def taking(writer: Writer, connection: Connection, at: int, size: int) -> None:
            writer.append(connection, at, size, [place.taken(connection, writer, asked, reason)])

        if asked.dry_run:
            return foreseen(204, await self._desk.look(foreseeing))
        await self._desk.write(taking)
        return Answer(204, [*CLOSED, *([_MINIMAL] if asked.minimal else [])])

    # --- what ends use at once: no form of the record has to be known for it ---

    async def withdraw(self, asking: Asking) -> Answer:
        """End all use of a record, as the person asks."""
        asked = wishes(asking.request, ())
        _, content = await body(asking.request, asking.receive)
        reason, place = members(content, ("reason",))["reason"], asking.place
        owner = asking.asker.organisation

        def withdrawn(writer: Writer, connection: Connection, at: int, size: int) -> Done:
            before = place.own(connection, writer)
            asked.hold(before.tag, needed=False)
            was = withdrawing(writer, before.id, owner, reason)(connection, at, size)
            return Done("revised" if was else "unchanged", place.own(connection, writer))

        return answered(asking, await self._desk.write(withdrawn), asked.minimal)

    async def objected(self, asking: Asking) -> Answer:
        """Carry out what a published person objects to, or lift it."""
        asked = wishes(asking.request, ())
        _, content = await body(asking.request, asking.receive)
        stated, place = members(content, ("to", "reason")), asking.place
        if stated["to"] not in ("record", "name", "nothing"):
            raise _wrong("to", "It is record, name or nothing (the objection is lifted).")
        owner = asking.asker.organisation

        def object_to(writer: Writer, connection: Connection, at: int, size: int) -> tuple[Done, list[str]]:
            before = place.own(connection, writer)
            asked.hold(before.tag, needed=False)
            work = objecting(writer, before.id, owner, stated["to"], stated["reason"])  # type: ignore[arg-type]
            try:
                found = work(connection, at, size)
            except Unobjectable as error:
                raise Problem("conflict", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
            resting = _own(connection, writer, found.resting if found else (), asking.asker)
            became: Became = "revised" if found is not None and found.changed else "unchanged"
            return Done(became, place.own(connection, writer)), resting

        done, resting = await self._desk.write(object_to)
        return answered(asking, done, asked.minimal, {"resting": resting})

    # --- what an owner reads ---

    async def submitted(self, asking: Asking) -> Answer:
        """Answer with a record as it was submitted, and the tag that a change has to state."""
        wishes(asking.request, ())
        found = await self._desk.look(lambda writer, connection: asking.place.own(connection, writer))
        etag = (b"etag", found.tag.encode())
        if asking.request.has(found.tag) or asking.request.has_any:
            return Answer(304, [*CLOSED, etag])
        asking.request.scope[TELLS] = found.id
        return private(200, found.as_json(), [etag])

    async def disclosed(self, asking: Asking) -> Answer:
        """Answer with what each view gets of a record, and which rule said so."""
        wishes(asking.request, ())

        def explaining(writer: Writer, connection: Connection) -> Any:
            asking.place.own(connection, writer)
            return disclosure(writer, str(asking.id), asker=asking.asker, within=connection)

        found = await self._desk.look(explaining)
        if found is None:
            raise not_found()
        text = found.model_dump_json().encode()
        etag = f'"{hashlib.blake2b(b"disclosure|" + text, digest_size=12).hexdigest()}"'
        if asking.request.has(etag) or asking.request.has_any:
            return Answer(304, [*CLOSED, (b"etag", etag.encode())])
        asking.request.scope[TELLS] = found.id
        return private(200, orjson.loads(text), [(b"etag", etag.encode())])

    async def recipients(self, asking: Asking) -> Answer:
        """Answer with who has read a record, whatever became of it, and who says that it is gone."""
        wishes(asking.request, ())
        asking.who.require("steward")

        def reading(writer: Writer, connection: Connection) -> Any:
            head = writer.vault.heads(connection, [str(asking.id)]).get(str(asking.id))
            if head is None or (head.kind, head.owner) != (asking.kind.name, asking.asker.organisation):
                asking.place.own(connection, writer)  # as whatever else is asked of a record of others
                raise not_found()
            return recipients(connection, str(asking.id), head.owner, moments.now())

        items = await self._desk.look(reading)
        return private(200, {"items": items, "next": None, "total": len(items)})


def _foretell(
    writer: Writer, connection: Connection, work: Callable[[Writer, Connection], Any], asker: Asker
) -> Foreseen:
    draft, plan = work(writer, connection)
    return foretold(connection, writer, draft, plan, asker)


def _carry_out(given: tuple[Writer, Connection, int, int], work: Callable[[Writer, Connection], Any]) -> Done:
    writer, connection, at, size = given
    draft, plan = work(writer, connection)
    return carried_out(connection, writer, at, size, draft, plan)


class Repeating:
    """Carries out requests that may come again, each once."""

    def __init__(self, desk: Desk) -> None:
        """Have the work done at a desk."""
        self._desk = desk
        self._going: set[tuple[str, bytes]] = set()

    async def answer(self, asking: Asking, asked: Wishes, raw: bytes, work: Work) -> Answer:
        """Answer what a request asks; where it came before with the same key, as it was answered then.

        Raises:
            Problem: conflict, while that one is under way; invalid-request, where it was another one.
        """
        if asked.key is None:
            return answered(asking, await self._desk.write(work), asked.minimal)
        request = self.asked(asking.request, asking.asker.organisation, asked.key, raw)
        kept_answer = await self.once(request, lambda: self._desk.write(lambda *given: _once(given, request, work)))
        found = kept_answer["body"]
        return _answer(asking, _status(found["outcome"]), found["id"], kept_answer["tag"], found, asked.minimal)

    def asked(self, request: Request, organisation: str, key: str, raw: bytes) -> kept.Asked:
        """Return a request with a key and a body as it is kept."""
        return kept.asked(self._desk.master, organisation, key, request.scope["path"], raw)

    async def once(self, request: kept.Asked, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work of a request, and not that of another with its key meanwhile.

        Raises:
            Problem: conflict, while that one is under way.
        """
        if request[:2] in self._going:
            detail = "The request that first came with this Idempotency-Key is under way."
            raise Problem("conflict", detail, headers={"Retry-After": "1"})
        self._going.add(request[:2])
        try:
            return await work()
        finally:
            self._going.discard(request[:2])


def _once(given: tuple[Writer, Connection, int, int], request: kept.Asked, work: Work) -> dict[str, Any]:
    """Return what was answered to a request before; or carry it out, and keep what is answered."""
    writer, connection, at, _ = given
    if (before := kept.answered(connection, writer.vault.keys, request, at)) is not None:
        return before
    done = work(*given)
    answer = {"tag": done.after.tag, "body": _body(done)}
    kept.keep(connection, writer.vault.keys, request, at, done.after.id, answer)
    return answer


def _own(connection: Connection, writer: Writer, ids: tuple[str, ...], asker: Asker) -> list[str]:
    """Return those of some records that an asker holds, or is shown."""
    heads = writer.vault.heads(connection, ids)
    writer.world.learn(connection, ids)
    seen = writer.world.views_of
    return [id for id in ids if heads[id].owner == asker.organisation or seen(id) & asker.views]


# --- answers ---


def _body(done: Done) -> dict[str, Any]:
    return {**done.after.as_json(), "outcome": done.became, "warnings": [one.as_json() for one in done.warnings]}


def _status(became: str) -> int:
    return 201 if became == "created" else 200


def answered(asking: Asking, done: Done, minimal: bool, more: Mapping[str, Any] | None = None) -> Answer:
    """Return the answer that tells what became of a write."""
    content = {**_body(done), **(more or {})}
    return _answer(asking, _status(done.became), done.after.id, done.after.tag, content, minimal)


def _answer(asking: Asking, status: int, id: str, tag: str, content: Any, minimal: bool) -> Answer:
    headers: list[Header] = [(b"etag", tag.encode())]
    if status == 201:
        headers.append((b"location", f"/v1/{asking.kind.path}/{id}".encode()))
    if minimal:
        return Answer(201 if status == 201 else 204, [*CLOSED, *headers, _MINIMAL])
    asking.request.scope[TELLS] = id
    return private(status, content, headers)


TELLS = "writing.tells"  # of a request's scope: the record that its answer shows whole


def foreseen(status: int, found: Foreseen) -> Answer:
    """Return the answer that tells what would become of a write."""
    content = {
        "dry_run": True,
        "status": status,
        "outcome": found.became,
        "record": found.record,
        "warnings": [one.as_json() for one in found.warnings],
        "views": found.views,
    }
    return private(200, content)


# --- small bodies ---


def members(content: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Return the members of a small body, each of them a text.

    Raises:
        Problem: invalid-request.
    """
    wrong = [name for name in content if name not in names]
    if wrong:
        detail = f"Its members are: {', '.join(names)}."
        raise Problem("invalid-request", detail, (Fault("body", "", detail),))
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = _WORDS.validate_python(content.get(name), strict=True)
        except ValidationError:
            raise _wrong(name, "It is required: a text of 1 to 20000 characters.") from None
        if not found[name].strip():
            raise _wrong(name, "It is empty.")
    return found


async def reason_of(asking: Asking, asked: Wishes) -> str:
    """Return why, as the body or the parameter says.

    Raises:
        Problem: invalid-request.
    """
    headers = asking.request.headers
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    if asked.reason is not None and not has_body:
        return members({"reason": asked.reason}, ("reason",))["reason"]
    _, content = await body(asking.request, asking.receive) if has_body else (b"", {})
    if asked.reason is not None:
        raise _wrong("reason", "State it once: in the body, or as a parameter.")
    return members(content, ("reason",))["reason"]


def _wrong(name: str, detail: str) -> Problem:
    return Problem("invalid-request", detail, (Fault("body", f"/{name}", detail),))
