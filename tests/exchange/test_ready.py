"""The ready mappings, each with an invented file in the form of its source: no data of theirs is here."""

import csv
import io
import re
import zipfile

import pytest

from app.exchange.drafting import draft
from app.exchange.mapping import READY, read
from app.exchange.sources import File
from app.intake.submit import PUBLIC_RECORD
from app.vault.tables import RECORD
from tests.exchange.house import bring, told, written
from tests.intake.house import OWNER, a_place, a_violation, rows_of, seen_by, shown, submit

ACLED = [
    "event_id_cnty",
    "event_date",
    "year",
    "time_precision",
    "disorder_type",
    "event_type",
    "sub_event_type",
    "actor1",
    "assoc_actor_1",
    "inter1",
    "actor2",
    "assoc_actor_2",
    "inter2",
    "interaction",
    "civilian_targeting",
    "iso",
    "region",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "latitude",
    "longitude",
    "geo_precision",
    "source",
    "source_scale",
    "notes",
    "fatalities",
    "tags",
    "timestamp",
]
UCDP = [
    "id",
    "relid",
    "year",
    "active_year",
    "code_status",
    "type_of_violence",
    "conflict_dset_id",
    "conflict_new_id",
    "conflict_name",
    "dyad_dset_id",
    "dyad_new_id",
    "dyad_name",
    "side_a_dset_id",
    "side_a_new_id",
    "side_a",
    "side_b_dset_id",
    "side_b_new_id",
    "side_b",
    "number_of_sources",
    "source_article",
    "source_office",
    "source_date",
    "source_headline",
    "source_original",
    "where_prec",
    "where_coordinates",
    "where_description",
    "adm_1",
    "adm_2",
    "latitude",
    "longitude",
    "geom_wkt",
    "priogrid_gid",
    "country",
    "country_id",
    "region",
    "event_clarity",
    "date_prec",
    "date_start",
    "date_end",
    "deaths_a",
    "deaths_b",
    "deaths_civilians",
    "deaths_unknown",
    "best",
    "high",
    "low",
    "gwnoa",
    "gwnob",
]
UWAZI = ["Title", "Date added", "Template", "Date", "Violations", "Place", "Source"]
UWAZI += ["Geolocation", "Documents", "Attachments", "Published"]
ACTS = ["Event Record Number", "Event Title", "Initial Date", "Final Date", "Testimony Record Numbers"]
ACTS += ["Act Record Number", "Type of Act", "Act Initial Date", "Act Final Date", "Victim", "Perpetrator"]
ACTS += ["Geographical Term"]
PERSONS = ["Person Record Number", "Person Name", "Sex", "Consent obtained by", "Consent date", "Consent form"]
PERSONS += ["Consent language", "Consent to contact again", "Consent public", "Consent partner", "Consent mechanism"]
PERSONS += ["Consent to be named to mechanism", "Consent purposes"]


def text(header, *rows):
    """Return a sheet: of each row what is stated of it."""
    out = io.StringIO(newline="")
    sheet = csv.DictWriter(out, header, restval="")
    sheet.writeheader()
    sheet.writerows(rows)
    return out.getvalue()


@pytest.fixture
def ready(intake):
    violations = ["sexual-violence", "abductions-disappearances", "torture", "arbitrary-detention"]
    places = [a_place("north", name={"en": "Invented Province"}, type="province")]
    submit(intake, *places, *(a_violation(one) for one in violations), owner=PUBLIC_RECORD)
    return intake


def mine(database, prefix):
    return [row[0] for row in rows_of(database, RECORD) if row[3] == OWNER and row[0].startswith(prefix)]


def test_every_ready_mapping_can_be_used():
    names = sorted(path.stem for path in READY.glob("*.yaml"))
    assert names == ["acled", "huridocs", "ucdp-ged", "uwazi"]
    assert [read(name).name for name in names] == names


@pytest.mark.parametrize(
    ("name", "header", "ready"),
    [
        ("a.csv", ACLED, ["acled"]),
        ("g.csv", UCDP, ["ucdp-ged"]),
        ("u.csv", [*UWAZI, "A property of theirs"], ["uwazi"]),
        ("acts.csv", ACTS, ["huridocs"]),
        ("a.csv", ACLED[1:], []),
    ],
)
def test_a_draft_names_the_ready_mapping_that_reads_such_columns(tmp_path, name, header, ready):
    path = written(tmp_path, name, text(header))
    drafted = draft(File(name, path.stat().st_size, lambda: path.open("rb")), "incident", "")
    assert re.findall(r"The ready mapping (\S+) reads such columns", drafted) == ready


def test_acled(ready, database, tmp_path):
    event = {"event_id_cnty": "ZZZ1", "event_date": "05 April 2019", "time_precision": "1", "fatalities": "2"}
    # The province is on record with that word behind its name.
    event |= {"admin1": "Invented", "location": "Inventedville", "latitude": "40.5", "longitude": "126.5"}
    event |= {"geo_precision": "2", "source": "Invented Daily", "notes": "Invented note", "sub_event_type": "Attack"}
    second = event | {"event_id_cnty": "ZZZ2", "time_precision": "2", "sub_event_type": "Sexual violence"}
    third = event | {"event_id_cnty": "ZZZ3", "time_precision": "3", "admin1": "Elsewhere"}
    found = bring(ready, tmp_path, written(tmp_path, "acled.csv", text(ACLED, event, second, third)), read("acled"))
    assert (told(found), found.report.created) == ([], 6)
    incidents = [shown(database, 0, id) for id in mine(database, "inc-")]
    assert {one["title"]["en"] for one in incidents} == {"Attack, Inventedville", "Sexual violence, Inventedville"}
    dates = {one["citations"][0]["paragraph"]: one["date"]["edtf"] for one in incidents}
    assert dates == {"ZZZ1": "2019-04-05", "ZZZ2": "[2019-03-30..2019-04-11]", "ZZZ3": "2019-04"}
    assert sorted(one["violations"] for one in incidents) == [[], [], ["sexual-violence"]]
    places = {id: shown(database, 0, id) for id in mine(database, "place-")}
    assert sorted((one["type"], one["parent"] == "north") for one in places.values()) == [
        ("locality", False),
        ("locality", True),
        ("province", False),
    ]
    again = bring(ready, tmp_path, written(tmp_path, "acled.csv", text(ACLED, event, second, third)), read("acled"))
    assert (again.report.created, again.report.revised) == (0, 0)


def test_ucdp_ged(ready, database, tmp_path):
    event = {"id": "1", "type_of_violence": "3", "dyad_name": "Invented body - Civilians", "side_a": "Invented body"}
    event |= {"where_prec": "4", "where_description": "Inventedville", "adm_1": "Invented Province"}
    event |= {"latitude": "40.5", "longitude": "126.5", "source_headline": "Invented headline"}
    event |= {"date_start": "2019-04-05 00:00:00.000", "date_end": "2019-04-08 00:00:00.000"}
    event |= {"best": "3", "high": "5", "low": "1"}
    second = event | {"id": "2", "type_of_violence": "1", "date_end": event["date_start"]}
    found = bring(ready, tmp_path, written(tmp_path, "GEDEvent.csv", text(UCDP, event, second)), read("ucdp-ged"))
    assert (told(found), found.report.created) == ([], 4)
    incidents = sorted((shown(database, 0, id) for id in mine(database, "inc-")), key=lambda one: one["date"]["edtf"])
    assert [one["date"]["edtf"] for one in incidents] == ["2019-04-05", "[2019-04-05..2019-04-08]"]
    assert [len(one["actors"]) for one in incidents] == [0, 1]
    assert incidents[0]["victims"] == {"low": 1, "best": 3, "high": 5, "described": None}


def test_uwazi(ready, database, tmp_path):
    case = {"Title": "Invented case", "Date added": "2024-01-02", "Template": "Case", "Date": "2003-01-02~2003-02-03"}
    case |= {"Violations": "Violation torture|arbitrary-detention", "Place": "Invented Province", "Source": "TEST/1"}
    case |= {"Published": "Published"}
    body = case | {"Title": "Invented body", "Template": "Organization"}
    wrong = case | {"Title": "Invented other", "Violations": "Violation tortur"}
    hidden = case | {"Title": "Invented draft", "Published": "Unpublished"}
    path = written(tmp_path, "uwazi.csv", text(UWAZI, case, body, wrong, hidden))
    found = bring(ready, tmp_path, path, read("uwazi"), keep_good=True)
    near = "violation torture (torture)"
    assert told(found) == [(4, "Violations", "names no violation that is on record", near)]
    (incident,) = [shown(database, 0, id) for id in mine(database, "inc-")]
    assert (incident["date"]["edtf"], incident["violations"]) == (
        "2003-01-02/2003-02-03",
        ["torture", "arbitrary-detention"],
    )


def test_huridocs(ready, database, tmp_path):
    act = {"Event Record Number": "E1", "Event Title": "Invented event", "Initial Date": "2003", "Final Date": "2004"}
    act |= {"Type of Act": "Torture", "Victim": "P1;P2", "Geographical Term": "Invented Province"}
    second = act | {"Type of Act": "Arbitrary arrest", "Act Initial Date": "2003-05", "Victim": "P2"}
    differs = act | {"Event Record Number": "E2"}
    person = {"Person Record Number": "P1", "Person Name": "Invented Person", "Sex": "Female"}
    person |= {"Consent obtained by": "Invented body", "Consent date": "2020-01-02", "Consent form": "written"}
    person |= {"Consent language": "ko", "Consent to contact again": "no", "Consent public": "none"}
    person |= {"Consent mechanism": "full", "Consent purposes": "criminal-proceedings;un-reporting"}
    third = person | {"Person Record Number": "P2", "Consent mechanism": "none", "Consent purposes": ""}
    path = tmp_path / "wdwtw.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("acts.csv", text(ACTS, act, second, differs))
        archive.writestr("persons.csv", text(PERSONS, person, third))
    found = bring(ready, tmp_path, path, read("huridocs"))
    assert (told(found), found.report.created) == ([], 4)
    assert found.foreseen.to_confirm() == {
        name: sum(view in seen_by(database, id) for id in (*mine(database, "inc-"), *mine(database, "per-")))
        for view, name in enumerate(("public", "partner", "mechanism"))
        if any(view in seen_by(database, id) for id in (*mine(database, "inc-"), *mine(database, "per-")))
    }
    ids = mine(database, "inc-")
    stored = ready.writer.database.look(lambda connection: ready.writer.vault.read(connection, ids))
    acts = sorted((one.content["acts"] for one in stored.values()), key=len)
    assert [[(act["violation"], len(act["people"]), act["date"]) for act in some] for some in acts] == [
        [("torture", 2, None)],
        [("torture", 2, None), ("arbitrary-detention", 1, "2003-05")],
    ]
