"""Examples: for each parameter of a kind a value that finds something in the built-in record, where anything does."""

# Where the example that a parameter has for every kind finds nothing, or everything.
_OF_KINDS: dict[str, dict[str, str]] = {
    "testimony": {
        "to": "2014-03-17",
        "source": "src-005",
        "testimony": "tst-0crepp7tghe097bc8jbc229jny",
        "given_from": "2014-03-17",
        "of_testimony": "tst-0crepp7tghe097bc8jbc229jny",
        "of_incident": "inc-03sy3mvm1m95vnxna305rfgnq3",
    },
    "incident": {
        "to": "2014-03-17",
        "source": "src-005",
        "person": "per-0cgkbavwrp4ynf127zrw5x0cdp",
    },
    "person": {
        "source": "src-005",
        "of_testimony": "tst-03j0evbtee5zted1b1yqyvz78s",
        "of_incident": "inc-0fh964mkekts84acpcjdev4dy9",
    },
    "actor": {
        "of_testimony": "tst-01pvaj9k7d39kxjmsgjpawr31g",
        "of_incident": "inc-054asbpkhq03mdat2enf9jvj2t",
        "of_actor": "mss",
    },
    "place": {
        "match": "certain",
        "of_testimony": "tst-03j0evbtee5zted1b1yqyvz78s",
        "of_incident": "inc-03sy3mvm1m95vnxna305rfgnq3",
        "of_person": "per-06ww9sy43v91jj5fde2rrj2ajf",
        "of_place": "camp-pyongsan",
    },
    "source": {
        "side": "undated",
        "source": "src-268",
        "of_testimony": "tst-01pvaj9k7d39kxjmsgjpawr31g",
        "of_incident": "inc-03sy3mvm1m95vnxna305rfgnq3",
        "of_person": "per-06ww9sy43v91jj5fde2rrj2ajf",
        "of_actor": "border-guards",
        "of_place": "border-zone",
        "of_source": "src-225",
        "of_violation": "abductions-disappearances",
        "of_crime": "rome-statute-7-1-a",
        "of_period": "abductions-japan-wave",
        "of_instrument": "body-1718-committee",
        "of_finding": "find-63-1",
        "of_recommendation": "rec-89-a",
        "of_weapons_event": "msl-1984-04-09-scud-b-tonghae",
        "of_statement": "link-coi-51",
    },
    "violation": {
        "of_testimony": "tst-01pvaj9k7d39kxjmsgjpawr31g",
        "of_incident": "inc-03sy3mvm1m95vnxna305rfgnq3",
        "of_violation": "abuse-of-returnees",
        "of_instrument": "law-language-2023",
        "of_finding": "find-63-26",
    },
    "crime": {"of_violation": "abuse-of-returnees"},
    "period": {"to": "2014-03-17"},
    "instrument": {
        "side": "before",
        "violation": "information-control",
        "instrument": "body-sr",
        "of_instrument": "hrc-25-25",
        "of_statement": "link-coi-51",
    },
    "finding": {"violation": "detention-torture-camps", "standard_of_proof": "reasonable-grounds-to-believe"},
    "recommendation": {"source": "src-209"},
    "weapons-event": {"side": "before", "source": "src-032"},
    "statement": {
        "instrument": "rep-25-63",
        "period": "coi-mandate",
        "from": "2014-03-17",
        "match": "certain",
        "side": "after",
    },
}
_WORDS = {
    "person": "Yong",
    "actor": "prison",
    "place": "Yodok",
    "source": "Korea",
    "period": "commission",
    "instrument": "human rights",
    "recommendation": "China",
    "weapons-event": "Scud",
    "statement": "missiles",
}
_PARENTS = {"place": "prov-north-hamgyong", "violation": "detention-torture-camps", "actor": "mss"}


def of(kind: str, parameter: str, otherwise: str) -> str:
    """Return the example of a parameter of a kind; `otherwise` is that of every kind."""
    if parameter == "of_link" or (kind == "link" and parameter in ("ids", "owner")):
        return ""  # the built-in record states no links
    if parameter == "q" and kind in _WORDS:
        return _WORDS[kind]
    if parameter == "parent":
        return _PARENTS.get(kind, otherwise)
    return _OF_KINDS.get(kind, {}).get(parameter, otherwise)
