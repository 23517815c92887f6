"""The judged questions: of both languages, about records that there are; both engines answer them alike, and well."""

import pytest

from benchmarks import judging
from benchmarks.equality import Unequal
from tests.conftest import ENGINES
from tests.contract.asking import Service
from tests.data.record import records


def test_there_are_enough_of_them_about_records_that_there_are():
    asked = judging.questions()
    assert len(asked) == len({(one.kind, one.q) for one in asked}) == 96
    assert {language: sum(one.language == language for one in asked) for language in ("en", "ko")} == {
        "en": 66,
        "ko": 30,
    }
    for one in asked:
        assert {*one.grades} <= {record["id"] for record in records(one.kind)}, one.q
        assert {*one.grades.values()} <= {1, 2}


def test_both_engines_answer_them_well(public_record_in):
    services = {engine: Service(public_record_in(engine)) for engine in ENGINES}

    def of(service: Service) -> judging.Ask:
        return lambda path: service.ask(path).body

    found = judging.measure({name: of(service) for name, service in services.items()})
    for service in services.values():
        service.close()
    assert [(one.engine, one.language, one.questions) for one in found] == [
        (engine, language, n) for engine in ENGINES for language, n in (("en", 66), ("ko", 30))
    ]
    for one in found:
        assert one.ndcg >= {"en": 0.78, "ko": 0.82}[one.language], one


def test_engines_that_differ_are_found_out():
    right = b'{"items":[%s]}' % b",".join(b'{"id":"%s"}' % one.encode() for one in judging.questions()[0].grades)
    with pytest.raises(Unequal, match="nDCG@10"):
        judging.measure({"one": lambda path: right, "other": lambda path: b'{"items":[]}'})


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (["a", "b"], 1.0),
        (["b", "a"], (1 + 2 / 1.584962500721156) / (2 + 1 / 1.584962500721156)),
        (["x"], 0.0),
        ([], 0.0),
    ],
)
def test_ndcg_is_one_for_the_best_order_and_less_for_any_other(found, value):
    assert judging.ndcg(found, {"a": 2, "b": 1}) == pytest.approx(value)
    assert judging.ndcg(["x"] * 10 + ["a"], {"a": 2}) == 0
