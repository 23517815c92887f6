"""Explaining: what it says each view gets is what the catalogue holds, whatever happened before."""

import pytest
from sqlalchemy import select

from app.disclosure.explain import DisclosureShown
from app.disclosure.reasons import HIDES
from app.intake.explaining import disclosure
from app.intake.objecting import object_to
from app.intake.publish import views_of
from app.intake.submit import Asker
from app.intake.views import OWN, create, prepare
from app.vault.tables import RECORD
from tests.intake.chance import History
from tests.intake.house import (
    I1,
    I2,
    MECHANISM,
    ONE_ENGINE,
    OWNER,
    PER,
    PUBLIC,
    T1,
    T2,
    T3,
    a_person,
    a_source,
    a_testimony,
    an_incident,
    catalogue,
    consent,
    seen_by,
    shown,
    submit,
)


@pytest.mark.parametrize(("engine", "seed"), [("sqlite", 11), ("sqlite", 12), ("postgresql", 13)], indirect=["engine"])
def test_what_it_says_is_what_the_catalogue_holds(intake, database, writer, clock, seed):
    History(intake, clock, seed).run(25)
    before = catalogue(database)
    ids = database.look(lambda connection: list(connection.scalars(select(RECORD.c.id))))
    assert len(ids) > 30
    for id in ids:
        found = disclosure(writer, id)
        assert found is not None
        assert [one.view for one in found.views if one.shown] == seen_by(database, id)
        for one in found.views:
            own = {reason.rule for reason in one.reasons if reason.about is None}
            assert bool(own & HIDES) is not one.shown and own
            if one.shown:
                assert one.as_shown == shown(database, one.view, id)
    assert catalogue(database) == before


def rests_on_another(intake):
    submit(intake, a_source(), a_testimony(T1, consent=consent(public={"place": "province"})), owner="other-body")
    rests = {"disclosure_basis": "consent", "citations": []}
    submit(intake, a_testimony(T2), an_incident(I1, testimonies=[T1, T2], **rests))


@ONE_ENGINE
def test_an_owner_is_told_of_their_own_records_and_not_why_those_of_others_have_their_part(intake, writer):
    rests_on_another(intake)
    assert disclosure(writer, I1, asker=Asker("other-body", 1)) is None and disclosure(writer, "inc-nothing") is None
    whole, told = disclosure(writer, I1, [PUBLIC]), disclosure(writer, I1, [PUBLIC], Asker(OWNER, 1))
    assert whole is not None and told is not None

    def about(found: DisclosureShown, id: str) -> list[str]:
        return [reason.rule for reason in found.views[0].reasons if reason.about == id]

    assert about(whole, T1) == ["consented", "part"] and about(told, T1) == ["of-another"]
    assert about(whole, T2) == about(told, T2) == ["published", "part"]
    assert whole.views[0].allowed == told.views[0].allowed and whole.views[0].as_shown == told.views[0].as_shown


@ONE_ENGINE
def test_an_organisations_own_view_is_told_of_to_that_one_alone(deploy):
    one = deploy()
    for owner in (OWNER, "other-body"):
        create(one.writer, *OWN, owner=owner)
    prepare(one.writer, one.settings.home)
    values = [a_source(), a_testimony(T1), a_testimony(T2, consent=consent())]
    submit(one.intake, *values)
    object_to(one.writer, T1, OWNER, "record", "a test")
    for id in (T1, T2):
        whole, told = disclosure(one.writer, id), disclosure(one.writer, id, asker=Asker(OWNER, 1))
        assert whole is not None and told is not None
        assert [view.owner for view in whole.views] == [None, None, None, OWNER, "other-body"]
        assert [view.owner for view in told.views] == [None, None, None, OWNER]
        assert [view.shown for view in whole.views] == [False, False, False, True, False]
        assert [reason.rule for reason in told.views[3].reasons] == ["own", "made"]  # no title was given
        assert told.views[3].as_shown == shown(one.database, 3, id)


@ONE_ENGINE
def test_it_is_ready_to_be_answered(intake, writer, database):
    rests_on_another(intake)
    found = disclosure(writer, I1)
    assert found is not None
    assert DisclosureShown.model_validate_json(found.model_dump_json()) == found
    views = database.look(views_of)
    assert [(one.view, one.audience, one.purpose, one.recipient) for one in found.views] == [
        (view.id, view.audience, view.purpose, []) for view in views
    ]
    assert (found.id, found.kind, found.owner, found.state) == (I1, "incident", OWNER, "live")
    assert [one.shown for one in found.views] == [True] * 3 and views[-1].id == MECHANISM


@ONE_ENGINE
def test_of_a_view_one_does_not_read_in_one_learns_nothing_about_records_of_others(intake, writer):
    """Whatever others allow mechanisms, whoever names their accounts is told the same."""
    coarse = {"content": "summary", "identity": "withheld", "place": "country", "date": "year"}
    note = {"en": "The words of a note that mechanisms alone may read"}

    def account(id, mechanism):
        allowed = consent(public=coarse, partner=coarse, mechanism=mechanism)
        return a_testimony(id, consent=allowed, witness={"form": "named", "person": PER}, reliability_note=note)

    submit(intake, a_source(), a_person(), account(T1, {}), account(T2, {}), owner="other-body")
    submit(intake, an_incident(I1, testimonies=[T1, T2], disclosure_basis="consent", citations=[]))
    whole, told = disclosure(writer, I1), disclosure(writer, I1, asker=Asker(OWNER, 1 << PUBLIC))
    reader = disclosure(writer, I1, asker=Asker(OWNER, 0b101))
    assert whole is not None and told is not None and reader is not None
    mechanisms = whole.views[MECHANISM].as_shown
    assert mechanisms is not None and (mechanisms["corroboration"], str(note) in str(mechanisms)) == (1, True)
    assert reader.views[MECHANISM].as_shown == mechanisms
    assert note["en"] not in told.model_dump_json()
    assert told.views[PUBLIC].as_shown == whole.views[PUBLIC].as_shown
    elsewhere = told.views[MECHANISM]
    assert (elsewhere.shown, elsewhere.as_shown, elsewhere.allowed) == (True, None, None)
    assert [reason.rule for reason in elsewhere.reasons] == ["of-another", "of-another", "elsewhere"]
    submit(intake, account(T1, coarse), account(T2, {"place": "county"}), owner="other-body")
    assert disclosure(writer, I1, asker=Asker(OWNER, 1 << PUBLIC)) == told
    submit(intake, a_testimony(T3), an_incident(I2, testimonies=[T3]))
    mine = disclosure(writer, I2, asker=Asker(OWNER, 1 << PUBLIC))
    assert mine is not None and all(one.as_shown for one in mine.views)
