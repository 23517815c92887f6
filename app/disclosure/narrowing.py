"""Whether a change of one record may take something away from what a view is shown of others; pure."""

from typing import Any

from app.disclosure.consent import allows_linkage, decide
from app.disclosure.view import Account, Facts, View

# What records that rest on an account take from it beside its decision (`incident.py`, `corroboration.py`).
_TAKEN = ("disclosure_basis", "title_only", "places", "date", "same_witness", "reliability_note", "linked")


def may_show_less(before: Account | None, after: Account | None, view: View, facts: Facts) -> bool:
    """Tell whether what rests on a testimony or person may have to show a view less than before.

    It may not if the view was told nothing of it and still is not, nor if everything that others take from it is as it
    was, with at least as much allowed. Told of an account for the first time it may: an incident is as coarse as the
    coarsest account that the view sees.

    Args:
        before: the account as it was; None: there was none, or it was gone.
        after: as it is now; the same.
        view: who is shown.
        facts: what is known of other records, the same before and after.
    """
    was, now = _taken(before, view, facts), _taken(after, view, facts)
    if was == now:
        return False
    if was is None or now is None:
        return True
    return was[1] != now[1] or any(less < enough for less, enough in zip(now[0], was[0], strict=True))


def _taken(account: Account | None, view: View, facts: Facts) -> tuple[tuple[int, ...], Any] | None:
    """Return what others take from an account for a view: how much is allowed, and everything else."""
    allowed = None if account is None else decide(account.content, view, facts, account.expired, account.owner)
    if account is None or allowed is None:
        return None
    content = account.content
    cited = [one["source"] for one in content.get("citations", ())]
    witness = (content.get("witness") or {}).get("person")
    rest = [*(content.get(name) for name in _TAKEN), allows_linkage(content, account.expired)]
    return (allowed.content, allowed.identity, allowed.place, allowed.date), (allowed.text, cited, witness, rest)
