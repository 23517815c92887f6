"""Corroboration: distinct witnesses, and sources that draw on none of them and on no other."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.disclosure.consent import IDENTITY
from app.disclosure.corroboration import Told, count
from app.disclosure.view import Account
from tests.disclosure.fake import (
    CITED,
    PER,
    PER2,
    PUBLIC,
    T1,
    T2,
    T3,
    T4,
    a_testimony,
    allowed,
    consent,
    content,
    facts,
)

WITHHELD, PSEUDONYM, NAMED = range(len(IDENTITY))


def counted(
    accounts: list[dict[str, Any]],
    sources: tuple[str, ...] = (),
    *,
    told: tuple[int, ...] = (),
    unseen: tuple[str, ...] = (),
    people: tuple[dict[str, Any], ...] = (),
    derived: Mapping[str, tuple[str, ...]] | None = None,
) -> int:
    """Count for an incident that cites sources and rests on accounts, each with how far its witness is told of."""
    levels = told or (NAMED,) * len(accounts)
    known = [Told(one["id"], level, level == NAMED) for one, level in zip(accounts, levels, strict=True)]
    world = facts(*accounts, *people, derived=derived or {}, hidden={PUBLIC.id: set(unseen)})
    return count(sources, known, world, PUBLIC)


def account(id: str, person: str | None = None, source: str | None = None, **more: Any) -> dict[str, Any]:
    citations = [{"symbol": "TEST/1", "source": source}]
    return a_testimony(id, witness={"form": "unnamed", "person": person}, citations=citations, **more)


def test_nobody_says_so():
    assert counted([]) == 0


def test_each_witness_counts_once():
    assert counted([account(T1)]) == 1
    assert counted([account(T1), account(T2)]) == 2
    assert counted([account(T1, PER), account(T2, PER2)]) == 2


def test_two_accounts_of_one_person_are_one_witness():
    assert counted([account(T1, PER), account(T2, PER)]) == 1


def person(**changes: Any) -> dict[str, Any]:
    return content("person", id=PER, disclosure_basis="consent", consent=consent(public=allowed(**changes)))


def test_two_accounts_under_a_name_are_tied_by_a_person_only_where_the_view_is_shown_that_person_by_name():
    both = [account(T1, PER), account(T2, PER)]
    assert counted(both, people=(person(),)) == 1
    assert counted(both, unseen=(PER,)) == 2
    for hidden in ({"content": "counted"}, {"identity": "pseudonym"}, {"identity": "withheld"}):
        assert counted(both, people=(person(**hidden),)) == 2
    ended = facts(*both)
    ended.accounts[PER] = Account(person(), expired=True)
    assert count([], [Told(one["id"], NAMED, True) for one in both], ended, PUBLIC) == 2
    # Two accounts of one person under a pseudonym have the same: the view is told, whatever becomes of the person.
    assert counted(both, told=(PSEUDONYM, PSEUDONYM), unseen=(PER,)) == 1


def test_a_person_of_another_organisation_ties_none_of_their_accounts_to_the_one_that_names_them():
    """Else whoever states an account could learn, guess by guess, whose accounts those of others are."""
    linked = [
        content("person", id=one, disclosure_basis="published", citations=CITED) | {"linked": [other]}
        for one, other in ((PER, PER2), (PER2, PER))
    ]
    both = [account(T1, PER), account(T2, PER)]
    world = facts(*both, *linked)
    owners = {PER: "one", PER2: "other", T1: "one"}

    def number(owner: str, level: int) -> int:
        for id, holder in {**owners, T2: owner}.items():
            world.accounts[id] = Account(world.accounts[id].content, owner=holder)
        return count([], [Told(one["id"], level, False) for one in both], world, PUBLIC)

    assert [number("one", level) for level in range(len(IDENTITY))] == [1, 1, 1]  # whatever is told, by the link
    assert [number("somebody", level) for level in range(len(IDENTITY))] == [2, 2, 1]  # the last is told by name


def linked(person: str, other: str, **more: Any) -> dict[str, Any]:
    """Return a person who allowed linkage, whose holder says that another organisation's record is the same."""
    said = {**consent(public=allowed()), "linkage": True}
    about = {"disclosure_basis": "consent", "consent": said, **more}
    return content("person", id=person, **about) | {"linked": [other]}


def test_one_witness_of_two_organisations_counts_once_while_both_say_so_and_linkage_is_allowed():
    both = [account(T1, PER), account(T2, PER2)]
    mine, theirs = linked(PER, PER2), linked(PER2, PER)
    assert counted(both, people=(mine, theirs)) == 1
    published = {"disclosure_basis": "published", "consent": None, "citations": CITED}
    assert counted(both, people=(mine, linked(PER2, PER, **published))) == 1
    for other in (
        theirs | {"linked": []},
        theirs | {"consent": theirs["consent"] | {"linkage": False}},
        theirs | {"objection": {"to": "name"}},
    ):
        assert counted(both, people=(mine, other)) == counted(both, people=(other, mine)) == 2
    one_sided = (mine, theirs | {"linked": []})  # ties not even the accounts of one of the two
    assert counted([account(T1, PER), account(T2, PER)], told=(WITHHELD, WITHHELD), people=one_sided) == 2
    told = [Told(one["id"], NAMED, True) for one in both]
    for ended in (PER, PER2):
        assert count([], told, facts(*both, mine, theirs, expired=(ended,)), PUBLIC) == 2
    for linkage in (True, False):  # of the account itself
        under = account(T1, PER, consent={**consent(public=allowed()), "linkage": linkage})
        assert counted([under, both[1]], people=(mine, theirs)) == (1 if linkage else 2)


@pytest.mark.parametrize(("survivor", "witnesses"), [("named", 1), ("pseudonym", 2), ("withheld", 2)])
def test_a_person_who_was_merged_ties_only_where_the_record_that_stands_is_shown_by_name_too(survivor, witnesses):
    both = [account(T1, PER), account(T2, PER)]
    stands = person(identity=survivor) | {"id": PER2}
    world = facts(*both, person(), stands, survivors={PER: PER2})
    assert count([], [Told(one["id"], NAMED, True) for one in both], world, PUBLIC) == witnesses


@pytest.mark.parametrize("ties", [{T1: [T2]}, {T2: [T1]}, {T1: [T2], T2: [T1]}])
def test_two_accounts_that_are_tied_are_one_witness_whichever_says_so(ties):
    assert counted([account(id, same_witness=ties.get(id, [])) for id in (T1, T2)]) == 1


def test_a_chain_of_ties_is_one_witness_in_any_order():
    chain = [account(T1, PER), account(T2, PER2, same_witness=[T4]), account(T3, PER, same_witness=[T4]), account(T4)]
    assert counted(chain) == counted(chain[::-1]) == counted([chain[i] for i in (1, 0, 3, 2)]) == 1


def test_a_third_account_that_is_not_among_the_supports_ties_nothing():
    """Whether the view may know of it is not known here."""
    accounts = [account(T1, same_witness=[T3]), account(T2, same_witness=[T3])]
    assert counted(accounts) == 2
    assert counted([*accounts, account(T3)]) == 1


@pytest.mark.parametrize(
    "ties",
    [
        [account(T1, PER), account(T2, PER)],
        [account(T1, same_witness=[T2]), account(T2)],
        [account(T1), account(T2, PER, same_witness=[T1])],
    ],
)
def test_two_accounts_are_tied_only_where_both_tell_of_their_witness_alike(ties):
    assert counted(ties, told=(NAMED, NAMED)) == counted(ties, told=(PSEUDONYM, PSEUDONYM)) == 1
    assert counted(ties, told=(WITHHELD, WITHHELD)) == 2
    assert counted(ties, told=(NAMED, PSEUDONYM)) == counted(ties, told=(PSEUDONYM, WITHHELD)) == 2


def test_a_source_that_an_account_cites_out_of_sight_counts():
    assert counted([account(T1, source="src-a")], ("src-a",), told=(PSEUDONYM,)) == 2


def test_a_source_draws_on_another_only_by_way_of_what_the_view_sees():
    chain = {"src-c": ("src-b",), "src-b": ("src-a",)}
    assert counted([], ("src-a", "src-c"), unseen=("src-b",), derived=chain) == 2
    assert counted([], ("src-a", "src-c"), derived=chain) == 1


def test_of_an_account_known_by_its_title_nothing_counts():
    assert counted([account(T1, source="src-a", title_only=True)]) == 0
    assert counted([account(T1), account(T2, title_only=True)]) == 1
    assert counted([account(T1, source="src-a", title_only=True)], ("src-a",)) == 1  # the source itself, once


def test_an_account_that_is_not_on_record_counts_for_nothing():
    known = [Told(T1, NAMED, True), Told(T2, NAMED, True)]
    assert count(["src-a"], known, facts(account(T1)), PUBLIC) == 2  # T1, and the source that is cited


def test_sources_count_once_each():
    assert counted([], ("src-a",)) == 1
    assert counted([], ("src-a", "src-a", "src-b")) == 2


def test_a_source_in_which_a_counted_account_stands_adds_nothing():
    assert counted([account(T1, source="src-a")], ("src-a",)) == 1
    assert counted([account(T1, source="src-a")], ("src-a", "src-b")) == 2


def test_a_source_that_draws_on_another_one_counted_adds_nothing_however_far():
    assert counted([], ("src-a", "src-b"), derived={"src-b": ("src-a",)}) == 1
    assert counted([], ("src-a", "src-c"), derived={"src-c": ("src-b",), "src-b": ("src-a",)}) == 1
    assert counted([], ("src-a", "src-b"), derived={"src-b": ("src-x",), "src-a": ("src-y",)}) == 2


def test_a_source_that_draws_on_the_document_of_a_counted_account_adds_nothing():
    assert counted([account(T1, source="src-a")], ("src-b",), derived={"src-b": ("src-a",)}) == 1


def test_sources_that_draw_on_one_another_in_a_circle_are_not_followed_for_ever():
    assert counted([], ("src-a",), derived={"src-a": ("src-b",), "src-b": ("src-a",)}) == 1
    assert counted([], ("src-a", "src-c"), derived={"src-a": ("src-b",), "src-b": ("src-a",)}) == 2


def test_sources_that_repeat_one_and_the_same_count_once_even_where_it_is_not_cited():
    derived = {"src-a": ("src-report",), "src-b": ("src-release",), "src-release": ("src-report",)}
    assert counted([], ("src-a", "src-b"), derived=derived) == 1
    assert counted([], ("src-b", "src-a", "src-c"), derived=derived) == 2
    assert counted([], ("src-a", "src-b", "src-report"), derived=derived) == 1


def test_a_source_that_repeats_what_an_account_was_read_in_does_not_count():
    derived = {"src-a": ("src-report",), "src-b": ("src-report",)}
    assert counted([account(T1, source="src-a")], ("src-b",), derived=derived) == 1
    assert counted([account(T1, source="src-a")], ("src-report",), derived=derived) == 1
    assert counted([account(T1, source="src-a")], ("src-b",), unseen=("src-report",), derived=derived) == 2


def test_sources_go_back_to_one_another_only_by_way_of_what_the_view_sees():
    derived = {"src-a": ("src-report",), "src-b": ("src-report",)}
    assert counted([], ("src-a", "src-b"), unseen=("src-report",), derived=derived) == 2


def test_what_an_account_cites_out_of_sight_leads_nowhere():
    derived = {"src-hidden": ("src-report",)}
    both = ([account(T1, source="src-hidden")], ("src-report",))
    assert counted(*both, derived=derived) == 1
    assert counted(*both, unseen=("src-hidden",), derived=derived) == 2


def test_a_summary_of_two_sources_takes_neither_away():
    derived = {"src-b": ("src-a", "src-c")}
    assert counted([], ("src-b", "src-a", "src-c"), derived=derived) == 2
    unseen: Mapping[str, tuple[str, ...]] = {"src-1": ("src-x",), "src-2": ("src-x", "src-y"), "src-3": ("src-y",)}
    assert counted([], ("src-2", "src-1", "src-3"), derived=unseen) == 2


def test_sources_that_repeat_each_other_in_a_circle_count_once():
    assert counted([], ("src-a", "src-b"), derived={"src-a": ("src-b",), "src-b": ("src-a",)}) == 1
