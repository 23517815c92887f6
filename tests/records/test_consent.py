"""A consent that contradicts itself is refused, in the field to be mended; one that is merely careful is not."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.records import BY_NAME
from app.records.consent import not_yet
from app.records.refusal import refusals
from tests.disclosure.fake import a_testimony, allowed, consent

WHOLE = allowed()


def refused(**changes: Any) -> list[tuple[str, str]]:
    """Return field and reason of every refusal of a testimony with changes."""
    with pytest.raises(ValidationError) as caught:
        BY_NAME["testimony"].model.model_validate(a_testimony(consent=consent(public=WHOLE)) | changes)
    return [tuple(one) for one in refusals(caught.value)]  # type: ignore[misc]


def protection(**limits: Any) -> dict[str, Any]:
    limits = {name.replace("__", ":"): limit for name, limit in limits.items()}
    return {"reasons": ["child"], "assessed_by": "A test", "assessed_on": "2021", "limits": limits}


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        (
            consent(public=WHOLE | {"purposes": ["profit"]}),
            "consent.audiences.public.purposes[0]",
            "should be 'publication', 'research', 'advocacy', 'un-reporting' or 'criminal-proceedings'",
        ),
        (
            consent(everybody=WHOLE),
            "consent.audiences.everybody",
            "is no audience: public, partner, mechanism, or a named body as mechanism:ohchr",
        ),
        (
            consent(public=WHOLE | {"purposes": []}),
            "consent.audiences.public.purposes",
            "is empty, so that content full serves nothing: name one, or allow none",
        ),
        (
            consent(mechanism__ohchr={"content": "counted"}),
            "consent.audiences.mechanism:ohchr.purposes",
            "is empty, so that content counted serves nothing: name one, or allow none",
        ),
        (
            consent(partner={"identity": "named"}),
            "consent.audiences.partner.identity",
            "is named, and content none shows nobody: allow a summary, or say pseudonym or withheld",
        ),
        (
            consent(partner=WHOLE | {"content": "counted"}),
            "consent.audiences.partner.identity",
            "is named, and content counted shows nobody: allow a summary, or say pseudonym or withheld",
        ),
        (
            consent(public=WHOLE) | {"expires": "2019-12-31"},
            "consent.expires",
            "lies before the day on which the consent was obtained: mend one of the two",
        ),
    ],
)
def test_a_consent_that_contradicts_itself_is_refused(said, field, reason):
    assert refused(consent=said) == [(field, reason)]


def test_a_body_is_not_limited_to_more_than_its_class():
    wider = protection(mechanism={"place": "province", "date": "year"}, mechanism__ohchr={"place": "exact"})
    assert refused(protection=wider) == [
        (
            "protection.limits.mechanism:ohchr.place",
            "is exact, and the limit of its whole class holds for it too: say province or less",
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"consent": consent()},  # nobody may see it
        {"consent": consent(public={})},
        {"consent": consent(public={"purposes": ["publication"], "conditions": ["fair-trial"]})},
        {"consent": consent(public=WHOLE | {"conditions": ["fair-trial"]})},
        {"consent": consent(public={"content": "none", "identity": "pseudonym", "place": "exact", "date": "day"})},
        {"consent": consent(public=WHOLE) | {"expires": "2020-01-01"}},  # obtained in 2020
        {"protection": protection(partner={"content": "none"})},  # an audience that the consent does not name
        {"protection": protection(public={"place": "exact"})},  # no less than the consent
        {"protection": protection(mechanism={"place": "county"}, mechanism__ohchr={"place": "county", "date": "year"})},
        {"protection": protection(public={})},
    ],
)
def test_what_is_merely_careful_is_taken(changes):
    value = a_testimony(consent=consent(public=WHOLE)) | changes
    assert BY_NAME["testimony"].model.model_validate(value).content()["kind"] == "testimony"


def test_a_day_that_has_not_come_yet_is_told_of():
    today = 737_994  # 2021-07-23
    said = {"consent": {"obtained_on": "2021-07-24"}, "protection": {"assessed_on": "2021-07"}}
    assert list(not_yet(said, today)) == []  # it is tomorrow where the day begins
    said["consent"]["obtained_on"] = "2021-07-25"
    assert [field for field, _ in not_yet(said, today)] == ["consent.obtained_on"]
    said = {"consent": {"obtained_on": "2021/2022"}, "protection": {"assessed_on": "2022"}}
    assert [field for field, _ in not_yet(said, today)] == ["protection.assessed_on"]
    assert list(not_yet({"consent": None}, today)) == []
