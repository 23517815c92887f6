"""What a record says once ids that were merged lead to their survivors; pure.

A record that was merged keeps what was promised of it. So a view that would not be shown it is not led from it to the
survivor either: there the id stays as it is, and is left out like any other that the view is not shown.
"""

from collections.abc import Collection, Mapping
from typing import Any

from app.disclosure.consent import is_named, of_person
from app.disclosure.view import Facts, View
from app.records.kind import Kind


def led(
    kind: Kind, content: Mapping[str, Any], named: Collection[str], view: View, facts: Facts
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the content and the ids that it names, as one view has to be shown them; mostly just as they are."""
    leads: dict[str, str] = {}
    for one in named:
        survivor = facts.leads_to(one)
        if survivor != one and facts.visible(view.id, one) and _may_lead(content, one, view, facts):
            leads[one] = survivor
    if not leads:
        return content, tuple(named)
    own = content.get("id")
    told: dict[str, Any] = dict(content)
    for path, _ in kind.references:
        for way in path.split("|"):
            _lead(told, way.split("."), leads, own)
    found = dict.fromkeys(leads.get(one, one) for one in named)
    return told, tuple(one for one in found if one != own)


def _may_lead(content: Mapping[str, Any], one: str, view: View, facts: Facts) -> bool:
    """Tell whether a view may be led from a person to the survivor: from an account only where both are named.

    From anything else only where the survivor allows no finer place or date, so that what is promised of both is kept.
    """
    witness = content.get("witness") or {}
    if witness.get("person") == one:
        return is_named(one, view, facts)
    its, survivors = of_person(one, view, facts), of_person(facts.leads_to(one), view, facts)
    return its is None or survivors is None or its.is_as_fine_as(survivors.place, survivors.date)


def _lead(value: dict[str, Any], steps: list[str], leads: Mapping[str, str], own: Any) -> None:
    """Have the ids at a path of a content lead on, in copies: contents are never touched.

    Of two ids that lead to one the second is left out, and so is one that leads back to the record itself.
    """
    name = steps[0].removesuffix("[]")
    inner = value.get(name)
    if not inner:
        return
    if len(steps) > 1:
        if isinstance(inner, list):
            copies = [dict(one) for one in inner]
            for one in copies:
                _lead(one, steps[1:], leads, own)
            value[name] = copies
        else:
            value[name] = copy = dict(inner)
            _lead(copy, steps[1:], leads, own)
    elif isinstance(inner, list):
        found = dict.fromkeys(leads.get(one, one) for one in inner)
        value[name] = [one for one in found if one != own or one in inner]
    elif inner in leads:
        value[name] = None if leads[inner] == own else leads[inner]
