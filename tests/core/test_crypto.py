"""What is sealed opens with its key at its place and nowhere else; tokens cannot be made elsewhere."""

import os
import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import SealError, Tokens, derive, master_key, new_key, seal, unseal
from app.core.settings import SettingError

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
STATED = "ab" * 32


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_opens(plain, place):
    assert unseal(KEY, seal(KEY, plain, place), place) == plain


def test_no_two_sealings_are_the_same():
    made = {seal(KEY, b"plain", b"place") for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {1 + 12 + 5 + 16}  # form, nonce, content, tag
    assert not any(b"plain" in one for one in made)


def test_any_changed_byte_is_found():
    sealed = seal(KEY, b"plain", b"place")
    for position in range(len(sealed)):
        for flip in (1, 128):
            changed = bytearray(sealed)
            changed[position] ^= flip
            with pytest.raises(SealError):
                unseal(KEY, bytes(changed), b"place")


def test_any_shortening_is_found():
    sealed = seal(KEY, b"plain", b"place")
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            unseal(KEY, sealed[:length], b"place")
    with pytest.raises(SealError):
        unseal(KEY, sealed + b"\0", b"place")


@pytest.mark.parametrize(("key", "place"), [(OTHER, b"place"), (KEY, b"place2"), (KEY, b""), (b"", b"place")])
def test_another_key_or_place_opens_nothing(key, place):
    with pytest.raises(SealError):
        unseal(key, seal(KEY, b"plain", b"place"), place)


def test_new_keys():
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {32}


def test_no_key_serves_two_purposes():
    made = {derive(KEY, "a"), derive(KEY, "b"), derive(OTHER, "a"), KEY}
    assert len(made) == 4
    assert derive(KEY, "a") == derive(KEY, "a")
    assert (len(derive(KEY, "a")), len(derive(KEY, "a", 64))) == (32, 64)


def test_a_derived_key_never_changes():
    """A change would lock every deployment out of its own keys."""
    assert derive(KEY, "record-keys").hex() == "a4dabb205190d73ae0c3dd5c995bdb76773d5a0c2a84d67fb21e582c33288f06"


def test_a_token_is_the_same_for_the_same_content():
    tokens = Tokens(KEY, "cursor")
    token = tokens.make(b"content", b"place")
    assert token == tokens.make(b"content", b"place") == Tokens(KEY, "cursor").make(b"content", b"place")
    assert tokens.read(token, b"place") == b"content"
    assert b"content" not in token
    assert token != tokens.make(b"Content", b"place")


def test_a_token_is_read_only_where_it_was_made():
    token = Tokens(KEY, "cursor").make(b"content", b"place")
    for tokens, place in (
        (Tokens(KEY, "cursor"), b"elsewhere"),
        (Tokens(KEY, "purpose"), b"place"),
        (Tokens(OTHER, "cursor"), b"place"),
    ):
        with pytest.raises(SealError):
            tokens.read(token, place)


def test_a_token_cannot_be_changed_or_made_up():
    tokens = Tokens(KEY, "cursor")
    token = tokens.make(b"content", b"place")
    for position in range(len(token)):
        changed = bytearray(token)
        changed[position] ^= 1
        with pytest.raises(SealError):
            tokens.read(bytes(changed), b"place")
    for made_up in (b"", b"\0", bytes(16), bytes(40), token[:-1], token + b"\0"):
        with pytest.raises(SealError):
            tokens.read(made_up, b"place")


def test_the_file_of_the_master_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    home = tmp_path / "not" / "there"
    first = master_key(None, home, make=True)
    file = home / "master.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}", file.read_text())
    assert file.read_text() == first.hex()
    assert master_key(None, home, make=True) == master_key(None, home) == first
    assert [one.name for one in home.iterdir()] == ["master.key"]
    assert master_key(None, tmp_path, make=True) != first


def test_a_master_key_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("app.core.crypto.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        master_key(None, tmp_path, make=True)
    assert list(tmp_path.iterdir()) == []


def test_of_two_who_make_the_master_key_at_once_both_have_that_of_the_first(tmp_path, monkeypatch):
    link = os.link

    def later(name, path):
        (tmp_path / "master.key").write_text(STATED)
        link(name, path)

    monkeypatch.setattr("app.core.crypto.os.link", later)
    assert master_key(None, tmp_path, make=True) == bytes.fromhex(STATED)
    assert [one.name for one in tmp_path.iterdir()] == ["master.key"]


def test_a_missing_master_key_is_not_made_up(tmp_path):
    with pytest.raises(SettingError, match="there is no master key"):
        master_key(None, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "ab" * 31 + "a", "xy" * 32, "é" * 64])
def test_a_malformed_master_key_is_refused_and_kept(tmp_path, text):
    with pytest.raises(SettingError, match="^EVIDENCE_MASTER_KEY: .* 64 hexadecimal digits"):
        master_key(text, tmp_path)
    file = tmp_path / "master.key"
    for content in (text.encode(), text.encode("latin-1")):
        file.write_bytes(content)
        with pytest.raises(SettingError, match=f"^{re.escape(str(file))}: .* 64 hexadecimal digits"):
            master_key(None, tmp_path, make=True)
        assert file.read_bytes() == content


def test_a_stated_master_key_goes_before_the_file(tmp_path):
    assert master_key(STATED, tmp_path, make=True) == bytes.fromhex(STATED)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "master.key").write_text("cd" * 32 + "\n")
    assert master_key(STATED, tmp_path) == bytes.fromhex(STATED)
    assert master_key(None, tmp_path) == bytes.fromhex("cd" * 32)
