"""Where a webhook may be sent to: never into the operator's own network, however its address is spelled."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from app.core.settings import Network, Settings

Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Awaitable[list[str]]]
LONGEST = 2000  # characters of an address
TRIED = 4  # addresses of one host that a connection is tried to
_NAME = re.compile(r"(?!.*\.[0-9]+$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")  # what some resolvers take for an IPv4 address: 2130706433, 0x7f.1
# What not every version of `ipaddress` knows of: for protocols, relays and translators into other networks, for
# documents (RFC 6890, 7526, 4380, 3849, 3056, 9637, 9602).
_NOT_PUBLIC = tuple(
    ip_network(one)
    for one in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
    )
)
_GLOBAL = IPv6Network("2000::/3")  # all that is given out; so no mapped, translated or local address is in it


class NotAllowed(Exception):
    """An address is none that webhooks may be sent to; the message says why, and nothing of what answers there."""


@dataclass(frozen=True)
class Rules:
    """What the operator allows.

    Attributes:
        ports: the ports that may be sent to.
        http_hosts: hosts that may be sent to without encryption.
        networks: addresses that are not public, and may be sent to.
    """

    ports: tuple[int, ...] = (443,)
    http_hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """Return the rules of the settings."""
        return cls(settings.hook_ports, settings.hook_http_hosts, settings.hook_networks)

    def allow(self, address: Address) -> bool:
        """Tell whether there may be a connection to an address."""
        return any(address in one for one in self.networks) or is_public(address)

    def check(self, url: str) -> None:
        """Look at the text of an address; whether its name leads outside is seen when there is a connection.

        Raises:
            NotAllowed: it is none that may be sent to.
        """
        if len(url) > LONGEST or not url.isascii() or not url.isprintable() or re.search(r'[\s\\<>"{}|^`]', url):
            raise NotAllowed(f"An address has at most {LONGEST} characters of ASCII, with no spaces or backslashes.")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise NotAllowed("This is no address of the web.") from None
        if "@" in parts.netloc:
            raise NotAllowed("An address has no user name or password in it: messages are signed instead.")
        if parts.fragment or "#" in url:
            raise NotAllowed("An address has no part after '#'.")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in self.http_hosts):
            raise NotAllowed("An address begins with https://.")
        if (port if port is not None else 443 if parts.scheme == "https" else 80) not in self.ports:
            raise NotAllowed(f"A port is one of: {', '.join(map(str, self.ports))}.")
        if (address := literal(host)) is None:
            if not _NAME.fullmatch(host) or len(host) > 253 or _NUMBER.fullmatch(host.rpartition(".")[2]):
                raise NotAllowed("The host is a name, or an address in its usual form.")
        elif not self.allow(address):
            raise NotAllowed("The host is an address that is not sent to.")


def literal(host: str) -> Address | None:
    """Return the address that a host is, if it is one in its usual form: no octal, hexadecimal or single number."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public Internet.

    It is not where it is private, shared (RFC 6598), of this machine or link, for many (multicast), for documents,
    reserved, or holds another address in it: mapped (RFC 4291), translated (RFC 6052, 8215), 6to4 (RFC 3056) or
    Teredo (RFC 4380).
    """
    if isinstance(address, IPv6Address) and (address not in _GLOBAL or address.scope_id is not None):
        return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in one for one in _NOT_PUBLIC if one.version == address.version)


class Resolver:
    """Looks names up in threads of its own, so that a slow answer holds up nothing else."""

    def __init__(self, threads: int) -> None:
        """Begin with no thread."""
        self._threads = ThreadPoolExecutor(threads, "resolve")

    async def __call__(self, host: str) -> list[str]:
        """Return the addresses of a host, in the order in which they are to be tried.

        Raises:
            OSError: there are none.
        """
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _looked_up, host)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """End; a look-up that is under way ends by itself."""
        self._threads.shutdown(wait=False)


def _looked_up(host: str) -> list[str]:
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class Guarded(httpcore2.AsyncNetworkBackend):
    """Connections to allowed addresses only.

    The name is looked up once, here, and the connection goes to the very address that was looked at: a name that leads
    elsewhere a moment later changes nothing. Encryption and its certificate go by the name, above this.
    """

    def __init__(self, rules: Rules, resolve: Resolve, backend: httpcore2.AsyncNetworkBackend | None = None) -> None:
        """Connect by these rules."""
        self._rules, self._resolve = rules, resolve
        self._backend = backend or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to a host.

        Raises:
            NotAllowed: one of its addresses may not be sent to; then none of them is.
            ConnectError: it has none, or nothing answers there.
        """
        try:
            found = [host] if literal(host) is not None else await self._resolve(host)
        except OSError as error:
            raise httpcore2.ConnectError("no such host") from error
        addresses = [literal(one) for one in found]
        if not addresses or not all(one is not None and self._rules.allow(one) for one in addresses):
            raise NotAllowed("The host leads to an address that is not sent to.")
        failure: Exception = httpcore2.ConnectError("no address")
        for one in addresses[:TRIED]:
            try:
                return await self._backend.connect_tcp(str(one), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no webhook is a file of this machine.

        Raises:
            NotAllowed: always.
        """
        raise NotAllowed("The host is no file.")
