"""What the query string of an address of access asks: known parameters, each once."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from app.access.caller import NOT_HERE, names_a_credential
from app.core.problems import Fault, invalid, nearest

PAGE, MOST_PAGE = 50, 200


def parameters(query: bytes, known: Sequence[str]) -> dict[str, str]:
    """Read parameters.

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


def limit_of(asked: dict[str, str]) -> int:
    """Return how many items a page may have.

    Raises:
        Problem: invalid-request.
    """
    text = asked.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST_PAGE):
        raise invalid([Fault("query", "limit", f"A whole number from 1 to {MOST_PAGE}.")])
    return int(text)
