"""Wording: how many records of each view have a term in their texts, counted as texts come and go."""

from collections import Counter
from collections.abc import Iterable, Iterator, MutableMapping, Sequence

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


def add(words: MutableMapping[tuple[int, str], int], views: int, searched: str, n: int = 1) -> None:
    """Count one text, under whatever number stands for its view or views."""
    terms = searched.split()
    for word in set(terms):
        if not word.startswith(KEY):
            key = (views, word)
            words[key] = words.get(key, 0) + n
    for word, more in ((RECORDS, n), (TERMS, n * len(terms))):
        words[views, word] = words.get((views, word), 0) + more


def of(searched: Iterable[tuple[int, int, str]], n: int = 1) -> list[Counted]:
    """Count texts: view, k, terms."""
    counted: dict[int, Counter[str]] = {}
    for view, _, searchable in searched:
        of_view = counted.setdefault(view, Counter())
        terms = searchable.split()
        of_view.update(set(terms))
        of_view[RECORDS] += 1
        of_view[TERMS] += len(terms)
    return [
        (view, word, n * more)
        for view, words in counted.items()
        for word, more in words.items()
        if not word.startswith(KEY)
    ]


def by_view(words: MutableMapping[tuple[int, str], int]) -> Iterator[Counted]:
    """Yield counts by views (one bit each) for each view."""
    for (mask, word), n in words.items():
        for view in views_in(mask):
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
