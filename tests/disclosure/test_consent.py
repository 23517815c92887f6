"""Consent: each audience on its own, for a purpose, on conditions, until it ends; protection only takes away."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.consent import CONTENT, DATE, IDENTITY, PLACE, Decision
from app.disclosure.consent import decide as consented
from app.disclosure.view import View
from tests.disclosure.fake import MECHANISM, OHCHR, PARTNER, PUBLIC, a_testimony, allowed, consent, facts

WHOLE = (3, 2, 3, 2)


def decide(account: dict[str, Any], view: View, expired: bool = False) -> Decision | None:
    return consented(account, view, facts(), expired)


def levels(decision: Decision | None) -> tuple[int, int, int, int] | None:
    return None if decision is None else (decision.content, decision.identity, decision.place, decision.date)


def protection(**limits: Any) -> dict[str, Any]:
    return {
        "reasons": ["family-in-country"],
        "assessed_by": "A test",
        "assessed_on": "2021",
        "limits": {name.replace("__", ":"): one for name, one in limits.items()},
    }


VIEWS = {"public": PUBLIC, "partner": PARTNER, "mechanism": MECHANISM, "mechanism:ohchr": OHCHR}


@pytest.mark.parametrize("audience", VIEWS)
def test_an_audience_is_allowed_only_what_names_it(audience):
    account = a_testimony(consent=consent(**{audience.replace(":", "__"): allowed()}))
    assert {name for name, view in VIEWS.items() if decide(account, view) is not None} == {audience}
    assert levels(decide(account, VIEWS[audience])) == WHOLE


def test_a_witness_may_allow_a_newspaper_and_refuse_a_prosecutor():
    account = a_testimony(consent=consent(public=allowed(), mechanism=allowed(content="none")))
    assert levels(decide(account, PUBLIC)) == WHOLE
    assert decide(account, MECHANISM) is None


def test_the_texts_fit_are_those_of_the_audience():
    account = a_testimony(consent=consent(public=allowed(), mechanism__ohchr=allowed()))
    assert [one.text for one in (decide(account, PUBLIC), decide(account, OHCHR)) if one] == [
        "public",
        "mechanism:ohchr",
    ]


@pytest.mark.parametrize(
    ("content", "listed"), [("none", False), ("counted", False), ("summary", True), ("full", True)]
)
def test_what_is_counted_only_is_never_listed(content, listed):
    account = a_testimony(consent=consent(public=allowed(content=content)))
    assert (decide(account, PUBLIC) is not None) is listed


@pytest.mark.parametrize("purpose", ["publication", "research", "advocacy", "un-reporting", "criminal-proceedings"])
def test_a_purpose_that_is_not_named_is_not_allowed(purpose):
    account = a_testimony(consent=consent(public=allowed(purposes=[purpose])))
    found = [
        other
        for other in ("publication", "research", "advocacy", "un-reporting", "criminal-proceedings")
        if decide(account, View(0, "public", other)) is not None
    ]
    assert found == [purpose]
    assert decide(a_testimony(consent=consent(public=allowed(content="none", purposes=[]))), PUBLIC) is None


def test_every_condition_must_be_met():
    account = a_testimony(consent=consent(mechanism=allowed(conditions=["no-death-penalty", "fair-trial"])))
    met = [
        recipient
        for recipient in (set(), {"no-death-penalty"}, {"fair-trial"}, {"no-death-penalty", "fair-trial"})
        if decide(account, View(2, "mechanism", "un-reporting", frozenset(recipient))) is not None
    ]
    assert met == [{"no-death-penalty", "fair-trial"}]


def test_what_has_run_out_allows_nothing_and_a_publication_never_runs_out():
    assert decide(a_testimony(consent=consent(public=allowed())), PUBLIC, expired=True) is None
    assert levels(decide(a_testimony(), PUBLIC, expired=True)) == WHOLE


def test_what_is_published_is_shown_whole_to_everybody_with_the_public_text():
    for view in VIEWS.values():
        decision = decide(a_testimony(), view)
        assert decision is not None and levels(decision) == WHOLE and decision.text == "public" and decision.whole


def test_protection_restricts_one_audience_and_leaves_the_others():
    account = a_testimony(protection=protection(public={"identity": "withheld", "place": "province", "date": "year"}))
    assert levels(decide(account, PUBLIC)) == (3, 0, 1, 0)
    assert levels(decide(account, MECHANISM)) == WHOLE
    hidden = a_testimony(protection=protection(public={"content": "none"}))
    assert decide(hidden, PUBLIC) is None
    assert levels(decide(hidden, PARTNER)) == WHOLE


def test_what_limits_mechanisms_limits_every_mechanism():
    account = a_testimony(protection=protection(mechanism={"place": "county"}, mechanism__ohchr={"date": "month"}))
    assert levels(decide(account, MECHANISM)) == (3, 2, 2, 2)
    assert levels(decide(account, OHCHR)) == (3, 2, 2, 1)


SCALES = {"content": CONTENT, "identity": IDENTITY, "place": PLACE, "date": DATE}
some = st.fixed_dictionaries({name: st.sampled_from(scale) for name, scale in SCALES.items()}).filter(
    lambda one: one["identity"] != "named" or one["content"] in ("summary", "full")
)
limits = st.fixed_dictionaries({}, optional={name: st.sampled_from(scale) for name, scale in SCALES.items()})


@given(some, limits)
def test_protection_never_widens(granted, limit):
    account = a_testimony(consent=consent(public=allowed(**granted)))
    limited = {**account, "protection": protection(public=limit)}
    before, after = decide(account, PUBLIC), decide(limited, PUBLIC)
    wanted = tuple(
        min(scale.index(granted[name]), scale.index(limit[name]) if name in limit else 9)
        for name, scale in SCALES.items()
    )
    assert levels(after) == (wanted if wanted[0] > CONTENT.index("counted") else None)
    if after is not None:
        assert before is not None
        assert all(a <= b for a, b in zip(levels(after) or (), levels(before) or (), strict=True))


def test_whole_means_that_nothing_is_held_back():
    whole = [one for one in product(range(3), range(4), range(3)) if Decision(3, *one, "public").whole]
    assert whole == [(2, 3, 2)]
