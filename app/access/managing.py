"""Managing over HTTP: organisations and credentials, as far as the caller's own organisation goes; what one may do."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.acts import By
from app.access.bodies import Body, wrong
from app.access.caller import ROLES, Identity
from app.access.keys import MOST_NAME, MOST_OVERLAP, Keys, Unknown, Wanted, Wrong
from app.core.answer import Answer, Request, private
from app.core.moments import iso
from app.core.problems import Problem, invalid, not_found
from app.records.base import WORD

T = TypeVar("T")
Name = Annotated[str, Field(min_length=1, max_length=MOST_NAME)]
ViewName = Annotated[str, Field(max_length=200, examples=["partner/research"])]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewOrganisation(_Model):
    """An organisation to be made."""

    id: Annotated[str, Field(pattern=WORD, examples=["example-ngo"])]
    name: Name
    views: Annotated[list[ViewName], Field(max_length=16)] = []


class ChangedOrganisation(_Model):
    """The views that an organisation has from now on."""

    views: Annotated[list[ViewName], Field(max_length=16)]


class NewKey(_Model):
    """A credential to be made."""

    name: Annotated[Name, Field(description="Who uses it, and what for.", examples=["Our map, on the web server"])]
    organisation: Annotated[str | None, Field(description="Without it the caller's own.", pattern=WORD)] = None
    kind: Literal["key", "client", "subject"] = "key"
    roles: Annotated[list[Literal["read", "contribute", "steward", "admin"]], Field(max_length=4)] = ["read"]
    views: Annotated[list[ViewName], Field(max_length=16)] = []
    expires: Annotated[
        AwareDatetime | None, Field(description="When it ends.", strict=False, examples=["2027-11-24T00:00:00Z"])
    ] = None
    issuer: Annotated[str | None, Field(max_length=500, description="Of a subject: its outside issuer.")] = None
    subject: Annotated[str | None, Field(max_length=500, description="Of a subject: its name there.")] = None


class Rotation(_Model):
    """How long the former secret of a credential still holds."""

    overlap_hours: Annotated[int, Field(ge=0, le=MOST_OVERLAP)] = 24


class Managing:
    """Organisations and credentials over HTTP. Every act demands `admin`; another organisation's, the operator's."""

    def __init__(self, keys: Keys) -> None:
        """Manage what a database holds."""
        self._keys = keys

    # --- credentials ---

    async def list_keys(self, _: Request, who: Identity, __: Body, ___: str) -> Answer:
        """Answer with the credentials of the caller's organisation, or with all to the operator."""
        reach = _reach(who)
        return _listed([shown_key(one) for one in await _do(lambda: self._keys.credentials(reach))])

    async def create_key(self, _: Request, who: Identity, body: Body, __: str) -> Answer:
        """Make a credential; its secret is in this answer and in no other."""
        reach = _reach(who)
        asked = await body.json(NewKey)
        organisation = asked.organisation or str(who.organisation)
        if reach not in (None, organisation):
            raise _operators("to make credentials of another organisation")
        wanted = Wanted(
            organisation,
            asked.name,
            asked.kind,
            asked.roles,
            asked.views,
            None if asked.expires is None else int(asked.expires.timestamp() * 1000),
            asked.issuer,
            asked.subject,
        )
        row, text = await _do(lambda: self._keys.create(wanted, _by(who)))
        return _made(row, text)

    async def get_key(self, _: Request, who: Identity, __: Body, id: str) -> Answer:
        """Answer with one credential."""
        reach = _reach(who)
        return private(200, shown_key(await _do(lambda: self._keys.credential(id, reach))))

    async def rotate_key(self, _: Request, who: Identity, body: Body, id: str) -> Answer:
        """Give a credential a new secret."""
        reach = _reach(who)
        overlap = (await body.json(Rotation)).overlap_hours
        row, text = await _do(lambda: self._keys.rotate(id, overlap, reach, _by(who)))
        return private(200, shown_key(row) | {"secret": text})

    async def revoke_key(self, _: Request, who: Identity, __: Body, id: str) -> Answer:
        """End a credential at once."""
        reach = _reach(who)
        return private(200, shown_key(await _do(lambda: self._keys.revoke(id, reach, _by(who)))))

    # --- organisations ---

    async def list_organisations(self, _: Request, who: Identity, __: Body, ___: str) -> Answer:
        """Answer with the caller's organisation, or with all to the operator."""
        reach = _reach(who)
        rows = await _do(lambda: self._keys.organisations() if reach is None else [self._keys.organisation(reach)])
        return _listed([shown_organisation(row) for row in rows])

    async def create_organisation(self, _: Request, who: Identity, body: Body, __: str) -> Answer:
        """Make an organisation."""
        if _reach(who) is not None:
            raise _operators("to make organisations")
        asked = await body.json(NewOrganisation)
        row = await _do(lambda: self._keys.create_organisation(asked.id, asked.name, asked.views, by=_by(who)))
        answer = private(201, shown_organisation(row))
        answer.headers.append((b"location", f"/v1/organisations/{row['id']}".encode()))
        return answer

    async def get_organisation(self, _: Request, who: Identity, __: Body, id: str) -> Answer:
        """Answer with one organisation."""
        if _reach(who) not in (None, id):
            raise not_found()
        return private(200, shown_organisation(await _do(lambda: self._keys.organisation(id))))

    async def change_organisation(self, _: Request, who: Identity, body: Body, id: str) -> Answer:
        """Say anew which views an organisation may have."""
        if _reach(who) is not None:
            raise _operators("to say which views an organisation may have")
        views = (await body.json(ChangedOrganisation)).views
        return private(200, shown_organisation(await _do(lambda: self._keys.change_views(id, views, _by(who)))))

    async def revoke_organisation(self, _: Request, who: Identity, __: Body, id: str) -> Answer:
        """End every credential of an organisation at once."""
        if _reach(who) is not None:
            raise _operators("to end an organisation")
        return private(200, shown_organisation(await _do(lambda: self._keys.revoke_organisation(id, _by(who)))))


async def me(_: Request, who: Identity, __: Body, ___: str) -> Answer:
    """Answer with what the caller is, may and may not."""
    views = [{"audience": one.audience, "purpose": one.purpose} for one in who.views]
    credential = None
    if who.credential is not None:
        credential = {"id": who.credential, "kind": who.kind, "name": who.name, "expires": _moment(who.expires)}
    return private(
        200,
        {
            "organisation": who.organisation,
            "operator": who.operator,
            "credential": credential,
            "roles": [role for role in ROLES if role in who.roles],
            "views": views,
            "purpose_needed": len(views) > 1,
            "may": [{"role": role, "to": what} for role, what in ROLES.items() if role in who.roles],
            "may_not": [{"role": role, "to": what} for role, what in ROLES.items() if role not in who.roles],
        },
    )


def _reach(who: Identity) -> str | None:
    """Return the organisation whose credentials the caller manages; None: every one.

    Raises:
        Problem: unauthenticated, or forbidden without the right `admin`.
    """
    who.require("admin")
    return None if who.operator else str(who.organisation)


def _operators(what: str) -> Problem:
    return Problem("forbidden", f"This needs the right 'admin' of the operator, {what}. Yours is of your organisation.")


def _by(who: Identity) -> By:
    return By(who.organisation, who.credential)


async def _do(act: Callable[[], T]) -> T:
    """Run an act in a thread: it may have to wait for its turn to write.

    Raises:
        Problem: not-found, or invalid-request with a pointer to the field.
    """
    try:
        return await asyncio.to_thread(act)
    except Unknown:
        raise not_found() from None
    except Wrong as fault:
        raise invalid([wrong([fault.field], str(fault))]) from None


def _moment(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)


def _named(views: list[dict[str, Any]]) -> list[str]:
    return [f"{one['audience']}/{one['purpose']}" for one in views]


def shown_organisation(row: dict[str, Any]) -> dict[str, Any]:
    """Return an organisation as an answer shows it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "operator": row["operator"],
        "views": _named(row["views"]),
        "created": iso(row["created"]),
        "revoked": _moment(row["revoked"]),
    }


def shown_key(row: dict[str, Any]) -> dict[str, Any]:
    """Return a credential as an answer shows it: of its secrets the prefixes alone."""
    secrets = [
        {"prefix": one["prefix"], "created": iso(one["created"]), "expires": _moment(one["expires"])}
        for one in row["secrets"]
    ]
    return {
        "id": row["id"],
        "organisation": row["organisation"],
        "kind": row["kind"],
        "name": row["name"],
        "roles": row["roles"],
        "views": _named(row["views"]),
        "created": iso(row["created"]),
        "expires": _moment(row["expires"]),
        "revoked": _moment(row["revoked"]),
        "issuer": row["issuer"],
        "subject": row["subject"],
        "secrets": secrets,
    }


def _listed(items: list[dict[str, Any]]) -> Answer:
    return private(200, {"items": items, "next": None, "total": len(items)})


def _made(row: dict[str, Any], text: str | None) -> Answer:
    answer = private(201, shown_key(row) | {"secret": text})
    answer.headers.append((b"location", f"/v1/keys/{row['id']}".encode()))
    return answer
