"""GDAL, and so QGIS: its driver for OGC API - Features reads every record, and filters as our own lists do."""

import csv
import io
import os
import subprocess
import urllib.request
from typing import Any

import orjson
import pytest

GDAL = os.environ.get("GDAL", "/usr/bin")
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session")


def gdal(tool: str, *arguments: str) -> str:
    """Run a tool of GDAL, which has to say nothing of errors; return what it prints."""
    program = f"{GDAL}/{tool}"
    assert os.access(program, os.X_OK), f"no {program}: run `make gdal`, or set GDAL to the folder of its tools"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def read(server: str, kind: str, *options: str) -> list[str]:
    """Return the ids of the features that GDAL reads, sorted."""
    said = gdal("ogr2ogr", "-f", "CSV", "/vsistdout/", f"OAPIF:{server}/v1", kind, "-select", "id", *options)
    return sorted(row["id"] for row in csv.DictReader(io.StringIO(said)))


def listed(server: str, address: str) -> list[Any]:
    """Return the records of one of our own lists."""
    with urllib.request.urlopen(f"{server}/v1/{address}", timeout=20) as answer:
        found: list[Any] = orjson.loads(answer.read())["items"]
    return found


def ids(items: list[Any]) -> list[str]:
    return sorted(item["id"] for item in items)


@SQLITE
def test_all_collections_are_found_with_their_number_of_features(live_server):
    said = gdal("ogrinfo", "-ro", f"OAPIF:{live_server}/v1")
    names = [line.split()[1] for line in said.splitlines() if line[:1].isdigit()]
    assert names == ["testimonies", "incidents", "places", "weapons-events"]
    for name in names:
        told = gdal("ogrinfo", "-ro", "-so", f"OAPIF:{live_server}/v1", name)
        assert f"Feature Count: {len(listed(live_server, f'{name}?limit=1000'))}\n" in told
        assert 'GEOGCRS["WGS 84"' in told and "first_day: Date" in told and "last_day: Date" in told


@SQLITE
def test_all_features_are_read_page_after_page(live_server):
    for name in ("incidents", "places"):
        assert read(live_server, name, "-oo", "PAGE_SIZE=30") == ids(listed(live_server, f"{name}?limit=1000"))


@SQLITE
def test_a_box_is_asked_of_the_service(live_server):
    for box in ("126.5 40.5 130.7 43.1", "125 38 127 40"):
        expected = ids(listed(live_server, f"incidents?limit=1000&bbox={box.replace(' ', ',')}"))
        assert read(live_server, "incidents", "-spat", *box.split()) == expected != []


@SQLITE
def test_days_are_asked_of_the_service(live_server):
    """GDAL sends a condition on a day as `datetime`, and leaves it at that."""
    for condition, asked in (
        ("last_day >= '2011/12/17'", "from=2011-12-17"),
        ("first_day <= '2011/12/16'", "to=2011-12-16"),
        ("last_day >= '1995/01/01' AND first_day <= '1998/12/31'", "from=1995-01-01&to=1998-12-31"),
    ):
        found = read(live_server, "incidents", "-where", condition, "-oo", "PAGE_SIZE=1000")
        assert found == ids(listed(live_server, f"incidents?limit=1000&{asked}"))
        assert 20 < len(found) < 202


@SQLITE
def test_a_condition_on_a_word_leaves_out_what_does_not_fit(live_server):
    found = read(live_server, "incidents", "-where", "scope = 'pattern'", "-oo", "PAGE_SIZE=1000")
    assert found == ids(listed(live_server, "incidents?limit=1000&scope=pattern")) != []


@SQLITE
def test_geometries_are_read_as_they_are(live_server):
    said = gdal("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", f"OAPIF:{live_server}/v1", "places", "-oo", "PAGE_SIZE=1000")
    read_ones = {one["properties"]["id"]: one["geometry"] for one in orjson.loads(said)["features"]}
    assert read_ones == {item["id"]: item["geometry"] for item in listed(live_server, "places?limit=1000")}
