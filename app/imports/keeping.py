"""Where every import stands: one row each, its state changed by nobody but from a state that allows it."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, exists, insert, select, tuple_, update

from app.core import crypto, ids, moments
from app.core.db import Database
from app.vault.keys import KeyStore, chunks
from app.vault.tables import ANSWERED, IMPORT
from app.writing import kept

PREFIX = "imp"
FOLDER = "imports"  # below the data folder
DAY = 86_400_000  # milliseconds
MOST_OPEN = 10  # imports of one organisation that are not at an end
OVER = ("refused", "done", "failed", "abandoned")
UNDECIDED = ("waiting", "received", "checking", "ready")
AT_WORK = ("received", "checking", "confirmed", "applying")
OPEN = ("waiting", "ready", *AT_WORK)

Row = dict[str, Any]


class Full(Exception):
    """An organisation has as many imports that are not at an end as it may have."""


class Stated(NamedTuple):
    """What an import is of: the name of its file, its mapping (JSON), and whether right rows come in without others."""

    name: str
    mapping: dict[str, Any]
    keep_good: bool


def folder_of(home: Path, id: str) -> Path:
    """Return where what is kept of an import lies."""
    return home / FOLDER / id


class Keeping:
    """The imports of one database."""

    def __init__(self, database: Database, home: Path, days: int) -> None:
        """Keep what belongs to an import for so many days, in the data folder."""
        self._database, self._home, self._days = database, home, days

    # --- making and finding ---

    def make(
        self,
        keys: KeyStore,
        owner: str,
        by: str,
        views: int,
        stated: Stated,
        size: int | None,
        tell: Callable[[Row], Row],
        request: kept.Asked | None = None,
    ) -> Row:
        """Make an import that waits for its file; return what is told of it: `request` is told the same again.

        Raises:
            Full: there are too many.
            Problem: invalid-request, where the key of the request came with another one.
        """
        id, now = ids.new(PREFIX), moments.now()
        key = keys.make([id])[id]
        folder_of(self._home, id).mkdir(parents=True, mode=0o700)
        values = {"id": id, "owner": owner, "state": "waiting", "made": now, "made_by": by, "views": views}
        values |= {"changed": now, "ends": now + self._days * DAY, "kept": True, "size": size, "attempts": 0}
        values |= {"stated": _seal(key, id, "stated", stated._asdict()), "done": 0, "total": 0}

        def _make(connection: Connection) -> Row:
            if request is not None and (before := kept.answered(connection, keys, request, now)) is not None:
                return before
            of = IMPORT.c.owner == owner, IMPORT.c.state.in_(OPEN)
            if len(connection.execute(select(IMPORT.c.id).where(*of)).all()) >= MOST_OPEN:
                raise Full
            connection.execute(insert(IMPORT).values(**values))
            told = tell(dict(connection.execute(select(IMPORT).where(IMPORT.c.id == id)).one()._mapping))
            if request is not None:
                kept.keep(connection, keys, request, now, id, told)
            return told

        made = False
        try:
            told = self._database.write(_make)
            made = told["id"] == id
        finally:
            if not made:
                self.forget(keys, [id])
        return told

    def find(self, id: str, owner: str | None = None) -> Row | None:
        """Return an import, if it is of this owner where one is stated."""
        where = [IMPORT.c.id == id] + ([IMPORT.c.owner == owner] if owner is not None else [])
        row = self._database.look(lambda connection: connection.execute(select(IMPORT).where(*where)).first())
        return None if row is None else dict(row._mapping)

    def page(self, owner: str, limit: int, before: Sequence[Any] | None) -> list[Row]:
        """Return imports of an owner, newest first, those before one."""
        c = IMPORT.c
        statement = select(IMPORT).where(c.owner == owner).order_by(c.made.desc(), c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(tuple_(c.made, c.id) < tuple_(*before))
        rows = self._database.look(lambda connection: connection.execute(statement).all())
        return [dict(row._mapping) for row in rows]

    # --- from state to state ---

    def move(self, id: str, states: Iterable[str], seen: int | None = None, **values: Any) -> bool:
        """Change an import that is in one of some states, and not changed since it was `seen`; tell whether it was."""
        where = [IMPORT.c.id == id, IMPORT.c.state.in_(list(states))]
        where += [IMPORT.c.changed == seen] if seen is not None else []
        change = update(IMPORT).where(*where).values(changed=moments.now(), **values)
        return bool(self._database.write(lambda connection: connection.execute(change).rowcount))

    def progress(self, id: str, phase: str, done: int, total: int) -> bool:
        """Say how far the work on an import is; tell whether it is still to be done."""
        return self.move(id, ("checking", "confirmed", "applying"), phase=phase, done=done, total=total)

    def failed_once(self, id: str, most: int) -> bool:
        """Count an attempt that came to no end; after `most` of them the import has failed, and True is returned."""
        row = self.find(id)
        if row is None or row["state"] not in AT_WORK:
            return False
        over = bool(row["attempts"] + 1 >= most)
        more: Row = {
            "state": "failed",
            "reason": "Something went wrong here, again and again. The operator's log says what.",
        }
        self.move(id, AT_WORK, attempts=row["attempts"] + 1, **(more if over else {}))
        return over

    def has_any(self) -> bool:
        """Tell whether anything is kept, in the database or in the folder."""
        kept = select(exists().where(IMPORT.c.kept))
        return (self._home / FOLDER).is_dir() or bool(self._database.look(lambda connection: connection.scalar(kept)))

    def waiting_for_work(self) -> list[str]:
        """Return the imports that something is to be done for and whose folder is here, the oldest first."""
        c = IMPORT.c
        statement = select(c.id).where(c.state.in_(AT_WORK)).order_by(c.changed)
        found: Sequence[str] = self._database.look(lambda connection: connection.scalars(statement).all())
        return [id for id in found if folder_of(self._home, id).is_dir()]

    # --- ending ---

    def overdue(self) -> list[str]:
        """Return what has been kept for as long as it may be, and what is at an end and never began."""
        c = IMPORT.c
        late = select(c.id).where(c.kept, c.ends <= moments.now(), c.state.not_in(("confirmed", "applying")))
        gone = select(c.id).where(c.kept, c.state == "abandoned")
        return self._database.look(lambda connection: [*connection.scalars(late), *connection.scalars(gone)])

    def forget(self, keys: KeyStore, some: Sequence[str]) -> None:
        """Destroy what is kept of imports: their keys, and their files. One that was not at an end is abandoned.

        What was answered to whoever made one goes too: the same request makes another one.
        """

        def _forget(connection: Connection) -> None:
            for chunk in chunks(some):
                connection.execute(delete(ANSWERED).where(ANSWERED.c.record.in_(chunk)))

        if some:
            self._database.write(_forget)
        keys.destroy(some)
        for id in some:
            shutil.rmtree(folder_of(self._home, id), ignore_errors=True)
            self.move(id, OPEN, state="abandoned", reason="It was not brought to its end in time.")
            self.move(id, OVER, kept=False)

    def tidy(self, keys: KeyStore) -> None:
        """Destroy what is overdue, and folders that belong to nothing."""
        self.forget(keys, self.overdue())
        around = self._home / FOLDER
        known = select(IMPORT.c.id).where(IMPORT.c.kept)
        here = [one.name for one in around.iterdir()] if around.is_dir() else []
        if here:
            kept = set(self._database.look(lambda connection: connection.scalars(known).all()))
            hour_ago = moments.now() - 3_600_000  # one that is just being made has no row yet
            for name in here:
                folder = around / name
                if name not in kept and folder.stat().st_mtime * 1000 < hour_ago:
                    shutil.rmtree(folder, ignore_errors=True)


def _seal(key: bytes, id: str, name: str, content: Any) -> bytes:
    return crypto.seal(key, orjson.dumps(content), f"{id}\0{name}".encode())


def sealed(key: bytes, id: str, found: Row) -> bytes:
    """Return what came of an import as it is kept."""
    return _seal(key, id, "found", found)


def stated_of(key: bytes, row: Row) -> Stated:
    """Return what an import is of."""
    return Stated(**orjson.loads(crypto.unseal(key, bytes(row["stated"]), f"{row['id']}\0stated".encode())))


def found_of(key: bytes, row: Row) -> Row:
    """Return what came of an import so far; nothing where nothing did."""
    if row["found"] is None:
        return {}
    found: Row = orjson.loads(crypto.unseal(key, bytes(row["found"]), f"{row['id']}\0found".encode()))
    return found
