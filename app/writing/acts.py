"""The acts on one record: each is held to what is on record within the transaction that carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Connection, select

from app.core.ids import is_opaque
from app.core.problems import Fault, Problem, not_found
from app.intake.explaining import foreseen
from app.intake.retract import changed
from app.intake.standing import Standing, standing
from app.intake.submit import Asker, Draft, Intake, Outcome, Refused
from app.intake.write import Writer
from app.records import BY_NAME, Kind
from app.vault.append import Addition
from app.vault.tables import GONE, RECORD
from app.writing import faults
from app.writing.asked import Wishes, merged

Became = Literal["created", "revised", "unchanged", "retracted", "merged", "unmerged"]


@dataclass(frozen=True)
class Done:
    """What became of a write: the record after it, and what a person should look at again."""

    became: Became
    after: Standing
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Foreseen:
    """What would become of a write, and what every view would be shown."""

    became: Became
    record: Mapping[str, Any]
    warnings: tuple[Fault, ...]
    views: list[Mapping[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where somebody writes: a kind, the id in the address (None: there is none), and who it is.

    Attributes:
        creates: whether the caller may submit what is not there yet.
    """

    kind: Kind
    id: str | None
    asker: Asker
    creates: bool

    def draft(self, writer: Writer, content: Mapping[str, Any]) -> Draft:
        """Return a record that was sent, validated and with its id.

        Raises:
            Problem: invalid-request.
        """
        stated = {"kind": self.kind.name, **content}
        if self.id is not None:
            stated = {"id": self.id, **stated}
            if stated["id"] != self.id:
                raise _invalid("id", "It is not the id in the address.")
        if stated["kind"] != self.kind.name:
            raise _invalid("kind", f"Here it is {self.kind.name}.")
        try:
            model = self.kind.model.model_validate(stated)
            draft = Intake(writer).draft(model, self.asker.organisation)
        except ValidationError as error:
            raise faults.of_model(self.kind.name, error) from None
        except Refused as error:
            raise faults.of_refusals(stated, error) from None
        if self.id is None and is_opaque(draft.id) and content.get("id") is not None:
            raise _invalid("id", "Ids of this form are drawn by the service: leave it out. `slug` names it for you.")
        return draft

    def met(self, connection: Connection, writer: Writer) -> Standing | None:
        """Return the caller's own record under the id, or None where nobody has one.

        Raises:
            Problem: not-found for one of others that the caller is not shown, as if there were none; forbidden for one
                that it is shown.
        """
        c = RECORD.c
        row = connection.execute(select(c.kind, c.owner, c.state, c.views).where(c.id == self.id)).first()
        if row is None:
            return None
        if row.owner != self.asker.organisation:
            if row.kind == self.kind.name and row.views & self.asker.views:
                raise Problem("forbidden", _OTHERS)
            raise not_found()
        if row.kind != self.kind.name or row.state == "erased":
            raise not_found()
        return standing(connection, writer, str(self.id))

    def own(self, connection: Connection, writer: Writer) -> Standing:
        """Return the caller's own record under the id.

        Raises:
            Problem: not-found, forbidden.
        """
        found = self.met(connection, writer)
        if found is None:
            raise not_found()
        return found

    # --- what is to be appended ---

    def added(self, connection: Connection, draft: Draft) -> None:
        """Hold a new record to its id being free.

        Raises:
            Problem: conflict.
        """
        c = RECORD.c
        row = connection.execute(select(c.owner, c.state).where(c.id == draft.id)).first()
        if row is None or (row.owner == self.asker.organisation and row.state == "erased"):
            return  # what was erased is refused as ever
        mine = f"You submitted this as {draft.id} before: read it with /submitted, and revise it by PUT or PATCH."
        taken = "This id is taken. Choose another one."
        raise Problem("conflict", mine if row.owner == self.asker.organisation else taken)

    def put(self, connection: Connection, writer: Writer, wishes: Wishes) -> None:
        """Hold a whole record, put under an id, to what is there.

        Raises:
            Problem: not-found, forbidden, precondition-failed, precondition-required.
        """
        before = self.met(connection, writer)
        if before is not None:
            wishes.hold(before.tag)
            _stands_for_itself(before)
        elif not self.creates or wishes.if_match is not None or self.kind.opaque or is_opaque(str(self.id)):
            raise not_found()

    def patched(
        self, connection: Connection, writer: Writer, wishes: Wishes, patch: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the content that a merge patch makes of the caller's record.

        Raises:
            Problem: not-found, forbidden, precondition-failed, precondition-required, conflict.
        """
        before = self.own(connection, writer)
        wishes.hold(before.tag)
        _stands_for_itself(before)
        if before.state == "retracted":  # who changes a part of it may not know, and would show all of it again
            raise Problem("conflict", "It was taken back. PUT with the whole record brings it back.")
        content: Mapping[str, Any] = merged(before.submitted, patch)
        return content

    def plan(self, connection: Connection, writer: Writer, draft: Draft) -> tuple[Outcome, list[Addition]]:
        """Return what would become of a draft, and what is to be appended.

        Raises:
            Problem: invalid-request.
        """
        try:
            return Intake(writer).plan(connection, [draft], self.asker.organisation, asker=self.asker)
        except Refused as error:
            raise faults.of_refusals(draft.content, error) from None

    def taken(self, connection: Connection, writer: Writer, wishes: Wishes, reason: str) -> Addition:
        """Return the revision by which the caller's record is taken back.

        Raises:
            Problem: not-found, forbidden, precondition-failed, precondition-required, conflict.
        """
        before = self.own(connection, writer)
        wishes.hold(before.tag)
        if before.state in GONE:
            raise Problem("conflict", "It was taken back before.")
        _stands_for_itself(before)
        stored = writer.vault.read(connection, [before.id])[before.id]
        return changed(stored, "retracted", {"retraction": {"reason": reason}})


def _stands_for_itself(record: Standing) -> None:
    """Refuse to change a record that was merged into another one: nobody would see it.

    Raises:
        Problem: conflict.
    """
    if record.merged_into is not None:
        detail = f"It was merged into {record.merged_into}: change that one, or undo the merger first."
        raise Problem("conflict", detail, headers={"Location": f"/v1/{BY_NAME[record.kind].path}/{record.merged_into}"})


def carried_out(connection: Connection, writer: Writer, at: int, size: int, draft: Draft, plan: Any) -> Done:
    """Append what was planned, and return what became of it."""
    outcome, additions = plan
    writer.append(connection, at, size, additions)
    after = standing(connection, writer, draft.id)
    assert after is not None  # noqa: S101 - it was just written, or was there
    return Done(_became(outcome), after, _warnings(outcome))


def foretold(connection: Connection, writer: Writer, draft: Draft, plan: Any, asker: Asker) -> Foreseen:
    """Return what would become of what was planned."""
    outcome, additions = plan
    if not additions:
        now = standing(connection, writer, draft.id)
        assert now is not None  # noqa: S101 - it is there, and unchanged
        stored = writer.vault.read(connection, [draft.id])[draft.id]
        additions = [changed(stored, now.state, {})]
    views = shown(connection, writer, additions[0], asker)
    return Foreseen(_became(outcome), draft.content, _warnings(outcome), views)


def shown(connection: Connection, writer: Writer, addition: Addition, asker: Asker) -> list[Mapping[str, Any]]:
    """Return what every view would be shown of a record with this revision, as far as its owner may know."""
    return [one.model_dump(mode="json") for one in foreseen(connection, writer, addition, asker).views]


def _became(outcome: Outcome) -> Became:
    return "created" if outcome.created else "revised" if outcome.revised else "unchanged"


def _warnings(outcome: Outcome) -> tuple[Fault, ...]:
    return tuple(
        Fault("body", faults.pointer(doubt.field.split(".")), f"It {doubt.reason}.") for _, doubt in outcome.doubts
    )


def _invalid(name: str, detail: str) -> Problem:
    return Problem("invalid-request", detail, (Fault("body", f"/{name}", detail),))


_OTHERS = (
    "This needs the right 'contribute' or 'steward' of the organisation that holds the record: its `owner`. Yours is "
    "of your organisation."
)
