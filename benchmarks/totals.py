"""What a first answer costs when its total was never asked for before, and whether it is right."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from urllib.parse import urlencode

import orjson

from benchmarks import corpus
from benchmarks.equality import Unequal
from benchmarks.questions import LIMIT, Truth
from benchmarks.server import Server
from benchmarks.system import Request

# The service's parameter -> the peers' column, and a value drawn for it.
_FILTERS: dict[str, tuple[str, Callable[[Random], str]]] = {
    "violation": ("violation_type", lambda random: corpus.violation_id(random.randrange(corpus.MAIN))),
    "place": ("province", lambda random: corpus.province_id(random.randrange(len(corpus.PROVINCES)))),
    "verification": ("verification", lambda random: random.choice(corpus.VERIFICATION)),
}
FEW, SETTLING = 10, 5  # questions of each form, seconds
FORMS = ((), ("violation",), ("place",), ("violation", "place"), ("violation", "place", "verification"))


@dataclass(frozen=True)
class Cold:
    """One form of question: milliseconds of a whole first answer, one request after the other."""

    form: str
    asked: int
    p50: float
    p99: float
    most: float


def measure(server: Server, truth: Truth, each: int, seed: int) -> list[Cold]:
    """Ask each form with periods that were never asked for.

    Raises:
        Unequal: a total is not what plain SQL counts.
    """
    random = Random(seed)
    for form in FORMS:
        for _ in range(each):
            server.ask(_request(_draw(form, random)))
    time.sleep(SETTLING if each > FEW else 0)  # until what these wanted in memory is there
    return [_measure(server, truth, form, each, random) for form in FORMS]


def _draw(form: tuple[str, ...], random: Random) -> dict[str, str]:
    """Return a period that was never asked for, and values of the filters."""
    first = date.fromordinal(random.randint(corpus.FIRST, corpus.LAST - 30))
    last = first + timedelta(random.randint(30, 7_000))
    return {"from": first.isoformat(), "to": last.isoformat()} | {name: _FILTERS[name][1](random) for name in form}


def _request(asked: dict[str, str]) -> Request:
    return Request(f"/v1/incidents?{urlencode(asked | {'limit': LIMIT})}")


def _measure(server: Server, truth: Truth, form: tuple[str, ...], each: int, random: Random) -> Cold:
    taken = []
    for _ in range(each):
        asked = _draw(form, random)
        request = _request(asked)
        begun = time.perf_counter()
        body = server.ask(request)
        taken.append((time.perf_counter() - begun) * 1e3)
        found = orjson.loads(body)["total"]
        wanted = truth.counted({_FILTERS[name][0] if name in _FILTERS else name: one for name, one in asked.items()})
        if found != wanted:
            raise Unequal(f"{request.path}: total {found}, not {wanted}")
    taken.sort()
    name = " + ".join(("a period", *form))
    return Cold(name, each, taken[each // 2], taken[min(each - 1, each * 99 // 100)], taken[-1])
