"""Load: so many places, each given back once, and never one for whoever watches."""

from app.core.load import UNCOUNTED, Load, refusal, release


def test_a_place_is_given_back_once():
    load = Load(2)
    scopes: list[dict[str, object]] = [{}, {}, {}]
    for scope in scopes[:2]:
        assert load.takes("/v1")
        load.hold(scope)
    assert not load.takes("/v1")
    assert all(map(load.takes, UNCOUNTED))
    assert (load.now, load.refused) == (2, 1)
    for _ in range(2):
        release(scopes[0])
    release(scopes[2])
    assert load.now == 1 and load.takes("/v1")


def test_without_a_limit_all_are_taken():
    load = Load(0)
    for _ in range(1000):
        load.hold({})
        assert load.takes("/v1")
    assert load.refused == 0


def test_the_refusal_says_when_to_try_again():
    assert (refusal().status, refusal().headers) == (503, {"Retry-After": "1"})


def test_a_look_at_the_health_takes_no_place():
    load = Load(1)
    scope = {"path": "/healthz"}
    load.hold(scope)
    assert load.takes("/v1") and load.now == 0
    release(scope)
    assert load.now == 0
