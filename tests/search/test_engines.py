"""Both engines find the same and put it in the same order, to the byte."""

import pytest
from sqlalchemy import String, cast, func, select

from app.search import analyse
from tests.conftest import ENGINES
from tests.contract.asking import Service, query

QUESTIONS = (
    "torture", "camp",
    "prison camp", '"prison camp"', "prison* -camp", "요덕", "회령 수용소", "교화소", "수용소*", "소",
    "Yodŏk", "Pyongyang", "execution public", "abduction Japan", "border crossing child", "forced labour", "famine",
    "repatriated from China", "guard", "pregnant women", "religion", "Kim Jong Un", "hunger starvation", "kyohwaso 12",
    "UN", "A/HRC/25/63", "2013", '"crimes against humanity"', "interrogat* beaten",
    "missile", "nowhereatall",
)  # fmt: skip


@pytest.fixture(scope="module")
def services(public_record_in):
    made = [Service(public_record_in(engine)) for engine in ENGINES]
    yield made
    for one in made:
        one.close()


@pytest.mark.parametrize("path", ["incidents", "testimonies", "places", "sources", "findings"])
@pytest.mark.parametrize("order", ["relevance", "id"])
def test_engines_agree(services, path, order):
    found = 0
    for q in QUESTIONS:
        asked = f"/v1/{path}?{query(q=q, sort=order, fields='id', limit=1000)}"
        first, second = (service.ask(asked) for service in services)
        assert first.status == second.status == 200
        assert (first.ids, first.json["total"], first.json["meta"]) == (
            second.ids,
            second.json["total"],
            second.json["meta"],
        )
        found += len(first.ids)
    assert found > 20


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_postgresql_takes_every_term_as_it_is(database):
    """The parser of the server splits only where the analyser did, whatever the letters."""
    texts = ["1e5 12 007 3d sha256 v1 x9y9 한국 韓國 カタ ж é9 ß ا", "Yodŏk Ёлка ὀδός 요덕2 2요덕 a1b2c3 1st 0x1f"]

    def split(connection):
        for text in texts:
            terms = analyse.terms(text)[0]
            statement = select(cast(func.to_tsvector("simple", " ".join(terms)), String))
            found = connection.scalar(statement)
            places = {int(place) for one in found.split() for place in one.rpartition(":")[2].split(",")}
            assert places == set(range(1, len(terms) + 1)), found
            assert {one.rpartition(":")[0].strip("'") for one in found.split()} == set(terms)

    database.look(split)
