"""Failures that are of the disk, the folder or the server, and not of the program."""

import errno

from sqlalchemy.exc import DBAPIError, OperationalError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}
# What SQLite says where not the program is wrong but the file, the folder or the disk.
_BROKEN = (
    *("unable to open database file", "attempt to write a readonly database", "database or disk is full"),
    *("disk I/O error", "file is not a database", "database disk image is malformed", "database is locked"),
)


def unusable(error: DBAPIError | OSError) -> str | None:
    """Return in one line why the database or its folder cannot be used, where something failed for that; else None."""
    if isinstance(error, OSError):
        return f"{error.filename or 'the data folder'}: {error.strerror}" if error.errno in _NO_ROOM else None
    said = str(error.orig).partition("\n")[0]
    of_the_server = isinstance(error, OperationalError) and hasattr(error.orig, "sqlstate")
    return f"the database cannot be used: {said}" if of_the_server or said in _BROKEN else None
