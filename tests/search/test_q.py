"""`q` in lists of the built-in record: what is found, in which order, and what is refused, on both engines."""

from collections import Counter
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.main import create_app


@pytest.fixture(scope="module")
def client(public_record):
    with TestClient(create_app(public_record)) as client:
        yield client


def found(client, path, q, **more):
    answer = client.get(f"/v1/{path}", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(client, path, q, **more):
    return [one["id"] for one in found(client, path, q, **more)["items"]]


@pytest.mark.parametrize(
    "q", ["Yodok", "yodŏk", "YODEOK", "요덕", "요덕 정치범수용소", "수용소 -회령 요덕", '"요덕 정치"', "요덕*"]
)
def test_a_place_is_found_by_each_of_its_names(client, q):
    assert "kwanliso-15" in ids(client, "places", q)


@pytest.mark.parametrize("q", ["Yodok", "요덕"])
def test_texts_in_english_are_found_by_a_name_in_hangul(client, q):
    assert "inc-44eq0w73b2k9a0rajs56np0e73" in ids(client, "incidents", q)


@pytest.mark.parametrize(
    ("q", "finds"),
    [
        ("dancer", True),
        ("DANCERS", True),
        ("dancer interrogated", True),
        ("dancer -interrogation", False),
        ('"two months of secret interrogation"', True),
        ('"months two"', False),
        ("interrog*", True),
        ("interroga*", True),
        ("interrogatio*", True),
        ("dancer -interrogati*", False),
        ("interrogatr*", False),
        ("dancer AND", True),  # a word like any other, and it is there
        ("dancer NOT interrogation", False),
        ("dancer) OR (", False),
        ('dancer "', True),
        ("dancer:*", True),
        ("dancer'", True),
        ("d\u200dancer", True),
        ("\u202edancer\u202c", True),
    ],
)
def test_words_phrases_prefixes_and_exclusion(client, q, finds):
    assert ("inc-44eq0w73b2k9a0rajs56np0e73" in ids(client, "incidents", q, limit=1000)) is finds


@pytest.mark.parametrize("q", ["Ji Seong-ho", "ji sŏng-ho", "Chi Song Ho", "Chi Sŏngho", "Chi Seongho", "Ji, Seong-ho"])
def test_a_person_is_found_by_each_spelling_of_a_name_in_several_words(client, q):
    assert ids(client, "people", q) == ids(client, "people", "지성호") != []


@pytest.mark.parametrize(
    "q", ["신동혁", "정광일", "안명철", "지성호", "이재근", "리재근", "김정욱", "최순화", "임현수"]
)
def test_a_person_is_found_by_the_name_in_hangul(client, q):
    """Their sources write them by ear, one with the family name last."""
    assert len(ids(client, "people", q)) == 1


def test_what_begins_with_z_is_some_words_and_not_everything(client):
    begun = found(client, "incidents", "z*")["total"]
    assert 0 < begun < 20
    assert found(client, "incidents", "camp -z*")["total"] > 10
    for nothing in ("zq", "zqq", "zq*", "ZQ"):
        assert found(client, "incidents", nothing)["total"] == 0


@pytest.mark.parametrize("sort", ["date", "-date", "id", "-id", "updated", "relevance"])
@pytest.mark.parametrize("more", [{}, {"violation": "torture"}, {"period": "post-2011-12", "match": "certain"}])
def test_pages_give_every_record_once(client, sort, more):
    whole = found(client, "incidents", "prisoners", sort=sort, limit=1000, **more)
    everything = [one["id"] for one in whole["items"]]
    assert whole["total"] == len(everything) > 5
    pages, answer = [], found(client, "incidents", "prisoners", sort=sort, limit=3, **more)
    while True:
        assert answer["total"] == len(everything)
        pages += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        answer = client.get(answer["next"].partition("testserver")[2]).json()
    assert pages == everything
    assert len(set(pages)) == len(pages)


def test_in_the_order_of_dates_it_is_the_list_without_the_others(client):
    for sort in ("date", "-date", "id", "updated"):
        everything = client.get("/v1/incidents", params={"limit": 1000, "sort": sort}).json()["items"]
        those = set(ids(client, "incidents", "camp", limit=1000))
        assert ids(client, "incidents", "camp", limit=1000, sort=sort) == [
            one["id"] for one in everything if one["id"] in those
        ]


def test_an_export_gives_what_the_list_counts(client):
    lines = client.get("/v1/incidents", params={"q": "camp", "format": "ndjson"}).text.splitlines()
    assert len(lines) == found(client, "incidents", "camp")["total"] > 10


def test_a_heading_weighs_more(client):
    first = found(client, "places", "yodok", sort="relevance")
    assert first["items"][0]["id"] == "kwanliso-15"
    assert first["meta"]["scored"] == first["total"]


def test_meta_says_what_was_asked_and_what_has_no_date(client):
    meta = found(client, "incidents", "  camp   guard ", **{"from": "2011-12-17"})["meta"]
    assert "with the words camp guard" in meta["describes"]
    assert set(meta["matched"]) == {"possible", "certain", "within"}


@pytest.mark.parametrize(
    ("q", "says"),
    [
        ("...", "no word"),
        ("\"'()*:^-+~{}[]|&!<>", "no word"),
        ('" " OR*"'.replace("OR", ""), "no word"),
        ("\u202e\u200f", "no word"),
        ("-torture", "what to leave out"),
        ("a" * 1001, "1001 characters"),
        (" ".join(f"w{i}" for i in range(33)), "33 words"),
        ("가나다라마바사" * 60, "200 are the most"),
        ("a\0b", "NUL"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(client, q, says):
    for path in ("incidents", "sources"):
        answer = client.get(f"/v1/{path}?q={quote(q)}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["name"] == "q"
        assert says in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "q",
    [
        "ㄱ",
        "ᄀ",
        "ㅏㅏ",
        "한",
        "韓",
        "ア",
        "a한b韓cア1",
        "\x01\x02camp\x1b",
        "NEAR(camp, 3)",
        "terms : camp",
        "camp:A",
        "%",
        "é",
    ],
)
def test_odd_texts_are_answered_or_refused(client, q):
    assert client.get(f"/v1/incidents?q={quote(q)}").status_code in (200, 422)


def test_a_word_that_is_nowhere_finds_nothing(client):
    assert found(client, "incidents", "xyzzyx")["total"] == 0
    assert found(client, "incidents", "xyzzyx", sort="relevance")["items"] == []


def test_a_query_that_is_too_long_for_an_address_is_refused(client):
    assert client.get("/v1/incidents?q=" + "x" * 60_000).status_code in (414, 431)


def test_relevance_needs_something_to_look_for(client):
    answer = client.get("/v1/incidents?sort=relevance")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == "sort"


@pytest.mark.parametrize("more", [{}, {"period": "post-2011-12"}, {"place": "dprk", "violation": "torture"}])
def test_facets_and_counts_of_what_is_found_are_those_of_the_records_in_the_list(client, more):
    whole = found(client, "incidents", "prisoners", limit=1000, facets="scope,verification", facet_limit=100, **more)
    assert whole["items"]
    for name in ("scope", "verification"):
        listed = Counter(one[name] for one in whole["items"])
        told = {one["value"]: one["count"] for one in whole["meta"]["facets"][name]["values"]}
        assert told == listed
    everything = [*{one["scope"] for one in whole["items"]}]
    asked = {"q": "prisoners", "scope": everything, "group_by": "verification", **more}
    counted = client.get("/v1/statistics/counts", params=asked).json()
    assert counted["total"] == whole["total"]
    assert {one["verification"]: one["incidents"] for one in counted["items"]} == Counter(
        one["verification"] for one in whole["items"]
    )
