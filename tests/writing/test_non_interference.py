"""Who writes is answered alike, whatever others hide: before and after all of it was changed."""

import re
from typing import Any

from app.core.ids import new
from tests.intake.house import consent
from tests.writing.conftest import NUMBERS, Hand, a_place, a_witness, another

COARSE = {"content": "summary", "identity": "withheld", "place": "province", "date": "year"}
PSEUDONYM = {**COARSE, "identity": "pseudonym"}
DRAWN = re.compile(r"(tst|inc|per)-[0-9a-z]{26}")
UNTIL_NOW = ("date", "x-request-id", "ratelimit")


def answers(hand: Hand, named: dict[str, str]) -> list[tuple[Any, ...]]:
    """Return the answers to everything that may be asked by naming records of others; drawn ids are all one."""
    incident: dict[str, Any] = {"disclosure_basis": "consent", "scope": "event", "date": "2012-03-04"}
    incident |= {"places": [named["place"]]}
    incident |= {"acts": [{"violation": named["violation"], "people": [named["person"]]}]}
    guess = consent(public=COARSE, partner=PSEUDONYM, mechanism={})
    asked: list[tuple[str, str, Any]] = []
    for one in (named["told"], named["other"], named["hidden"], named["unknown"]):
        witness = {"form": "named", "designation": {"en": "A guess"}, "person": named["person"]}
        asked += [
            ("POST", "/v1/incidents?dry_run=true", incident | {"testimonies": [one]}),
            (
                "POST",
                "/v1/incidents?dry_run=true",
                incident | {"testimonies": [named["told"]], "contradicted_by": [one]},
            ),
            ("POST", "/v1/testimonies?dry_run=true", a_guess(consent=guess, witness=witness, same_witness=[one])),
            *(
                (method, f"/v1/testimonies/{one}?dry_run=true", {"reason": "x"})
                for method in ("PUT", "PATCH", "DELETE")
            ),
            *(("GET", f"/v1/testimonies/{one}/{tail}", None) for tail in ("submitted", "disclosure", "recipients")),
            ("GET", f"/v1/duplicates?kind=people&record={one}", None),
            ("POST", "/v1/acknowledgements", {"records": [one]}),
        ]
    asked.append(("GET", f"/v1/incidents/{named['mine']}/disclosure", None))
    asked += [("GET", f"/v1/incidents/{named['mine']}{tail}", None) for tail in ("", "/history", "/submitted")]
    asked += [("GET", address, None) for address in ("/v1/changes", "/v1/webhooks", "/v1/imports", "/v1/me")]
    found, known = [], [*named.values()]
    for method, address, body in asked:
        answer = hand.ask(method, address, body, if_match="*")
        headers = {name: value for name, value in answer.headers.items() if name not in UNTIL_NOW}
        text = DRAWN.sub(lambda one: one[0] if one[0] in known else one[1], answer.text)
        found.append((method, address, answer.status_code, headers, text))
    # But for what it read itself a moment ago, which is told within seconds.
    reads = hand.ask("GET", "/v1/audit").json()
    found.append(("reads", "", reads["next"], {}, str([one for one in reads["items"] if one["reader"] != hand.owner])))
    return found


def a_guess(**more: Any) -> dict[str, Any]:
    return {"slug": "a-guess", "disclosure_basis": "consent", "recorded_by": "body", **more}


def test_naming_records_of_others_tells_nothing_that_is_hidden(house):
    hand, others = another(house), another(house)
    place = others.post("/v1/places", a_place(type="province"))["id"]
    allowed = consent(public=COARSE, partner=PSEUDONYM, mechanism={})
    person = others.post("/v1/people", a_nobody(consent=consent(public=COARSE, partner=COARSE, mechanism={})))["id"]
    witness = {"form": "named", "designation": {"en": "N"}, "person": person}
    note = {"en": "A note for mechanisms alone"}
    account = {"consent": allowed, "date": "2012-03-04", "places": [place], "reliability_note": note}
    told, other = (others.post("/v1/testimonies", a_witness(**account, witness=witness))["id"] for _ in range(2))
    hidden = others.post("/v1/testimonies", a_witness(consent=consent(mechanism={})))["id"]
    rests = {"disclosure_basis": "consent", "scope": "event", "date": "2012-03-04", "testimonies": [told, other]}
    mine = hand.post("/v1/incidents", rests)["id"]
    named = {"place": place, "person": person, "told": told, "other": other, "hidden": hidden}
    named["violation"] = others.post("/v1/violations", {"id": f"vio-{next(NUMBERS)}", "label": {"en": "V"}})["id"]
    named |= {"mine": mine, "unknown": new("tst")}

    before = answers(hand, named)
    assert note["en"] not in str(before)
    of_nobody = {"form": "named", "designation": {"en": "M"}}
    no_more = consent(public=COARSE, partner=PSEUDONYM, mechanism=COARSE)
    for one, changes in (
        (f"testimonies/{told}", {"consent": no_more, "note": {"en": "Something else"}}),
        (f"testimonies/{other}", {"consent": consent(public=COARSE, partner=PSEUDONYM, mechanism={"date": "month"})}),
        (f"testimonies/{other}", {"full_text": {"en": "All of it"}, "reliability_note": {"en": "Another note"}}),
        (f"testimonies/{hidden}", {"same_witness": [told], "witness": of_nobody}),
        (f"people/{person}", {"consent": consent(public=COARSE, partner=COARSE), "name": {"en": "Another name"}}),
    ):
        assert others.ask("PATCH", f"/v1/{one}", changes, if_match="*").json()["outcome"] == "revised"
    others.post("/v1/people", a_nobody(consent=consent(mechanism={}) | {"linkage": True}))
    others.post("/v1/incidents", rests | {"testimonies": [hidden]})
    assert others.ask("DELETE", f"/v1/testimonies/{hidden}?reason=x", if_match="*").status_code == 204
    assert answers(hand, named) == before


def a_nobody(**more: Any) -> dict[str, Any]:
    return {"slug": f"nobody-{next(NUMBERS)}", "disclosure_basis": "consent", "name": {"en": "A name"}, **more}
