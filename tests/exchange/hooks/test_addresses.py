"""No webhook is sent into the operator's network, however its address is spelled, and whatever its name leads to."""

import asyncio
from ipaddress import ip_network

import httpcore2
import pytest

from app.exchange.hooks.addresses import Guarded, NotAllowed, Rules
from app.exchange.hooks.posting import Post

RULES = Rules(ports=(443, 8443), http_hosts=("plain.example",), networks=(ip_network("10.1.2.0/24"),))
GOOD = [
    "https://hooks.example.org/a?b=c",
    "https://hooks.example.org:8443/",
    "https://xn--bcher-kva.example/",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://10.1.2.3/",  # allowed by the operator
    "http://plain.example:8443/",
    "HTTPS://Hooks.Example.ORG/",
]
BAD = [
    "",
    "hooks.example.org",
    "//hooks.example.org/",
    "ftp://hooks.example.org/",
    "file:///etc/passwd",
    "gopher://hooks.example.org:443/",
    "http://hooks.example.org/",  # not encrypted
    "http://hooks.example.org:443/",
    "http://plain.example/",  # of port 80
    "https:///a",
    "https://hooks.example.org:22/",
    "https://hooks.example.org:0/",
    "https://hooks.example.org:99999/",
    "https://hooks.example.org:443:443/",
    "https://user@hooks.example.org/",
    "https://user:word@hooks.example.org/",
    "https://hooks.example.org@127.0.0.1/",
    "https://127.0.0.1\\@hooks.example.org/",
    "https://hooks.example.org/#a",
    "https://hooks.example.org/#",
    "https://hooks example.org/",
    "https://hooks.example.org/ a",
    "https://hooks.example.org/\r\nHost: a",
    "https://hooks.example.org/\t",
    "https://bücher.example/",
    "https://hooks.example.org。/",
    "https://-hooks.example.org/",
    "https://hooks..example.org/",
    "https://hooks.example.org./",
    f"https://hooks.example.org/{'a' * 2000}",
    f"https://{'a' * 64}.example/",
    # This machine, in every spelling that some resolver takes.
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://127.0.0.1.:443/",
    "https://127.000.000.001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[::1%25lo]/",
    "https://[fe80::1%25eth0]/",
    "https://%31%32%37.0.0.1/",
    # Networks that are not public.
    "https://10.0.0.1/",
    "https://10.1.3.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/",
    "https://100.64.0.1/",
    "https://192.0.0.8/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://203.0.113.9/",
    "https://192.88.99.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[fd00::1]/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[ff0e::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[2001::1]/",  # Teredo
    "https://[2001:10::1]/",
    "https://[2002:7f00:1::]/",  # 6to4 of 127.0.0.1
    "https://[2002:a01:203::]/",  # and of what is allowed: not by that
    "https://[64:ff9b::7f00:1]/",  # NAT64
    "https://[64:ff9b:1::a00:1]/",
    "https://[::ffff:10.1.2.3]/",  # mapped: not by that
    "https://[100::1]/",
    "https://[5f00::1]/",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_outside_is_taken(url):
    RULES.check(url)


@pytest.mark.parametrize("url", BAD)
def test_any_other_is_refused_without_looking_anything_up(url):
    with pytest.raises(NotAllowed):
        RULES.check(url)


def test_nothing_inside_is_allowed_unless_the_operator_says_so():
    with pytest.raises(NotAllowed):
        Rules().check("https://10.1.2.3/")
    Rules(networks=(ip_network("fd00::/8"),)).check("https://[fd00::1]/")


class Recording(httpcore2.AsyncMockBackend):
    """Notes where it is to connect to; some addresses do not answer."""

    def __init__(self, dead=()):
        super().__init__([b"HTTP/1.1 204 No Content\r\n\r\n"])
        self.connected, self.dead = [], dead

    async def connect_tcp(self, host, port, *more, **named):
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore2.ConnectError("refused")
        return await super().connect_tcp(host, port, *more, **named)


def connected(answers, dead=(), host="hooks.example.org"):
    """Return where a connection went, and how often the name was looked up; each look-up gives the next answer."""
    backend, looked_up = Recording(dead), []

    async def resolve(name):
        looked_up.append(name)
        return answers[min(len(looked_up), len(answers)) - 1]

    async def once():
        stream = await Guarded(RULES, resolve, backend).connect_tcp(host, 443)
        await stream.aclose()

    asyncio.run(once())
    return backend.connected, looked_up


def test_a_connection_goes_to_the_very_address_that_was_looked_at():
    """A name that leads inside at the second look-up is not looked up a second time."""
    found, looked_up = connected([["8.8.8.8"], ["127.0.0.1"]])
    assert (found, looked_up) == ([("8.8.8.8", 443)], ["hooks.example.org"])


def test_an_address_is_not_looked_up():
    assert connected([], host="8.8.8.8") == ([("8.8.8.8", 443)], [])


def test_the_next_address_is_tried_where_one_does_not_answer():
    found, _ = connected([["2606:4700:4700::1111", "8.8.8.8"]], dead=("2606:4700:4700::1111",))
    assert found == [("2606:4700:4700::1111", 443), ("8.8.8.8", 443)]


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["8.8.8.8", "::ffff:127.0.0.1"],
        ["fe80::1%eth0"],
        ["169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["nonsense"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to_at_all(answer):
    backend = Recording()

    async def resolve(_):
        return answer

    with pytest.raises(NotAllowed):
        asyncio.run(Guarded(RULES, resolve, backend).connect_tcp("hooks.example.org", 443))
    assert backend.connected == []
    with pytest.raises(NotAllowed):
        asyncio.run(Guarded(RULES, resolve, backend).connect_unix_socket("/run/a.sock"))


def test_what_may_not_be_sent_to_is_an_outcome_like_any_other():
    async def resolve(_):
        return ["127.0.0.1"]

    async def unknown(_):
        raise OSError("no such host")

    async def slow(_):
        await asyncio.sleep(60)

    async def outcome(url, resolve):
        post = Post(RULES, 0.2, resolve)
        try:
            return (await post.send(url, {}, b"{}")).word
        finally:
            await post.close()

    assert asyncio.run(outcome("https://hooks.example.org/", resolve)) == "address"
    assert asyncio.run(outcome("https://127.0.0.1/", resolve)) == "address"
    assert asyncio.run(outcome("https://hooks.example.org/", unknown)) == "connection"
    assert asyncio.run(outcome("https://hooks.example.org/", slow)) == "timeout"
