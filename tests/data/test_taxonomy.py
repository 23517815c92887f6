"""The taxonomy: a parent holds only what is always a kind of it, and no record of what happened is labelled a crime."""

from app.records import BY_NAME, references
from tests.data.record import everything, records

# The COI's areas: what the COI treats there is in them. Whoever adds a term says here why it belongs under its parent.
AREAS = {
    "thought-expression-religion": {"indoctrination", "surveillance", "information-control", "religious-persecution"},
    "discrimination": {"songbun", "gender-discrimination", "disability-discrimination"},
    "movement-residence": {
        "banishment",
        "travel-ban",
        "border-killing",
        "forced-return",
        "abuse-of-returnees",
        "family-separation",
    },
    "food-life": {"deliberate-starvation", "aid-obstruction", "food-discrimination"},
    "detention-torture-camps": {
        "arbitrary-detention",
        "unfair-trial",
        "torture",
        "public-execution",
        "summary-execution",
        "political-prison-camp",
        "guilt-by-association",
        "forced-labour",
        "death-in-detention",
        "denial-of-health-care",
        "inhumane-conditions",
        "domestic-disappearance",
    },
    "abductions-disappearances": {"international-abduction", "non-repatriation"},
    # Not an area: our grouping of what the COI treats under C and E.
    "sexual-and-reproductive-violence": {"forced-abortion", "infanticide", "invasive-search", "sexual-violence"},
    "overseas-forced-labour": set(),  # an area of its own: the COI did not treat it
}
# Below an area: always a kind of it.
ALWAYS = {
    "stress-positions": "torture",  # held until it hurts, to break somebody
    "child-labour-camps": "forced-labour",  # labour that children are forced to
}


def test_every_parent_is_one_that_was_looked_at():
    parents = {violation["id"]: violation.get("parent") for violation in records("violation")}
    under = {child: area for area, children in AREAS.items() for child in children}
    assert parents == dict.fromkeys(AREAS) | under | ALWAYS


def test_collective_punishment_is_no_kind_of_detention_in_a_camp():
    without = [
        record["slug"]
        for kind, record in everything()
        if kind in ("incident", "testimony")
        and "guilt-by-association" in record.get("violations", [])
        and "political-prison-camp" not in record["violations"]
    ]
    assert without == ["tst-dnk-wonsan-2021", "tst-lee-tae-won-camp", "tst-kgf-kim-il-hyuk", "inc-wonsan-eight-2013"]


def test_only_violations_name_crimes_and_each_says_that_the_mapping_is_ours():
    crimes = {crime["id"] for crime in records("crime")}
    namers = {
        kind for kind, record in everything() for _, target, _ in references(BY_NAME[kind], record) if target in crimes
    }
    assert namers == {"violation"}
    mappings = [mapping for violation in records("violation") for mapping in violation.get("may_amount_to", [])]
    assert len(mappings) == 37
    assert {mapping["basis"]["en"].endswith("letter is ours") for mapping in mappings} == {True}
    assert {mapping["crime"] for mapping in mappings} == crimes


def test_the_letters_of_the_rome_statute_are_those_that_the_coi_names():
    assert [crime["provision"] for crime in records("crime")] == [f"7(1)({letter})" for letter in "abcdefghik"]
