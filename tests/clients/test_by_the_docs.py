"""What a partner does by the docs alone: gets keys, brings in three files, opens what came of them with other tools."""

import json
import os
import re
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
from typer.testing import CliRunner

from app.cli import app
from app.core import migrations
from app.core.db import Database
from app.exchange.mapping import READY
from app.intake.submit import PUBLIC_RECORD, Intake
from app.intake.write import Writer
from tests.clients.conftest import HERE
from tests.conftest import environment, serving, settings_for
from tests.intake.house import a_place, a_violation, submit
from tests.pages import blocks, defined

OWNER = "example-ngo"  # as docs/access.md has it
FILES = HERE / "files"  # in the form of an export of Uwazi and of one of ACLED; everything in them is invented
ACTS = ("torture", "forced-labour", "forced-return", "arbitrary-detention", "information-control")
OF_ACLED = ("abductions-disappearances", "sexual-violence")
# What is to be changed in a copy of the ready mapping for this one collection.
OURS = {
    "name: uwazi": "name: our-uwazi",
    'key: {columns: [Title, Date added], join: " / "}': "key: Case number",
    "ignore: [Documents, Attachments, Geolocation]": """ignore:
  [Date added, Period of detention, Source link, Witness, Perpetrators, Documents, Attachments]
tables:
  acts:
    Detention::Torture: torture
    Torture: torture
    Forced labour: forced-labour
    Refoulement: forced-return
    Arbitrary detention: arbitrary-detention
    Information control: information-control""",
    'split: "|", find: violation': 'split: "|", table: acts',
    '      actors: {column: Perpetrators, split: "|", find: actor}\n': "",
    "type: {constant: other}": 'type: {constant: other}\n      geometry: {point: {column: Geolocation, split: "|"}}',
}
ASK = 'curl -H "Authorization: Bearer $KEY" $SERVICE/v1/keys\n'
SHEET = [  # in the columns of the mapping on the page
    ("No", "Date", "제목", "Acts", "Place", "Source", "Remarks"),
    (1, "2016년 7월", "무산에서의 구타", "고문", "무산", "Invented list, 1", "전화 확인"),
    (),
    (2, "약 2012", "농장 동원", "Torture; Other", "새마을", "Invented list, 2", ""),
    (3, "2018-04", "미상", "Tortur", "무산", "Invented list, 3", ""),
]


def command(*words: object) -> tuple[int, str]:
    """Run the command `evidence`; return its exit code and what it prints."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


@dataclass
class Desk:
    """A partner's desk: the address of the service, and a key for each of three tasks."""

    service: str
    folder: Path
    steward: str = ""
    manager: str = ""
    own: str = ""

    def shell(self, block: str, key: str, **more: str) -> Any:
        """Run commands of a page in a shell; return the JSON that they print, if they do."""
        return json.loads(self.said(block, key, **more) or "null")

    def said(self, block: str, key: str, **more: str) -> str:
        """Run commands of a page in a shell; return what they print."""
        given = {**os.environ, "SERVICE": self.service, "KEY": key, **more}
        script = f'set -e\ncurl() {{ command curl --silent --show-error --fail-with-body "$@"; }}\n{block}'
        done = subprocess.run(
            ["/bin/bash", "-c", script], cwd=self.folder, env=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, address: str, key: str = "") -> Any:
        """Return what the service answers."""
        asked = urllib.request.Request(
            self.service + address, headers={"Authorization": f"Bearer {key}"} if key else {}
        )
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def desk(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An organisation that got its keys as docs/access.md says."""
    settings = settings_for(new_database("sqlite"), tmp_path_factory.mktemp("service"))
    database = Database.main(settings)
    migrations.upgrade(database)
    province = a_place("north", name={"en": "North Hamgyong Province"}, type="province")
    town = a_place("town", name={"en": "Musan", "ko": "무산"}, type="locality", parent="north")
    acts = [a_violation(one) for one in (*ACTS, *OF_ACLED)]
    submit(Intake(Writer.open(settings, database)), *acts, province, town, owner=PUBLIC_RECORD)
    with serving(settings) as address, pytest.MonkeyPatch.context() as patch:
        for name, value in environment(settings, 0).items():
            if name.startswith("EVIDENCE_"):
                patch.setenv(name, value)
        one = Desk(address, tmp_path_factory.mktemp("desk"))
        said = [
            command(*shlex.split(line)[1:]) for line in "".join(blocks("access.md", "sh", "evidence ")).splitlines()
        ]
        assert [status for status, _ in said] == [0] * 4, said
        (one.steward,) = re.findall(r"^evk_\w+$", said[1][1], re.MULTILINE)
        managing, _ = blocks("access.md", "sh", "/v1/keys")
        make = managing.partition(ASK)[0]
        assert make.count("curl") == 1
        one.manager = one.shell(make, one.steward)["secret"]
        one.own = one.shell(make.replace('"partner"', '"owner"'), one.steward)["secret"]
        yield one


def test_the_keys_may_do_what_the_page_says(desk):
    may = [[one["role"] for one in desk.ask("/v1/me", key)["may"]] for key in (desk.steward, desk.manager)]
    assert may == [["read", "steward", "admin"], ["read", "contribute"]]


def test_the_other_commands_of_the_page_on_access_run(desk):
    _, manage, read, purpose, token, audit = blocks("access.md", "sh", "curl")
    make = blocks("access.md", "sh", "/v1/keys")[0].partition(ASK)[0]
    spare = desk.shell(make, desk.steward)
    rotate, end = manage.replace("crd-…", spare["id"]).splitlines()
    assert desk.shell(rotate, desk.steward)["secret"] != spare["secret"]
    desk.shell(end, desk.steward)
    with pytest.raises(AssertionError, match="unauthenticated"):
        desk.shell(read, spare["secret"])
    assert desk.shell(read, desk.manager) == desk.shell(purpose, desk.manager)
    client = desk.shell(make.replace('"name"', '"kind": "client", "name"'), desk.steward)
    given = desk.shell(token, "", CLIENT=client["id"], SECRET=client["secret"])
    assert desk.ask("/v1/me", given["access_token"])["credential"]["id"] == client["id"]
    assert desk.shell(audit.replace("?record=tst-…", ""), desk.steward)["items"] == []


def refused(path: Path, mapping: object, *where: object) -> None:
    """See that a dry run names the one value that is wrong: row, column, value, nearest."""
    report = path.with_suffix(".report.json")
    status, said = command("import", path, "--mapping", mapping, "--owner", OWNER, "--dry-run", "--report", report)
    assert status == 1 and "Nothing was applied: 1 problem." in said
    (problem,) = json.loads(report.read_text())["entries"]
    assert (problem["row"], problem["column"], problem["value"], problem["nearest"]) == where


def brought(path: Path, mapping: object) -> dict[str, int]:
    """Import a file: a dry run, then with the numbers that it told, then again; return what it said of views."""
    how = ("import", path, "--mapping", mapping, "--owner", OWNER)
    status, dry = command(*how, "--dry-run")
    assert status == 0, dry
    (stated,) = re.findall(r"^To apply it: --confirm-views (\S+)$", dry, re.MULTILINE)
    status, said = command(*how, "--confirm-views", stated)
    assert status == 0, said
    status, again = command(*how)
    assert status == 0 and "0 created, 0 revised, " in again
    return {name: int(n) for name, _, n in (one.partition("=") for one in stated.split(","))}


def test_an_export_of_uwazi(desk):
    path, mapping = desk.folder / "uwazi.csv", desk.folder / "ours.yaml"
    path.write_bytes((FILES / "uwazi.csv").read_bytes())
    status, drafted = command("map", path)
    assert status == 0 and "The ready mapping uwazi reads such columns" in drafted
    assert 'violations: {column: "Violations", split: "|", find: violation}' in drafted
    text = (READY / "uwazi.yaml").read_text(encoding="utf-8")
    for old, new in OURS.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    mapping.write_text(text, encoding="utf-8")
    refused(path, mapping, 6, "Date", "2021-02-30", None)
    path.write_bytes(path.read_bytes().replace(b"2021-02-30", b"2021-02"))  # its source says no more
    # Three incidents and three places that were not on record; not the entity that is not published, nor a person.
    assert brought(path, mapping) == {"public": 6, "partner": 6, "mechanism": 6}
    shown = desk.ask(f"/v1/incidents?owner={OWNER}&q=invented&from=2019-11&to=2019-11")["items"][0]
    assert (shown["title"], shown["date"]["edtf"]) == ({"en": "Forced return of four people"}, "2019-11-03")
    assert shown["violations"] == ["forced-return", "arbitrary-detention"]
    assert shown["geometry"] == {"type": "Point", "coordinates": [129.9939, 42.9556]}


def test_an_export_of_acled(desk):
    path = desk.folder / "acled.csv"
    path.write_bytes((FILES / "acled.csv").read_bytes())
    assert "The ready mapping acled reads such columns" in command("map", path)[1]
    refused(path, "acled", 5, "fatalities", "none", None)
    path.write_bytes(path.read_bytes().replace(b",none,", b",,"))
    assert brought(path, "acled") == {"public": 8, "partner": 8, "mechanism": 8}  # four events, three towns, a province
    listed = desk.ask(f"/v1/incidents?owner={OWNER}&from=2021-03&to=2021-07&place=north")["items"]
    assert [one["title"]["en"] for one in listed] == ["Arrests, Hoeryong", "Abduction/forced disappearance, Musan"]
    assert [one["summary"] for one in listed] == [None, None]  # what ACLED notes is for mechanisms
    noted = desk.ask(f"/v1/incidents?owner={OWNER}&from=2021-07&to=2021-07", desk.own)["items"]
    assert [one["summary"] for one in noted] == [{"en": "An invented event."}]


def workbook(path: Path, *changes: tuple[str, str]) -> bytes:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("사건")
        for n, row in enumerate(SHEET):
            for m, value in enumerate(row):
                page.write(n, m, dict(changes).get(str(value), value))
    return path.read_bytes()


def test_a_spreadsheet_over_http(desk):
    (mapping,) = blocks("imports.md", "yaml", "mapping:")
    make, hand_in, look, report, confirm = blocks("imports.md", "sh")
    auth = f"{make.splitlines()[0]}\n"
    (desk.folder / "cases.yaml").write_text(mapping, encoding="utf-8")
    wanted = json.dumps({"file": {"name": "cases.xlsx"}, "mapping": mapping})
    make = re.sub(r"-d '.*?'", lambda _: f"-d {shlex.quote(wanted)}", make)
    hand_in = hand_in.replace("cases.csv", "cases.xlsx")

    def checked() -> tuple[str, Any]:
        made = desk.shell(make, desk.manager)
        where = f"{desk.service}/v1/imports/{made['id']}"
        desk.shell(auth + hand_in.replace("imp-…", made["id"]), desk.manager)
        return where, until(where, "ready", "refused")

    def until(where: str, *states: str) -> Any:
        for _ in range(120):
            found = desk.shell(auth + look, desk.manager, IMPORT=where)
            if found["state"] in states:
                return found
            time.sleep(0.25)
        raise AssertionError(found)

    workbook(desk.folder / "cases.xlsx")
    where, found = checked()
    assert (found["state"], found["problems"]) == ("refused", 1)
    told, copy = report.splitlines()
    (entry,) = desk.shell(auth + told, desk.manager, IMPORT=where)["entries"]
    assert (entry["row"], entry["column"], entry["value"], entry["nearest"]) == (5, "Acts", "Tortur", "Torture")
    desk.shell(auth + copy, desk.manager, IMPORT=where)
    (name,) = [path for path in desk.folder.iterdir() if path.name.endswith("-sheet.xlsx")]
    rows = pd.read_excel(name, engine="calamine", header=None, keep_default_na=False).to_numpy().tolist()
    assert rows[4][-1] == "Acts: is no word of the table acts (nearest: Torture)"  # as in the sheet: it is row 5

    workbook(desk.folder / "cases.xlsx", ("Tortur", "Torture"))
    where, found = checked()
    assert (found["state"], found["to_confirm"]) == ("ready", {"public": 4, "partner": 4, "mechanism": 4})
    gains = json.dumps({"gains": found["to_confirm"]})
    confirm = re.sub(r"-d '.*?'", lambda _: f"-d {shlex.quote(gains)}", confirm)
    desk.shell(auth + confirm, desk.steward, IMPORT=where)
    assert until(where, "done", "failed")["result"] == {"created": 4, "revised": 0, "unchanged": 0}
    (shown,) = desk.ask(f"/v1/incidents?owner={OWNER}&from=2016-07&to=2016-07&place=town")["items"]
    assert (shown["title"], shown["violations"]) == ({"ko": "무산에서의 구타"}, ["torture"])
    again = command("import", desk.folder / "cases.xlsx", "--mapping", desk.folder / "cases.yaml", "--owner", OWNER)
    assert again[0] == 0 and "0 created, 0 revised, 3 unchanged." in again[1]  # by the command now


def test_consent_comes_from_the_row(desk):
    (promised,) = blocks("imports.md", "yaml", "consent.form")
    fields = "".join(f"      {line}\n" for line in promised.splitlines())
    (desk.folder / "interviews.yaml").write_text(
        'mapping: "1"\nname: our-interviews\nversion: "1"\n'
        "tables: {allowed: {nothing: none, summary: summary}}\n"
        "records:\n  - as: account\n    kind: testimony\n    key: No\n    fields:\n"
        f"      witness.form: {{constant: unnamed}}\n      recorded_by: {{constant: our-body}}\n{fields}"
    )
    header = "No,Interviewer,Consent date,Consent form,Language,May contact,Public may see,Purposes\n"
    row = "1,Our Body,2021-06-03,written,ko,yes,summary,publication; research\n"
    path = desk.folder / "interviews.csv"
    path.write_text(f"{header}{row}{row.replace('1,', '2,', 1).replace('summary', 'nothing')}")
    assert brought(path, desk.folder / "interviews.yaml") == {"public": 1}


def test_a_record_is_sent_corrected_and_taken_back_and_the_copy_follows(desk):
    """The commands of docs/guide.md, and the program of docs/sync.md beside them."""
    send, change = blocks("guide.md", "sh", "$SERVICE")
    follow = defined("sync.md")["follow"]
    copy: dict[str, Any] = {}
    place = follow(desk.service, desk.manager, None, copy)
    before = dict(copy)
    assert desk.shell(send, desk.manager)["outcome"] == "created"  # a dry run
    done = [desk.shell(send.replace("?dry_run=true", ""), desk.manager) for _ in range(2)]
    assert done[0] == done[1]
    place = follow(desk.service, desk.manager, place, copy)
    assert sorted(copy) == sorted([*before, done[0]["id"]])
    look, *patch = change.replace("inc-…", done[0]["id"]).splitlines(keepends=True)
    (tag,) = re.findall(r'etag: "(\w+)"', desk.said(look, desk.manager), re.IGNORECASE)
    changed = "".join(patch).replace('"…"', f'"{tag}"')
    assert desk.shell(changed, desk.manager)["outcome"] == "revised"
    with pytest.raises(AssertionError, match="precondition-failed"):
        desk.shell(changed, desk.manager)
    address = f"{desk.service}/v1/incidents/{done[0]['id']}"
    desk.shell(
        f"curl -X DELETE -H \"Authorization: Bearer $KEY\" -H 'If-Match: *' '{address}?reason=wrong'", desk.manager
    )
    follow(desk.service, desk.manager, place, copy)
    assert copy == before
    hook, gone, holders = (block.replace("tst-…", done[0]["id"]) for block in blocks("sync.md", "sh"))
    assert desk.shell(hook, desk.manager)["secret"].startswith("whsec_")
    said = desk.shell(gone.replace(', "position": "UYn0rA…"', ""), desk.manager)["items"]
    assert [(one["record"], one["state"]) for one in said] == [(done[0]["id"], "acknowledged")]
    assert desk.shell(holders.replace("testimonies", "incidents"), desk.steward)["items"] == []  # nobody else read it


def test_other_tools_read_with_a_key(desk):
    path = desk.folder / "hidden.json"
    path.write_text('[{"kind": "place", "id": "hidden", "name": {"en": "A"}, "type": "other", "restricted": true}]')
    assert command("load", path, "--owner", OWNER)[0] == 0
    bearer = f"Bearer {desk.own}"
    for options, found in ((None, False), ({"Authorization": bearer}, True)):
        places = pd.read_csv(f"{desk.service}/v1/places?format=csv", storage_options=options)
        assert ("hidden" in places["id"].to_list()) is found
    for more, found in (({}, False), ({"GDAL_HTTP_HEADERS": f"Authorization: {bearer}"}, True)):
        asked = ["ogrinfo", "-al", f"OAPIF:{desk.service}/v1", "places", "-where", "id = 'hidden'"]
        done = subprocess.run(asked, env={**os.environ, **more}, capture_output=True, text=True, check=True)
        assert ("id (String) = hidden" in done.stdout) is found
