"""Settings: one frozen object, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


class SettingError(ValueError):
    """A setting cannot be used; the message names it and says how to mend it."""


@dataclass(frozen=True)
class Settings:
    """Everything that a deployment may choose. `docs/settings.md` is the table of these."""

    home: Path = Path("var")
    database_url: str = ""
    keys_url: str = ""
    master_key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9464
    public_url: str | None = None
    builtin: bool = True
    log_level: str = "info"
    threads: int = 4
    read_connections: int = 8
    read_seconds: int = 30
    exports: int = 8
    columns_mb: int = 256
    proxies: tuple[Network, ...] = ()
    rate_public: int = 3000
    rate_credential: int = 6000
    rate_store: str = field(default="memory", repr=False)
    cors_origins: tuple[str, ...] = ("*",)
    body_bytes: int = 1_048_576
    body_seconds: int = 60
    head_seconds: int = 10

    def __post_init__(self) -> None:
        """Fill in what follows from the data folder."""
        for name, file in (("database_url", "evidence.db"), ("keys_url", "keys.db")):
            if not getattr(self, name):
                object.__setattr__(self, name, f"sqlite:///{(self.home / file).absolute()}")

    @property
    def is_https(self) -> bool:
        """Whether the service is known by an https address."""
        return (self.public_url or "").startswith("https://")

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from variables named `EVIDENCE_…`.

        Raises:
            SettingError: a value is not of its type or range.
        """
        return cls(
            home=Path(env.get("EVIDENCE_HOME", "var")),
            database_url=_database(env, "EVIDENCE_DATABASE_URL"),
            keys_url=_database(env, "EVIDENCE_KEYS_URL"),
            master_key=env.get("EVIDENCE_MASTER_KEY"),
            host=env.get("EVIDENCE_HOST", "127.0.0.1"),
            port=_number(env, "EVIDENCE_PORT", 8000, 0, 65535),
            metrics_host=env.get("EVIDENCE_METRICS_HOST", "127.0.0.1"),
            metrics_port=_number(env, "EVIDENCE_METRICS_PORT", 9464, 0, 65535),
            public_url=_address(env, "EVIDENCE_PUBLIC_URL"),
            builtin=_choice(env, "EVIDENCE_BUILTIN", "1", ("0", "1")) == "1",
            log_level=_choice(env, "EVIDENCE_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
            threads=_number(env, "EVIDENCE_THREADS", 4, 1, 64),
            read_connections=_number(env, "EVIDENCE_READ_CONNECTIONS", 8, 1, 256),
            read_seconds=_number(env, "EVIDENCE_READ_SECONDS", 30, 1, 3600),
            exports=_number(env, "EVIDENCE_EXPORTS", 8, 1, 256),
            columns_mb=_number(env, "EVIDENCE_COLUMNS_MB", 256, 0, 65_536),
            proxies=_networks(env, "EVIDENCE_PROXIES"),
            rate_public=_number(env, "EVIDENCE_RATE_PUBLIC", 3000, 0, 1_000_000),
            rate_credential=_number(env, "EVIDENCE_RATE_CREDENTIAL", 6000, 0, 1_000_000),
            rate_store=_store(env, "EVIDENCE_RATE_STORE"),
            cors_origins=_origins(env, "EVIDENCE_CORS_ORIGINS"),
            body_bytes=_number(env, "EVIDENCE_BODY_BYTES", 1_048_576, 1024, 100_000_000),
            body_seconds=_number(env, "EVIDENCE_BODY_SECONDS", 60, 1, 3600),
            head_seconds=_number(env, "EVIDENCE_HEAD_SECONDS", 10, 1, 300),
        )


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise SettingError(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _choice(env: Mapping[str, str], name: str, default: str, known: tuple[str, ...]) -> str:
    text = env.get(name, default)
    if text not in known:
        raise SettingError(f"{name} must be one of {', '.join(known)}")
    return text


def _database(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "")
    if text and not text.startswith(("sqlite:///", "postgresql://")):
        raise SettingError(f"{name} must begin with sqlite:/// or postgresql://")
    return text


def _address(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name)
    if text is not None and not text.startswith(("http://", "https://")):
        raise SettingError(f"{name} must begin with http:// or https://")
    return text.rstrip("/") if text else None


def _listed(env: Mapping[str, str], name: str, default: str) -> list[str]:
    return [one.strip() for one in env.get(name, default).split(",") if one.strip()]


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(one) for one in _listed(env, name, ""))
    except ValueError:
        raise SettingError(
            f"{name} must be addresses or networks with commas, such as 10.0.0.5,2001:db8::/64"
        ) from None


def _store(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "memory")
    try:
        parts = urlsplit(text)
        good = text == "memory" or (parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise SettingError(f"{name} must be memory, or an address such as redis://:password@host:6379/0")
    return text


def _origins(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = tuple(_listed(env, name, "*"))
    if found != ("*",) and not all(_ORIGIN.fullmatch(one) for one in found):
        raise SettingError(f"{name} must be *, or origins in small letters with commas, such as https://news.example")
    return found
