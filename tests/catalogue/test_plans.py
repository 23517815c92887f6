"""Plans: each statement begins with the view, reads an index from limit to limit, and never sorts what is many."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.catalogue import parameters
from app.catalogue.query import Form, Group, Queries
from app.catalogue.when import When
from app.core.db import Database, Prepared

ONE, SOME, BOX, KEYS = Group("terms"), Group("terms", n=2), Group("test", "bbox"), Group("keys", n=4)
PERIOD, MORE = When(periods=1), When(periods=2, span=True, match="certain", boundary=True, side="before")
FORMS = {
    "kind": Form(),
    "term": Form((ONE,), PERIOD, 0),
    "terms": Form((ONE, ONE, SOME), MORE, 1),
    "any": Form((SOME,), PERIOD),
    "box": Form((ONE, BOX), PERIOD, 0),
}


@pytest.fixture
def queries(seeded):
    """The statements of a seeded database."""
    database = Database(seeded)
    yield Queries(database)
    asyncio.run(database.close())


def plan(queries: Queries, url: str, statement: Prepared, **values: Any) -> list[str]:
    """Return the plan of a statement, as lines."""
    bound = statement.values({name: 1 for name in statement.names} | values)
    if url.startswith("sqlite"):
        database = Database(url)
        rows = database.look(
            lambda connection: connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement.text, bound).all()
        )
        asyncio.run(database.close())
        return [row[3] for row in rows]

    async def explain() -> list[str]:
        connection = await asyncpg.connect(url)
        # The tables are tiny: reading all of one would be cheapest. What is asked here is whether an index would do.
        await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        rows = await connection.fetch("EXPLAIN " + statement.text, *bound)
        await connection.close()
        return [row[0] for row in rows]

    return asyncio.run(explain())


TEXTS = {"kind": "incident", "id": "x"}


@pytest.mark.parametrize("sort", ["-date", "date"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_pages_in_the_order_of_dates(queries, seeded, sort, after, form):
    lines = plan(queries, seeded, queries.page(FORMS[form], sort, after, True), **TEXTS)
    whole = "\n".join(lines)
    assert "TEMP B-TREE" not in whole and "Sort" not in whole, whole
    assert "SCAN" not in whole.replace("Index Scan", "").replace("Index Only Scan", ""), whole
    if seeded.startswith("sqlite"):
        driver = (
            "p USING PRIMARY KEY (view=? AND term=?" if FORMS[form].driver is not None else "r USING INDEX row_date"
        )
        limits = "" if not after else "(s0,k)<(?,?)" if sort == "-date" else "(s0,k)>(?,?)"
        assert lines[0].startswith(f"SEARCH {driver}")
        assert limits in lines[0]


@pytest.mark.parametrize("name", parameters.tests())
def test_every_test_of_a_row_goes_with_several_values_of_every_other_filter(queries, name):
    for around in ((SOME, Group("terms", n=4)), (KEYS, SOME), (BOX,)):
        for groups in ((*around, Group("test", name)), (Group("test", name), *around)):
            form = Form(groups, MORE)
            statements = [
                queries.counts(form),
                queries.packed(form),
                queries.undated(form),
                queries.groups(form, 2, True),
                *[queries.page(form, sort, True, True) for sort in ("date", "-updated", "id")],
            ]
            for statement in statements:
                assert set(statement.names) >= {f"g{i}_{j}" for i, one in enumerate(groups) for j in range(one.n)}


@pytest.mark.parametrize(("sort", "index"), [("updated", "row_updated"), ("id", "row_id")])
@pytest.mark.parametrize("turned", ["", "-"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_pages_in_other_orders(queries, seeded, sort, index, turned, after, form):
    values = {**TEXTS, **({"after": "x"} if sort == "id" else {})}
    lines = plan(queries, seeded, queries.page(FORMS[form], turned + sort, after, True), **values)
    whole = "\n".join(lines)
    assert "TEMP B-TREE" not in whole and "Sort" not in whole, whole
    if seeded.startswith("sqlite"):
        assert lines[0].startswith(f"SEARCH r USING INDEX {index} (view=? AND kind=?")


def test_one_record_is_found_by_its_key_whatever_is_known_of_the_table(queries, seeded):
    lines = plan(queries, seeded, queries.one, **TEXTS, **queries.one.constants)
    if seeded.startswith("sqlite"):
        state, record = lines
        assert (state.split(" USING")[0], record) == (
            "SEARCH view",
            "SEARCH row USING INDEX row_k (view=? AND k=?) LEFT-JOIN",
        )
    else:
        assert any("Index Cond: ((view = '1'::smallint) AND (k = '1'::bigint))" in line for line in lines), lines


def test_few_records_are_found_by_their_keys(queries, seeded):
    if seeded.startswith("sqlite"):
        lines = plan(queries, seeded, queries.page(Form((KEYS, ONE), PERIOD), "-date", False, True), **TEXTS)
        assert lines[0] == "SEARCH r USING INDEX row_k (view=? AND k=?)"


@pytest.mark.parametrize("form", FORMS)
def test_counts_read_an_index_alone(queries, seeded, form):
    if seeded.startswith("sqlite"):
        lines = plan(queries, seeded, queries.counts(FORMS[form]), **TEXTS)
        assert lines[0].startswith(
            (
                "SEARCH p USING PRIMARY KEY (view=? AND term=?",
                "SEARCH r USING COVERING INDEX row_date (view=? AND kind=?",
            )
        )
        assert not any("autoindex_row" in line for line in lines)


def test_some_terms_are_counted_by_their_postings(queries, seeded):
    if seeded.startswith("sqlite"):
        lines = plan(queries, seeded, queries.counts(Form((SOME, ONE), PERIOD, 0)), **TEXTS)
        assert lines[0] == "SEARCH p USING PRIMARY KEY (view=? AND term=? AND s0>? AND s0<?)"
        assert {line.partition(" USING")[0] for line in lines[1:]} <= {
            "SEARCH least",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH x1 EXISTS",
        }


def test_a_form_is_compiled_once(queries):
    assert queries.page(FORMS["term"], "date", True, True) is queries.page(FORMS["term"], "date", True, True)


def test_no_value_stands_in_a_statement(queries):
    text = queries.page(FORMS["terms"], "-date", True, True).text
    assert "incident" not in text
    assert text.count("?") + text.count("$") >= 20
