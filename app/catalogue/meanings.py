"""What the facets of the records mean as filters, in words."""

# What the facets of the records mean as filters: doc, example, words. One that is not here is described by its name.
FACETS: dict[str, tuple[str, str, str]] = {
    "violation": (
        "Only records with this violation or a part of it (the id of a violation).",
        "torture",
        "with the violation {} or a part of it",
    ),
    "crime": (
        "Only records with a violation that may amount to this crime, by our own mapping (the id of a crime).",
        "rome-statute-7-1-f",
        "with a violation that may amount to {}",
    ),
    "place": ("Only records at this place or in it (the id of a place).", "prov-north-hamgyong", "at or in {}"),
    "actor": ("Only records that name this alleged actor (the id of an actor).", "mss", "with the alleged actor {}"),
    "source": ("Only records that rest on this source (the id of a source).", "src-004", "resting on the source {}"),
    "victim_group": ("Only incidents against this group of people.", "believer", "against the group {}"),
    "scope": ("Only incidents of this scope.", "event", "of the scope {}"),
    "verification": ("Only incidents checked this far.", "as-reported", "of the verification {}"),
    "standard_of_proof": (
        "Only records found to be so by this very standard.",
        "not-stated",
        "found by the standard {}",
    ),
    "account_type": ("Only accounts given in this way.", "interview", "given as {}"),
    "knowledge": ("Only accounts of a witness who knows in this way.", "unknown", "by one who knows it as {}"),
    "recorded_by": ("Only accounts recorded by this body.", "coi", "recorded by {}"),
    "owner": ("Only records held by this organisation.", "public-record", "held by {}"),
    "parent": ("Only those directly below this one (its id).", "", "directly below {}"),
    "from": ("Only links from this record (its id).", "rec-94-c", "from {}"),
    "to": ("Only links to this record (its id).", "hrc-25-25", "to {}"),
    "testimony": (
        "Only records that name this testimony (its id).",
        "tst-5m6hd29hbxgv1q7d3nevzrf1kb",
        "naming the testimony {}",
    ),
    "person": ("Only records that name this person (their id).", "per-3pttcd53snjkj84x508vfn9kz6", "naming {}"),
    "instrument": ("Only records that name this instrument (its id).", "hrc-25-25", "naming the instrument {}"),
}
