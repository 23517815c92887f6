"""The page for clients: its code is that of the stories, its lines of pandas run, and its commands of GDAL are true."""

import os
import shutil
import subprocess
from typing import Any

import orjson
import pytest

from tests.clients.conftest import HERE
from tests.contract.asking import Service
from tests.pages import blocks

SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session")


def test_its_code_is_that_of_the_stories():
    stories = {"python": (HERE / "story.py").read_text(), "ts": (HERE / "story.ts").read_text()}
    for language, story in stories.items():
        code = [block for block in blocks("clients.md", language) if "pandas" not in block]
        assert len(code) >= 3
        assert [block for block in code if block not in story] == []


@SQLITE
def test_pandas_reads_every_export(live_server, public_record):
    (block,) = blocks("clients.md", "python", "pandas")
    found: dict[str, Any] = {}
    exec(block.replace("http://localhost:8000", live_server), found)  # noqa: S102 - it is our own page
    service = Service(public_record)
    listed = service.ask("/v1/incidents?limit=1000&period=post-2011-12").json["items"]
    assert found["incidents"]["id"].to_list() == [item["id"] for item in listed]
    assert found["incidents"]["updated"].dt.tz is not None
    listed = service.ask("/v1/testimonies?limit=1000").json["items"]
    assert found["testimonies"]["id"].to_list() == [item["id"] for item in listed]
    assert found["testimonies"]["places"].to_list() == [item["places"] for item in listed]
    listed = service.ask("/v1/places?limit=1000").json["items"]
    assert found["places"]["id"].to_list() == [item["id"] for item in listed]
    assert found["places"].loc[0, "url"].endswith(f"/v1/places/{listed[0]['id']}")
    listed = service.ask("/v1/statistics/counts?group_by=decade").json["items"]
    assert found["counts"]["incidents"].to_list() == [item["incidents"] for item in listed]
    service.close()


@SQLITE
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not here")
def test_r_reads_what_is_there(live_server, public_record, tmp_path):
    (block,) = blocks("clients.md", "r")
    told = "list(titles = incidents$title_en, ids = testimonies$id, places = testimonies$places)"
    script = f"{block.replace('http://localhost:8000', live_server)}cat(jsonlite::toJSON({told}))"
    (tmp_path / "read.R").write_text(script)
    command = ["Rscript", "--vanilla", str(tmp_path / "read.R")]
    done = subprocess.run(command, env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    service = Service(public_record)
    said = orjson.loads(done.stdout)
    listed = service.ask("/v1/testimonies?limit=1000").json["items"]
    assert (said["ids"], said["places"]) == ([one["id"] for one in listed], [one["places"] for one in listed])
    listed = service.ask("/v1/incidents?limit=1000&period=post-2011-12").json["items"]
    assert said["titles"] == [one["title"]["en"] for one in listed]
    service.close()


@SQLITE
def test_the_commands_of_gdal_run(live_server, tmp_path):
    (block,) = blocks("clients.md", "sh", "ogrinfo")
    for line in block.replace("http://localhost:8000", live_server).splitlines():
        done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S602
        assert (done.returncode, done.stderr) == (0, ""), line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.csv", "places.gpkg"]
    assert len((tmp_path / "events.csv").read_text().splitlines()) > 100


@SQLITE
def test_features_of_an_address_open_as_a_file(live_server, tmp_path):
    (line,) = blocks("clients.md", "sh", "since.geojson")
    for command in (line.replace("http://localhost:8000", live_server), "ogrinfo -so since.geojson since"):
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S602
    assert "Feature Count: 104" in done.stdout  # as many as README.md says lie surely within that period
