"""Classes: rows with the very same values are of one class, and every count comes out of that."""

from random import Random

import numpy as np
import pytest

from app.catalogue import classes
from app.catalogue.classes import Classes, Sorting


def sorted_into(filed: list[set[int]], terms: int) -> Classes:
    """Return the classes of rows that have these terms."""
    sorting = Sorting(len(filed))
    for term in range(terms):
        at = np.array([i for i, one in enumerate(filed) if term in one], np.int64)
        sorting.add(term, f"value-{term}", at)
    return sorting.classes()


@pytest.mark.parametrize("terms", [1, 3, 12])
def test_the_values_of_each_row_are_kept(terms):
    random = Random(terms)
    filed = [{term for term in range(terms) if random.random() < 0.2} for _ in range(500)]
    found = sorted_into(filed, terms)
    assert [set(found.members[one]) for one in found.rows.tolist()] == filed
    assert len(found.members) == len({frozenset(one) for one in filed})
    assert found.totals() == {n: sum(n in one for one in filed) for n in range(terms) if any(n in one for one in filed)}
    keys = np.array([random.randrange(5) for _ in filed], np.int64)
    assert found.table(found.rows, keys, 5).tolist() == [
        [sum(term in one and key == where for one, where in zip(filed, keys.tolist(), strict=True)) for key in range(5)]
        for term in range(terms)
    ]
    for some in ([0], [0, terms - 1], [99], [*range(terms)]):
        wanted = [not one.isdisjoint(some) for one in filed]
        assert found.having(some, None).tolist() == wanted
        assert found.having(some, np.arange(0, 500, 7)).tolist() == wanted[::7]


def test_there_is_room_for_rows_that_come_later():
    found = sorted_into([{0}, {0, 1}, set()], 2).more([(1, "value-1"), (7, "value-7")])
    assert found.values == ("value-0", "value-1", "value-7")
    numbered = found.numbered([(0, 2), (0,), ()])
    assert numbered is not None
    assert [numbered[0].members[one] for one in numbered[1].tolist()] == [(0, 2), (0,), ()]
    assert len(numbered[0].members) == len(found.members) + 1


def test_a_row_takes_one_byte_or_two():
    few, many = sorted_into([{n} for n in range(255)], 255), sorted_into([{n} for n in range(300)], 300)
    assert (few.rows.itemsize, many.rows.itemsize) == (1, 2)


def test_with_too_many_classes_there_are_none(monkeypatch):
    monkeypatch.setattr(classes, "MOST", 4)
    with pytest.raises(OverflowError):
        sorted_into([{n} for n in range(5)], 5)
    assert sorted_into([{n} for n in range(4)], 4).numbered([(0, 1)]) is None


def test_a_table_has_a_limit(monkeypatch):
    monkeypatch.setattr(classes, "CELLS", 5)
    found = sorted_into([{0}, {1}], 2)
    assert found.table(found.rows, np.zeros(2, np.int64), 2).tolist() == [[1, 0], [1, 0]]
    with pytest.raises(OverflowError):
        found.table(found.rows, np.zeros(2, np.int64), 3)
