"""The built-in record: every record is valid, cited and tied to records that exist, and nothing of it gets lost."""

import hashlib
import re
from itertools import combinations
from pathlib import Path

import pytest

from app.core.ids import fixed
from app.records import BY_NAME, KINDS, references
from tests.data.record import FOLDER, everything, names_of, records, words_of

COUNTS = {
    "testimony": 141,
    "incident": 202,
    "person": 69,
    "actor": 27,
    "place": 128,
    "source": 288,
    "violation": 44,
    "crime": 10,
    "period": 14,
    "instrument": 54,
    "finding": 85,
    "recommendation": 36,
    "weapons-event": 188,
    "statement": 21,
    "link": 0,
}


def test_there_is_one_file_a_kind_with_so_many_records():
    assert {kind.name: len(records(kind.name)) for kind in KINDS} == COUNTS
    assert {path.name for path in FOLDER.iterdir()} == {f"{kind}.json" for kind in COUNTS} | {"README.md"}


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_record_is_valid(kind):
    for record in records(kind):
        assert record["kind"] == kind
        content = BY_NAME[kind].model.model_validate(record).content()
        assert BY_NAME[kind].model.model_validate(content).content() == content


def test_every_id_is_used_once_and_opaque_ones_are_worked_out_from_the_slug():
    ids = [record["id"] for _, record in everything()]
    assert len(set(ids)) == len(ids) == sum(COUNTS.values())
    for kind, record in everything():
        if BY_NAME[kind].opaque:
            assert record["id"] == fixed(BY_NAME[kind].prefix or "", record["slug"]), record["slug"]


def test_every_reference_resolves_to_a_record_of_a_kind_that_it_may_be_of():
    kinds = {record["id"]: kind for kind, record in everything()}
    broken = [
        (record["id"], path, target)
        for kind, record in everything()
        for path, target, allowed in references(BY_NAME[kind], record)
        if kinds.get(target) not in allowed
    ]
    assert broken == []


def test_every_record_is_cited_and_every_citation_has_the_source_that_it_names():
    titles = {source["id"]: source["title"]["en"] for source in records("source")}
    citations = [
        (record["id"], citation)
        for _, record in everything()
        for citation in [
            *record.get("citations", []),
            *(c for f in record.get("follow_up", []) for c in f["citations"]),
        ]
    ]
    assert {record["id"] for _, record in everything()} == {name for name, _ in citations}
    assert [(name, c["symbol"]) for name, c in citations if titles[c["source"]] != c["symbol"]] == []


def origins(source: str) -> set[str]:
    """Return a source and what it derives from, however far."""
    above = {one["id"]: one.get("derived_from", ()) for one in records("source")}
    found, wave = {source}, [source]
    while wave:
        wave = [one for each in wave for one in above[each] if one not in found]
        found.update(wave)
    return found


def test_no_two_sources_at_one_address_count_as_two():
    at: dict[str, set[str]] = {}
    for source in records("source"):
        for address in source.get("addresses", ()):
            page = re.sub(r"^https?://|[?]amp.*|/$", "", address)
            at.setdefault(page, set()).add(source["id"])
    pairs = [(page, pair) for page, sources in at.items() for pair in combinations(sorted(sources), 2)]
    assert len(pairs) == 19
    assert [(page, pair) for page, pair in pairs if origins(pair[0]).isdisjoint(origins(pair[1]))] == []


def test_paragraphs_that_were_inferred_say_so():
    report = [
        citation
        for kind, record in everything()
        if kind != "person"  # people repeat the citations of their testimonies
        for citation in record["citations"]
        if citation["symbol"] == "A/HRC/25/CRP.1" and "basis" in citation
    ]
    inferred = [c for c in report if c["basis"] == "inferred from position between numbered paragraphs"]
    assert (len(inferred), len(report)) == (103, 235)


def test_nothing_gets_lost():
    """Every text, note and citation that the record was first collected with is still in the same record.

    kept.txt has a line a record: kind, name, and six digits of the SHA-256 of each text (a citation: its parts with
    tabs between). A correction changes its digest: mend the line in the same change.
    """
    lost = []
    for line in (Path(__file__).parent / "kept.txt").read_text(encoding="ascii").splitlines():
        kind, name, *digests = line.split()
        record = names_of(kind)[name]
        citations = [*record["citations"], *(c for f in record.get("follow_up", []) for c in f["citations"])]
        parts = ("symbol", "paragraph", "basis", "seen_at", "language_seen")
        held = words_of(record) + ["\t".join(c.get(part, "") for part in parts) for c in citations]
        found = {hashlib.sha256(text.encode()).hexdigest()[:6] for text in held}
        lost += [(kind, name, digest) for digest in digests if digest not in found]
    assert lost == []


def test_the_readme_counts_what_there_is():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for kind, count in COUNTS.items():
        assert count == 0 or f"| `{kind}` | {count} |" in readme, kind
