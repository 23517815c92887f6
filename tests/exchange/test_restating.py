"""A sheet that is older than what was done elsewhere: what it puts back is told, and what was narrowed stays so."""

import pytest

from app.exchange.restating import WHY, Restated
from app.intake.retract import retract, withdraw
from app.vault.tables import RECORD
from tests.exchange.house import ROWS, bring, sheet, told, world, written
from tests.intake.house import ONE_ENGINE, OWNER, PUBLIC, rows_of, seen_by, submit, together


def warned(found):
    return [(one.row, one.reason) for some in found.warnings for one in some]


def contents(writer, ids):
    stored = writer.database.look(lambda connection: writer.vault.read(connection, ids))
    return [dict(one.content) for one in stored.values()]


@pytest.fixture
def again(intake, tmp_path):
    """Bring the made-up sheet in; return what brings it again, with rows changed."""
    world(intake)
    bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(*ROWS)))

    def bring_again(*changes, **how):
        text = sheet(*ROWS)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return bring(intake, tmp_path, written(tmp_path, "b.csv", text), **how)

    return bring_again


def _own(database, kind):
    return next(row[0] for row in rows_of(database, RECORD) if row[1] == kind and row[3] == OWNER)


def test_a_correction_that_a_sheet_undoes_is_told_with_its_row(intake, database, writer, again):
    said = contents(writer, [row[0] for row in rows_of(database, RECORD) if row[1] == "incident" and row[3] == OWNER])
    (first,) = [one for one in said if one["date"] == "2003-04-05"]
    submit(intake, first | {"date": "2003-04-06"}, owner=OWNER)
    dry = again(decide=lambda _: "dry run")
    assert (warned(dry), dry.foreseen.revised) == ([(2, WHY[Restated.FORMER])], 1)
    # A row that says something new of its own is no older one.
    assert warned(again(("An event", "The event"), decide=lambda _: "dry run")) == []
    done = again()
    assert (warned(done), done.report.revised) == ([(2, WHY[Restated.FORMER])], 1)
    assert (warned(again()), again().report.unchanged) == ([], 4)


@pytest.mark.parametrize("how", ["consent", "protection"])
def test_what_was_narrowed_comes_back_by_a_new_consent_alone(intake, database, writer, again, how):
    id = _own(database, "testimony")
    (said,) = contents(writer, [id])
    if how == "consent":
        none = said["consent"]["audiences"]["public"] | {"content": "none", "purposes": []}
        said["consent"]["audiences"]["public"] = none
    else:
        limits = {"public": {"content": "none"}}
        said["protection"] = {"reasons": ["child"], "assessed_by": "Body", "assessed_on": "2020", "limits": limits}
    submit(intake, said, owner=OWNER)
    assert seen_by(database, id) == []
    for changes in ((), [("Another", "A new title")]):
        found = again(*changes)
        assert [(row, reason) for row, _, reason, _ in told(found)] == [(4, WHY[Restated.NARROWED])]
        assert not found.report.applied
    assert again(keep_good=True).report.applied
    assert seen_by(database, id) == []
    done = again(("2020-01-02", "2021-03-04"))
    assert (told(done), seen_by(database, id)) == ([], [PUBLIC])


def test_a_sheet_may_narrow_what_was_widened_elsewhere(intake, database, writer, again):
    id = _own(database, "testimony")
    (said,) = contents(writer, [id])
    said["consent"]["audiences"]["public"]["place"] = "province"
    submit(intake, said, owner=OWNER)
    done = again()
    assert (told(done), warned(done)) == ([], [(4, WHY[Restated.FORMER])])
    assert contents(writer, [id])[0]["consent"]["audiences"]["public"]["place"] == "country"


@ONE_ENGINE
def test_what_was_taken_back_is_brought_back_with_a_warning_and_what_was_withdrawn_not_at_all(
    intake, database, writer, again
):
    id = _own(database, "testimony")
    retract(writer, id, OWNER, "A mistake.")
    assert warned(again()) == [(4, WHY[Restated.RETRACTED])]
    assert seen_by(database, id) == [PUBLIC]
    today = ("2020-01-02", "2023-11-14")
    assert again(today).report.applied
    withdraw(writer, id, OWNER, "On the day of the consent.")
    assert WHY[Restated.NARROWED] in [reason for *_, reason, _ in told(again(today))]


@ONE_ENGINE
def test_a_row_of_a_record_that_was_merged_is_told_that_nobody_is_shown_it(database, writer, again):
    said = contents(writer, [row[0] for row in rows_of(database, RECORD) if row[1] == "incident" and row[3] == OWNER])
    by_date = {one["date"]: one["id"] for one in said}
    together(writer, by_date["2003-04-05"], by_date["2004~"])
    assert warned(again()) == []
    assert warned(again(("An event", "The event"))) == [(2, WHY[Restated.MERGED])]
