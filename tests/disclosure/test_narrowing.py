"""Where a change of an account may take something away from what rests on it: told less, anew, or otherwise."""

import pytest

from app.disclosure.narrowing import may_show_less
from app.disclosure.view import Account, View
from tests.disclosure.fake import facts

VIEW = View(0, "public", "publication")


def account(basis="consent", expired=False, title_only=False, places=("camp",), note=None, **levels):
    """An account that the public may be told all of, but for what is stated."""
    whole = {"content": "full", "identity": "named", "place": "exact", "date": "day"}
    allowed = {**whole, "purposes": ["publication"], "conditions": [], **levels}
    content = {
        "disclosure_basis": basis,
        "consent": {"expires": None, "audiences": {"public": allowed}},
        "title_only": title_only,
        "places": list(places),
        "date": "2003",
        "same_witness": [],
        "reliability_note": note,
        "citations": [{"source": "src-a"}],
        "witness": {"person": None},
        "summary": {"public": {"en": "words"}},
    }
    return Account(content, expired)


@pytest.mark.parametrize(
    ("before", "after", "less"),
    [
        (account(), account(), False),
        (account(), account(date="year"), True),
        (account(date="year"), account(), False),
        (account(date="year", place="county"), account(date="day", place="province"), True),
        (account(), None, True),
        (account(), account(expired=True), True),
        (None, None, False),
        (account(content="none"), account(content="counted"), False),
        (account(content="none"), account(), True),  # what rests on it may become as coarse as it
        (account(), account(basis="published"), True),
        (account(), account(places=["camp", "other"]), True),
        (account(), account(title_only=True), True),
        (account(), account(note={"en": "a doubt"}), True),
        (account(purposes=["publication"]), account(purposes=["research"]), True),
    ],
)
def test_may_show_less(before, after, less):
    assert may_show_less(before, after, VIEW, facts()) is less


def test_what_others_do_not_take_from_it_makes_no_difference():
    other = account()
    changed = Account({**other.content, "summary": {"public": {"en": "other words"}}, "note": {"en": "a note"}})
    assert may_show_less(account(), changed, VIEW, facts()) is False
