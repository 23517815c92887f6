"""Wording: how many records of each view have a term in their texts, counted as texts come and go."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, and_, delete, select, text

from app.catalogue.tables import SEARCHED, WORD
from app.core.db import Database
from app.intake.postings import views_in
from app.search.analyse import KEY
from app.vault.keys import chunks

Counted = tuple[int, str, int]  # view, word, how many more records have it

_ADD = text(
    "INSERT INTO word (view, word, n) VALUES (:view, :word, :n) "
    "ON CONFLICT (view, word) DO UPDATE SET n = word.n + excluded.n"
)
RECORDS, TERMS = "", " "  # in the place of a word: how many records there are, how many terms


def counted(searched: Iterable[tuple[int, int, str]]) -> dict[int, Counter[str]]:
    """Count texts, by whatever number stands for their view or views: that, k, terms."""
    found: dict[int, Counter[str]] = {}
    for views, _, searchable in searched:
        words = found.get(views)
        if words is None:
            words = found[views] = Counter()
        terms = searchable.split()
        words.update(set(terms))
        words[RECORDS] += 1
        words[TERMS] += len(terms)
    for words in found.values():
        for key in [word for word in words if word.startswith(KEY)]:
            del words[key]
    return found


def of(searched: Iterable[tuple[int, int, str]], n: int = 1) -> list[Counted]:
    """Count texts: view, k, terms."""
    return [(view, word, n * more) for view, words in counted(searched).items() for word, more in words.items()]


def by_view(counted: Mapping[int, Mapping[str, int]]) -> Iterator[Counted]:
    """Yield counts by views (one bit each) for each view."""
    for mask, words in counted.items():
        for view in views_in(mask):
            for word, n in words.items():
                yield view, word, n


def take_out(database: Database, connection: Connection, view: int, ks: Sequence[int]) -> list[Counted]:
    """Delete texts of a view; return what is to be counted."""
    gone: list[tuple[int, int, str]] = []
    for chunk in chunks(ks):
        where = and_(SEARCHED.c.view == view, database.among(SEARCHED.c.k, chunk))
        gone += [
            (view, k, terms) for k, terms in connection.execute(select(SEARCHED.c.k, SEARCHED.c.terms).where(where))
        ]
    database.delete(connection, SEARCHED, ("view", "k"), [one[:2] for one in gone])
    return of(gone, -1)


def count(database: Database, connection: Connection, counted: Iterable[Counted]) -> None:
    """Count words; one that no record of a view has any more is not kept."""
    total: dict[tuple[int, str], int] = {}
    for view, word, n in counted:
        total[view, word] = total.get((view, word), 0) + n
    database.many(connection, _ADD, [(view, word, n) for (view, word), n in sorted(total.items()) if n])
    gone: dict[int, list[str]] = {}
    for (view, word), n in total.items():
        if n < 0:
            gone.setdefault(view, []).append(word)
    for view, words in gone.items():
        for chunk in chunks(words):
            connection.execute(delete(WORD).where(WORD.c.view == view, WORD.c.word.in_(chunk), WORD.c.n == 0))
