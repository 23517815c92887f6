"""How many say so, as far as one view can tell: distinct witnesses, and sources that draw on none of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.disclosure.consent import IDENTITY, allows_linkage, is_named
from app.disclosure.view import Account, Facts, View

WITHHELD, PSEUDONYM = range(len(IDENTITY) - 1)


class Told(NamedTuple):
    """An account that the view is shown, and how much of it: who tells (`consent.IDENTITY`), and what it cites."""

    id: str
    identity: int
    cites: bool


def count(cited: Iterable[str], supports: Sequence[Told], facts: Facts, view: View) -> int:
    """Return the number of distinct witnesses among the supports, plus independent sources cited.

    Accounts of one witness (`same_witness`, or one person record) count once, and title-only accounts never. A source
    counts unless a counted account cites it too, or it draws on such a source or on another one counted, or both draw
    on a third: ten newspapers on one report are one source, whether or not the report itself is cited.

    Nothing that the view is not told may change this number. So accounts are tied only where both tell of their witness
    alike and neither withholds who it is, two under a name by a person only where the view is shown that person by name
    (two of one person under a pseudonym have the same), and sources draw on one another only by way of sources that the
    view sees. Nor may anybody learn by what they state themselves, guess by guess, whose accounts those of others are:
    an account that names a person of another organisation is tied by that to none of theirs, unless all are named.

    One thing does: two organisations say of each other's person that they are one, and everybody concerned allowed to
    be linked. Then accounts of the two are those of one witness, in whatever view both are told, and none is told who.

    Args:
        cited: the sources that the incident, as shown, cites.
        supports: the accounts that the incident, as shown, rests on.
        facts: what is known of the accounts, their witnesses and the sources.
        view: who is told the number.
    """
    witnesses: list[set[str]] = []
    heard: set[str] = set()
    ids = {one.id for one in supports}
    for id, identity, cites in supports:
        account = facts.testimony(id)
        if account is None or account.content["title_only"]:
            continue
        if cites:
            heard.update(facts.leads_to(one["source"]) for one in account.content["citations"] if one["source"])
        keys = {id, *_linked(account, facts)}
        if identity != WITHHELD:
            keys.update(f"{identity} {one}" for one in (id, *_tied(account, identity, ids, facts, view)))
        same = [group for group in witnesses if group & keys]
        witnesses = [group for group in witnesses if not group & keys]
        witnesses.append(keys.union(*same))
    return len(witnesses) + _independent(dict.fromkeys(cited), heard, facts, view)


def _tied(account: Account, identity: int, ids: set[str], facts: Facts, view: View) -> Iterator[str]:
    """Yield the accounts and the person that one is tied to, as far as the view can tell."""
    yield from ids.intersection(account.content["same_witness"])
    person = account.content["witness"]["person"]
    if person is None:
        return
    if identity != PSEUDONYM:
        if is_named(person, view, facts):
            yield facts.leads_to(person)
    elif _is_of_its_owner(person, account, facts):
        yield facts.leads_to(person)
    else:
        yield f"{account.owner} {facts.leads_to(person)}"


def _linked(account: Account, facts: Facts) -> Iterator[str]:
    """Yield what stands for an account's witness and a person held by another organisation who is the same."""
    person = account.content["witness"]["person"]
    if person is None or not _is_of_its_owner(person, account, facts) or not _may_be_linked(account):
        return
    mine = facts.leads_to(person)
    if (others := facts.linked(mine)) and all(_is_open(one, facts) for one in (person, mine)):
        for other in others:
            if mine in facts.linked(other) and _is_open(other, facts):
                yield "linked " + " ".join(sorted((mine, other)))


def _is_of_its_owner(person: str, account: Account, facts: Facts) -> bool:
    return facts.owner_of(person) == account.owner


def _is_open(person: str, facts: Facts) -> bool:
    account = facts.person(person)
    return account is not None and not facts.objects(person) and _may_be_linked(account)


def _may_be_linked(account: Account) -> bool:
    """Tell whether an account or a person may be linked with what others hold: published, or allowed by consent."""
    published = account.content["disclosure_basis"] == "published"
    return published or allows_linkage(account.content, account.expired)


def _independent(cited: Iterable[str], heard: set[str], facts: Facts, view: View) -> int:
    """Return how many of the cited sources go back to nothing that was heard, and to nothing in common.

    Those that go back to the least are taken first: of a report and what repeats it, the report counts.
    """
    sources = [source for source in cited if source not in heard]
    if len(sources) < 2 and not heard:
        return len(sources)
    # What an account cites out of the view's sight leads it nowhere.
    seen = (source for source in heard if facts.visible(view.id, source))
    taken = {origin for source in seen for origin in _origins(source, facts, view)}
    number = 0
    for origins in sorted((_origins(source, facts, view) for source in sources), key=lambda of: (len(of), sorted(of))):
        if taken.isdisjoint(origins):
            taken |= origins
            number += 1
    return number


def _origins(source: str, facts: Facts, view: View) -> set[str]:
    """Return a source and all that it draws on, as far as the view sees how."""
    found = {source}
    wave = [source]
    while wave:
        drawn_on = dict.fromkeys(above for one in wave for above in facts.derived_from(one))
        wave = [above for above in drawn_on if above not in found and facts.visible(view.id, above)]
        found.update(wave)
    return found
