"""Bodies are read up to a limit of bytes and of time, and JSON up to a depth."""

import asyncio
import time

import orjson
import pytest

from app.core.bodies import DEEPEST, Body, read_json, stated
from app.core.problems import Problem


def pieces(*sizes, pause=0.0, ends=True):
    """Return what gives a body in pieces, and then the end of the connection."""
    left = [
        {"type": "http.request", "body": b"x" * size, "more_body": not ends or number < len(sizes)}
        for number, size in enumerate(sizes, 1)
    ]

    async def receive():
        await asyncio.sleep(pause)
        return left.pop(0) if left else {"type": "http.disconnect"}

    return receive


async def read(receive, most=100, seconds=5.0):
    body = Body(receive, most, seconds)
    size = 0
    try:
        while (message := await body())["type"] == "http.request":
            size += len(message["body"])
    except Problem as problem:
        assert body.problem is problem
        return problem
    assert body.problem is None
    return size


@pytest.mark.parametrize("sizes", [[0], [100], [50, 50], [1] * 100, [99, 0, 1]])
def test_a_body_within_the_limit_is_read_whole(sizes):
    assert asyncio.run(read(pieces(*sizes))) == sum(sizes)


@pytest.mark.parametrize("sizes", [[101], [50, 51], [1] * 101, [100, 1], [100_000]])
def test_a_body_that_goes_beyond_it_is_stopped_where_it_does(sizes):
    problem = asyncio.run(read(pieces(*sizes)))
    assert (problem.type, problem.status) == ("too-large", 413)
    assert problem.detail == "The body has more than 100 bytes, the most that is read."
    assert problem.headers == {"Connection": "close"}


def test_a_body_that_does_not_end_is_stopped():
    async def endless():
        return {"type": "http.request", "body": b"x" * 7, "more_body": True}

    assert asyncio.run(read(endless)).type == "too-large"


def test_a_body_has_to_be_there_in_time_however_many_pieces_come():
    problem = asyncio.run(read(pieces(*[1] * 50, pause=0.02), seconds=0.2))
    assert (problem.type, problem.status) == ("too-slow", 408)
    assert problem.detail == "The body was not there after 0.2 seconds."


def test_after_the_body_there_is_time_for_the_answer():
    async def work():
        body = Body(pieces(1, pause=0.05), 100, 0.07)
        return [(await body())["type"] for _ in range(2)]

    assert asyncio.run(work()) == ["http.request", "http.disconnect"]


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({}, 0),
        ({b"content-length": b"0"}, 0),
        ({b"content-length": b"12"}, 12),
        ({b"transfer-encoding": b"chunked"}, None),
        ({b"transfer-encoding": b"chunked", b"content-length": b"3"}, None),
        ({b"content-length": b"-1"}, None),
        ({b"content-length": b"1e3"}, None),
    ],
)
def test_what_the_headers_say_of_the_size(headers, size):
    assert stated(headers) == size


def nested(depth, inner="1"):
    return b"[" * depth + inner.encode() + b"]" * depth


@pytest.mark.parametrize(
    "text", [b"1", b'"a"', b"null", b"[]", b"{}", nested(DEEPEST), b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST]
)
def test_json_up_to_the_depth_is_read(text):
    assert read_json(text) == orjson.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        nested(DEEPEST + 1),
        nested(DEEPEST, "{}"),
        b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
        b"[1," + nested(DEEPEST) + b"]",
    ],
)
def test_json_that_is_deeper_is_refused(text):
    with pytest.raises(Problem) as refused:
        read_json(text)
    assert (refused.value.type, refused.value.status) == ("invalid-request", 422)
    assert refused.value.detail == f"Lists and objects lie more than {DEEPEST} deep within each other."
    assert refused.value.as_json()["errors"] == [{"pointer": "", "detail": refused.value.detail}]


def test_no_depth_exhausts_the_stack():
    for text in (b"[" * 1_000_000, nested(1_000), b'{"a":' * 200_000):
        with pytest.raises(Problem):
            read_json(text)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"nul", b"[1,]", b"NaN", b"[Infinity]", b'"\xff"', b"\xef\xbb\xbf{}", b"{} {}"]
)
def test_what_is_no_json_is_refused_and_never_repeated(text):
    with pytest.raises(Problem) as refused:
        read_json(text)
    assert refused.value.detail.startswith("This is no JSON that is read: line 1, column ")


def test_other_depths():
    assert read_json(nested(2), 2) == [[1]]
    with pytest.raises(Problem):
        read_json(nested(3), 2)


def test_many_objects_with_two_members_of_one_name_are_refused_at_once():
    body = b"[" + b"[]," * 240_000 + b'{"":0,"":0},' * 20_000 + b"1]"
    began = time.thread_time()
    with pytest.raises(Problem) as caught:
        read_json(body)
    assert caught.value.errors[0].name == "/240000"
    assert time.thread_time() - began < 5
