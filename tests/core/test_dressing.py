"""Every answer is dressed in the headers of safety, once; which other origins may read it is the operator's to say."""

import pytest

from app.core.dressing import EXPOSED, MORE, POLICY, Dressing

PUBLIC = [(b"cache-control", b"public, max-age=0")]
CLOSED = [(b"cache-control", b"private, no-store")]
NEWS, MAP = "https://news.example", "https://map.example"
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": POLICY.decode(),
}
ANYBODY = {"access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED.decode()}


def dressed(origins, headers, origin=None, https=False):
    """Return the headers that were added, and that each came once."""
    scope = {"headers": [(b"origin", origin.encode())] if origin else []}
    found = Dressing(origins, https).on(list(headers), scope)
    assert found[: len(headers)] == headers
    added = [(name.decode(), value.decode()) for name, value in found[len(headers) :]]
    assert len({name for name, _ in found}) == len(found)
    return dict(added)


@pytest.mark.parametrize("origin", [None, NEWS, "null"])
def test_any_page_may_read_what_is_public_unless_the_operator_says_otherwise(origin):
    assert dressed(("*",), PUBLIC, origin) == SAFE | ANYBODY | {"cross-origin-resource-policy": "cross-origin"}
    assert dressed(("*",), [], origin) == SAFE | ANYBODY | {"cross-origin-resource-policy": "cross-origin"}


@pytest.mark.parametrize("origin", [None, NEWS])
def test_no_page_of_another_origin_may_read_what_is_for_its_asker_alone(origin):
    assert dressed(("*",), CLOSED, origin) == SAFE | {"cross-origin-resource-policy": "same-origin"}


@pytest.mark.parametrize("headers", [PUBLIC, CLOSED])
def test_a_listed_origin_may_read_and_a_cache_keeps_it_apart(headers):
    own = SAFE | {"cross-origin-resource-policy": "same-origin", "vary": "Origin"}
    allowed = {"access-control-allow-origin": NEWS, "access-control-expose-headers": EXPOSED.decode()}
    assert dressed((NEWS, MAP), headers, NEWS) == own | allowed
    for other in (None, "null", "https://evil.example", NEWS + ".evil.example", "http://news.example", "*"):
        assert dressed((NEWS, MAP), headers, other) == own


def test_nobody_may_read_where_none_is_listed():
    for origin in (None, NEWS, "*"):
        assert dressed((), PUBLIC, origin) == SAFE | {"cross-origin-resource-policy": "same-origin"}


def test_credentials_of_a_browser_are_never_let_through():
    for origins in (("*",), (NEWS,), ()):
        for headers in (PUBLIC, CLOSED):
            assert "access-control-allow-credentials" not in dressed(origins, headers, NEWS)


def test_only_where_the_address_is_https_are_browsers_told_to_stay_with_it():
    assert dressed(("*",), PUBLIC, https=True)["strict-transport-security"] == "max-age=31536000"
    assert dressed((), [(b"cross-origin-resource-policy", b"same-origin")], https=True)["strict-transport-security"]
    assert "strict-transport-security" not in dressed(("*",), PUBLIC)


def test_what_a_page_of_ours_says_of_itself_stands_and_nothing_is_opened():
    apart = (b"cross-origin-resource-policy", b"same-origin")
    assert dressed(("*",), [apart], NEWS) == SAFE
    own = [apart, (b"content-security-policy", b"script-src 'self'")]
    assert dressed(("*",), own, NEWS) == {name: SAFE[name] for name in ("x-content-type-options", "referrer-policy")}


@pytest.mark.parametrize("headers", [PUBLIC, CLOSED, [(b"cross-origin-resource-policy", b"same-origin")]])
def test_what_is_known_of_a_request_stands_in_its_answer(headers):
    more = [(b"ratelimit", b"x"), (b"connection", b"close")]
    found = Dressing(("*",), https=False).on(list(headers), {"headers": [], MORE: more})
    assert [one for one in found if one in more] == more


def test_scripts_can_read_what_a_client_needs():
    assert EXPOSED.decode().split(", ") == [
        "Content-Disposition",
        "Deprecation",
        "ETag",
        "Link",
        "Location",
        "Preference-Applied",
        "RateLimit",
        "RateLimit-Policy",
        "Repr-Digest",
        "Retry-After",
        "Sunset",
        "X-Request-ID",
    ]
