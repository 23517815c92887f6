"""Both engines: SQLite and PostgreSQL give the same answers, to the byte, headers included."""

import pytest

from app.records import KINDS
from tests.data.record import records

FORMATS = ("json", "ndjson", "csv", "xlsx", "parquet", "geojson")
QUESTIONS = (
    "/v1/incidents",
    "/v1/incidents?period=post-2011-12",
    "/v1/incidents?period=pre-2011-12&match=within",
    "/v1/incidents?boundary=2011-12-17&side=straddling",
    "/v1/incidents?period=post-2011-12&violation=torture&limit=7",
    "/v1/incidents?period=pre-2011-12&period=since-coi&match=certain&at=start&sort=date",
    "/v1/incidents?from=1995&to=2003-06&boundary=1997-07-08&sort=id",
    "/v1/incidents?place=prov-north-hamgyong&actor=mss",
    "/v1/incidents?bbox=126.5,40.5,130.7,43.1&sort=-id&fields=title,date,geometry",
    "/v1/incidents?crime=rome-statute-7-1-f&corroboration_min=2",
    "/v1/incidents?victim_group=believer&sort=updated",
    "/v1/testimonies?period=post-2011-12",
    "/v1/testimonies?left_from=2005&left_until=2012",
    "/v1/testimonies?given_from=2013&recorded_by=coi&sort=-updated&limit=11",
    "/v1/testimonies?knowledge=experienced&account_type=hearing&sort=date",
    "/v1/places?place=prov-north-hamgyong",
    "/v1/places?parent=prov-north-hamgyong&sort=date",
    "/v1/places?bbox=124,37.5,131,43.1&limit=1000",
)
ONES = tuple(f"/v1/{kind.path}/{records(kind.name)[3]['id']}" for kind in KINDS if records(kind.name))
OTHERS = (
    *(f"/v1/{kind.path}/queryables" for kind in KINDS),
    *(f"{one}/history" for one in ONES[::3]),
    f"/v1/incidents/{records('incident')[0]['id']}/testimonies",
    "/v1/places/kwanliso-15/incidents?limit=5",
    "/v1/violations/torture/testimonies?period=post-2011-12",
    "/v1/sources/src-005/incidents?sort=date&limit=9",
    "/v1/incidents?period=post-2011",
    "/v1/incidents?violation=tortur&actor=ms&owner=public-records&victim_group=believers",
    "/v1/incidents?ids=inc-00000000000000000000000000,inc-5b677bmxvskpqkehc3ddskh6yq",
    "/v1/incidents/inc-00000000000000000000000000",
    "/v1/incidents?from=2012&to=2011&limit=0",
)


@pytest.fixture(scope="module")
def ask_both(built_in_of):
    one, other = built_in_of("sqlite"), built_in_of("postgresql")
    return lambda address: (one.ask(address), other.ask(address))


def in_every_format() -> list[str]:
    lists = [f"{address}{'&' if '?' in address else '?'}format={name}" for address in QUESTIONS for name in FORMATS]
    return [*lists, *ONES, *OTHERS]


def test_there_are_enough_questions():
    assert (len(QUESTIONS), len(ONES), len(OTHERS), len(in_every_format())) == (18, 14, 29, 151)


@pytest.mark.parametrize("address", in_every_format())
def test_the_answers_are_the_same_bytes(ask_both, address):
    one, other = ask_both(address)
    assert (one.status, one.headers) == (other.status, other.headers)
    assert one.body == other.body


def test_page_after_page_is_the_same(ask_both):
    address = "/v1/incidents?period=pre-2011-12&limit=23"
    seen = 0
    while address:
        one, other = ask_both(address)
        assert one == other
        seen += len(one.ids)
        address = one.json["next"]
    assert seen == one.json["total"]
