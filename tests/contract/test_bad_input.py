"""Bad input: each mistake is refused in its own words, names what is near, and never answers with everything."""

import base64
import urllib.error
import urllib.request
from typing import Any

import pytest

from app.catalogue.parameters import vocabulary
from app.records import KINDS
from tests.contract.asking import Heard, Service

INCIDENT = "inc-5b677bmxvskpqkehc3ddskh6yr"
# (what is asked, the status, the parameter or header that is wrong, what is said of it)
WRONG: list[tuple[str, str, str]] = [
    ("/v1/incidents?peroid=post-2011-12", "peroid", "There is no parameter 'peroid'. Did you mean 'period'?"),
    (
        "/v1/incidents?period=post-2011",
        "period",
        "'post-2011' is no period that you may see. Did you mean 'post-2011-12'?",
    ),
    ("/v1/incidents?period=2011-12", "period", "'2011-12' is a date, not the id of a period: use 'from' and 'to'"),
    (
        "/v1/incidents?match=posible",
        "match",
        "'posible' is no value of it: it is possible, certain or within. Did you mean 'possible'?",
    ),
    ("/v1/incidents?from=2011-02-30", "from", "'2011-02-30' is no date: "),
    ("/v1/incidents?from=yesterday", "from", "'yesterday' is not a year, a month or a day: write 2011"),
    ("/v1/incidents?from=2012&to=2011", "from", "2012 lies after 2011: 'from' must not be later than 'to'."),
    ("/v1/testimonies?given_from=2014&given_until=2013", "given_from", "2014 lies after 2013: "),
    ("/v1/testimonies?left_from=2014&left_until=2013", "left_from", "2014 lies after 2013: "),
    ("/v1/incidents?boundary=2011-12", "boundary", "'2011-12' is not a day: write 2011-12-17."),
    ("/v1/incidents?side=before", "side", "It names a side of a boundary day: give boundary=2011-12-17 with it."),
    (
        "/v1/incidents?match=within",
        "match",
        "It says how a period has to match: give 'period', 'from' or 'to' with it.",
    ),
    ("/v1/incidents?at=start", "at", "It says which part of a date to look at: give 'period', "),
    ("/v1/incidents?LIMIT=1", "LIMIT", "There is no parameter 'LIMIT'. Did you mean 'limit'? All of them: "),
    ("/v1/incidents?x=1", "x", "There is no parameter 'x'. All of them: /v1/incidents/queryables."),
    ("/v1/incidents?limit=0", "limit", "'0' is not a whole number from 1 to 1000."),
    ("/v1/incidents?limit=5000", "limit", "'5000' is not a whole number from 1 to 1000."),
    ("/v1/incidents?limit=ten", "limit", "'ten' is not a whole number from 1 to 1000."),
    ("/v1/incidents?sort=data", "sort", "'data' is no value of it: it is -date, date, id, "),
    ("/v1/incidents?fields=tilte", "fields", "'tilte' is no member of a record of this kind. Did you mean 'title'?"),
    (
        "/v1/incidents?format=xml",
        "format",
        "'xml' is no value of it: it is json, ndjson, csv, xlsx, parquet or geojson.",
    ),
    ("/v1/sources?format=geojson", "format", "'geojson' is no value of it: it is json, ndjson, csv, xlsx or parquet."),
    (
        "/v1/incidents?violation=tortur",
        "violation",
        "'tortur' is no violation that you may see. Did you mean 'torture'?",
    ),
    ("/v1/incidents?place=prov-north-hamgyon", "place", "Did you mean 'prov-north-hamgyong'?"),
    ("/v1/incidents?actor=ms", "actor", "'ms' is no actor that you may see. Did you mean 'mss'?"),
    (
        "/v1/incidents?victim_group=beleiver",
        "victim_group",
        "'beleiver' is no value that any record here has. Did you mean 'believer'?",
    ),
    ("/v1/testimonies?recorded_by=ohcr", "recorded_by", "Did you mean 'ohchr'?"),
    ("/v1/incidents?verification=corroborate", "verification", "Did you mean 'corroborated'?"),
    (f"/v1/incidents?ids={INCIDENT},nobody", "ids", "'nobody' is no incident that you may see."),
    (f"/v1/incidents?ids={INCIDENT},,", "ids", "There is an empty id in it: "),
    (
        "/v1/incidents?bbox=131,37.5,124,43.1",
        "bbox",
        "The western longitude is greater than the eastern one. A box across longitude 180",
    ),
    ("/v1/incidents?bbox=124,43.1,131,37.5", "bbox", "The southern latitude is greater than the northern one: "),
    ("/v1/incidents?bbox=170,30,-170,40", "bbox", "A box across longitude 180 has to be asked as two boxes"),
    ("/v1/incidents?bbox=124,37.5,131", "bbox", "'124,37.5,131' is not four numbers west,south,east,north"),
    ("/v1/incidents?bbox=124,37.5,191,43", "bbox", "Longitudes go from -180 to 180, latitudes from -90 to 90"),
    ("/v1/incidents?corroboration_min=-1", "corroboration_min", "'-1' is not a whole number from 0 to 1000000."),
    ("/v1/incidents?updated_since=now", "updated_since", "'now' is not a moment: write 2026-11-24, or "),
    (
        "/v1/incidents?updated_since=2026-11-24T10:31:26+09:00",
        "updated_since",
        "'2026-11-24T10:31:26 09:00' is not a moment: write 2026-11-24, or 2026-11-24T10:31:26Z with the zone. "
        "A + in an address is a space: write it as %2B.",
    ),
    (
        "/v1/incidents?updated_since=9999-12-31T23:59:00-23:59",
        "updated_since",
        "'9999-12-31T23:59:00-23:59' is not a moment: write ",
    ),
    (
        "/v1/changes?updated_since=0001-01-01T00:00:00%2B23:59",
        "updated_since",
        "'0001-01-01T00:00:00+23:59' is not a moment: write ",
    ),
    ("/v1/incidents?period=", "period", "It has no value. Leave it out, or give it one."),
    ("/v1/incidents?limit=1&limit=2", "limit", "It is given more than once, and can have one value only."),
    ("/v1/incidents?period=%ff", "period", "This is not UTF-8, percent-encoded."),
    ("/v1/incidents?period=a%00b", "period", "There is a character NUL in it."),
    ("/v1/people?period=post-2011-12", "period", "People have no date, so this cannot be asked of them."),
    (
        "/v1/sources?bbox=124,37.5,131,43.1",
        "bbox",
        "Sources have nothing that this asks about; /v1/sources/queryables lists",
    ),
    (f"/v1/incidents/{INCIDENT}?limit=1", "limit", "There is no parameter 'limit'."),
    (f"/v1/incidents/{INCIDENT}?format=csv", "format", "'csv' is no value of it: it is json or geojson."),
    (
        f"/v1/incidents/{INCIDENT}/testimonies?peroid=x",
        "peroid",
        "There is no parameter 'peroid'. Did you mean 'period'?",
    ),
    ("/v1?x=1", "x", "There is no parameter 'x'."),
    ("/healthz?y=1", "y", "There is no parameter 'y'."),
]


def refused(heard: Heard, status: int, type: str) -> Any:
    """Return a problem document, having looked at what each of them has."""
    assert (heard.status, heard["content-type"], heard["cache-control"]) == (
        status,
        "application/problem+json",
        "no-store",
    )
    problem = heard.json
    assert (problem["status"], problem["type"]) == (status, f"/problems/{type}")
    assert set(problem) <= {"type", "title", "status", "detail", "errors"}
    assert problem["title"] and problem["detail"]
    assert heard["content-length"] == str(len(heard.body))
    return problem


@pytest.mark.parametrize(("address", "name", "words"), WRONG, ids=[f"{i}-{one[1]}" for i, one in enumerate(WRONG)])
def test_a_mistake_is_named_and_explained(built_in, address, name, words):
    problem = refused(built_in.ask(address), 422, "invalid-request")
    assert [error["in"] for error in problem["errors"]] == ["query"]
    assert problem["errors"][0]["name"] == name
    assert words in problem["errors"][0]["detail"]
    assert problem["detail"] == problem["errors"][0]["detail"]


def test_each_mistake_is_explained_in_its_own_words(built_in):
    said = [built_in.ask(address).json["detail"] for address, _, _ in WRONG]
    again = {words for words in said if said.count(words) > 1}
    assert [one for one, words in zip(WRONG, said, strict=True) if words in again] == [
        one for one in WRONG if one[0].endswith(("bbox=131,37.5,124,43.1", "bbox=170,30,-170,40"))
    ]  # nobody can tell swapped corners from a box across longitude 180: the words speak of both


def test_several_mistakes_are_all_named(built_in):
    address = "/v1/incidents?peroid=x&limit=0&from=2011-02-30&bbox=1"
    problem = refused(built_in.ask(address), 422, "invalid-request")
    assert [error["name"] for error in problem["errors"]] == ["from", "bbox", "limit", "peroid"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_misspelt_parameter_of_any_kind_answers_with_anything(built_in, kind):
    for parameter in vocabulary(kind).values():
        wrong = parameter.name[:-1] + "_" if len(parameter.name) > 3 else parameter.name + "x"
        problem = refused(built_in.ask(f"/v1/{kind.path}?{wrong}={parameter.example}"), 422, "invalid-request")
        assert [error["name"] for error in problem["errors"]] == [wrong]


# --- cursors ---


@pytest.fixture
def cursor(built_in: Service) -> str:
    following: str = built_in.ask("/v1/incidents?period=post-2011-12&limit=7").json["next"]
    return following.partition("cursor=")[2]


def of(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def spelt(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


SAME = "/v1/incidents?period=post-2011-12&limit=7&cursor="
CURSORS = [
    (SAME, lambda one: "x!y", "This is no cursor: letters, digits, '-' and '_' only."),
    (SAME, lambda one: one[:-4], "This cursor was cut off, or something was added to it."),
    (SAME, lambda one: one + "AAAA", "This cursor was cut off, or something was added to it."),
    (SAME, lambda one: one[:8], "This cursor was cut off, or something was added to it."),
    (SAME, lambda one: spelt(of(one)[:30] + bytes([of(one)[30] ^ 1]) + of(one)[31:]), "This cursor was not made by"),
    ("/v1/incidents?period=pre-2011-12&limit=7&cursor=", lambda one: one, "a list with other filters"),
    ("/v1/incidents?period=post-2011-12&violation=torture&cursor=", lambda one: one, "a list with other filters"),
    ("/v1/incidents?cursor=", lambda one: one, "a list with other filters"),
    ("/v1/testimonies?period=post-2011-12&cursor=", lambda one: one, "a list with other filters"),
    ("/v1/places/kwanliso-15/incidents?period=post-2011-12&cursor=", lambda one: one, "a list with other filters"),
    (SAME.replace("?", "?sort=id&"), lambda one: one, "to the order '-date', and the order asked for is 'id'"),
]


@pytest.mark.parametrize("number", range(len(CURSORS)))
def test_a_cursor_that_is_not_of_this_very_list_is_refused(built_in, cursor, number):
    address, change, words = CURSORS[number]
    problem = refused(built_in.ask(address + change(cursor)), 422, "invalid-request")
    assert [error["name"] for error in problem["errors"]] == ["cursor"]
    assert words in problem["detail"]


def test_a_cursor_of_another_view_is_refused_as_one_that_was_made_up(built_in, cursor):
    assert built_in.ask(SAME + cursor).status == 200
    for view in (1, 2):
        problem = refused(built_in.ask(SAME + cursor, view), 422, "invalid-request")
        assert "This cursor was not made by this service for you" in problem["detail"]


def test_a_cursor_goes_with_another_limit_and_format(built_in, cursor):
    assert built_in.ask(SAME.replace("limit=7", "limit=3") + cursor).status == 200
    assert built_in.ask(SAME + cursor + "&format=csv").status == 200


# --- addresses, methods, formats ---

NOWHERE = [
    "/v1/incidents/inc-00000000000000000000000000",
    "/v1/incidents/tst-0ryg57e7bk0yt014fadx9v5ytr",
    "/v1/places/nowhere",
    "/v1/places/..",
    "/v1/places/%2e%2e",
    "/v1/places/a b",
    "/v1/places/nowhere/incidents",
    "/v1/incidents/inc-00000000000000000000000000/history",
]


@pytest.mark.parametrize("address", NOWHERE)
def test_an_unknown_id_is_not_found(built_in, address):
    problem = refused(built_in.ask(address), 404, "not-found")
    assert problem["detail"] == "There is nothing here under this address that you may see."
    assert "errors" not in problem


@pytest.mark.parametrize(
    "address", ["/", "/v2", "/v1/", "/v1/incident", "/v1/incidents/", "/v1/incidents/a/b/c", "/favicon.ico", "/docs/x"]
)
def test_an_unknown_address_is_not_found(built_in, address):
    problem = refused(built_in.ask(address), 404, "not-found")
    assert problem["detail"].startswith("There is nothing under this address. /v1 links to all there is.")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("address", ["/v1/incidents", f"/v1/incidents/{INCIDENT}", "/v1", "/healthz", "/problems"])
def test_a_wrong_method_is_refused_with_those_that_are_right(built_in, address, method):
    written = {"/v1/incidents": "POST, ", f"/v1/incidents/{INCIDENT}": "PUT, PATCH, DELETE, "}.get(address, "")
    heard = built_in.ask(address, method=method)
    if method in written.split(", "):
        refused(heard, 401, "unauthenticated")
        return
    problem = refused(heard, 405, "method-not-allowed")
    assert heard["allow"] == f"GET, HEAD, {written}OPTIONS"
    assert problem["detail"].startswith(f"Here only GET, HEAD, {written}OPTIONS are allowed")


LARGE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, application/vnd.apache.parquet"


@pytest.mark.parametrize(
    ("address", "offered"),
    [
        ("/v1/incidents", f"application/json, application/x-ndjson, text/csv, {LARGE}, application/geo+json"),
        ("/v1/sources", f"application/json, application/x-ndjson, text/csv, {LARGE}"),
        (f"/v1/incidents/{INCIDENT}", "application/json, application/geo+json"),
        (f"/v1/incidents/{INCIDENT}/history", "application/json"),
        ("/v1/incidents/queryables", "application/json"),
        ("/v1", "application/json"),
    ],
)
@pytest.mark.parametrize("accept", ["application/xml", "text/html;q=1", "application/json;q=0, text/plain"])
def test_a_wrong_accept_is_refused_with_what_there_is(built_in, address, offered, accept):
    problem = refused(built_in.ask(address, accept=accept), 406, "not-acceptable")
    assert problem["detail"].startswith(f"This is offered as {offered};")


def test_too_long_a_question_is_refused(built_in):
    refused(built_in.ask(f"/v1/incidents?victim_group={'x' * 9000}"), 414, "too-long")
    refused(built_in.ask("/v1/incidents?" + "&".join(["period=post-2011-12"] * 101)), 414, "too-long")


def test_a_wrong_host_is_refused_and_never_repeated(built_in):
    heard = built_in.ask("/v1/incidents", host="evil.test/<script>")
    problem = refused(heard, 422, "invalid-request")
    assert problem["errors"] == [{"in": "header", "name": "Host", "detail": problem["detail"]}]
    assert b"evil" not in heard.everything


def test_unknown_credentials_are_refused_and_never_ignored(live_server):
    for path in ("/v1/incidents", f"/v1/incidents/{INCIDENT}"):
        request = urllib.request.Request(live_server + path, headers={"Authorization": "Bearer something"})
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=10)
        with error.value as answer:
            assert (answer.code, answer.headers["WWW-Authenticate"]) == (
                401,
                'Bearer realm="evidence", error="invalid_token"',
            )
            assert answer.headers["Content-Type"] == "application/problem+json"
