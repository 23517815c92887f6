"""Archives (ZIP): read only if every entry is what it says it is, in size and in name, and none is another archive."""

import zipfile
import zlib
from contextlib import suppress
from pathlib import PurePosixPath
from typing import IO

from app.intake.reading import Unreadable

ARCHIVE = zipfile.ZipFile
MOST_ENTRIES = 1_000
MOST_BYTES = 20 * 1024**3  # unpacked
MOST_RATIO = 200  # a sheet of text packs to a tenth or less; a bomb to a thousandth
SMALL = 1 << 20  # bytes that may have any ratio
CHUNK = 1 << 18
_IN_UTF8 = 0x800  # of the flags of an entry


def check(file: IO[bytes], nested: bool = True, most: int = MOST_BYTES) -> None:
    """Refuse an archive that is not safe to open. With `nested` its names and kinds of entries are looked at too.

    Raises:
        Unreadable: it is none, or an entry lies about its size, is too large, has a bad name, or is an archive itself.
    """
    try:
        with ARCHIVE(file) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_ENTRIES:
                raise Unreadable(f"holds more than {MOST_ENTRIES} files")
            if len({info.filename for info in infos}) < len(infos):
                raise Unreadable("holds two files of one name")
            left = most
            for info in infos:
                if nested:
                    _check_name(info)
                if info.flag_bits & 1:
                    raise Unreadable("is encrypted: hand in one that is not")
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Unreadable("is packed by a method that is not read: use the usual one (deflate)")
                left -= _check_size(file, info, left)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable("is no archive (ZIP) that can be read") from None


def _check_name(info: zipfile.ZipInfo) -> None:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in info.filename or "\0" in info.filename:
        raise Unreadable("holds a file whose name leads out of the archive")
    if path.suffix.lower() in (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst"):
        raise Unreadable("holds another archive: pack the files alone")
    if (info.external_attr >> 16) & 0o170000 == 0o120000:
        raise Unreadable("holds a link instead of a file")


def _check_size(file: IO[bytes], info: zipfile.ZipInfo, left: int) -> int:
    """Unpack an entry to nowhere; return its size. What it says of itself is not trusted."""
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise Unreadable("is no archive (ZIP) that can be read")
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    packed, size = info.compress_size, 0
    unpack = zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
    read = 0
    while read < packed and (chunk := file.read(min(CHUNK, packed - read))):
        read += len(chunk)
        while chunk:
            try:
                out = chunk if unpack is None else unpack.decompress(chunk, CHUNK)
            except zlib.error:
                raise Unreadable("holds a file that is damaged") from None
            size += len(out)
            if size > left or size > info.file_size:
                raise Unreadable("holds more than may be unpacked, or more than it says")
            if size > SMALL and size > MOST_RATIO * max(read, 1):
                raise Unreadable(f"holds a file that is packed to less than a part in {MOST_RATIO}")
            chunk = b"" if unpack is None else unpack.unconsumed_tail
    if size != info.file_size:
        raise Unreadable("holds a file of another size than it says")
    return size


def entries(file: IO[bytes]) -> list[tuple[str, str, int]]:
    """Return the files of an archive that was checked: each by its name in it, the name that is told, and its size.

    What systems add by themselves is left out.
    """
    with ARCHIVE(file) as archive:
        return [
            (info.filename, _told(info), info.file_size)
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and PurePosixPath(info.filename).name not in (".DS_Store", "Thumbs.db")
        ]


def _told(info: zipfile.ZipInfo) -> str:
    """Return a name as it was given: macOS writes UTF-8 and a Korean Windows CP949, and neither says so."""
    if not info.flag_bits & _IN_UTF8 and not info.filename.isascii():
        for encoding in ("utf-8", "cp949"):
            with suppress(UnicodeError):
                return info.filename.encode("cp437").decode(encoding)
    return info.filename
