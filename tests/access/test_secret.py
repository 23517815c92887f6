"""Secrets: their form, what is kept of them, and how they are compared."""

import hmac

from app.access import secret


def test_no_two_are_alike_and_each_says_what_it_is():
    made = [secret.make(form) for form in (secret.KEY, secret.CLIENT) for _ in range(50)]
    assert len({one.text for one in made}) == len({one.prefix for one in made}) == 100
    for one in made:
        form = one.text[:3]
        assert secret.prefix_of(one.text, form) == one.prefix
        assert secret.prefix_of(one.text, "evs" if form == "evk" else "evk") is None
        assert secret.is_same(one.text, one.digest)
        assert secret.looks_like_one(b"owner=" + one.text.encode())


def test_what_has_not_the_form_has_no_prefix():
    text = secret.make(secret.KEY).text
    for other in ("", text[:-1], text + "0", text.upper(), " " + text, text + "\n", text.replace("_", "-")):
        assert secret.prefix_of(other, secret.KEY) is None


def test_they_are_compared_in_constant_time_even_where_there_is_none(monkeypatch):
    compared, whole = [], hmac.compare_digest

    def watched(a, b):
        compared.append((len(a), len(b)))
        return whole(a, b)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    made = secret.make(secret.KEY)
    assert not secret.is_same(made.text, None)
    assert not secret.is_same("x", made.digest)
    assert secret.is_same(made.text, made.digest)
    assert compared == [(32, 32)] * 3
