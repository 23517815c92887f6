"""Settings are read once, refused where they make no sense, and each stands in the table that an operator reads."""

import ast
import asyncio
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from app.core import settings as module
from app.core.db import Database
from app.core.settings import SettingError, Settings

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {
    "EVIDENCE_PORT": ("port", 0, 65535),
    "EVIDENCE_METRICS_PORT": ("metrics_port", 0, 65535),
    "EVIDENCE_THREADS": ("threads", 1, 64),
    "EVIDENCE_READ_CONNECTIONS": ("read_connections", 1, 256),
    "EVIDENCE_READ_SECONDS": ("read_seconds", 1, 3600),
    "EVIDENCE_READ_WAIT_MS": ("read_wait_ms", 0, 10_000),
    "EVIDENCE_EXPORTS": ("exports", 1, 256),
    "EVIDENCE_VIEWS": ("views", 1, 62),
    "EVIDENCE_COLUMNS_MB": ("columns_mb", 0, 65_536),
    "EVIDENCE_ANSWERS_MB": ("answers_mb", 0, 65_536),
    "EVIDENCE_QUEUE": ("queue", 0, 100_000),
    "EVIDENCE_RATE_PUBLIC": ("rate_public", 0, 1_000_000),
    "EVIDENCE_RATE_CREDENTIAL": ("rate_credential", 0, 1_000_000),
    "EVIDENCE_BODY_BYTES": ("body_bytes", 1024, 100_000_000),
    "EVIDENCE_BODY_SECONDS": ("body_seconds", 1, 3600),
    "EVIDENCE_IMPORT_MB": ("import_mb", 1, 100_000),
    "EVIDENCE_IMPORT_DAYS": ("import_days", 1, 365),
    "EVIDENCE_CHECKPOINT_HOURS": ("checkpoint_hours", 1, 720),
    "EVIDENCE_HEAD_SECONDS": ("head_seconds", 1, 300),
    "EVIDENCE_HOOKS_EACH": ("hooks_each", 0, 1000),
    "EVIDENCE_HOOK_SECONDS": ("hook_seconds", 1, 120),
    "EVIDENCE_HOOK_RETRY_SECONDS": ("hook_retry_seconds", 1, 3600),
    "EVIDENCE_HOOK_DAYS": ("hook_days", 1, 60),
}


def variables_read() -> set[str]:
    """Return the variables that the source names as strings."""
    tree = ast.parse(Path(module.__file__).read_text())
    words = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {word for word in words if re.fullmatch(r"EVIDENCE_[A-Z_]+", word)}


def documented() -> dict[str, list[str]]:
    """Return the rows of the table in docs/settings.md by variable: meaning, default, range."""
    rows: dict[str, list[str]] = {}
    for line in (ROOT / "docs" / "settings.md").read_text().splitlines():
        if line.startswith("| `EVIDENCE_"):
            name, *rest = (cell.strip() for cell in line.strip("|").split(" | "))
            assert name.strip("`") not in rows
            rows[name.strip("`")] = rest
    return rows


def test_the_table_names_each_variable_that_is_read():
    assert set(documented()) == variables_read()
    assert len(documented()) == len(fields(Settings))


def test_nothing_else_reads_the_environment():
    readers = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "app").rglob("*.py"))
        if re.search(r"\b(environ|getenv)\b", path.read_text())
    ]
    assert readers == ["app/core/settings.py"]


def test_the_table_states_the_ranges_and_defaults():
    table, settings = documented(), Settings.from_env({})
    for variable, (name, low, high) in NUMBERS.items():
        _, default, range_ = table[variable]
        assert range_.split(";")[0] == f"{low} to {high}"
        assert default == f"`{getattr(settings, name)}`"
    assert table["EVIDENCE_LOG_LEVEL"][2] == "`debug`, `info`, `warning`, `error`"
    assert table["EVIDENCE_BUILTIN"][2] == "`0`, `1`"


@pytest.mark.parametrize("variable", NUMBERS)
def test_the_range_of_a_number(variable):
    name, low, high = NUMBERS[variable]
    for value in (low, high):
        assert getattr(Settings.from_env({variable: str(value)}), name) == value
    for wrong in (
        str(low - 1),
        str(high + 1),
        "",
        " ",
        "1.0",
        "+1",
        "-1",
        "1 ",
        "1e1",
        "0x1",
        "one",
        "٣",
        "²",
        "9" * 5000,
    ):
        with pytest.raises(SettingError, match=f"^{variable} must be a whole number from {low} to {high}$"):
            Settings.from_env({variable: wrong})


def test_the_choices():
    assert [Settings.from_env({"EVIDENCE_BUILTIN": text}).builtin for text in "01"] == [False, True]
    assert [Settings.from_env({"EVIDENCE_AUDIT_FSYNC": text}).audit_fsync for text in "01"] == [False, True]
    for level in ("debug", "info", "warning", "error"):
        assert Settings.from_env({"EVIDENCE_LOG_LEVEL": level}).log_level == level
    for variable, wrong in (
        ("EVIDENCE_BUILTIN", "true"),
        ("EVIDENCE_BUILTIN", ""),
        ("EVIDENCE_AUDIT_FSYNC", "yes"),
        ("EVIDENCE_LOG_LEVEL", "INFO"),
        ("EVIDENCE_LOG_LEVEL", "trace"),
    ):
        with pytest.raises(SettingError, match=f"^{variable} must be one of "):
            Settings.from_env({variable: wrong})


@pytest.mark.parametrize("variable", ["EVIDENCE_DATABASE_URL", "EVIDENCE_KEYS_URL"])
def test_the_address_of_a_database(variable):
    name = variable.removeprefix("EVIDENCE_").lower()
    for good in ("sqlite:////a/b.db", "sqlite:///b.db", "postgresql://u:p@h:5432/n"):
        assert getattr(Settings.from_env({variable: good}), name) == good
    for wrong in ("/a/b.db", "sqlite:", "sqlite://", "mysql://h/n", "postgresql+psycopg://h/n", " sqlite:///b.db"):
        with pytest.raises(SettingError, match=f"^{variable} must begin with sqlite:/// or postgresql://$"):
            Settings.from_env({variable: wrong})


@pytest.mark.parametrize("variable", ["EVIDENCE_DATABASE_URL", "EVIDENCE_KEYS_URL"])
def test_an_address_that_leads_nowhere_is_refused_and_never_repeated(variable):
    for wrong in ("sqlite:///", "sqlite:///?x=1", "sqlite:///:memory:", "sqlite:////a/b/"):
        with pytest.raises(SettingError, match=f"^{variable} must name a file: sqlite:////absolute/path$"):
            Settings.from_env({variable: wrong})
    for wrong in (
        "postgresql://u:p@h:none/n",
        "postgresql://u:p@h:0/n",
        "postgresql://u:p@h:99999/n",
        "postgresql://u:sec/ret@h/n",
    ):
        with pytest.raises(SettingError, match=f"^{variable} has no port that can be used; ") as refused:
            Settings.from_env({variable: wrong})
        assert "ret" not in str(refused.value)
    good = "postgresql://postgres@/postgres?host=/tmp/socket&port=1"
    assert getattr(Settings.from_env({variable: good}), variable.removeprefix("EVIDENCE_").lower()) == good


@pytest.mark.parametrize("variable", ["EVIDENCE_DATABASE_URL", "EVIDENCE_KEYS_URL", "EVIDENCE_READ_URLS"])
def test_what_stands_behind_the_address_of_a_server_is_known_and_never_repeated(variable):
    main = {"EVIDENCE_DATABASE_URL": "postgresql://h/n", "EVIDENCE_KEYS_URL": "postgresql://h/keys"}
    name = variable.removeprefix("EVIDENCE_").lower()
    for more in (
        "pooled=false",
        "sslmode=verify-full&sslrootcert=/etc/ssl/our%20root.pem",
        "application_name=evidence",
    ):
        assert getattr(Settings.from_env(main | {variable: f"postgresql://u:p@h/m?{more}"}), name) in (
            f"postgresql://u:p@h/m?{more}",
            (f"postgresql://u:p@h/m?{more}",),
        )
    for wrong in ("poled=secret", "ssl=secret", "channel_binding=secret", "secret="):
        with pytest.raises(
            SettingError, match=f"^{variable} has something behind its . that is none of pooled, host, "
        ) as told:
            Settings.from_env(main | {variable: f"postgresql://u:p@h/m?{wrong}"})
        assert "secret" not in str(told.value)
    for wrong in ("pooled=yes", "pooled="):
        with pytest.raises(SettingError, match=f"^{variable}: pooled must be one of true, false$"):
            Settings.from_env(main | {variable: f"postgresql://u:p@h/m?{wrong}"})
    with pytest.raises(
        SettingError, match=f"^{variable}: sslmode must be one of disable, allow, prefer, require, verify-"
    ):
        Settings.from_env(main | {variable: "postgresql://u:p@h/m?sslmode=on"})


@pytest.mark.parametrize("name", ["50% of it", "a%20b", "what?", "a#b", "u@h:1", "가나 다"])
def test_a_data_folder_may_have_any_name(name, tmp_path):
    settings = Settings(tmp_path / name)
    for address, file in ((settings.database_url, "evidence.db"), (settings.keys_url, "keys.db")):
        database = Database(address)
        database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (n)"))
        asyncio.run(database.close())
        assert (tmp_path / name / file).is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("database", "keys"),
    [
        ("sqlite:////data/a.db", "sqlite:////data/%61.db"),
        ("sqlite:////data/a.db", "sqlite:////data/a.db"),
        ("sqlite:////data/a.db", "sqlite:////data/../data/./a.db"),
        ("", "sqlite:////data/evidence.db"),
        ("sqlite:////data/keys.db", ""),
        ("postgresql://u:p@h/n", "postgresql://v:q@h/n"),
        ("postgresql://u:p@h/n", "postgresql://h/n"),
    ],
)
def test_the_key_store_is_never_the_main_database(database, keys):
    with pytest.raises(SettingError, match="^EVIDENCE_KEYS_URL must lead to another database than EVIDENCE_DATABASE"):
        Settings.from_env({"EVIDENCE_HOME": "/data", "EVIDENCE_DATABASE_URL": database, "EVIDENCE_KEYS_URL": keys})


@pytest.mark.parametrize("variable", ["EVIDENCE_HOME", "EVIDENCE_HOST", "EVIDENCE_METRICS_HOST"])
@pytest.mark.parametrize("text", ["", "  "])
def test_what_is_set_to_nothing_is_no_default_and_no_address(variable, text):
    with pytest.raises(SettingError, match=f"^{variable} must be an? (folder|address); leave it out for the default, "):
        Settings.from_env({variable: text})


def test_the_addresses_of_replicas():
    main = {"EVIDENCE_DATABASE_URL": "postgresql://u:p@h:5432/n"}
    given = main | {"EVIDENCE_READ_URLS": "postgresql://a/n, postgresql://b/n?pooled=true,"}
    assert Settings.from_env(main).read_urls == ()
    assert Settings.from_env(given).read_urls == ("postgresql://a/n", "postgresql://b/n?pooled=true")
    with pytest.raises(SettingError, match="^EVIDENCE_READ_URLS must be addresses that begin with postgresql://"):
        Settings.from_env(main | {"EVIDENCE_READ_URLS": "postgresql://a/n,sqlite:///b.db"})
    with pytest.raises(SettingError, match="^EVIDENCE_READ_URLS are replicas of a PostgreSQL server"):
        Settings.from_env({"EVIDENCE_READ_URLS": "postgresql://a/n"})


def test_databases_lie_in_the_data_folder_unless_stated():
    settings = Settings.from_env({"EVIDENCE_HOME": "/data"})
    assert (settings.database_url, settings.keys_url) == ("sqlite:////data/evidence.db", "sqlite:////data/keys.db")
    assert settings == Settings.from_env(
        {"EVIDENCE_HOME": "/data", "EVIDENCE_DATABASE_URL": "", "EVIDENCE_KEYS_URL": ""}
    )
    stated = Settings.from_env({"EVIDENCE_HOME": "/data", "EVIDENCE_DATABASE_URL": "postgresql://h/n"})
    assert (stated.database_url, stated.keys_url) == ("postgresql://h/n", "sqlite:////data/keys.db")
    assert Settings.from_env({}).database_url == f"sqlite:///{Path('var').absolute()}/evidence.db"


def test_the_public_address():
    def given(text: str) -> str | None:
        return Settings.from_env({"EVIDENCE_PUBLIC_URL": text}).public_url

    assert Settings.from_env({}).public_url is None
    assert given("https://a.example") == given("https://a.example/") == "https://a.example"
    assert given("http://a.example/b/") == "http://a.example/b"
    for wrong in ("a.example", "ftp://a.example", "//a.example", "", "HTTPS//a.example"):
        with pytest.raises(SettingError, match="^EVIDENCE_PUBLIC_URL must begin with http:// or https://$"):
            given(wrong)
    for wrong in (
        "https://",
        "https://a b",
        "https://a.example?x=1",
        "https://a.example/#b",
        "https://u:p@a.example",
        "https://a:b",
    ):
        with pytest.raises(SettingError, match="^EVIDENCE_PUBLIC_URL must be an address such as https://evidence"):
            given(wrong)


def test_https_is_what_the_public_address_says():
    assert not Settings.from_env({}).is_https
    assert not Settings.from_env({"EVIDENCE_PUBLIC_URL": "http://a.example"}).is_https
    assert Settings.from_env({"EVIDENCE_PUBLIC_URL": "https://a.example"}).is_https


def test_the_proxies_that_are_believed():
    def given(text: str) -> list[str]:
        return [str(one) for one in Settings.from_env({"EVIDENCE_PROXIES": text}).proxies]

    assert Settings.from_env({}).proxies == ()
    assert given("") == given(" , ") == []
    assert given("10.0.0.5, 192.0.2.0/24,2001:db8::/64") == ["10.0.0.5/32", "192.0.2.0/24", "2001:db8::/64"]
    for wrong in ("*", "proxy.internal", "10.0.0.5/8", "10.0.0.5:80", "10.0.0", "10.0.0.5 10.0.0.6"):
        with pytest.raises(SettingError, match="^EVIDENCE_PROXIES must be addresses or networks with commas"):
            given(wrong)


def test_where_webhooks_may_be_sent():
    assert Settings.from_env({}).hook_ports == (443,)
    assert Settings.from_env({"EVIDENCE_HOOK_PORTS": "443, 8443"}).hook_ports == (443, 8443)
    for wrong in ("", "0", "65536", "https", "443-445", "-1", "４４３"):
        with pytest.raises(SettingError, match="^EVIDENCE_HOOK_PORTS must be ports with commas"):
            Settings.from_env({"EVIDENCE_HOOK_PORTS": wrong})
    assert Settings.from_env({}).hook_http_hosts == ()
    good = "a.example, localhost,127.0.0.1,fd00::1"
    hosts = ("a.example", "localhost", "127.0.0.1", "fd00::1")
    assert Settings.from_env({"EVIDENCE_HOOK_HTTP_HOSTS": good}).hook_http_hosts == hosts
    for wrong in ("A.example", "http://a.example", "a.example:80", "*"):
        with pytest.raises(SettingError, match="^EVIDENCE_HOOK_HTTP_HOSTS must be names of hosts"):
            Settings.from_env({"EVIDENCE_HOOK_HTTP_HOSTS": wrong})
    assert Settings.from_env({}).hook_networks == ()
    networks = Settings.from_env({"EVIDENCE_HOOK_NETWORKS": "10.1.2.0/24,fd00::/64"}).hook_networks
    assert [str(one) for one in networks] == ["10.1.2.0/24", "fd00::/64"]
    with pytest.raises(SettingError, match="^EVIDENCE_HOOK_NETWORKS must be addresses or networks"):
        Settings.from_env({"EVIDENCE_HOOK_NETWORKS": "intern"})


def test_where_requests_are_counted():
    assert Settings.from_env({}).rate_store == "memory"
    for good in ("memory", "redis://h", "redis://:secret@h:6379/0", "rediss://u:p@[2001:db8::1]:6380"):
        settings = Settings.from_env({"EVIDENCE_RATE_STORE": good})
        assert settings.rate_store == good
        assert "secret" not in repr(settings)
    for wrong in ("", "Memory", "redis:", "redis://", "redis://:6379", "redis://h:port", "redis://h:99999", "http://h"):
        with pytest.raises(SettingError, match="^EVIDENCE_RATE_STORE must be memory, or an address such as redis://"):
            Settings.from_env({"EVIDENCE_RATE_STORE": wrong})


def test_the_origins_that_may_read():
    def given(text: str) -> tuple[str, ...]:
        return Settings.from_env({"EVIDENCE_CORS_ORIGINS": text}).cors_origins

    assert Settings.from_env({}).cors_origins == given("*") == ("*",)
    assert given("") == ()
    assert given("https://a.example, http://localhost:8080") == ("https://a.example", "http://localhost:8080")
    for wrong in (
        "*,https://a.example",
        "a.example",
        "https://a.example/",
        "https://A.example",
        "https://*.a.example",
        "null",
    ):
        with pytest.raises(SettingError, match="^EVIDENCE_CORS_ORIGINS must be "):
            given(wrong)


def test_an_outside_issuer():
    def given(issuer: str, **more: str) -> Settings:
        return Settings.from_env({"EVIDENCE_OIDC_ISSUER": issuer, "EVIDENCE_OIDC_AUDIENCE": "us", **more})

    assert Settings.from_env({}).oidc_issuer is None
    for name in ("https://login.example", "http://localhost:9400", "http://127.0.0.1/a"):
        assert (given(name).oidc_issuer, given(name).oidc_audience) == (name, "us")
    for wrong in (
        "login.example",
        "http://login.example",
        "http://localhost.example",
        "file:///etc",
        "https://",
        "",
        "https://[",
        "https://a:x",
    ):
        with pytest.raises(SettingError, match="^EVIDENCE_OIDC_ISSUER must begin with https://, or be on "):
            given(wrong)
    with pytest.raises(SettingError, match="^EVIDENCE_OIDC_AUDIENCE must be set together with EVIDENCE_OIDC_ISSUER$"):
        Settings.from_env({"EVIDENCE_OIDC_ISSUER": "https://login.example"})
    assert given("https://a.example").oidc_algorithms == ("RS256", "ES256")
    assert given("https://a.example", EVIDENCE_OIDC_ALGORITHMS="Ed25519").oidc_algorithms == ("Ed25519",)
    for wrong in ("none", "HS256", "RS256,none", "", "RS256, ES256"):
        with pytest.raises(SettingError, match="^EVIDENCE_OIDC_ALGORITHMS must be some of RS256, "):
            given("https://a.example", EVIDENCE_OIDC_ALGORITHMS=wrong)


def test_what_is_read_as_it_is():
    settings = Settings.from_env(
        {"EVIDENCE_MASTER_KEY": "ab", "EVIDENCE_HOST": "0.0.0.0", "EVIDENCE_METRICS_HOST": "::1"}  # noqa: S104
    )
    assert (settings.master_key, settings.host, settings.metrics_host) == ("ab", "0.0.0.0", "::1")  # noqa: S104


def test_the_master_key_is_not_printed_and_nothing_changes():
    settings = Settings(master_key="ab" * 32)
    assert "ab" * 32 not in repr(settings)
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]
