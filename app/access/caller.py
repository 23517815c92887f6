"""The caller: who asks, with which rights, and so which view answers. Only this room can make one."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import InitVar, dataclass
from typing import Any

from app.core.problems import Fault, Problem, invalid, nearest

PUBLIC = 0  # the view of everybody: audience `public`, purpose `publication`
AS_SUBMITTED = -1  # no view: the records of one's own organisation, as it submitted them
COMMAND = "operator"  # in the account of reads: who reads by a command, on the machine itself
REALM = 'Bearer realm="evidence"'
# What a credential may be allowed. No role includes another one.
ROLES: dict[str, str] = {
    "read": "read records as one of its views is shown them",
    "contribute": "submit and revise records of its organisation, and read them as submitted",
    "steward": "revise the records of its organisation, and ask what each view is shown of them and who has read them",
    "admin": "make, rotate and revoke the keys of its organisation",
}
_PROOF = object()


class NotMinted(TypeError):
    """Somebody outside this room tried to make a caller."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A view that may be asked: its number, for whom it is made, and what for."""

    view: int
    audience: str
    purpose: str

    @property
    def name(self) -> str:
        """The words by which people name it: `partner/research`."""
        return f"{self.audience}/{self.purpose}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in one view: what every reader of records demands, so that nobody can forget to decide access."""

    organisation: str | None
    credential: str | None
    view: int
    roles: frozenset[str]
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        """Hold the proof that this room made it.

        Raises:
            NotMinted: somebody else did.
        """
        if proof is not _PROOF:
            raise NotMinted("only the room `access` makes callers")


Identify = Callable[[MutableMapping[str, Any]], Caller | Awaitable[Caller]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a credential belongs to, before a view is chosen."""

    organisation: str | None
    credential: str | None
    kind: str | None
    name: str | None
    roles: frozenset[str]
    views: tuple[Allowed, ...]
    operator: bool
    expires: int | None
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        """Hold the proof that this room made it.

        Raises:
            NotMinted: somebody else did.
        """
        if proof is not _PROOF:
            raise NotMinted("only the room `access` says who somebody is")

    def require(self, role: str, *others: str) -> None:
        """Refuse who has neither a right nor one of the others, before anything is read.

        Raises:
            Problem: unauthenticated where there is no credential; else forbidden, naming the right that is missing.
        """
        if not self.roles.isdisjoint((role, *others)):
            return
        right = " or ".join(f"'{one}'" for one in (role, *others))
        if self.credential is None:
            raise unauthenticated(f"This needs a credential with the right {right}.")
        has = f"has: {', '.join(sorted(self.roles))}" if self.roles else "has none"
        raise Problem(
            "forbidden",
            f"This needs the right {right}, to {ROLES[role]}. Your credential {has}.",
            headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{role}"'},
        )

    def as_owner(self) -> Caller:
        """Return the caller as one who reads records of its own organisation as submitted: in no view.

        Raises:
            Problem: unauthenticated, forbidden.
        """
        self.require("contribute", "steward")
        return self._in(AS_SUBMITTED)

    def for_purpose(self, purpose: str | None) -> Caller:
        """Return the caller in the view that the header Purpose names; with one view it may be left out.

        Raises:
            Problem: forbidden without the right to read or without a view; invalid-request where the header is needed
                or names none of the views.
        """
        self.require("read")
        if not self.views:
            raise Problem("forbidden", "Your credential has no view to read in. Ask the operator for one.")
        if purpose is None:
            if len(self.views) > 1:
                names = ", ".join(one.purpose for one in self.views)
                raise _purpose(f"You may read for several purposes: say for which one. They are: {names}.")
            return self._in(self.views[0].view)
        for one in self.views:
            if purpose in (one.purpose, one.name):
                return self._in(one.view)
        known = [one.purpose for one in self.views]
        hint = nearest(purpose, known)
        raise _purpose(f"This is no purpose for which you may read; they are: {', '.join(known)}. {hint}".rstrip())

    def _in(self, view: int) -> Caller:
        return Caller(self.organisation, self.credential, view, self.roles, _PROOF)


def _purpose(detail: str) -> Problem:
    return invalid([Fault("header", "Purpose", detail)])


def identity(
    organisation: str,
    credential: str,
    *,
    kind: str,
    name: str,
    roles: Iterable[str],
    views: Iterable[Allowed],
    operator: bool,
    expires: int | None,
) -> Identity:
    """Return whom a credential that was proved belongs to. Only for this room."""
    return Identity(
        organisation, credential, kind, name, frozenset(roles), tuple(views), operator, expires, proof=_PROOF
    )


def mint(view: int, organisation: str | None = None, credential: str | None = None) -> Caller:
    """Return a caller who reads in a view. Only for this room, and for tests."""
    return Caller(organisation, credential, view, frozenset({"read"}), _PROOF)


def operator(view: int, organisation: str = COMMAND) -> Caller:
    """Return the operator, who reads in a view by a command, on the machine itself. Only for commands.

    With an organisation: who decides for it.
    """
    return Caller(organisation, "command", view, frozenset({"read"}), _PROOF)


ANONYMOUS = mint(PUBLIC)
NOBODY = Identity(
    None,
    None,
    None,
    None,
    frozenset({"read"}),
    (Allowed(PUBLIC, "public", "publication"),),
    False,
    None,
    proof=_PROOF,
)


def unauthenticated(detail: str, given: bool = False) -> Problem:
    """Return the problem of who has no credential, or (`given`) one that does not hold (RFC 6750, section 3)."""
    challenge = f'{REALM}, error="invalid_token"' if given else REALM
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})


NOT_HERE = (
    "A credential goes into the header Authorization and never into an address, where proxies and logs keep it. If "
    "this was one, rotate or revoke it."
)
_CREDENTIALS = frozenset(
    ("access_token", "api_key", "apikey", "auth", "authorization", "bearer", "client_secret", "key", "token")
)


def in_address() -> Problem:
    """Return the problem of an address that has a credential in it; what it is, is not repeated."""
    return invalid([Fault("query", "credential", NOT_HERE)])


def names_a_credential(parameter: str) -> bool:
    """Tell whether a parameter is one in which people put credentials."""
    return parameter.lower().replace("-", "_") in _CREDENTIALS
