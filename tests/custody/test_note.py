"""Signed notes: the published example, and all that is none."""

import base64

import pytest

from app.custody.note import Checkpoint, NotSigned, Signer, checkpoint_of, text_of

# The example of golang.org/x/mod/sumdb/note, which C2SP signed-note describes.
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ROOT = bytes(range(32))
SIGNER = Signer(b"\x07" * 32)


def test_the_published_example_holds():
    assert text_of(f"{TEXT}\n{SIGNATURE}", KEY) == TEXT


def test_a_checkpoint_is_three_lines_and_a_signature():
    note = SIGNER.checkpoint(512, ROOT)
    assert note.splitlines()[:4] == [SIGNER.name, "512", base64.b64encode(ROOT).decode(), ""]
    assert checkpoint_of(note, SIGNER.key) == Checkpoint(SIGNER.name, 512, ROOT)
    assert checkpoint_of(note, f" {SIGNER.key}\n") == Checkpoint(SIGNER.name, 512, ROOT)  # as it is copied from a page


def test_the_key_is_the_same_for_the_same_secret_and_no_other():
    assert Signer(b"\x07" * 32).key == SIGNER.key
    assert Signer(b"\x08" * 32).name != SIGNER.name


def test_signatures_of_others_beside_it_change_nothing():
    note = SIGNER.checkpoint(512, ROOT)
    text, _, mine = note.rpartition("\n\n")
    for lines in (SIGNATURE + mine, mine + SIGNATURE):
        assert checkpoint_of(f"{text}\n\n{lines}", SIGNER.key).size == 512


def changed(note: str) -> list[str]:
    text, _, line = note.rpartition("\n\n")
    return [
        note.replace("512", "513"),
        note.replace(base64.b64encode(ROOT).decode(), base64.b64encode(bytes(32)).decode()),
        f"{text}\n",
        f"{text}\n\n",
        f"{text}\n\n{line[:-1]}",
        f"{text}\n\n{line}\n",
        f"{text}\n\n{line}{line[:-10]}\n",
        f"{text}\n\n{line.replace('— ', '- ')}",
        f"{text}\n\n{line[:-20]}AAAA{line[-16:]}",
        f"more\n{note}",
        "",
    ]


@pytest.mark.parametrize("note", changed(SIGNER.checkpoint(512, ROOT)))
def test_what_was_changed_is_not_signed(note):
    with pytest.raises(NotSigned):
        checkpoint_of(note, SIGNER.key)


def test_what_is_signed_need_not_be_a_checkpoint_of_this_log():
    other = SIGNER.signed(Checkpoint("another.example/log", 512, ROOT).text)
    assert text_of(other, SIGNER.key).startswith("another.example/log\n512\n")
    for note in (
        other,
        SIGNER.signed(f"{SIGNER.name}\n0512\n{base64.b64encode(ROOT).decode()}\n"),
        SIGNER.signed("a\n"),
    ):
        with pytest.raises(NotSigned, match="no checkpoint of this log"):
            checkpoint_of(note, SIGNER.key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        KEY[:-1],
        KEY.replace("c74f20a3", "c74f20a4"),
        KEY.replace("Peter", "Paul"),
        KEY.replace("+ARpc", "+Arpc"),
        f"{KEY}A",
        "a+b c+d",
    ],
)
def test_what_is_no_key_verifies_nothing(key):
    with pytest.raises(NotSigned):
        text_of(f"{TEXT}\n{SIGNATURE}", key)
