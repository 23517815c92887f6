"""One use of the database by a command, what it shows meanwhile, and how it ends where it cannot go on."""

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import select

from app.catalogue.tables import VIEW
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.intake import erase as erasing
from app.intake.rebuild import complete
from app.intake.restore import restore
from app.intake.submit import Intake
from app.intake.write import Writer
from app.records.base import WORD

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Say in one line what the operator can mend, and end."""
    errors.print(f"evidence: {message}", markup=False)
    raise SystemExit(2)


class Session:
    """One use of the database by a command: opened, brought up to date, closed."""

    def __init__(self, serves: bool = False) -> None:
        """Use the database of the environment's settings; what `serves` afterwards goes on with what is left over."""
        self.serves = serves
        self.settings = Settings.from_env()
        self.database = Database.main(self.settings)

    def __enter__(self) -> "Session":
        """Bring the database up to date, and complete what was cut short."""
        migrations.upgrade(self.database)
        self.writer = Writer.open(self.settings, self.database)
        self.intake = Intake(self.writer)
        if complete(self.writer, self.settings):
            errors.print("A bulk load or rebuild was cut short: the catalogue was made anew.")
        if unswept := erasing.destroy_keys(self.writer):
            errors.print(f"{unswept} erased records may have left traces in the files: `evidence sweep` removes them.")
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Show anew what waits for it, and let go."""
        try:
            if failure is None and not self.serves:  # a server goes on with it while it answers
                restore(self.writer)
        finally:
            asyncio.run(self.close())

    async def close(self) -> None:
        """Give back every connection."""
        await self.writer.vault.keys.close()
        await self.database.close()


class Bar:
    """A progress bar on the terminal, or nothing where there is none."""

    def __init__(self) -> None:
        """Show nothing yet."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=errors, transient=True)
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Callable[[str, int, int], None]:
        """Return what shows progress: of what, how far, of how much."""
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._bar.stop()

    def _show(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total)
        self._bar.update(self._tasks[what], completed=done)  # type: ignore[arg-type]


def owner_name(name: str) -> str:
    """Return the name of an organisation, if it can be one."""
    if not re.fullmatch(WORD, name):
        raise typer.BadParameter("must be lower-case letters, digits and hyphens, as in my-organisation")
    return name


def words(text: str) -> str:
    """Return a text that a person wrote, if it says something and can be kept."""
    if not text.strip():
        raise typer.BadParameter("is empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("is no text in UTF-8") from None
    return text


# Why a record is taken back, objected to, withdrawn.
Why = Annotated[str, typer.Option(help="Why; kept sealed in the vault and shown to nobody.", callback=words)]


def view_of(session: Session, asked: str) -> int:
    """Return the number of a view in use, which was asked for by that or as partner/research."""
    statement = select(VIEW.c.id, VIEW.c.audience, VIEW.c.purpose, VIEW.c.owner).where(VIEW.c.state != "retired")
    known = session.database.look(lambda connection: list(connection.execute(statement.order_by(VIEW.c.id))))
    names = {str(id): f"{audience}/{purpose}" for id, audience, purpose, _ in known}
    chosen = [id for id, name in names.items() if asked in (id, name)]
    if len(chosen) != 1:
        listed = ", ".join(f"{id} ({name})" for id, name in names.items())
        raise typer.BadParameter(f"is not one of the views in use: {listed}", param_hint="--view")
    return int(chosen[0])
