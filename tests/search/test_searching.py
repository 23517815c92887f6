"""`/v1/search`: what is found in all kinds is what their lists find; pages, orders, formats, and what is refused."""

from urllib.parse import quote

import orjson
import pytest
from starlette.testclient import TestClient

from app.catalogue import searching
from app.catalogue.searching_asked import SORTS
from app.main import create_app
from app.records import BY_NAME, KINDS
from tests.catalogue import forced
from tests.conftest import ENGINES
from tests.contract.asking import Service, query

INCIDENT = "inc-44eq0w73b2k9a0rajs56np0e73"


@pytest.fixture(scope="module")
def client(public_record):
    with TestClient(create_app(public_record)) as client:
        yield client


def found(client, q, **more):
    answer = client.get("/v1/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("q", ["Yodok", "camp guard", "요덕", "missile*", '"human rights" -Korea', "dancer"])
def test_what_is_found_in_all_kinds_is_what_each_list_finds(client, q):
    whole = found(client, q, limit=1000)
    of_kinds: dict[str, int] = {}
    for kind in KINDS:
        listed = client.get(f"/v1/{kind.path}", params={"q": q, "limit": 1000}).json()
        of_kinds |= {kind.name: listed["total"]} if listed["total"] else {}
        here = [one for one in whole["items"] if one["kind"] == kind.name]
        assert {one["id"]: one["record"] for one in here} == {one["id"]: one for one in listed["items"]}
        assert [one["url"] for one in here] == [f"http://testserver/v1/{kind.path}/{one['id']}" for one in here]
    assert {one["kind"]: one["count"] for one in whole["meta"]["kinds"]} == of_kinds
    assert whole["total"] == len(whole["items"]) == sum(of_kinds.values()) > 0
    assert whole["next"] is None


def test_kinds_are_counted_whether_or_not_they_are_asked_for(client):
    whole, some = found(client, "camp"), found(client, "camp", kind=["place", "finding"])
    counts = {one["kind"]: one["count"] for one in whole["meta"]["kinds"]}
    assert some["meta"]["kinds"] == whole["meta"]["kinds"]
    assert [*counts.values()] == sorted(counts.values(), reverse=True)
    assert some["total"] == counts["place"] + counts["finding"] < whole["total"]
    assert {one["kind"] for one in some["items"]} == {"place", "finding"}
    assert some["meta"]["describes"] == "Findings and places with the words camp"
    assert found(client, "camp", kind=[kind.name for kind in KINDS])["items"] == whole["items"]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_give_every_record_once_and_in_order(client, sort):
    whole = found(client, "prisoners", sort=sort, limit=1000)
    pages, answer = [], found(client, "prisoners", sort=sort, limit=7)
    while True:
        assert (answer["total"], answer["meta"]) == (whole["total"], whole["meta"])
        pages += answer["items"]
        if answer["next"] is None:
            break
        answer = client.get(answer["next"].partition("testserver")[2]).json()
    assert pages == whole["items"]
    dates = [one["record"].get("date") for one in whole["items"]]
    days = [None if date is None else date["start"][0] or "" for date in dates]  # "": before all days
    dated = [day for day in days if day is not None]
    if sort in ("date", "-date"):
        assert dated == sorted(dated, reverse=sort == "-date") and days[: len(dated)] == dated
    if sort == "relevance":
        assert whole["meta"]["scored"] == whole["total"]
    assert (found(client, "prisoners")["items"] == whole["items"][:50]) is (sort == "-date")


def test_lines_are_the_items_and_the_next_page_is_in_the_header(client):
    whole = found(client, "camp", limit=3)
    lines = client.get("/v1/search", params={"q": "camp", "limit": 3, "format": "ndjson"})
    assert [orjson.loads(line) for line in lines.text.splitlines()] == whole["items"]
    assert 'rel="next"' in lines.headers["link"] and "format=ndjson" in lines.headers["link"]


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_who_has_a_form_is_told_so_by_its_own_tag(client, coding):
    takes = {"Accept-Encoding": coding}
    tag = client.get("/v1/search?q=Yodok", headers=takes).headers["etag"]
    assert tag.endswith('"' if coding == "identity" else f'-{coding}"')
    for known in (tag, f'"x", W/{tag}', "*"):
        again = client.get("/v1/search?q=Yodok", headers=takes | {"If-None-Match": known})
        assert (again.status_code, again.headers["etag"], again.content) == (304, tag, b"")


def test_highlights_say_where_the_words_stand(client):
    (item,) = found(client, "dancer interrog*", kind="incident", highlights="true")["items"]
    assert item["id"] == INCIDENT
    (text,) = item["highlights"]
    assert text["pointer"] == "/summary/en"
    summary = item["record"]["summary"]["en"]
    assert [summary[start:end] for start, end in text["spans"]] == ["dancer", "interrogation"]
    listed = client.get("/v1/incidents", params={"q": "dancer interrog*", "highlights": "true"}).json()
    assert listed["highlights"] == {INCIDENT: item["highlights"]}
    listed = client.get("/v1/incidents", params={"q": "dancer", "highlights": "true", "fields": "title"}).json()
    assert listed["highlights"] == {INCIDENT: []}
    lines = client.get("/v1/search?q=dancer&highlights=true&format=ndjson&limit=1").text
    assert orjson.loads(lines)["highlights"]


@pytest.mark.parametrize(
    ("q", "suggested"),
    [
        ("tortrue", [{"word": "tortrue", "nearest": ["torture"]}]),
        ("Yodek camp", [{"word": "yodek", "nearest": ["yodok", "york"]}]),
        ("수옹소", [{"word": "수옹소", "nearest": ["수용소"]}]),
        ("dansers -missile", [{"word": "dansers", "nearest": ["dancer"]}]),
        ("xqzzyq", []),
        ("dancer missile", []),  # each is somewhere
        ('"torture dancer"', []),
    ],
)
def test_a_word_that_is_nowhere_has_suggestions(client, q, suggested):
    for path in ("search", "incidents"):
        answer = client.get(f"/v1/{path}", params={"q": q}).json()
        assert answer["total"] == 0
        told = answer["meta"].get("suggestions", [])
        assert [one["word"] for one in told] == [one["word"] for one in suggested]
        for one, other in zip(told, suggested, strict=True):
            assert one["nearest"][: len(other["nearest"])] == other["nearest"]
            assert all(found(client, near)["total"] for near in one["nearest"])


@pytest.mark.parametrize(
    ("asked", "name", "says"),
    [
        ("", "q", "q=torture"),
        ("q=...", "q", "no word"),
        ("q=camp&kind=camp", "kind", "no value of it"),
        ("q=camp&sort=id", "sort", "no value of it"),
        ("q=camp&highlights=true&limit=101", "highlights", "at most 100"),
        ("q=camp&cursor=abc", "cursor", "cut off"),
        ("q=camp&facets=kind", "facets", "no parameter"),
        ("q=camp&limit=0", "limit", "from 1 to 1000"),
    ],
)
def test_what_cannot_be_asked_is_refused(client, asked, name, says):
    answer = client.get(f"/v1/search?{asked}")
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["name"] == name and says in fault["detail"]


def test_a_cursor_is_good_for_its_question_alone(client):
    following = found(client, "camp", limit=2)["next"].partition("testserver")[2]
    for other in (following.replace("q=camp", "q=prison"), following.replace("?", "?kind=place&")):
        assert client.get(other).status_code == 422
    assert client.get(following.replace("?", "?sort=updated&")).status_code == 422


@pytest.mark.parametrize(
    "asked", ["highlights=true", "q=camp&highlights=true&format=csv", "q=camp&highlights=true&limit=500"]
)
def test_lists_refuse_highlights_that_they_cannot_have(client, asked):
    answer = client.get(f"/v1/incidents?{asked}")
    assert (answer.status_code, answer.json()["errors"][0]["name"]) == (422, "highlights")


ASKED = [
    query(q=q, **more)
    for q in ("camp", "prison* -camp", "수용소", "Yodŏk", "abduction Japan", "tortrue")
    for more in (
        {"limit": 7},
        {"sort": "relevance", "highlights": "true"},
        {"kind": ["incident", "source"], "sort": "date"},
    )
]


@pytest.fixture(scope="module")
def alike(public_record_in):
    """One service for each engine, with columns in memory and without."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        for shelf in (forced.Always, forced.Never):
            patch.setattr("app.main.Shelf", shelf)
            made += [Service(public_record_in(engine)) for engine in ENGINES]
    yield made
    for one in made:
        one.close()


@pytest.mark.parametrize("asked", ASKED)
def test_engines_agree_with_and_without_columns_in_memory(alike, monkeypatch, asked):
    monkeypatch.setattr(searching, "FEW", 0)
    for path in ("search", "incidents", "places") if "kind" not in asked else ("search",):
        first, *others = (service.ask(f"/v1/{path}?{asked}") for service in alike)
        assert first.status == 200
        assert [(other.status, other.body) for other in others] == [(200, first.body)] * len(others)


def test_every_kind_is_named_in_the_landing_document(client):
    links = {one["rel"]: one["href"] for one in client.get("/v1").json()["links"]}
    assert links["search"].endswith("/v1/search")
    assert {one["kind"] for one in found(client, "Korea", limit=1000)["items"]} <= set(BY_NAME)
    assert client.get(f"/v1/search?q={quote('요덕')}").json()["total"] > 0
