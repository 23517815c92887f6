"""The built-in public record: loaded on the first run; afterwards only what has never been there."""

from pathlib import Path

import orjson
from sqlalchemy import Connection, func, select

from app.intake.loading import Load, Progress, Report
from app.intake.submit import PUBLIC_RECORD, Intake
from app.vault.keys import chunks
from app.vault.tables import RECORD

FOLDER = Path(__file__).resolve().parents[1] / "data" / "public-record"


def files() -> list[Path]:
    """Return the files of the built-in record, one a kind."""
    return sorted(FOLDER.glob("*.json"))


def load_builtin(intake: Intake, home: Path, progress: Progress = lambda *_: None) -> Report:
    """Load those built-in records that the vault has never met.

    A record that an operator retracted or revised stays as it is; a first run that was cut short is completed.
    """
    stated = [item["id"] for path in files() for item in orjson.loads(path.read_bytes())]

    def _count(connection: Connection) -> int:
        met = (select(func.count()).select_from(RECORD).where(RECORD.c.id.in_(chunk)) for chunk in chunks(stated))
        return sum(connection.scalar(statement) or 0 for statement in met)

    if intake.writer.database.look(_count) == len(stated):
        return Report(unchanged=len(stated))
    # One that names what was retracted stays out, and the others come in all the same.
    return Load(intake, home, PUBLIC_RECORD, progress, only_new=True).run(files(), keep_good=True)
