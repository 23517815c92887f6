"""Nearest words: what differs in few letters, in either script, of those that are there."""

import pytest

from app.search import nearest

COUNTS = {"tortur": 9, "torti": 3, "tour": 5, "yodok": 2, "고문": 4, "고난": 7, "가문": 1, "수용": 3}


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("tortru", ["tortur", "torti"]),
        ("tour", []),  # but for itself
        ("yodek", ["yodok"]),
        ("고믄", ["고문"]),
        ("거문", ["고문", "가문"]),
        ("수옹", ["수용"]),
        ("xyz", []),
    ],
)
def test_the_nearest_come_first_and_equals_by_how_many_have_them(word, found):
    assert nearest.nearest(word, COUNTS, 3) == found


@pytest.mark.parametrize(
    ("word", "inside", "outside"),
    [("tortur", "tz", "u"), ("고문", "가나", "까"), ("힣", "힣", "\ud7b0"), ("韓國", "韓", "韔")],
)
def test_words_that_begin_alike_lie_between(word, inside, outside):
    low, top = nearest.between(word)
    assert low <= word < top and low <= inside < top <= outside
