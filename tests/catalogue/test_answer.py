"""Answers that are made while they are sent: they stop when nobody listens, and fail as whole answers or not at all."""

import asyncio
from typing import Any

import pytest

from app.catalogue.answer import Answer
from app.catalogue.memo import Memo
from app.core.problems import Problem


class Talk:
    """The two ends of a request: what was sent, and when the caller goes away."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.leaves_after = leaves_after
        self.left = asyncio.Event()

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if len(self.sent) == self.leaves_after:
            self.left.set()
        await asyncio.sleep(0)


def streamed(talk: Talk, body, head: bool = False) -> None:
    asyncio.run(Answer(200, [], body).send(talk.receive, talk.send, head))


def refuse(_: bytes) -> bytes:
    raise Problem("unavailable", "not now")


def test_all_pieces_are_sent():
    async def body():
        yield b"a"
        yield b"b"

    talk = Talk()
    streamed(talk, body())
    assert [message.get("body") for message in talk.sent] == [None, b"a", b"b", b""]
    assert talk.sent[-1].get("more_body", False) is False


def test_nothing_more_is_read_for_who_went_away():
    made = []
    closed = []

    async def body():
        try:
            for i in range(1000):
                made.append(i)
                yield b"x"
        finally:
            closed.append(True)

    streamed(Talk(leaves_after=3), body())
    assert len(made) < 10
    assert closed == [True]


def test_what_fails_before_the_first_piece_is_no_answer_yet():
    async def body():
        for piece in map(refuse, [b"a"]):
            yield piece

    talk = Talk()
    with pytest.raises(Problem):
        streamed(talk, body())
    assert talk.sent == []


def test_head_is_sent_no_body_and_closes_what_was_opened():
    closed = []

    async def body():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    talk = Talk()
    streamed(talk, body(), head=True)
    assert [message.get("body") for message in talk.sent] == [None, b""]
    assert closed == [True]


def test_a_memo_forgets_what_was_not_asked_for_longest():
    memo: Memo[str] = Memo(2)
    memo.put("a", "A")
    memo.put("b", "B")
    assert memo.get("a") == "A"
    memo.put("c", "C")
    assert (memo.get("a"), memo.get("b"), memo.get("c")) == ("A", None, "C")
