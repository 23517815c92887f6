"""Reasons: whoever decides says why, at the very place where it is decided; as a rule nobody listens.

The code that decides is given something to say its reasons to. On the way in it is `SILENCE`, which costs one call and
keeps nothing, so that decisions hold no reasons and equal ones stay equal. Whoever asks why passes a `Listener`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

# Every rule there is, and its sentence; docs/consent.md says of each what it means. HIDES: nothing is shown at all.
RULES: dict[str, str] = {
    "open": "Records of this kind are public unless they are marked.",
    "own": "It is a record of the organisation whose view this is: all of it is shown.",
    "published": "It was lawfully published: it is shown as it was published, with the texts under public.",
    "consented": "The consent names {audience}: content {content}, identity {identity}, place {place}, date {date}; "
    "purposes {purposes}; conditions {conditions}; until {expires}.",
    "limited": "The protection assessment allows {audience} no more than {level} of {scale}.",
    "inherited": "It inherits: the coarsest that testimonies seen by this view allow is place {place}, date {date}.",
    "retracted": "It was taken back.",
    "withdrawn": "It was withdrawn: there is no further use of it.",
    "erased": "It was erased.",
    "merged": "It was merged into another record: what names it shows that one.",
    "objected": "The person objected to its publication.",
    "name-objected": "The person objected to being named: who it is is withheld.",
    "not-named": "The consent does not name {audience}: what is not named is allowed nothing.",
    "expired": "The consent ended with {expires}.",
    "purpose": "The consent allows {audience} the purposes {purposes}, and the purpose of this view is {purpose}.",
    "conditions": "The consent asks of {audience} {conditions}, and the recipients of this view are not known to "
    "satisfy all of it.",
    "not-listed": "Content is allowed at the level {content}, and what is listed takes summary.",
    "unpublished": "This view is shown none of the sources that it cites: here nothing has published it.",
    "no-support": "This view is shown no testimony that it rests on, not counting those known by their title alone.",
    "restricted": "It is marked restricted: it is for mechanisms only.",
    "accused": "A natural person alleged to have taken part is for mechanisms only, unless a source that this view is "
    "shown names them (named_in).",
    "loose": "A link is shown where both its ends and its source are, its ends are two, and it tells no more of the "
    "place and date of a person than they allow.",
    "part": "It allows place {place}, date {date}, identity {identity}.",
    "title-only": "Only its title is known: it supports nothing.",
    "no-part": "This view is not shown it: it has no part in what is shown.",
    "states": "It is published and states this itself: shown as it states it.",
    "says-more": "It is not listed: what is shown tells more of place or date than it allows.",
    "of-another": "It is held by another organisation: why it has this part is told to that one alone.",
    "elsewhere": "It rests on records of other organisations, and you do not read in this view: whether it is shown "
    "there is told, and not what of it.",
    "reference": "This view is not shown the record named here: it is left out.",
    "reference-above": "This view is not shown all that stands above the record named here: filed under less.",
    "tie": "That two accounts are of one witness is told only where both tell of their witness alike.",
    "nameless": "This view is not shown the person by name: no account leads to them.",
    "coarsened": "Shown no finer than {level}.",
    "coordinates": "Coordinates are given only where exact places are allowed.",
    "pseudonym": "The witness is called by a name made up for this view.",
    "withheld": "Who it is is withheld.",
    "unmarked": "Nobody marked a text as fit for {audience}.",
    "unfit": "It was marked as fit when the name could be told, and is so no more.",
    "made": "No title is fit to be shown: one is made from what is shown.",
    "needs-full": "Shown only where content full is allowed.",
    "not-whole": "Free text that nobody marked: shown only where identity, place and date are all allowed in full.",
    "note": "There is a note; its words are withheld, for they may say what is coarsened.",
}
HIDES = frozenset(
    {
        "retracted",
        "withdrawn",
        "erased",
        "merged",
        "objected",
        "not-named",
        "expired",
        "purpose",
        "conditions",
        "not-listed",
        "unpublished",
        "no-support",
        "restricted",
        "accused",
        "loose",
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a decision.

    Attributes:
        rule: a key of `RULES`.
        field: what of the record it concerns (`witness.person`); empty: the record as a whole.
        record: the id of another record that is named there; empty: none.
        about: the testimony or person whose part in it this is; empty: it is said of the record itself.
        told: what the sentence has to be told.
    """

    rule: str
    field: str
    record: str
    about: str
    told: Mapping[str, Any]

    @property
    def words(self) -> str:
        """The reason as a sentence, with nothing of the record in it but levels, audiences and days."""
        return RULES[self.rule].format_map({name: _worded(value) for name, value in self.told.items()})


def _worded(value: Any) -> str:
    if value is None:
        return "no end"
    return value if isinstance(value, str) else ", ".join(value) or "none"


class Silence:
    """Nobody listens."""

    def __call__(self, rule: str, field: str = "", record: str = "", **told: Any) -> None:
        """Say why."""

    def about(self, record: str) -> Self:
        """Return what the part of another record is to be said to."""
        return self


SILENCE = Silence()


class Listener(Silence):
    """Keeps every reason, in the order in which it was said."""

    def __init__(self, about: str = "", reasons: list[Reason] | None = None) -> None:
        """Listen to what is said about a record."""
        self._about = about
        self.reasons: list[Reason] = [] if reasons is None else reasons

    def __call__(self, rule: str, field: str = "", record: str = "", **told: Any) -> None:
        """Keep a reason."""
        self.reasons.append(Reason(rule, field, record, self._about, told))

    def about(self, record: str) -> Self:
        """Return a listener that keeps reasons in the same list, as being about another record."""
        return type(self)(record, self.reasons)


def once(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons in their order, each the first time that it was said."""
    kept: list[Reason] = []
    for one in reasons:
        if one not in kept:
            kept.append(one)
    return tuple(kept)


def hold_back(record: dict[str, Any], names: Iterable[str], rule: str, say: Silence) -> None:
    """Empty some fields of a record as shown, and say why of each that had something in it."""
    for name in names:
        value = record[name]
        if value:
            say(rule, name)
        record[name] = [] if isinstance(value, list) else None
