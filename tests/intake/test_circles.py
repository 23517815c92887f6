"""Nothing lies in itself, and what stands above something else is followed once, however it is tied together."""

import orjson
import pytest

from app.intake.loading import Fault, Load
from app.intake.submit import IN_ITSELF, Refusal, Refused
from tests.intake.house import (
    I1,
    ONE_ENGINE,
    OWNER,
    PUBLIC,
    T1,
    T2,
    a_place,
    a_source,
    a_testimony,
    a_violation,
    an_incident,
    check_log,
    history,
    shown,
    submit,
)


def circle(*names):
    return [a_place(name, parent=above) for name, above in zip(names, (*names[1:], names[0]), strict=True)]


@ONE_ENGINE
def test_places_and_violations_in_a_circle_are_refused(intake):
    for values in (
        circle("a", "b"),
        circle("a", "b", "c"),
        [a_violation("a", parent="b"), a_violation("b", parent="a")],
    ):
        with pytest.raises(Refused) as refused:
            submit(intake, *values)
        assert refused.value.refusals == tuple(Refusal(at, "parent", IN_ITSELF) for at in range(len(values)))


@ONE_ENGINE
def test_a_circle_closed_by_a_revision_is_refused(intake):
    submit(intake, a_place("a"), a_place("b", parent="a"), a_place("c", parent="b"))
    with pytest.raises(Refused) as refused:
        submit(intake, a_place("a", parent="c"))
    assert refused.value.refusals == (Refusal(0, "parent", IN_ITSELF),)
    assert submit(intake, a_place("b"), a_place("a", parent="c")).revised == ["b", "a"]


@ONE_ENGINE
def test_a_load_with_a_circle_is_refused_before_anything_is_applied(intake, tmp_path):
    submit(intake, a_place("old", parent=None), a_place("older"))
    file = tmp_path / "places.ndjson"
    values = [a_place("free"), *circle("a", "b"), a_place("old", parent="new"), a_place("new", parent="old")]
    file.write_bytes(b"".join(orjson.dumps(value) + b"\n" for value in values))
    report = Load(intake, tmp_path, OWNER).run([file])
    assert report.faults == [Fault("places.ndjson", line, "parent", IN_ITSELF) for line in (2, 3, 4, 5)]
    assert not report.applied
    report = Load(intake, tmp_path, OWNER).run([file], keep_good=True)
    assert (len(report.faults), report.created, report.revised) == (4, 1, 0)


def test_sources_and_witnesses_may_name_one_another_in_a_circle(intake, database):
    submit(
        intake,
        a_source(),
        a_source("src-b", derived_from=["src-a"]),
        a_source("src-a", derived_from=["src-b"]) | {"id": "src-c"},
    )
    submit(intake, a_source("src-a", derived_from=["src-b"]))
    submit(
        intake,
        a_source("src-b", derived_from=["src-a"], publisher="A"),
        a_source("src-a", derived_from=["src-b"], publisher="B"),
    )
    assert history(database, PUBLIC, "src-a") == [("created", 1), ("updated", 2), ("updated", 3)]
    submit(intake, a_testimony(T1, same_witness=[T2]), a_testimony(T2, same_witness=[T1]))
    assert shown(database, PUBLIC, T1)["same_witness"] == [T2] and shown(database, PUBLIC, T2)["same_witness"] == [T1]


@ONE_ENGINE
def test_what_a_source_draws_on_is_followed_however_far(intake, database):
    cited = [{"symbol": "A", "source": "src-a"}, {"symbol": "C", "source": "src-c"}]
    submit(
        intake,
        a_source("src-a"),
        a_source("src-b"),
        a_source("src-c", derived_from=["src-b"]),
        an_incident(citations=cited),
    )
    assert shown(database, PUBLIC, I1)["corroboration"] == 2
    submit(intake, a_source("src-b", derived_from=["src-a"]))
    assert shown(database, PUBLIC, I1)["corroboration"] == 1
    submit(intake, a_source("src-b"))
    assert shown(database, PUBLIC, I1)["corroboration"] == 2


def test_what_the_sources_of_an_account_draw_on_is_followed_too(intake, database, writer):
    """The incident cites the report of another newspaper than the account does; what both repeat comes out later."""
    submit(
        intake,
        *(a_source(id) for id in ("src-a", "src-b", "src-c", "src-report", "src-release")),
        a_testimony(T1, citations=[{"symbol": "A", "source": "src-a"}, {"symbol": "C", "source": "src-c"}]),
        an_incident(testimonies=[T1], citations=[{"symbol": "B", "source": "src-b"}]),
    )
    assert shown(database, PUBLIC, I1)["corroboration"] == 2
    submit(intake, a_source("src-b", derived_from=["src-report"]))
    submit(intake, a_source("src-a", derived_from=["src-release"]))
    assert shown(database, PUBLIC, I1)["corroboration"] == 2
    submit(intake, a_source("src-release", derived_from=["src-report"]))
    assert shown(database, PUBLIC, I1)["corroboration"] == 1
    submit(intake, an_incident(testimonies=[T1], citations=[{"symbol": "B", "source": "src-b"}], date="2012"))
    assert shown(database, PUBLIC, I1)["corroboration"] == 1
    submit(intake, a_source("src-a", restricted=True, derived_from=["src-release"]))
    assert shown(database, PUBLIC, I1)["corroboration"] == 2
    check_log(writer)
