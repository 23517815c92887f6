"""A decision that explains itself: what one view gets of a record, and each rule that had a say in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.disclosure import project
from app.disclosure.consent import CONTENT, DATE, IDENTITY, PLACE, Decision
from app.disclosure.incident import Happening
from app.disclosure.leading import led
from app.disclosure.person import Likeness
from app.disclosure.reasons import Listener, Reason, once
from app.disclosure.testimony import Telling
from app.disclosure.view import Facts, View
from app.records.consent import ContentLevel, DateLevel, IdentityLevel, PlaceLevel
from app.records.kind import Kind, references
from app.records.shown import Shown, says


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a view gets of a record (None: nothing), how much is allowed at most, and why, in the order of deciding.

    Not `told`: whoever asks learns whether the view is shown the record, and not what of it.
    """

    view: View
    record: Mapping[str, Any] | None
    allowed: Mapping[str, str] | None
    reasons: tuple[Reason, ...]
    told: bool = True


def explain(
    kind: Kind,
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    *,
    state: str,
    owner: str,
    secret: bytes,
) -> Explanation:
    """Decide about one record for one view as ever, and listen to the reasons; parameters as of `project.decide`."""
    listener, record = Listener(), None
    content, named = led(kind, content, named, view, facts)
    decision = project.decide(kind, content, named, view, facts, state=state, secret=secret, owner=owner, say=listener)
    if decision is not None:
        record = project.show(kind, content, decision, owner, facts, listener).record
    paths: dict[str, list[str]] = {}
    for path, to, _ in references(kind, content):
        paths.setdefault(to, []).append(path)
    found = [
        one if one.field or one.record not in paths else replace(one, field=", ".join(dict.fromkeys(paths[one.record])))
        for one in listener.reasons
    ]
    return Explanation(view, record, _levels(decision), once(found))


def _levels(decision: Any) -> dict[str, str] | None:
    match decision:
        case Telling(allowed=Decision() as most) | Likeness(allowed=Decision() as most):
            levels = {"content": CONTENT[most.content], "identity": IDENTITY[most.identity]}
            return levels | {"place": PLACE[most.place], "date": DATE[most.date]}
        case Happening():
            return {"place": PLACE[decision.place], "date": DATE[decision.date]}
    return None


class ReasonShown(Shown):
    """One rule that had a say."""

    rule: str = says("Which rule, as docs/consent.md lists them.", "limited")
    field: str | None = says("The field that it concerns; null: the record as a whole.", None)
    record: str | None = says("The record named there; null: none.", None)
    about: str | None = says("The testimony or person whose part in it this is; null: the record itself.", None)
    words: str = says("The rule in words.", "The protection assessment allows partner no more than province of place.")


class AllowedShown(Shown):
    """The most that may be shown; null where that does not apply to the kind."""

    content: ContentLevel | None = says("How much of what was told.", "full")
    identity: IdentityLevel | None = says("How far it may be told who the witness is.", "pseudonym")
    place: PlaceLevel | None = says("The finest place.", "province")
    date: DateLevel | None = says("The finest date.", "month")


class ForViewShown(Shown):
    """What one view gets of a record, and why."""

    view: int = says("The number of the view.", 1, ge=0)
    audience: str = says("Whom it is for.", "partner")
    purpose: str = says("What for.", "research")
    owner: str | None = says("The organisation whose own view it is; null: a common one.", None)
    recipient: list[str] = says("The conditions that its recipients are known to satisfy.", [])
    shown: bool = says("Whether the view is shown the record at all.", True)
    allowed: AllowedShown | None = says("The most that may be shown; null where that is not asked.", None)
    reasons: list[ReasonShown] = says("Every rule that had a say, in the order of deciding.", [])
    as_shown: dict[str, Any] | None = says(
        "The record as this view is shown it; null: it is not, or what it gets is not told (the rule `elsewhere`).",
        None,
    )


class DisclosureShown(Shown):
    """What every view gets of one record, and which rule said so: for its owner alone."""

    id: str = says("Id of the record.", "tst-5m6hd29hbxgv1q7d3nevzrf1kb")
    kind: str = says("Its kind.", "testimony")
    owner: str = says("The organisation that holds it.", "public-record")
    state: str = says("What has become of it: live, expired, retracted, withdrawn, erased, merged.", "live")
    views: list[ForViewShown] = says("One member for each view.", [])


def shown(one: Explanation) -> ForViewShown:
    """Return an explanation as it is answered."""
    levels = (
        None
        if one.allowed is None
        else AllowedShown.model_validate({**dict.fromkeys(AllowedShown.model_fields), **one.allowed})
    )
    return ForViewShown(
        view=one.view.id,
        audience=one.view.audience,
        purpose=one.view.purpose,
        owner=one.view.owner,
        recipient=sorted(one.view.recipient),
        shown=one.record is not None,
        allowed=levels,
        reasons=[
            ReasonShown(
                rule=reason.rule,
                field=reason.field or None,
                record=reason.record or None,
                about=reason.about or None,
                words=reason.words,
            )
            for reason in one.reasons
        ],
        as_shown=dict(one.record) if one.record is not None and one.told else None,
    )
