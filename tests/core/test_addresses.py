"""Where a database lies is what its address says, and its files are of nobody else."""

import asyncio
import subprocess
import sys

import pytest
from sqlalchemy import text

from app.core.db import Database, DatabaseError


def test_files_of_a_database_are_of_their_user_alone_and_those_that_were_there_are_left_as_they_are(tmp_path):
    def modes() -> dict[str, str]:
        return {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}

    tmp_path.chmod(0o755)
    db = Database(f"sqlite:///{tmp_path}/evidence.db")
    db.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (n)"))
    assert set(modes()) == {"evidence.db", "evidence.db-door", "evidence.db-shm", "evidence.db-wal"}
    assert set(modes().values()) == {"0o600"}
    asyncio.run(db.close())
    (tmp_path / "evidence.db").chmod(0o640)
    db = Database(f"sqlite:///{tmp_path}/evidence.db")
    db.write(lambda connection: connection.exec_driver_sql("INSERT INTO t VALUES (1)"))
    assert modes()["evidence.db"] == modes()["evidence.db-wal"] == "0o640"
    asyncio.run(db.close())


_TRY = """import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)  # what SQLite locks, to be alone"""


def test_who_opens_a_database_again_does_not_let_go_of_its_locks(tmp_path):
    """Else another process takes itself for the last one, and deletes the write-ahead log that is in use."""
    path = tmp_path / "evidence.db"
    first = Database(f"sqlite:///{path}")
    first.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (n)"))
    second = Database(f"sqlite:///{path}")
    tried = subprocess.run([sys.executable, "-c", _TRY, path], capture_output=True, text=True, check=False)
    assert "BlockingIOError" in tried.stderr
    asyncio.run(first.close())
    asyncio.run(second.close())
    assert subprocess.run([sys.executable, "-c", _TRY, path], check=False).returncode == 0


def test_a_server_is_reached_as_its_address_says(new_database):
    address = new_database("postgresql")
    db = Database(f"{address}&sslmode=disable&application_name=our-name")
    assert db.write(lambda connection: connection.scalar(text("SHOW application_name"))) == "our-name"
    asyncio.run(db.close())
    for wrong in ("sslmode=verify-full&sslrootcert=/none", "sslmode=verify-full"):
        db = Database(f"{address}&{wrong}")
        with pytest.raises(DatabaseError, match="the PostgreSQL server cannot be reached, or lets nobody in"):
            db.write(lambda connection: None)
        asyncio.run(db.close())
