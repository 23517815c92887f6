"""Whatever is looked for has an answer or a clear refusal, on both engines: never a failure, never a long search."""

import http.client
import time
from contextlib import closing
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import Database
from app.core.engine import Limits, too_long
from app.search.query import MOST_SIGNS
from tests.contract.asking import Service
from tests.often import often

LONG = 5  # seconds that nothing of the built-in record may take, however busy the machine
SIGNS = "\"'()*:^-+~{}[]|&!<>@\\/%_ \t\n"
ODD = (
    *("ᄀ", "ᆨ", "ㅏㅏ", "ᄀᆨ", "\u1160\u115f", "가\u11a8", "ﾡ"),  # jamo with no syllable
    *("\u202ecamp\u202c", "\u200fcamp\u200e", "\u2066camp\u2069", "שלום camp", "مخيم"),  # from right to left
    *("\x01\x02", "cam\x7fp", "\x1b[31mcamp", "\u2028", "\ufffe", "\U0010ffff", "\ud7b0"),  # for no reader
    *("campلагерь수용소收容所キャンプ", "a한b韓cア1", "ＣＡＭＰ", "①②③", "ﬁﬂ", "İstanbul", "ǅ", "𝔠𝔞𝔪𝔭", "🏳️‍🌈 camp"),
    *("NEAR(camp guard, 3)", "camp OR guard AND NOT", "{terms} : camp", "^camp", "camp + guard", '"camp" * "'),
    *("camp & guard | !x", "camp <-> guard", "camp:*A", "'camp' ''", "\\", "$1", ":wanted", "%(x)s", "camp\\"),
    *("*", "***", "-", "--", '""', '"""', '-"', '"-"', "-*", "..." * 300, "-camp -guard", "camp*" * 100),
    *("a" * MOST_SIGNS, "가" * 200, "é" * MOST_SIGNS, "zq zqq zqyotok", "a\u0301" * 400),
)


@pytest.fixture(scope="module")
def service(public_record):
    service = Service(public_record)
    yield service
    service.close()


def hold(service: Service, q: str) -> None:
    begun = time.monotonic()
    for address in ("search?highlights=true&", "search?sort=relevance&", "incidents?facets=year&", "places?"):
        heard = service.ask(f"/v1/{address}q={quote(q, errors='surrogatepass')}")
        assert heard.status in (200, 422), (heard.status, q, heard.body)
        if heard.status == 422:
            assert [one["name"] for one in heard.json["errors"]] == ["q"]
    assert time.monotonic() - begun < 4 * LONG


@pytest.mark.parametrize("q", ODD, ids=range(len(ODD)))
def test_odd_texts_are_answered_or_refused(service, q):
    hold(service, q)


def test_any_text_is_answered_or_refused(service):
    one = st.sampled_from([*SIGNS, *"ᄀㅏ가힣韓ア", "camp", "요덕", "\u202e", "\u200f", "\x00", "\x1b", "\u0301"])

    @settings(max_examples=often(40), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.text(min_size=1, max_size=60), st.lists(one, min_size=1, max_size=25).map("".join)))
    def answered(q):
        hold(service, q)

    answered()


@pytest.mark.parametrize("raw", ["%FF", "%ED%A0%80", "%C0%80", "%00"])
def test_what_is_no_text_is_refused(service, raw):
    heard = service.ask(f"/v1/search?q=camp{raw}")
    assert heard.status == 422 and heard.json["errors"][0]["name"] == "q"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session")
def test_ten_megabytes_are_refused_and_the_service_goes_on(live_server):
    address = urlsplit(live_server)
    begun = time.monotonic()
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)) as connection:
        try:
            connection.request("GET", "/v1/search?q=" + "x" * 10_000_000)
            with connection.getresponse() as refused:
                assert refused.status in (400, 414, 431)
        except ConnectionError:
            pass  # it is not read to its end
    assert time.monotonic() - begun < LONG
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)) as connection:
        connection.request("GET", "/v1/search?q=camp&limit=1")
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("path", ["search", "incidents"])
def test_a_search_that_takes_too_long_says_which_limit_stopped_it(public_record, monkeypatch, path):
    """That the engines stop at the limit is held by tests/core/test_limits.py: here each heavy reading is over it."""
    service, read = Service(public_record), Database.read

    async def stopped(self, reading, heavy=False):
        if heavy:
            raise too_long(Limits(seconds=1))
        return await read(self, reading, heavy)

    monkeypatch.setattr(Database, "read", stopped)
    heard = service.ask(f"/v1/{path}?q=camp")
    service.close()
    assert heard.status == 503 and heard["retry-after"] == "60"
    assert "longer than the 1 seconds" in heard.json["detail"] and "narrow the filters" in heard.json["detail"]
