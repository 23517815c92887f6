"""How many say so: distinct witnesses, and sources that do not draw on one of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.disclosure.view import Facts


def count(incident: Mapping[str, Any], supports: Iterable[str], facts: Facts) -> int:
    """Return the number of distinct witnesses among the supports, plus independent sources cited.

    Accounts of one witness (`same_witness`, or one person record) count once; title-only accounts never count. A
    source counts unless a counted account cites it too, or it draws on such a source or on another one counted.
    """
    witnesses: list[set[str]] = []
    heard: set[str] = set()
    for id in supports:
        account = facts.testimony(id)
        if account is None or account.content["title_only"]:
            continue
        content = account.content
        heard.update(one["source"] for one in content["citations"] if one["source"])
        keys = {id, *content["same_witness"]}
        if content["witness"]["person"]:
            keys.add(content["witness"]["person"])
        same = [group for group in witnesses if group & keys]
        witnesses = [group for group in witnesses if not group & keys]
        witnesses.append(keys.union(*same))
    cited = [one["source"] for one in incident["citations"] if one["source"]]
    return len(witnesses) + _independent(dict.fromkeys(cited), heard, facts)


def _independent(cited: Iterable[str], heard: set[str], facts: Facts) -> int:
    sources = [source for source in cited if source not in heard]
    if len(sources) < 2 and not heard:
        return len(sources)
    own = set(sources)
    return sum(1 for source in sources if not _draws_on(source, heard | (own - {source}), facts))


def _draws_on(source: str, others: set[str], facts: Facts) -> bool:
    seen = {source}
    wave = [source]
    while wave:
        wave = [above for one in wave for above in facts.derived_from(one) if above not in seen]
        if others.intersection(wave):
            return True
        seen.update(wave)
    return False
