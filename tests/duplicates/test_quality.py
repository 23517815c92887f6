"""How well pairs are found: precision and recall on judged pairs that are made up, as the page states them."""

import re
from pathlib import Path

import app
from app.duplicates.likeness import OF
from app.duplicates.matching import compared
from tests.duplicates import judged

PAGE = (Path(app.__file__).parents[1] / "docs" / "duplicates.md").read_text(encoding="utf-8")


def measured(kind, records, same):
    found = compared(kind, [OF[kind](one, judged.ABOVE) for one in records], [True] * len(records))
    pairs = {(pair.one, pair.other) for pair in found}
    return len(pairs & same), len(pairs), len(same), pairs


def test_the_page_says_what_is_found():
    for kind, records, same in judged.both():
        right, found, all_of_them, _ = measured(kind, records, same)
        stated = re.search(rf"\| {kind} \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", PAGE)
        assert stated is not None
        assert tuple(map(int, stated.groups())) == (len(records), all_of_them, found, right)
