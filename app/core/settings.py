"""Settings: one frozen object, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

Network = IPv4Network | IPv6Network
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_PLAIN = re.compile(r"[\w.:/\[\]~%!$&'()*+,;=-]*", re.ASCII)  # an address with no name of a user, query or part
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:]*:[0-9a-f:.]+")
# What an outside issuer may sign with: a public key of its own, and never a secret shared with us.
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")


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
    read_urls: tuple[str, ...] = field(default=(), repr=False)
    read_wait_ms: int = 200
    read_connections: int = 8
    read_seconds: int = 30
    exports: int = 8
    waiters: int = 2000
    waiters_each: int = 20
    views: int = 16
    columns_mb: int = 256
    answers_mb: int = 64
    queue: int = 128
    proxies: tuple[Network, ...] = ()
    rate_public: int = 3000
    rate_credential: int = 6000
    rate_store: str = field(default="memory", repr=False)
    cors_origins: tuple[str, ...] = ("*",)
    body_bytes: int = 1_048_576
    body_seconds: int = 60
    import_mb: int = 2048
    import_days: int = 3
    checkpoint_hours: int = 6
    head_seconds: int = 10
    audit_fsync: bool = False
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_algorithms: tuple[str, ...] = ("RS256", "ES256")
    hooks_each: int = 20
    hook_seconds: int = 15
    hook_retry_seconds: int = 5
    hook_days: int = 5
    hook_ports: tuple[int, ...] = (443,)
    hook_http_hosts: tuple[str, ...] = ()
    hook_networks: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        """Fill in what follows from the data folder.

        Raises:
            SettingError: there is an outside issuer, and it is not said for whom its tokens have to be; or the key
                store is the main database, whose copies would then hold the keys of what was erased.
        """
        if self.oidc_issuer is not None and not self.oidc_audience:
            raise SettingError("EVIDENCE_OIDC_AUDIENCE must be set together with EVIDENCE_OIDC_ISSUER")
        for name, file in (("database_url", "evidence.db"), ("keys_url", "keys.db")):
            if not getattr(self, name):
                object.__setattr__(self, name, f"sqlite:///{quote(str((self.home / file).absolute()))}")
        if _place(self.keys_url) == _place(self.database_url):
            raise SettingError("EVIDENCE_KEYS_URL must lead to another database than EVIDENCE_DATABASE_URL")

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
            home=Path(_word(env, "EVIDENCE_HOME", "var", "a folder")),
            database_url=_database(env, "EVIDENCE_DATABASE_URL"),
            keys_url=_database(env, "EVIDENCE_KEYS_URL"),
            master_key=env.get("EVIDENCE_MASTER_KEY"),
            host=_word(env, "EVIDENCE_HOST", "127.0.0.1", "an address"),
            port=_number(env, "EVIDENCE_PORT", 8000, 0, 65535),
            metrics_host=_word(env, "EVIDENCE_METRICS_HOST", "127.0.0.1", "an address"),
            metrics_port=_number(env, "EVIDENCE_METRICS_PORT", 9464, 0, 65535),
            public_url=_address(env, "EVIDENCE_PUBLIC_URL"),
            builtin=_choice(env, "EVIDENCE_BUILTIN", "1", ("0", "1")) == "1",
            log_level=_choice(env, "EVIDENCE_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
            threads=_number(env, "EVIDENCE_THREADS", 4, 1, 64),
            read_urls=_replicas(env, "EVIDENCE_READ_URLS", "EVIDENCE_DATABASE_URL"),
            read_wait_ms=_number(env, "EVIDENCE_READ_WAIT_MS", 200, 0, 10_000),
            read_connections=_number(env, "EVIDENCE_READ_CONNECTIONS", 8, 1, 256),
            read_seconds=_number(env, "EVIDENCE_READ_SECONDS", 30, 1, 3600),
            exports=_number(env, "EVIDENCE_EXPORTS", 8, 1, 256),
            waiters=_number(env, "EVIDENCE_WAITERS", 2000, 1, 100_000),
            waiters_each=_number(env, "EVIDENCE_WAITERS_EACH", 20, 1, 100_000),
            views=_number(env, "EVIDENCE_VIEWS", 16, 1, 62),
            columns_mb=_number(env, "EVIDENCE_COLUMNS_MB", 256, 0, 65_536),
            answers_mb=_number(env, "EVIDENCE_ANSWERS_MB", 64, 0, 65_536),
            queue=_number(env, "EVIDENCE_QUEUE", 128, 0, 100_000),
            proxies=_networks(env, "EVIDENCE_PROXIES"),
            rate_public=_number(env, "EVIDENCE_RATE_PUBLIC", 3000, 0, 1_000_000),
            rate_credential=_number(env, "EVIDENCE_RATE_CREDENTIAL", 6000, 0, 1_000_000),
            rate_store=_store(env, "EVIDENCE_RATE_STORE"),
            cors_origins=_origins(env, "EVIDENCE_CORS_ORIGINS"),
            body_bytes=_number(env, "EVIDENCE_BODY_BYTES", 1_048_576, 1024, 100_000_000),
            body_seconds=_number(env, "EVIDENCE_BODY_SECONDS", 60, 1, 3600),
            import_mb=_number(env, "EVIDENCE_IMPORT_MB", 2048, 1, 100_000),
            import_days=_number(env, "EVIDENCE_IMPORT_DAYS", 3, 1, 365),
            checkpoint_hours=_number(env, "EVIDENCE_CHECKPOINT_HOURS", 6, 1, 720),
            head_seconds=_number(env, "EVIDENCE_HEAD_SECONDS", 10, 1, 300),
            audit_fsync=_choice(env, "EVIDENCE_AUDIT_FSYNC", "0", ("0", "1")) == "1",
            oidc_issuer=_issuer(env, "EVIDENCE_OIDC_ISSUER"),
            oidc_audience=env.get("EVIDENCE_OIDC_AUDIENCE"),
            oidc_algorithms=_choices(env, "EVIDENCE_OIDC_ALGORITHMS", "RS256,ES256", SIGNATURES),
            hooks_each=_number(env, "EVIDENCE_HOOKS_EACH", 20, 0, 1000),
            hook_seconds=_number(env, "EVIDENCE_HOOK_SECONDS", 15, 1, 120),
            hook_retry_seconds=_number(env, "EVIDENCE_HOOK_RETRY_SECONDS", 5, 1, 3600),
            hook_days=_number(env, "EVIDENCE_HOOK_DAYS", 5, 1, 60),
            hook_ports=_ports(env, "EVIDENCE_HOOK_PORTS"),
            hook_http_hosts=_hosts(env, "EVIDENCE_HOOK_HTTP_HOSTS"),
            hook_networks=_networks(env, "EVIDENCE_HOOK_NETWORKS"),
        )


def is_safe(address: str) -> bool:
    """Tell whether what comes from an address cannot be changed on the way: https, or this very machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise SettingError(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _word(env: Mapping[str, str], name: str, default: str, what: str) -> str:
    text = env.get(name, default)
    if not text.strip() or "\0" in text:  # an empty host would listen to everybody
        raise SettingError(f"{name} must be {what}; leave it out for the default, {default}")
    return text


def _choice(env: Mapping[str, str], name: str, default: str, known: tuple[str, ...]) -> str:
    text = env.get(name, default)
    if text not in known:
        raise SettingError(f"{name} must be one of {', '.join(known)}")
    return text


def _choices(env: Mapping[str, str], name: str, default: str, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(env.get(name, default).split(","))
    if not set(chosen) <= {*known}:
        raise SettingError(f"{name} must be some of {', '.join(known)}, with commas and no spaces between")
    return chosen


def _issuer(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name)
    if text is not None and not (_has_port(text) and is_safe(text)):
        raise SettingError(f"{name} must begin with https://, or be on this machine")
    return text


def _database(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "")
    if text and not text.startswith(("sqlite:///", "postgresql://")):
        raise SettingError(f"{name} must begin with sqlite:/// or postgresql://")
    if text.startswith("sqlite:") and (_file(text) in ("", ":memory:") or _file(text).endswith("/")):
        raise SettingError(f"{name} must name a file: sqlite:////absolute/path")
    if text.startswith("postgresql:"):
        _of_a_server(name, text)
    return text


# What may stand behind the `?` of the address of a server: ours first, then what the driver knows.
_MORE = (
    *("pooled", "host", "port", "application_name", "target_session_attrs", "sslmode", "sslrootcert", "sslcert"),
    *("sslkey", "sslpassword", "sslcrl", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"),
)
_ONE_OF = {
    "pooled": ("true", "false"),
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
}


def _of_a_server(name: str, address: str) -> None:
    """Hold the address of a server to what can be understood; what is wrong with it is said without repeating it.

    Raises:
        SettingError: it cannot be taken apart, or what stands behind its `?` is not known.
    """
    if not _has_port(address):
        mend = "in a password write :, /, @, # and ? as %3A, %2F, %40, %23 and %3F"
        raise SettingError(f"{name} has no port that can be used; {mend}")
    for key, value in parse_qsl(urlsplit(address).query, keep_blank_values=True):
        if key not in _MORE:
            raise SettingError(f"{name} has something behind its ? that is none of {', '.join(_MORE)}")
        if value not in (known := _ONE_OF.get(key, (value,))):
            raise SettingError(f"{name}: {key} must be one of {', '.join(known)}")


def _has_port(address: str) -> bool:
    """Tell whether an address of a server can be taken apart: no port is the usual one."""
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def _file(address: str) -> str:
    return unquote(address.removeprefix("sqlite:///").partition("?")[0])


def _place(address: str) -> str:
    """Return where a database is, whoever asks: its file, or its server and name."""
    if address.startswith("sqlite:"):
        return str(Path(_file(address)).resolve())
    return address.removeprefix("postgresql://").rpartition("@")[2]


def _replicas(env: Mapping[str, str], name: str, of: str) -> tuple[str, ...]:
    found = tuple(_listed(env, name, ""))
    if not all(one.startswith("postgresql://") for one in found):
        raise SettingError(f"{name} must be addresses that begin with postgresql://, with commas")
    for one in found:
        _of_a_server(name, one)
    if found and not env.get(of, "").startswith("postgresql://"):
        raise SettingError(f"{name} are replicas of a PostgreSQL server: {of} must begin with postgresql://")
    return found


def _address(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name)
    if text is None:
        return None
    if not text.startswith(("http://", "https://")):
        raise SettingError(f"{name} must begin with http:// or https://")
    if not _has_port(text) or not urlsplit(text).hostname or not _PLAIN.fullmatch(text):
        raise SettingError(f"{name} must be an address such as https://evidence.example.org, with nothing behind it")
    return text.rstrip("/")


def _listed(env: Mapping[str, str], name: str, default: str) -> list[str]:
    return [one.strip() for one in env.get(name, default).split(",") if one.strip()]


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(one) for one in _listed(env, name, ""))
    except ValueError:
        raise SettingError(
            f"{name} must be addresses or networks with commas, such as 10.0.0.5,2001:db8::/64"
        ) from None


def _ports(env: Mapping[str, str], name: str) -> tuple[int, ...]:
    found = _listed(env, name, "443")
    if not found or not all(one.isascii() and one.isdigit() and len(one) < 6 and 0 < int(one) < 65536 for one in found):
        raise SettingError(f"{name} must be ports with commas, such as 443,8443")
    return tuple(map(int, found))


def _hosts(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = tuple(_listed(env, name, ""))
    if not all(_HOST.fullmatch(one) for one in found):
        raise SettingError(f"{name} must be names of hosts in small letters with commas, such as sync.intern.example")
    return found


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
