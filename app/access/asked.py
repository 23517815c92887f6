"""What is asked of lists kept for one caller: few parameters, each once, a page, and a cursor bound to both."""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from app.access.caller import NOT_HERE, Identity, names_a_credential
from app.core.crypto import SealError, Tokens
from app.core.problems import Fault, invalid, nearest

PAGE, MOST_PAGE = 50, 200


def asked(query: bytes, known: Collection[str]) -> dict[str, str]:
    """Read the parameters.

    Raises:
        Problem: invalid-request.
    """
    faults, found = [], {}
    for name, text in parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)[:20]:
        if name not in known:
            hint = f"There is no parameter of this name. {nearest(name, known)}".rstrip()
            why = NOT_HERE if names_a_credential(name) else hint
            faults.append(Fault("query", name[:60], why))
        elif name in found or not text or "\0" in text:
            faults.append(Fault("query", name, "One value, please."))
        found[name] = text
    if faults:
        raise invalid(faults[:10])
    return found


def page_of(asked: dict[str, str]) -> int:
    """Return how many items a page has.

    Raises:
        Problem: invalid-request.
    """
    text = asked.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST_PAGE):
        raise invalid([Fault("query", "limit", f"A whole number from 1 to {MOST_PAGE}.")])
    return int(text)


def one_of(asked: dict[str, str], name: str, words: Collection[str]) -> str | None:
    """Return a parameter that is one of some words, or None.

    Raises:
        Problem: invalid-request, naming the nearest.
    """
    text = asked.get(name)
    if text is not None and text not in words:
        hint = f"This is none of: {', '.join(words)}. {nearest(text, words)}".rstrip()
        raise invalid([Fault("query", name, hint)])
    return text


class Pages:
    """The cursors of one list: where its next page begins, bound to who asks and to what is asked."""

    def __init__(self, master: bytes, purpose: str) -> None:
        """Make the cursors of a list."""
        self._tokens = Tokens(master, purpose)

    def after(self, who: Identity, asked: dict[str, str], more: Any = None) -> list[Any] | None:
        """Return the place after which a page begins; None: at the beginning. `more` is bound to it too.

        Raises:
            Problem: invalid-request.
        """
        if "cursor" not in asked:
            return None
        try:
            token = bytes.fromhex(asked["cursor"])
            found: list[Any] = orjson.loads(self._tokens.read(token, _place(who, asked, more)))
        except (SealError, ValueError):
            detail = "This is no cursor of this list: take it whole from `next`."
            raise invalid([Fault("query", "cursor", detail)]) from None
        return found

    def next(self, who: Identity, asked: dict[str, str], address: str, last: list[Any], more: Any = None) -> str:
        """Return the address of the page after a place."""
        token = self._tokens.make(orjson.dumps(last), _place(who, asked, more)).hex()
        kept = "&".join(f"{name}={quote(text)}" for name, text in asked.items() if name != "cursor")
        return f"{address}?{kept}{'&' if kept else ''}cursor={token}"


def _place(who: Identity, asked: dict[str, str], more: Any) -> bytes:
    """Return what a cursor is bound to: whose list it is, and what of it."""
    kept = [(name, text) for name, text in sorted(asked.items()) if name not in ("cursor", "limit")]
    bound = [who.organisation, who.operator, kept]
    return orjson.dumps(bound if more is None else [*bound, more])
