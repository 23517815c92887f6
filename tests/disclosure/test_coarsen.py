"""Coarsening: places go up to what is coarse enough, dates lose their tail, titles say only what is shown."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure import coarsen
from app.disclosure.consent import DATE, PLACE
from app.records.place import PlaceType
from app.vocabulary.edtf import bounds
from tests.disclosure.fake import facts

NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("level", "found"),
    [("country", ["country"]), ("province", ["province"]), ("county", ["county"]), ("exact", ["camp"])],
)
def test_a_place_is_shown_by_what_it_lies_in(level, found):
    assert coarsen.places(["camp"], PLACE.index(level), NOTHING, facts()) == found


@pytest.mark.parametrize("type", sorted({*get_args(PlaceType)} - {"county", "province", "country"}))
def test_whatever_is_finer_than_a_county_is_shown_by_its_county(type):
    known = facts()
    known.types["camp"] = type
    for level in ("country", "province", "county"):
        assert coarsen.places(["camp"], PLACE.index(level), NOTHING, known) == [level]


def test_a_place_that_is_coarse_enough_stays():
    assert coarsen.places(["province"], PLACE.index("county"), NOTHING, facts()) == ["province"]
    assert coarsen.places(["country"], PLACE.index("province"), NOTHING, facts()) == ["country"]


def test_places_of_one_province_are_one_and_a_place_that_lies_in_none_is_not_shown():
    known = facts()
    known.types["lost"] = "execution-site"
    assert coarsen.places(["camp", "lost", "county"], PLACE.index("province"), NOTHING, known) == ["province"]
    assert coarsen.places(["camp", "lost", "county"], PLACE.index("exact"), NOTHING, known) == [
        "camp",
        "lost",
        "county",
    ]


def test_what_a_hidden_place_lies_in_is_hidden_with_it():
    for hidden, found in [("province", []), ("county", []), ("country", ["province"])]:
        assert coarsen.places(["camp"], PLACE.index("province"), frozenset({hidden}), facts()) == found


@pytest.mark.parametrize(
    ("text", "year", "month"),
    [
        ("2011-03-04", "2011", "2011-03"),
        ("2011-03", "2011", "2011-03"),
        ("2011", "2011", "2011"),
        ("200X", "200X", "200X"),
        ("2011-03-04?", "2011?", "2011-03?"),
        ("2004-02-03/2011-04-05", "2004/2011", "2004-02/2011-04"),
        ("1977-11-15/..", "1977/..", "1977-11/.."),
        ("2011-22", "2011", "2011-22"),
    ],
)
def test_a_date_loses_its_tail(text, year, month):
    assert [coarsen.date(text, DATE.index(level)) for level in ("year", "month", "day")] == [year, month, text]
    assert coarsen.date(None, 0) is None


@given(st.dates(), st.dates(), st.sampled_from(["", "?", "~"]), st.sampled_from([0, 1]))
def test_a_coarser_date_never_rules_out_what_the_finer_one_allows(first, second, qualifier, level):
    low, high = sorted((first, second))
    for text in (f"{low}{qualifier}", f"{low}{qualifier}/{high}", f"[{low}..{high}]", f"[{low},{high}]", f"{low}/.."):
        coarse = coarsen.date(text, level)
        assert coarse is not None and coarsen.level_of(coarse) <= level
        fine, wide = bounds(text), bounds(coarse)
        assert wide.s0 <= fine.s0 and fine.s1 <= wide.s1 and wide.e0 <= fine.e0 and fine.e1 <= wide.e1


SQUARE = [[0.0, 0.0], [0.0, 2.0], [3.0, 2.0], [0.0, 0.0]]


def test_the_places_shown_make_one_geometry():
    known = facts(
        shapes={"a": {"type": "Point", "coordinates": [1.0, 2.0]}, "b": {"type": "Point", "coordinates": [3.0, 4.0]}}
    )
    known.shapes["area"] = {"type": "Polygon", "coordinates": [SQUARE]}
    assert coarsen.geometry([], known) is None
    assert coarsen.geometry(["nowhere"], known) is None
    assert coarsen.geometry(["a", "nowhere"], known) == {"type": "Point", "coordinates": [1.0, 2.0]}
    assert coarsen.geometry(["a", "b"], known) == {"type": "MultiPoint", "coordinates": [[1.0, 2.0], [3.0, 4.0]]}
    assert coarsen.geometry(["area"], known) == {"type": "Polygon", "coordinates": [SQUARE]}
    both = coarsen.geometry(["a", "area", "b"], known)
    assert both == {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Point", "coordinates": [1.0, 2.0]},
            {"type": "Point", "coordinates": [3.0, 4.0]},
            {"type": "Polygon", "coordinates": [SQUARE]},
        ],
    }
    assert coarsen.boxes(both) == ((1.0, 2.0, 1.0, 2.0), (3.0, 4.0, 3.0, 4.0), (0.0, 0.0, 3.0, 2.0))
    assert coarsen.boxes(coarsen.geometry(["b", "a"], known)) == ((3.0, 4.0, 3.0, 4.0), (1.0, 2.0, 1.0, 2.0))
    assert coarsen.boxes(None) == ()


@pytest.mark.parametrize(
    ("violations", "where", "when", "title"),
    [
        ([], [], None, "Account"),
        (["torture"], ["south-pyongan"], "2009", "Account of torture; South Pyongan; 2009"),
        (["forced-labour", "torture"], [], "2009/2011", "Account of forced labour and torture; 2009 to 2011"),
        (["a", "b", "c", "d", "e"], ["x", "y"], None, "Account of a, b, c and 2 other violations; X, Y"),
        (["violation-" + "0f" * 10], ["place-" + "a1" * 10, "x"], None, "Account; X"),  # ids of imports say nothing
        ([], [], "1977/..", "Account; 1977 or after"),
        ([], [], "../1990", "Account; 1990 or before"),
        ([], [], "../..", "Account; date unknown"),
    ],
)
def test_a_title_is_made_from_what_is_shown(violations, where, when, title):
    assert coarsen.title("Account", violations, where, when) == {"en": title}
