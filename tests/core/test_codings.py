"""Codings: what a caller takes, and bytes that come back as they were."""

import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.core import codings
from app.core.codings import OFFERED, accepted


def unpacked(coding: str, body: bytes) -> bytes:
    """Return what was packed."""
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    if coding == "br":
        whole: bytes = brotli.decompress(body)
        return whole
    return zlib.decompress(body, 16 + zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("header", "best", "every", "plain"),
    [
        ("", None, "", True),
        ("identity", None, "", True),
        ("gzip, deflate, br, zstd", "zstd", "zstd br gzip", True),
        ("GZIP", "gzip", "gzip", True),
        ("x-gzip", "gzip", "gzip", True),
        ("gzip;q=0.5, br ; q=0.8", "br", "br gzip", True),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip", "gzip", True),
        ("*", "zstd", "zstd br gzip", True),
        ("zstd;q=0, *;q=0.3", "br", "br gzip", True),
        ("gzip;q=0.3, identity;q=0.9", None, "gzip", True),
        ("gzip, identity;q=0", "gzip", "gzip", False),
        ("gzip, *;q=0", "gzip", "gzip", False),
        # What cannot be honoured is disregarded.
        ("*;q=0", None, "", True),
        ("identity;q=0", None, "", True),
        ("compress, deflate", None, "", True),
        ("gzip;q=0", None, "", True),
        ("gzip;q=0.000, br;q=0.001", "br", "br", True),
        # What is no coding with a weight is passed over.
        ("gzip;q=x, br;q=2, zstd;level=3, ;q=1, ,", None, "", True),
        ("gzip;q=0.1234", None, "", True),
    ],
)
def test_what_is_taken(header, best, every, plain):
    found = accepted(header.encode())
    assert (found.best, " ".join(found.every), found.plain) == (best, every, plain)


@given(st.binary(max_size=600))
def test_no_header_fails(header):
    assert accepted(header).best in (None, *OFFERED)


@pytest.mark.parametrize("coding", OFFERED)
@given(parts=st.lists(st.binary(max_size=3_000), max_size=5))
def test_all_of_a_stream_can_be_read_as_soon_as_it_came(coding, parts):
    coder = codings.coder(coding)
    came = b"".join([coder.add(part) for part in parts])
    whole = came + coder.end()
    assert unpacked(coding, whole) == b"".join(parts)
    if coding == "zstd":
        assert zstandard.ZstdDecompressor().decompressobj().decompress(came) == b"".join(parts)


@pytest.mark.parametrize("coding", OFFERED)
@given(body=st.binary(max_size=5_000))
def test_a_body_comes_back_and_has_one_form(coding, body):
    assert unpacked(coding, codings.packed(coding, body)) == body
    assert codings.packed(coding, body) == codings.packed(coding, body)


def test_every_form_has_a_tag_of_its_own():
    assert [codings.tag('"ab"', coding) for coding in (None, *OFFERED)] == ['"ab"', '"ab-zstd"', '"ab-br"', '"ab-gzip"']
