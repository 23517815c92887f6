"""Rebuilding: the catalogue made anew from the vault, the same to the byte; the clock is never asked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, func, select

from app.catalogue.tables import ROW, SEARCHED
from app.core.scratch import scratch
from app.core.settings import Settings
from app.custody import log
from app.intake import postings
from app.intake.bulk import TOGETHER, Bulk, Prepared, alone, done_by, in_lists, workers
from app.intake.items import item_of
from app.intake.order import RANK
from app.intake.publish import Rendered, is_closed, preparing_of, render, views_of
from app.intake.restore import restore, show_again
from app.intake.world import OPENED
from app.intake.write import Closed, Writer
from app.vault.tables import RECORD

AT_ONCE = 500


@dataclass
class Rebuilt:
    """What a rebuild did."""

    records: int = 0
    rows: int = 0
    changed: int = 0
    keyless: list[str] = field(default_factory=list)  # shown to nobody: nothing opens them


class Remaker:
    """Makes the rows of records anew, in a process of its own."""

    def __init__(self, writer: Writer) -> None:
        """Read the vault of a writer that nobody else uses."""
        self._writer = writer

    def __call__(self, ids: list[str]) -> Prepared:
        """Make the rows of a list of records."""
        return self._writer.database.look(lambda connection: self._make(connection, ids))

    def _make(self, connection: Connection, ids: list[str]) -> Prepared:
        done, packed, world = Prepared(log_size=log.size(connection)), postings.Packed(), self._writer.world
        world.begin(-2)
        stored = self._writer.vault.read(connection, ids, keyless=True)
        done.keyless = [one.id for one in stored.values() if one.keyless]
        items = [item_of(one) for one in stored.values()]
        world.learn(connection, [to for item in items for to in item.named])
        world.learn(connection, [item.id for item in items if item.kind in OPENED])
        _, known = self._writer.publisher.known(connection, self._writer.vault, items)
        views, preparing = views_of(connection), preparing_of(connection)
        settled = sum(1 << view.id for view in views if view.id not in preparing)
        for item in items:
            masks: dict[tuple[bytes, tuple[int, ...], int, int], tuple[int, Rendered, tuple[int, ...]]] = {}
            answers = render(item, views, world, self._writer.secret)
            mask = sum((rendered is not None) << view.id for view, rendered in zip(views, answers, strict=True))
            if (mask ^ stored[item.id].views) & settled:  # what names it goes by that, and is looked at again with it
                done.changed.append(item.id)
            if item.target is not None:
                answers = [None] * len(views)
            for view, rendered in zip(views, answers, strict=True):
                before = known.get((view.id, item.id))
                digest = before.digest if before is not None and before.is_shown else None
                # A view that is being prepared is shown the rest by whoever prepares it.
                if (rendered.digest if rendered is not None else None) != digest and view.id not in preparing:
                    done.changed.append(item.id)
                if rendered is not None and before is not None and digest is not None:
                    key = (rendered.digest, rendered.terms, before.revision, before.at)
                    mask, _, seqs = masks.get(key, (0, rendered, ()))
                    masks[key] = (mask | 1 << view.id, rendered, (*seqs, before.seq))
            for (_, _, revision, at), (mask, rendered, seqs) in masks.items():
                done.add(packed, mask, item, rendered, revision, at, seqs)
        world.end(-2)
        done.finish(packed)
        return done


def complete(writer: Writer, settings: Settings) -> bool:
    """Make the catalogue anew if a bulk operation was cut short; tell whether that was so.

    Raises:
        Busy: the operation is still under way.
    """
    if not writer.database.look(is_closed):
        return False
    rebuild(writer, settings)
    return True


def rebuild(writer: Writer, settings: Settings, progress: Callable[[str, int, int], None] = lambda *_: None) -> Rebuilt:
    """Make the catalogue anew. Readers are told to wait while it lasts.

    Where a view would now be shown something else than its history says (a rule of disclosure was changed with the
    program), that is recorded as a change, as any other. A record whose key is gone is shown to nobody: it was erased
    after the copy of the main database was made that is in use now.
    """
    done, changed = Rebuilt(), list[str]()
    if not writer.database.look(is_closed):
        restore(writer)
    total = writer.database.look(lambda c: c.scalar(select(func.count()).select_from(RECORD))) or 0
    with ExitStack() as last:
        last.enter_context(alone(settings.home))
        folder = last.enter_context(scratch(settings.home))
        pool = last.enter_context(workers(settings, Remaker))
        series = last.enter_context(writer.database.series(unread=True))
        bulk = Bulk(writer, series, folder)
        bulk.begin(anew=True, tables=(ROW, SEARCHED))
        tasks = ((ids, ids) for ids in _records(writer))
        for some in in_lists(done_by(pool, tasks, series.rest, Remaker(writer.twin())), TOGETHER):
            if not bulk.write([made for _, made in some]):
                raise Closed("somebody wrote to the vault meanwhile: the catalogue has to be made anew once more")
            for ids, made in some:
                changed += made.changed
                done.keyless += made.keyless
                done.records += len(ids)
                done.rows += sum(mask.bit_count() for mask, *_ in made.rows)
            progress("making anew", done.records, total)
            del some, made  # before the next are made
        bulk.finish(pool)
    done.changed = show_again(writer, list(dict.fromkeys(changed)))
    return done


def _records(writer: Writer) -> Iterator[list[str]]:
    for kind in sorted(RANK, key=RANK.__getitem__):
        after = ""
        while True:
            page = select(RECORD.c.id).where(RECORD.c.kind == kind, RECORD.c.id > after).order_by(RECORD.c.id)
            ids = _page(writer, page.limit(AT_ONCE))
            if not ids:
                break
            yield ids
            after = ids[-1]


def _page(writer: Writer, statement: Select[tuple[str]]) -> list[str]:
    return writer.database.look(lambda connection: list(connection.scalars(statement)))
