"""Importing a sheet: what a dry run foresees is what happens, and the same file again changes nothing."""

from collections import Counter

import pytest

from app.exchange import names
from app.exchange.mapping import MappingError, parse
from app.vault.tables import RECORD
from tests.exchange.house import HEADER, MAPPING, ROWS, bring, sheet, told, world, written
from tests.intake.house import (
    ONE_ENGINE,
    OWNER,
    PUBLIC,
    a_place,
    catalogue,
    check_log,
    count,
    rows_of,
    seen_by,
    shown,
    submit,
)

DATED = [(1, "2003", "not recorded"), (2, "2004", "5"), (3, "2005", "Not Recorded"), (4, "NOT RECORDED", "6")]


def test_a_dry_run_foresees_what_happens_and_does_nothing(intake, database, writer, tmp_path):
    world(intake)
    path = written(tmp_path, "a.csv", sheet(*ROWS))
    before = catalogue(database)
    dry = bring(intake, tmp_path, path, decide=lambda _: "dry run")
    assert told(dry) == []
    assert (dry.rows, dry.report.applied, dry.refused) == (3, False, "dry run")
    assert (dry.foreseen.created, dry.foreseen.revised, dry.foreseen.unchanged) == (5, 0, 0)
    assert dry.foreseen.gains == {"public": 5, "partner": 4, "mechanism": 4}
    assert catalogue(database) == before
    done = bring(intake, tmp_path, path)
    assert (done.report.created, done.report.applied, done.foreseen.gains) == (5, True, dry.foreseen.gains)
    mine = [row[0] for row in rows_of(database, RECORD) if row[3] == OWNER]
    seen = Counter(view for id in mine for view in seen_by(database, id))
    assert seen == {0: 5, 1: 4, 2: 4}
    incidents = [shown(database, PUBLIC, id) for id in mine if id.startswith("inc-")]
    assert {one["date"]["edtf"] for one in incidents} == {"2003-04-05", "2004~", "2005-03"}
    (first,) = [one for one in incidents if one["date"]["edtf"] == "2003-04-05"]
    (place,) = {tuple(one["places"]) for one in incidents if one is not first}
    assert (first["places"], first["victims"]["best"]) == (["camp"], 3)
    assert shown(database, PUBLIC, place[0])["name"] == {"ko": "새마을"}
    again = bring(intake, tmp_path, path)
    assert (again.report.created, again.report.revised, again.report.unchanged) == (0, 0, 4)  # the place is found
    assert again.foreseen.to_confirm() == {}
    assert check_log(writer)[0] == count(database, RECORD)


def test_a_date_in_parts_ends_where_a_part_is_not_known(intake, database, tmp_path):
    world(intake)
    parts = MAPPING.replace("{column: Date}", "{year: Date, month: Title, unknown: [Not Recorded]}").replace(
        "      title.public.en: Title\n", ""
    )
    rows = [f"{n},{year},{month},Torture,camp,,,TEST/1,,,,,," for n, year, month in DATED]
    done = bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(*rows)), parts, keep_good=True)
    found = {row[0] for row in rows_of(database, RECORD) if row[3] == OWNER}
    assert {shown(database, PUBLIC, id)["date"]["edtf"] for id in found} == {"2003", "2004-05", "2005"}
    assert [(row, column) for row, column, *_ in told(done)] == [(5, "Date")]


def test_the_same_external_id_is_a_revision_and_other_rows_are_unchanged(intake, database, tmp_path):
    world(intake)
    bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(*ROWS)))
    before = {row[0] for row in rows_of(database, RECORD)}
    changed = [ROWS[0].replace(",3,", ",4,"), *ROWS[1:]]
    done = bring(intake, tmp_path, written(tmp_path, "b.csv", sheet(*changed)))
    assert (done.foreseen.revised, done.foreseen.unchanged) == (1, 3)
    assert (done.report.created, done.report.revised, done.report.unchanged) == (0, 1, 3)
    assert {row[0] for row in rows_of(database, RECORD)} == before


def test_an_import_that_was_cut_short_is_completed_by_the_same_file(intake, database, writer, tmp_path, monkeypatch):
    world(intake)
    path = written(tmp_path, "a.csv", sheet(*ROWS))
    submit, turns = intake.submit, iter([True, True, False])

    def cut_short(*arguments):
        if not next(turns, True):
            raise KeyboardInterrupt
        return submit(*arguments)

    monkeypatch.setattr(intake, "submit", cut_short)
    with pytest.raises(KeyboardInterrupt):
        bring(intake, tmp_path, path)
    monkeypatch.undo()
    assert 0 < count(database, RECORD) - 4 < 5
    done = bring(intake, tmp_path, path)
    assert done.report.created > 0
    assert (done.report.revised, count(database, RECORD)) == (0, 4 + 5)
    assert check_log(writer)[0] == 9


def test_no_owner_changes_what_another_brought_in(intake, database, tmp_path):
    world(intake)
    path = written(tmp_path, "a.csv", sheet(*ROWS))
    bring(intake, tmp_path, path)
    done = bring(intake, tmp_path, path, owner="other-body")
    assert (done.report.created, done.report.revised) == (4, 0)  # records of its own; the place is found


WRONG = [
    "1,2003-04-05,A,Tortur,camp,,,TEST/1,,,,,,",
    "2,05/04/2003,B,Torture,camp,,,TEST/1,,,,,,",
    "3,2003,C,Torture,camp,w9,many,TEST/1,,,,,,",
    ",2003,D,Torture,camp,,,TEST/1,,,,,,",
    "5,2003,E,Torture,camp,,,TEST/1,w1,2020,writen,summary,publication,",
    "6,2003,F,Torture,camp,,,TEST/1,w2,,,summary,publication,",
    "7,2003,G,Torture,camp,w8,,TEST/1,,,,,,",
    "8,2003,H,Torture,camp",
    "9,2003,=1+1,Torture,camp,,,TEST/1,,,,,,",
    "10,2003,J,Torture,camp,,,,,,,,,",
    "11,2003,K,Torture,camp,,,TEST/1,,,,,,",
    "11,2003,L,Torture,camp,,,TEST/1,,,,,,",
    '12,2003,a "quoted" M,Torture,camp,,,TEST/1,,,,,,',
    '13,2003,"a "quoted" N",Torture,camp,,,TEST/1,,,,,,',
]
REASONS = [
    (2, "Act", "is no word of the table acts", "Torture"),
    (3, "Date", None, None),
    (4, "Victims", "must be a whole number", None),
    (5, "No", "is empty: a record needs its external id", None),
    (6, "Consent form", "is none of written, oral, recorded, guardian", "written"),
    (7, "", "allows something and lacks the day or the form of the consent", None),
    (8, "Told by", "names no testimony that is on record or in this load", None),
    (9, "", "has 5 cells, and the header has 14", None),
    (10, "Title", "is a formula: write its value", None),
    (11, "Source", "a published record names at least one source that published it", None),
    (13, "No", "stands twice in this load (first in bad.csv, row 12)", None),
    (15, "", "has a quotation mark inside of a cell: put the cell in quotation marks, and write the mark twice", None),
]


def test_every_bad_row_has_its_reason_and_nothing_is_applied(intake, database, tmp_path):
    world(intake)
    before = count(database, RECORD)
    found = bring(intake, tmp_path, written(tmp_path, "bad.csv", sheet(*WRONG)))
    reasons = sorted(told(found))
    assert [(row, column, nearest) for row, column, _, nearest in reasons] == [(r, c, n) for r, c, _, n in REASONS]
    assert [text for *_, text, _ in reasons][1].startswith("is no date in the forms of this column: EDTF, ")
    assert [one[2] for one in reasons if one[0] != 3] == [one[2] for one in REASONS if one[0] != 3]
    assert found.count == len(REASONS) and not found.report.applied and found.foreseen is None
    assert count(database, RECORD) == before


def test_good_rows_are_kept_whole_or_not_at_all(intake, database, tmp_path):
    world(intake)
    before = count(database, RECORD)
    row = "20,2003,M,Torture,nowhere,w8,,TEST/1,w7,2020,written,summary,publication,"  # names nobody
    path = written(tmp_path, "bad.csv", sheet(*WRONG, row))
    found = bring(intake, tmp_path, path, keep_good=True)
    assert (found.report.applied, found.report.created) == (True, 2)  # rows 12 and 14, and no place of row 16
    assert count(database, RECORD) == before + 2


def test_what_a_refused_row_made_stays_where_another_row_names_it(intake, database, tmp_path):
    world(intake)
    refused = "1,2003,A,Torture,새마을,w9,,TEST/1,,,,,,"  # names a witness who is nowhere
    named = bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(refused, ROWS[1])), keep_good=True)
    assert (told(named)[0][0], named.report.created) == (2, 2)  # the event of row 3, and the place


def test_which_of_several_values_is_wrong_is_told_and_the_nearest_name(intake, tmp_path):
    world(intake)
    submit(intake, a_place("long", name={"en": "Camp of the North (formerly another)"}), owner="public-record")
    mapping = MAPPING.replace("Place, find: place, make: place", 'Place, split: ";", find: place')
    rows = "1,2003,A,Torture;Tortur,camp; Camp of the north,,,TEST/1,,,,,,"
    found = bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(rows)), mapping)
    assert told(found) == [
        (2, "Act", "is no word of the table acts (value 2 of 2)", "Torture"),
        (
            2,
            "Place",
            "names no place that is on record (value 2 of 2)",
            "camp of the north (formerly another) (long)",
        ),
    ]


@ONE_ENGINE
def test_the_nearest_name_is_looked_for_of_the_first_names_alone(intake, tmp_path, monkeypatch):
    """A wrong column has as many names as rows: each compared with all that are known, an import would take hours."""
    world(intake)
    monkeypatch.setattr(names, "MOST_NEAREST", 2)
    mapping = MAPPING.replace(", make: place", "")
    rows = [ROWS[0].replace("camp", f"place cam{n}").replace("1,", f"{n},", 1) for n in (5, 6, 7, 6)]
    found = told(bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(*rows)), mapping))
    assert [near for _, column, _, near in found if column == "Place"] == ["place camp (camp)"] * 2 + [
        None,
        "place camp (camp)",
    ]


def test_a_table_that_leads_to_nothing_is_told_with_what_is_near(intake, tmp_path):
    world(intake)
    mapping = MAPPING.replace("Ill-treatment: ill-treatment", "Ill-treatment: illtreatment")
    path = written(tmp_path, "a.csv", sheet("1,2003,A,Ill-treatment,camp,,,TEST/1,,,,,,"))
    reason = "names no violation that is on record or in this load"
    assert told(bring(intake, tmp_path, path, mapping)) == [(2, "Act", reason, "ill-treatment")]


CELL = 'geometry: {point: {column: Place, split: "|"}}'


@pytest.mark.parametrize(
    ("written_so", "point", "reason"),
    [
        ("42.2283|129.2075", [129.2075, 42.2283], None),
        (" -1 | 2 ", [2.0, -1.0], None),
        ("42.2283", None, "must be latitude and longitude, parted as the mapping says"),
        ("129.2|42.2", None, "lies outside of -90 to 90 degrees"),
        ("42|", None, "is one coordinate of two: the other is empty"),
        ("42|x", None, "must be a number of degrees, with a point before its decimals"),
    ],
)
def test_a_point_may_stand_in_one_cell(intake, database, tmp_path, written_so, point, reason):
    world(intake)
    mapping = MAPPING.replace("type: {constant: locality}", f"type: {{constant: locality}}\n      {CELL}")
    row = f"1,2003,A,Torture,{written_so},,,TEST/1,,,,,,"
    found = bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(row)), mapping)
    assert [(column, why) for _, column, why, _ in told(found)] == ([("Place", reason)] if reason else [])
    made = [shown(database, PUBLIC, row[0]) for row in rows_of(database, RECORD) if row[0].startswith("place-")]
    assert [one["geometry"] for one in made] == ([{"type": "Point", "coordinates": point}] if point else [])


def test_of_several_conditions_all_have_to_hold(intake, database, tmp_path):
    world(intake)
    both = "when: [{column: Witness, filled: 'true'}, {column: Public, not: ['no']}]"
    mapping = MAPPING.replace('when: {column: Witness, filled: "true"}', both)
    more = ",2003,A,Torture,camp,,,TEST/1,{},2020-01-02,written,{},publication,"
    rows = [f"{n}{more.format(*one)}" for n, one in enumerate((("w1", "summary"), ("w2", "no"), ("", "summary")))]
    done = bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(*rows)), mapping)
    assert (told(done), done.report.created) == ([], 4)  # three events, one account


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("name: invented", "name: Invented", "name: must be lower-case letters"),
        ("kind: incident", "kind: incidnt", "did you mean incident?"),
        ("victims.best: Victims", "victims.bets: Victims", "there is no field bets here; did you mean best?"),
        ('{word: "true"}', "{point: {latitude: No}}", "point: needs latitude and longitude, or column and split"),
        ('{word: "true"}', "{point: Place}", "point: must be an object"),
        ("table: acts", "table: act", "names a table that is not there: acts, allowed"),
        ("make: place", "make: account", "make must name a rule with made: true for the kind place"),
        ("{constant: event}", "{constant: event, column: x}", "needs one of column"),
        ("    key: No\n", "", "without it the same row would make a new record"),
        ("ignore: [Remark]", "ignore: [Remark]\nignore: []", "a key stands here twice"),
        ("ignore: [Remark]", "ignore: &a [Remark]\noptional: *a", "an alias (*name) is not read"),
        ("{column: Public, table: allowed}", "{constant: summary}", "may set consent to none and to nothing wider"),
        ("table: allowed}", "table: allowed, default: counted}", "may set consent to none and to nothing wider"),
        ('{column: Purposes, split: ","}', "{constant: publication}", "may set consent to none"),
        ("{date: {column: Consent date}}", '{constant: "2020"}', "must come from a column of the row"),
        ("consent.form: Consent form", "consent.form: {constant: written}", "must come from a column of the row"),
        ('{constant: "no"}', '{constant: "yes"}', "may set consent to none"),
        ("      citations[].symbol: Source\n", "", "name in citations[].symbol what published it"),
    ],
)
def test_a_mapping_that_is_wrong_says_where_and_why(old, new, reason):
    assert old in MAPPING
    with pytest.raises(MappingError) as error:
        parse(MAPPING.replace(old, new, 1).encode())
    assert reason in str(error.value)


def test_columns_that_nobody_speaks_of_are_refused(intake, tmp_path):
    for header, reason in (
        (HEADER.replace("Remark", "Other"), "has columns that the mapping neither reads nor ignores: Other"),
        (HEADER.replace("Victims", "Victimz"), "lacks columns that the mapping reads: Victims (Victimz?)"),
        (HEADER.replace("Remark", "No"), "names a column twice: No"),
    ):
        found = bring(intake, tmp_path, written(tmp_path, "a.csv", sheet(header=header)))
        assert told(found)[0][:3] == (0, "", reason)
