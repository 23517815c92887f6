"""Made-up sheets and a mapping for them. Nobody and nothing in them is real."""

from app.exchange.importing import Import
from app.exchange.mapping import parse
from app.exchange.sources import File, sources
from tests.intake.house import OWNER, a_place, a_source, a_violation, submit

MAPPING = """
mapping: "1"
name: invented
version: "1"
tables:
  acts: {Torture: torture, 고문: torture, Ill-treatment: ill-treatment}
  allowed: {"no": none, counted: counted, summary: summary}
ignore: [Remark]
records:
  - as: event
    kind: incident
    key: No
    fields:
      disclosure_basis: {constant: published}
      citations[].symbol: Source
      scope: {constant: event}
      date: {date: {column: Date}}
      title.public.en: Title
      violations: {column: Act, split: ";", table: acts}
      places: {column: Place, find: place, make: place}
      testimonies: {column: Told by, split: ",", refers: testimony}
      victims.best: Victims
  - as: place
    kind: place
    made: "true"
    fields:
      name.ko: {word: "true"}
      type: {constant: locality}
  - as: account
    kind: testimony
    when: {column: Witness, filled: "true"}
    key: Witness
    fields:
      disclosure_basis: {constant: consent}
      recorded_by: {constant: body}
      witness.form: {constant: unnamed}
      consent.obtained_by: {constant: Invented body}
      consent.obtained_on: {date: {column: Consent date}}
      consent.form: Consent form
      consent.language: {constant: ko}
      consent.recontact: {constant: "no"}
      consent.audiences.public.content: {column: Public, table: allowed}
      consent.audiences.public.purposes: {column: Purposes, split: ","}
"""
HEADER = "No,Date,Title,Act,Place,Told by,Victims,Source,Witness,Consent date,Consent form,Public,Purposes,Remark"
ROWS = [
    '1,2003-04-05,An event,Torture,camp,w1,3,TEST/1,,,,,,"a, b"',  # names a witness who comes later
    "2,c. 2004,사건,고문;Ill-treatment,새마을,,,TEST/1,,,,,,",
    "3,2005년 3월,Another,Torture,새마을,w1,,TEST/1,w1,2020-01-02,written,summary,publication,",
]


def sheet(*rows, header=HEADER):
    return "\n".join([header, *rows, ""])


def world(intake):
    """Put in what the sheets name."""
    submit(intake, a_source(), a_violation(), a_violation("ill-treatment"), a_place("camp"), owner="public-record")


def written(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def files(path, mapping):
    return sources(File(path.name, path.stat().st_size, lambda: path.open("rb")), mapping)


def bring(intake, home, path, mapping=MAPPING, keep_good=False, decide=lambda _: "", owner=OWNER, much=None):
    chosen = parse(mapping.encode()) if isinstance(mapping, str) else mapping
    load = Import(intake, home, owner, chosen, decide=decide)
    return load.bring(files(path, chosen), keep_good, much)


def told(found):
    """Return every problem: row, column, reason, nearest."""
    return [(one.row, one.column, one.reason, one.nearest) for some in found.problems for one in some]
