"""The caller: a value that only this room makes, and that cannot be made over."""

import ast
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

import app
from app.access.caller import ANONYMOUS, NOBODY, Caller, Identity, NotMinted, mint
from app.core.problems import Problem

ROOM = Path(app.__file__).parent


def test_anonymous_reads_what_is_public_and_may_nothing_else():
    assert (ANONYMOUS.organisation, ANONYMOUS.credential, ANONYMOUS.view) == (None, None, 0)
    assert ANONYMOUS.roles == {"read"}
    NOBODY.require("read")
    for role in ("contribute", "steward", "admin"):
        with pytest.raises(Problem) as caught:
            NOBODY.require(role)
        assert (caught.value.type, caught.value.status) == ("unauthenticated", 401)


def test_nobody_else_makes_one():
    with pytest.raises(NotMinted):
        Caller(None, None, 1, frozenset({"read"}), object())
    with pytest.raises(NotMinted):
        Identity("a", "b", "key", "c", frozenset({"admin"}), (), True, None, proof=None)
    with pytest.raises(ValueError, match="proof"):
        replace(mint(0), view=2)  # type: ignore[call-arg]
    with pytest.raises(FrozenInstanceError):
        mint(0).view = 2  # type: ignore[misc]


def test_no_other_room_calls_what_makes_one():
    makers = {"mint", "identity", "Caller", "Identity", "_PROOF"}
    found = {
        str(path.relative_to(ROOM))
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in makers
    }
    assert found == {"access/caller.py", "access/identify.py"}
