"""Organisations and their credentials: made, listed, rotated, revoked; each act in one transaction, with its record."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select, update

from app.access import acts, secret
from app.access.caller import COMMAND, ROLES, Allowed
from app.access.tables import (
    CREDENTIAL,
    CREDENTIAL_VIEW,
    ORGANISATION,
    ORGANISATION_VIEW,
    SECRET,
    VIEW,
)
from app.core import ids, moments
from app.core.db import Database
from app.core.problems import nearest

T = TypeVar("T")
KINDS = ("key", "client", "subject")
HOUR = 3_600_000  # milliseconds
MOST_OVERLAP = 24 * 30  # hours for which two secrets may hold
MOST_NAME = 200


class Wrong(ValueError):
    """Something cannot be done as it was asked for: in which field, and why."""

    def __init__(self, field: str, why: str) -> None:
        """Name the field."""
        super().__init__(why)
        self.field = field


class Unknown(LookupError):
    """There is no such organisation or credential, as far as the asker may know."""


@dataclass(frozen=True)
class Wanted:
    """A credential that somebody wants: what it may do, how long, and what kind it is."""

    organisation: str
    name: str
    kind: str = "key"
    roles: Sequence[str] = ("read",)
    views: Sequence[str] = ()
    expires: int | None = None
    issuer: str | None = None
    subject: str | None = None


Row = dict[str, Any]


class Keys:
    """The organisations and credentials of one database."""

    def __init__(self, database: Database, clock: Callable[[], int] = moments.now) -> None:
        """Work on a database."""
        self._database = database
        self._clock = clock

    # --- organisations ---

    def create_organisation(
        self, id: str, name: str, views: Iterable[str] = (), operator: bool = False, by: acts.By = acts.OPERATOR
    ) -> Row:
        """Make an organisation, with the views that its credentials may be given.

        Raises:
            Wrong: there is one of this id, or a view is not known; or the id is the one of the operator in the account.
        """
        if id == COMMAND and not operator:
            raise Wrong("id", f"'{COMMAND}' is what the account calls the operator's own commands: choose another id.")

        def work(connection: Connection) -> Row:
            if connection.scalar(select(ORGANISATION.c.id).where(ORGANISATION.c.id == id)) is not None:
                raise Wrong("id", f"There is an organisation '{id}' already.")
            allowed = _named(views, _views(connection, id))
            now = self._clock()
            row = {"id": id, "name": name, "operator": operator, "created": now, "revoked": None}
            connection.execute(insert(ORGANISATION).values(row))
            _give(connection, ORGANISATION_VIEW, id, allowed)
            acts.keep(connection, now, by, "create-organisation", id)
            return _organisation(connection, id)

        return self._database.write(work)

    def change_views(self, id: str, views: Iterable[str], by: acts.By = acts.OPERATOR) -> Row:
        """Say anew which views an organisation may have; its credentials lose the others with their next request.

        Raises:
            Unknown: there is no such organisation.
            Wrong: a view is not known.
        """

        def work(connection: Connection) -> Row:
            _organisation(connection, id)
            allowed = _named(views, _views(connection, id))
            connection.execute(delete(ORGANISATION_VIEW).where(ORGANISATION_VIEW.c.organisation == id))
            _give(connection, ORGANISATION_VIEW, id, allowed)
            acts.keep(connection, self._clock(), by, "change-views", id)
            return _organisation(connection, id)

        return self._database.write(work)

    def revoke_organisation(self, id: str, by: acts.By = acts.OPERATOR) -> Row:
        """End every credential of an organisation at once, for good.

        Raises:
            Unknown: there is no such organisation.
        """

        def work(connection: Connection) -> Row:
            if _organisation(connection, id)["revoked"] is None:
                now = self._clock()
                connection.execute(update(ORGANISATION).where(ORGANISATION.c.id == id).values(revoked=now))
                acts.keep(connection, now, by, "revoke-organisation", id)
            return _organisation(connection, id)

        return self._database.write(work)

    def organisations(self) -> list[Row]:
        """Return every organisation, in the order of their ids."""

        def work(connection: Connection) -> list[Row]:
            found = connection.scalars(select(ORGANISATION.c.id).order_by(ORGANISATION.c.id)).all()
            return [_organisation(connection, id) for id in found]

        return self._database.look(work)

    def organisation(self, id: str) -> Row:
        """Return one organisation.

        Raises:
            Unknown: there is none of this id.
        """
        return self._database.look(lambda connection: _organisation(connection, id))

    # --- credentials ---

    def create(self, wanted: Wanted, by: acts.By = acts.OPERATOR) -> tuple[Row, str | None]:
        """Make a credential; return it, and its secret, which is never shown again (a subject has none).

        Raises:
            Wrong: a right or view that is not known or that the organisation has not, an end in the past.
        """

        def work(connection: Connection) -> tuple[Row, str | None]:
            now = self._clock()
            allowed = _check(connection, wanted, now)
            id = ids.new("crd")
            row = {
                "id": id,
                "organisation": wanted.organisation,
                "kind": wanted.kind,
                "name": wanted.name,
                "roles": " ".join(role for role in ROLES if role in wanted.roles),
                "created": now,
                "expires": wanted.expires,
                "revoked": None,
                "issuer": wanted.issuer,
                "subject": wanted.subject,
            }
            connection.execute(insert(CREDENTIAL).values(row))
            _give(connection, CREDENTIAL_VIEW, id, allowed)
            made = None if wanted.kind == "subject" else _add_secret(connection, id, wanted.kind, now)
            acts.keep(connection, now, by, "create-credential", wanted.organisation, id)
            return _credential(connection, id, None), made

        return self._database.write(work)

    def credentials(self, organisation: str | None = None) -> list[Row]:
        """Return the credentials of an organisation, or of all, without their secrets."""

        def work(connection: Connection) -> list[Row]:
            statement = select(CREDENTIAL.c.id).order_by(CREDENTIAL.c.organisation, CREDENTIAL.c.id)
            if organisation is not None:
                statement = statement.where(CREDENTIAL.c.organisation == organisation)
            return [_credential(connection, id, organisation) for id in connection.scalars(statement).all()]

        return self._database.look(work)

    def credential(self, id: str, organisation: str | None = None) -> Row:
        """Return one credential; of another organisation than a stated one there is none.

        Raises:
            Unknown: there is none.
        """
        return self._database.look(lambda connection: _credential(connection, id, organisation))

    def rotate(
        self, id: str, overlap: int, organisation: str | None = None, by: acts.By = acts.OPERATOR
    ) -> tuple[Row, str]:
        """Give a credential a new secret; the former ones hold for `overlap` hours more.

        Raises:
            Unknown: there is no such credential.
            Wrong: it was revoked, it has no secret, or the overlap is too long.
        """

        def work(connection: Connection) -> tuple[Row, str]:
            found, now = _credential(connection, id, organisation), self._clock()
            if found["revoked"] is not None:
                raise Wrong("id", "This credential was revoked: make a new one.")
            if found["kind"] == "subject":
                raise Wrong("id", "A subject of an outside issuer has no secret here.")
            if not 0 <= overlap <= MOST_OVERLAP:
                raise Wrong("overlap_hours", f"The former secret may hold for 0 to {MOST_OVERLAP} hours more.")
            ends, c = now + overlap * HOUR, SECRET.c
            former = c.credential == id, (c.expires.is_(None)) | (c.expires > ends)
            connection.execute(update(SECRET).where(*former).values(expires=ends))
            made = _add_secret(connection, id, found["kind"], now)
            acts.keep(connection, now, by, "rotate-credential", found["organisation"], id)
            return _credential(connection, id, None), made

        return self._database.write(work)

    def revoke(self, id: str, organisation: str | None = None, by: acts.By = acts.OPERATOR) -> Row:
        """End a credential at once, for good: with the next request of any process, its tokens too.

        Raises:
            Unknown: there is no such credential.
        """

        def work(connection: Connection) -> Row:
            found = _credential(connection, id, organisation)
            if found["revoked"] is None:
                now = self._clock()
                connection.execute(update(CREDENTIAL).where(CREDENTIAL.c.id == id).values(revoked=now))
                acts.keep(connection, now, by, "revoke-credential", found["organisation"], id)
            return _credential(connection, id, None)

        return self._database.write(work)


def _views(connection: Connection, organisation: str) -> list[Allowed]:
    """Return the views that an organisation can be given: of those in which somebody's records are whole its own."""
    own = (VIEW.c.owner.is_(None)) | (VIEW.c.owner == organisation)
    statement = select(VIEW.c.id, VIEW.c.audience, VIEW.c.purpose).where(own, VIEW.c.state != "retired")
    return [Allowed(*row) for row in connection.execute(statement.order_by(VIEW.c.id))]


def _named(names: Iterable[str], among: Sequence[Allowed]) -> list[Allowed]:
    """Return the views that names mean: a number, `partner/research`, or `partner` where there is one such view.

    Raises:
        Wrong: a name means none of the views, or several.
    """
    found: dict[int, Allowed] = {}
    for name in names:
        fit = [one for one in among if name in (one.name, one.audience, str(one.view))]
        if len(fit) != 1:
            known = [one.name for one in among]
            why = (
                f"'{name[:80]}' names several views, which have numbers"
                if fit
                else f"There is no view '{name[:80]}' to give"
            )
            raise Wrong("views", f"{why}; they are: {', '.join(known) or 'none'}. {nearest(name, known)}".rstrip())
        found[fit[0].view] = fit[0]
    return [found[view] for view in sorted(found)]


def _check(connection: Connection, wanted: Wanted, now: int) -> list[Allowed]:
    """Return the views of a wanted credential.

    Raises:
        Wrong: it cannot be made so.
    """
    try:
        organisation = _organisation(connection, wanted.organisation)
    except Unknown:
        raise Wrong("organisation", f"There is no organisation '{wanted.organisation[:80]}'.") from None
    if organisation["revoked"] is not None:
        raise Wrong("organisation", f"The organisation '{wanted.organisation}' was revoked.")
    if wanted.kind not in KINDS:
        raise Wrong("kind", f"A credential is one of: {', '.join(KINDS)}.")
    for role in wanted.roles:
        if role not in ROLES:
            raise Wrong("roles", f"'{role[:80]}' is no right; they are: {', '.join(ROLES)}. {nearest(role, ROLES)}")
    if not 0 < len(wanted.name.strip()) <= MOST_NAME:
        raise Wrong("name", f"A credential has a name of at most {MOST_NAME} letters: who uses it, and what for.")
    if wanted.expires is not None and wanted.expires <= now:
        raise Wrong("expires", "This moment has passed already.")
    stated = bool(wanted.issuer), bool(wanted.subject)
    if stated != (wanted.kind == "subject",) * 2:
        raise Wrong("subject", "A credential of the kind 'subject', and no other, states issuer and subject.")
    if wanted.kind == "subject":
        c = CREDENTIAL.c
        same = c.issuer == wanted.issuer, c.subject == wanted.subject, c.revoked.is_(None)
        if connection.scalar(select(c.id).where(*same)) is not None:
            raise Wrong("subject", "This subject has a credential already.")
    among = [Allowed(**one) for one in organisation["views"]]
    allowed = _named(wanted.views, among)
    if "read" in wanted.roles and not allowed:
        raise Wrong("views", "A credential that may read needs a view to read in.")
    if len({one.purpose for one in allowed}) < len(allowed):
        raise Wrong("views", "Two of these views have the same purpose: make a credential for each.")
    return allowed


def _give(connection: Connection, among: Any, id: str, views: Iterable[Allowed]) -> None:
    rows = [{among.columns.keys()[0]: id, "view": one.view} for one in views]
    if rows:
        connection.execute(insert(among), rows)


def _add_secret(connection: Connection, credential: str, kind: str, now: int) -> str:
    made = secret.make(secret.KEY if kind == "key" else secret.CLIENT)
    row = {"prefix": made.prefix, "credential": credential, "digest": made.digest, "created": now, "expires": None}
    connection.execute(insert(SECRET).values(row))
    return made.text


def _given(connection: Connection, among: Any, id: str) -> list[Row]:
    statement = select(VIEW.c.id, VIEW.c.audience, VIEW.c.purpose).join(among, among.c.view == VIEW.c.id)
    rows = connection.execute(statement.where(among.c[0] == id).order_by(VIEW.c.id))
    return [{"view": view, "audience": audience, "purpose": purpose} for view, audience, purpose in rows]


def _organisation(connection: Connection, id: str) -> Row:
    row = connection.execute(select(ORGANISATION).where(ORGANISATION.c.id == id)).mappings().one_or_none()
    if row is None:
        raise Unknown(id)
    return {**row, "views": _given(connection, ORGANISATION_VIEW, id)}


def _credential(connection: Connection, id: str, organisation: str | None) -> Row:
    row = connection.execute(select(CREDENTIAL).where(CREDENTIAL.c.id == id)).mappings().one_or_none()
    if row is None or organisation not in (None, row["organisation"]):
        raise Unknown(id)
    c = SECRET.c
    rows = connection.execute(select(c.prefix, c.created, c.expires).where(c.credential == id).order_by(c.created))
    secrets = [{"prefix": prefix, "created": created, "expires": expires} for prefix, created, expires in rows]
    views = _given(connection, CREDENTIAL_VIEW, id)
    return {**row, "roles": row["roles"].split(), "views": views, "secrets": secrets}
