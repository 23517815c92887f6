"""Merging over HTTP: one record of one's own is another one of one's own; and the way back."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from app.core.answer import Answer
from app.core.problems import Fault, Problem
from app.intake.merging import ACCOUNTS, Unmergeable, merge, planned, unmerge, unmerging
from app.intake.write import Writer
from app.vault.append import Addition
from app.writing.acts import Done, Foreseen, Place, shown
from app.writing.asked import Wishes, body, wishes
from app.writing.desk import Desk
from app.writing.handling import Asking, Repeating, answered, foreseen, members, reason_of


@dataclass(frozen=True)
class Merger:
    """What is to become one: where the one is, the survivor's id, and why."""

    place: Place
    into: str
    reason: str

    def plan(self, connection: Connection, writer: Writer, asked: Wishes) -> Addition:
        """Return the revision by which the one is merged.

        Raises:
            Problem: not-found and forbidden for either, precondition-failed, precondition-required, conflict.
        """
        before = self.place.own(connection, writer)
        asked.hold(before.tag)
        survivor = replace(self.place, id=self.into).own(connection, writer)
        stored = writer.vault.read(connection, [before.id, survivor.id])
        try:
            return planned(connection, writer, stored[before.id], stored[survivor.id], self.reason)
        except Unmergeable as error:
            raise Problem("conflict", str(error)) from None


class Merging:
    """The handlers of `/v1/{kind}/{id}/merge`."""

    def __init__(self, desk: Desk, repeating: Repeating) -> None:
        """Have the work done at a desk, and once for each key of a request."""
        self._desk, self._repeating = desk, repeating

    async def merge(self, asking: Asking) -> Answer:
        """Merge a record into another one."""
        asked = wishes(asking.request, ("dry_run",))
        raw, content = await body(asking.request, asking.receive)
        if asking.kind.name == "testimony":
            raise Problem("invalid-request", ACCOUNTS, (Fault("body", "/into", ACCOUNTS),))
        stated = members(content, ("into", "reason"))
        merger = Merger(asking.place, stated["into"], stated["reason"])

        def foreseeing(writer: Writer, connection: Connection) -> Foreseen:
            addition = merger.plan(connection, writer, asked)
            before = asking.place.own(connection, writer)
            return Foreseen("merged", before.submitted, (), shown(connection, writer, addition, asking.asker))

        def merging(writer: Writer, connection: Connection, at: int, size: int) -> Done:
            merge(connection, writer, at, size, merger.plan(connection, writer, asked))
            return Done("merged", asking.place.own(connection, writer))

        if asked.dry_run:
            return foreseen(200, await self._desk.look(foreseeing))
        return await self._repeating.answer(asking, asked, raw, merging)

    async def unmerge(self, asking: Asking) -> Answer:
        """Have a record stand for itself again."""
        asked = wishes(asking.request, ("reason",))
        reason, place = await reason_of(asking, asked), asking.place

        def unmerged(writer: Writer, connection: Connection, at: int, size: int) -> Done:
            before = place.own(connection, writer)
            asked.hold(before.tag)
            if before.merged_into is None:
                raise Problem("conflict", "It was merged into no other record.")
            stored = writer.vault.read(connection, [before.id])[before.id]
            unmerge(connection, writer, at, size, unmerging(stored, reason))
            return Done("unmerged", place.own(connection, writer))

        return answered(asking, await self._desk.write(unmerged), asked.minimal)
