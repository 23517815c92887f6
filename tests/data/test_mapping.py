"""The mapping: what our rules added to the record is what they say, and no more."""

import re
from collections import Counter

from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, bounds
from tests.data.record import FOLDER, everything, names_of, records, words_of


def test_scopes_follow_the_rule():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    expected = {}
    for name, record in names_of("incident").items():
        s0, _, _, e1 = bounds(record["date"])
        lasted = "/" in record["date"] and (s0 == BEFORE_ALL or e1 == AFTER_ALL or e1 - s0 > 366)
        expected[name] = "situation" if lasted else "pattern" if f"`{name}`" in readme else "event"
    assert {name: record["scope"] for name, record in names_of("incident").items()} == expected
    assert Counter(expected.values()) == {"event": 152, "situation": 37, "pattern": 13}


def test_victims_have_numbers_only_where_the_words_have_numbers():
    words = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    number = re.compile(rf"\b({words}|\d[\d,]*)\b")
    kinds: Counter[str] = Counter()
    for name, record in names_of("incident").items():
        victims = record.get("victims")
        if victims is None:
            kinds["nothing"] += 1
            continue
        numbers = [victims.get(bound) for bound in ("low", "best", "high")]
        kinds["-".join("n" if n is not None else "." for n in numbers)] += 1
        if any(n is not None for n in numbers):
            assert number.search(victims["described"]["en"]), name
    assert kinds == {"n-n-n": 88, ".-n-.": 8, "n-.-.": 5, ".-.-.": 76, "nothing": 25}


def test_victims_as_counted_from_their_words():
    counted = {
        record["victims"]["described"]["en"]: [record["victims"].get(bound) for bound in ("low", "best", "high")]
        for record in records("incident")
        if "victims" in record
    }
    assert counted["three people"] == [3, 3, 3]
    assert counted["one woman, two parents, four children"] == [7, 7, 7]
    assert counted["seven people incl. a girl, 10"] == [7, 7, 7]
    assert counted["one man, 22"] == [1, 1, 1]
    assert counted["nine people aged about 14 to 23"] == [9, 9, 9]
    assert counted["about 18,400 people"] == [None, 18400, None]
    assert counted["more than 1,000 workers, mostly women"] == [1000, None, None]
    assert counted["one girl, 13, and family"] == [None, None, None]
    assert counted["a couple of about 50"] == [None, None, None]
    assert counted["over 800 prisoners a year"] == [None, None, None]


def test_victim_groups_are_few_and_follow_from_violations():
    groups = Counter(group for record in records("incident") for group in record.get("victim_groups", []))
    assert groups == {"returnee": 12, "believer": 12, "overseas-worker": 8, "prisoners-child": 6, "abductee": 5}
    must = {"abductee": "international-abduction", "believer": "religious-persecution"}
    for record in records("incident"):
        for group, violation in must.items():
            assert (group in record.get("victim_groups", [])) == (violation in record["violations"]), record["slug"]


def test_people_are_those_that_a_source_names():
    testimonies = [t for t in records("testimony") if "person" in t["witness"]]
    forms = Counter(t["witness"]["form"] for t in testimonies)
    assert forms == {"named": 52, "alias": 1}
    assert [t["slug"] for t in testimonies if t["witness"]["form"] == "alias"] == ["tst-gyuri-kang-2024"]
    assert Counter(tuple(person["roles"]) for person in records("person")) == {
        ("witness",): 50,
        ("victim",): 18,
        ("victim", "witness"): 1,
    }


def test_a_person_bears_the_name_that_the_testimony_or_the_incident_has():
    names = {person["id"]: next(iter(person["name"].items())) for person in records("person")}
    for testimony in records("testimony"):
        if "person" in testimony["witness"] and testimony["slug"] != "tst-gyuri-kang-2024":
            language, name = names[testimony["witness"]["person"]]
            assert testimony["witness"]["designation"][language].startswith(name)
    for incident in records("incident"):
        for act in incident.get("acts", []):
            assert all(names[person][1] in incident["victims"]["described"]["en"] for person in act["people"])


def test_witnesses_are_one_person_only_where_the_record_says_so():
    uses = Counter(t["witness"]["person"] for t in records("testimony") if "person" in t["witness"])
    slugs = {person["id"]: person["slug"] for person in records("person")}
    assert {slugs[person]: n for person, n in uses.items() if n > 1} == {"per-ga-gyuri-kang": 2, "per-lee-tae-won": 2}
    same = {t["slug"]: t["same_witness"] for t in records("testimony") if "same_witness" in t}
    ids = {t["slug"]: t["id"] for t in records("testimony")}
    assert same == {
        "tst-ga-gyuri-kang": [ids["tst-gyuri-kang-2024"]],
        "tst-gyuri-kang-2024": [ids["tst-ga-gyuri-kang"]],
        "tst-lee-tae-won": [ids["tst-lee-tae-won-camp"]],
        "tst-lee-tae-won-camp": [ids["tst-lee-tae-won"]],
    }


def test_names_seen_in_kana_are_japanese_and_never_english():
    kana = [t["witness"]["designation"] for t in records("testimony") if "ja" in t["witness"]["designation"]]
    assert len(kana) == 6
    assert all(list(designation) == ["ja"] for designation in kana)
    english = [t["witness"]["designation"]["en"] for t in records("testimony") if "en" in t["witness"]["designation"]]
    assert all(name.isascii() for name in english)


def test_every_place_in_the_country_is_found_under_it():
    parents = {place["id"]: place.get("parent") for place in records("place")}

    def root(place: str) -> str:
        parent = parents[place]
        return place if parent is None else root(parent)

    assert Counter(root(place) for place in parents) == {
        "dprk": 111,
        "loc-china": 7,
        "loc-japan": 2,
        "loc-republic-of-korea": 1,
        "loc-russia": 1,
        "loc-vietnam": 1,
        "loc-qatar": 1,
        "loc-kuwait": 1,
        "loc-panmunjom": 1,
        "border-zone": 1,
        "loc-west-sea": 1,
    }


def test_places_that_we_made_say_so():
    made = [p["id"] for p in records("place") if p.get("note", {}).get("en", "").startswith("Record made by us")]
    assert made == ["prov-south-hamgyong", "prov-north-hwanghae", "prov-chagang", "prov-kangwon", "dprk"]


def test_what_weakens_the_record_stays_visible():
    testimonies = names_of("testimony")
    assert sum(t.get("title_only", False) for t in testimonies.values()) == 8
    assert [name for name, t in testimonies.items() if "reliability_note" in t] == ["tst-shin-dong-hyuk"]
    assert {t["verification"] for t in records("incident")} == {"as-reported"}
    assert {t["standard_of_proof"] for t in records("incident")} == {"not-stated"}
    assert {r["disclosure_basis"] for k in ("testimony", "incident", "person") for r in records(k)} == {"published"}
    cut_off = [r["id"] for r in records("recommendation") if not r["paraphrase_complete"]]
    assert cut_off == ["rec-89-c", "rec-89-i", "rec-89-m", "rec-94-d"]


def test_one_witness_tells_once():
    """`2015/2019` would say that the telling lasted from 2015 to 2019, and `../2020` since before any day."""
    lasted = {t["slug"] for t in records("testimony") if "/" in t["given"]}
    assert lasted == {"tst-ohchr-109-interviewees", "tst-ohchr-overseas-2023", "tst-gyuri-kang-2024"}


def test_no_text_names_a_record_by_a_slug():
    """A slug is shown to nobody: a reader could not find what it names."""
    slugs = {record["slug"] for _, record in everything() if "slug" in record}
    shown = [text for _, record in everything() for text in words_of({**record, "slug": None})]
    words = {word for text in shown for word in re.findall(r"(?:inc|tst|per)-[a-z0-9-]+", text)}
    assert words & slugs == set()


def test_instruments_name_what_they_created_and_renewed():
    acts = {
        (verb, body): [one["id"] for one in records("instrument") if body in one.get(verb, [])]
        for verb in ("creates", "renews", "ends")
        for body in (record["id"] for record in records("instrument"))
    }
    assert {act: ids for act, ids in acts.items() if ids} == {
        ("creates", "body-coi"): ["hrc-22-13"],
        ("creates", "body-ohchr-seoul"): ["hrc-25-25"],
        ("creates", "body-poe"): ["sc-1874"],
        ("creates", "body-1718-committee"): ["sc-1718"],
        ("renews", "body-poe"): ["sc-2407"],
        ("renews", "body-sr"): [
            *("hrc-22-13", "hrc-25-25", "hrc-28-22", "hrc-37-28", "hrc-49-22", "hrc-52-28", "hrc-55-21"),
        ],
    }


def test_a_statement_names_the_instrument_that_its_citation_is():
    instruments = {one["symbol"]: one["id"] for one in records("instrument") if "symbol" in one}
    for statement in records("statement"):
        cited = {instruments[c["symbol"]] for c in statement["citations"] if c["symbol"] in instruments}
        assert cited <= set(statement.get("instruments", [])), statement["id"]
    assert sum("instruments" in one for one in records("statement")) == 8


def test_who_returned_people_is_named_where_the_words_say_it():
    for incident in records("incident"):
        if "Chinese authorities" in " ".join(words_of(incident.get("summary", {}))):
            assert "china-authorities" in incident.get("actors", []), incident["slug"]


def test_what_rests_on_a_doubted_account_says_so():
    """A statement has no relation to testimonies: its note has to send the reader there."""
    shin = names_of("testimony")["tst-shin-dong-hyuk"]
    for statement in records("statement"):
        if "Shin Dong-hyuk" in statement["speaker"]:
            assert shin["id"] in statement["note"]["en"] and "reliability" in statement["note"]["en"]


def _numbers(paragraph: str) -> set[int]:
    """Return the numbers that a citation's paragraph names: `757-761, 766-767`."""
    spans = re.findall(r"(?:^|, )(\d+)(?:-(\d+))?(?=,|$)", paragraph)
    return {number for low, high in spans for number in range(int(low), int(high or low) + 1)}


def test_findings_name_the_violations_that_cite_their_paragraph():
    terms = {term["id"]: term for term in records("violation")}
    for finding in records("finding"):
        if "violations" not in finding:
            continue
        area, *parts = finding["violations"]
        assert area == finding["area"] and "parent" not in terms[area]
        assert parts == [
            name
            for name, term in terms.items()
            if "parent" in term
            and any(
                c["symbol"] == finding["document"] and int(finding["paragraph"]) in _numbers(c.get("paragraph", ""))
                for c in term["citations"]
            )
        ], finding["id"]
    assert sum(len(finding.get("violations", [])) > 1 for finding in records("finding")) == 40
