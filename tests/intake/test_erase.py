"""Erased: out of every view, unreadable for good, never back; what rests on it alone goes too, and the log stands."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.catalogue.tables import ROW, TERM
from app.core.crypto import SealError
from app.core.settings import SettingError
from app.intake import rebuild as module
from app.intake.erase import destroy_keys, erase, sweep
from app.intake.loading import Load
from app.intake.rebuild import rebuild
from app.intake.retract import expire, retract, withdraw
from app.intake.submit import Refused
from app.intake.write import Writer
from app.vault.keys import KeyStore
from app.vault.tables import DISCLOSED, ERASING, RECORD, REFERENCE, REVISION
from tests.intake import inline
from tests.intake.deployment import written
from tests.intake.house import (
    I1,
    I2,
    MECHANISM,
    ONE_ENGINE,
    OWNER,
    PARTNER,
    PUBLIC,
    T1,
    T2,
    WORLD,
    a_place,
    a_source,
    a_testimony,
    an_incident,
    catalogue,
    check_log,
    consent,
    history,
    revisions,
    rows_of,
    seen_by,
    shown,
    submit,
)

EVERYBODY = consent(public={}, partner={}, mechanism={})
ALL = [PUBLIC, PARTNER, MECHANISM]
RESTS = {"disclosure_basis": "consent", "citations": []}


@pytest.fixture
def erased(intake, writer):
    """A vault in which one of two testimonies is erased, which was revised once."""
    told = {"consent": EVERYBODY, "citations": [], "recorded_by": "only-here"}
    submit(intake, *WORLD, a_testimony(T1, **told), a_testimony(T2, consent=EVERYBODY, citations=[]))
    submit(intake, a_testimony(T1, **told, places=["camp"]))
    submit(intake, an_incident(I1, testimonies=[T1], **RESTS), an_incident(I2, testimonies=[T1, T2], **RESTS))
    assert erase(writer, T1, OWNER, "THE-REASON")


def test_what_is_left_is_a_tombstone(erased, database, writer):
    assert [seen_by(database, id) for id in (T1, T2, I1, I2)] == [[], ALL, [], ALL]
    assert shown(database, PUBLIC, I2)["testimonies"] == [T2]
    assert T1 not in str(catalogue(database)) and "only-here" not in str(rows_of(database, TERM))
    assert history(database, PUBLIC, T1) == [("created", 1), ("updated", 2), ("removed", 2)]
    assert history(database, PUBLIC, I1) == [("created", 1), ("removed", 1)]
    assert revisions(database, T1) == [(1, "submitted"), (2, "submitted"), (3, "erased")]
    of_it = select(REVISION.c.salt, REVISION.c.sealed).where(REVISION.c.record == T1, REVISION.c.change != "erased")
    assert set(database.look(lambda c: [tuple(row) for row in c.execute(of_it)])) == {(b"", b"")}
    forms = select(DISCLOSED.c.digest).where(DISCLOSED.c.id == T1)
    assert set(database.look(lambda c: list(c.scalars(forms)))) == {b""}
    assert writer.vault.keys.get([T1]) == {}
    stored = database.look(lambda connection: writer.vault.read(connection, [T1]))[T1]
    assert stored.state == "erased"
    assert stored.content == {"id": T1, "kind": "testimony", "erasure": {"reason": "THE-REASON"}}
    named = [target for target, leaf in rows_of(database, REFERENCE)]
    assert T1 not in named and "camp" not in named
    assert check_log(writer)[0] == 7 + 5 + 1


def test_its_like_never_comes_back(erased, intake, database, settings, tmp_path):
    again = a_testimony(T1, consent=consent(public={}) | {"obtained_on": "2023-11"})
    with pytest.raises(Refused) as refused:
        submit(intake, again)
    assert [one.reason for one in refused.value.refusals] == ["was erased: what is erased does not come back"]
    with pytest.raises(Refused):  # nor is it named any more
        submit(intake, an_incident(I1, testimonies=[T1], **RESTS))
    report = Load(intake, settings.home, OWNER).run([written(tmp_path, [again, a_source("src-new")])], keep_good=True)
    assert [one.reason for one in report.faults] == ["was erased: what is erased does not come back"]
    assert report.created == 1 and seen_by(database, T1) == []


def test_a_rebuild_after_it_changes_no_byte(erased, database, writer, settings, monkeypatch):
    monkeypatch.setattr(module, "workers", inline.workers)
    before = catalogue(database)
    assert rebuild(writer, settings).changed == 0
    assert catalogue(database) == before


@ONE_ENGINE
def test_once_and_by_its_owner_alone(erased, writer):
    size = check_log(writer)
    for verb in (erase, withdraw, retract):
        assert not verb(writer, T1, OWNER, "again")
        assert not verb(writer, T2, "other-body", "not theirs")
        assert not verb(writer, "nothing", OWNER, "nothing there")
    assert check_log(writer) == size


@pytest.mark.parametrize("before", [retract, withdraw])
def test_what_was_taken_back_or_withdrawn_is_erased_too(intake, database, writer, before):
    submit(intake, a_source(), a_testimony(T1, consent=EVERYBODY))
    assert before(writer, T1, OWNER, "a test") and erase(writer, T1, OWNER, "a test")
    assert rows_of(database, ROW) == [row for row in rows_of(database, ROW) if "src-a" in row]
    assert writer.vault.keys.get([T1]) == {}
    check_log(writer)


def test_cut_short_before_the_key_is_destroyed_it_is_completed_by_the_next(intake, database, writer, monkeypatch):
    submit(intake, a_source(), a_testimony(T1, consent=EVERYBODY))
    with monkeypatch.context() as killed:
        killed.setattr(KeyStore, "destroy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase(writer, T1, OWNER, "a test")
    assert seen_by(database, T1) == [] and set(writer.vault.keys.get([T1])) == {T1}
    assert rows_of(database, ERASING) == [(T1,)]
    assert destroy_keys(writer) == 1
    assert writer.vault.keys.get([T1]) == {}


def test_what_came_back_with_an_old_copy_is_erased_again_without_its_key(intake, database, writer):
    """The key store is of today, the main database of before the erasure."""
    submit(intake, *WORLD, a_testimony(T1, consent=EVERYBODY, places=["camp"]), an_incident(I1, testimonies=[T1]))
    writer.vault.keys.destroy([T1])
    assert erase(writer, T1, OWNER, "a test")
    assert seen_by(database, T1) == [] and shown(database, PUBLIC, I1)["testimonies"] == []
    assert {target for target, _ in rows_of(database, REFERENCE)} == {"src-a", "country", "north", "ill-treatment"}
    check_log(writer)


def test_an_old_copy_of_several_that_were_erased_can_be_made_anew_and_erased_again(intake, database, writer, settings):
    """Each of them is named by what is shown anew with the others; a rebuild takes them out of sight by itself."""
    told = {"consent": EVERYBODY, "citations": []}
    submit(intake, *WORLD, a_testimony(T1, **told, places=["camp"]), a_testimony(T2, **told))
    submit(intake, an_incident(I1, testimonies=[T1, T2], **RESTS))
    writer.vault.keys.destroy([T1, T2, "camp"])
    writer.world.forget()
    done = rebuild(writer, settings)
    assert sorted(done.keyless) == sorted([T1, T2, "camp"])
    assert [seen_by(database, one) for one in (T1, T2, "camp", I1)] == [[]] * 4
    assert seen_by(database, "north") == ALL
    again = rebuild(writer, settings)
    assert (sorted(again.keyless), again.changed) == (sorted(done.keyless), 0)
    for one in (T1, T2, "camp"):
        assert erase(writer, one, OWNER, "a test")
    assert rebuild(writer, settings).keyless == []
    check_log(writer)


def test_what_came_back_with_an_old_copy_is_erased_again_before_anything_is_made_anew(intake, writer):
    told = {"consent": EVERYBODY, "citations": []}
    submit(intake, *WORLD, a_testimony(T1, **told), a_testimony(T2, **told))
    submit(intake, an_incident(I1, testimonies=[T1, T2], **RESTS))
    writer.vault.keys.destroy([T1, T2])
    writer.world.forget()
    assert erase(writer, T1, OWNER, "a test") and erase(writer, T2, OWNER, "a test")
    check_log(writer)


@pytest.mark.parametrize("kind", ["place", "incident"])
def test_what_lost_its_key_gets_no_new_one(intake, writer, kind):
    """Else whatever was erased would come back with a file that is loaded again."""
    submit(intake, *WORLD, an_incident(I1))
    make, id = {"place": (a_place, "camp"), "incident": (an_incident, I1)}[kind]
    writer.vault.keys.destroy([id])
    writer.world.forget()
    with pytest.raises(SealError, match=f"the key of {id} is gone"):
        submit(intake, make(id, date="2013") if kind == "incident" else make(id, type="county"))
    assert writer.vault.keys.get([id]) == {}


@ONE_ENGINE
def test_what_is_swept_is_not_swept_again(erased, database, writer, settings):
    assert destroy_keys(writer) == 1
    assert sweep(writer, settings.home) == []
    assert rows_of(database, ERASING) == [] and destroy_keys(writer) == 0


def test_its_consent_does_not_run_out(intake, database, writer, clock):
    submit(intake, a_source(), a_testimony(T1, consent=consent("2024-01-31", public={})))
    erase(writer, T1, OWNER, "a test")
    clock.now += 400 * 86_400_000
    assert expire(writer) == 0
    assert database.look(lambda c: c.scalar(select(RECORD.c.expires).where(RECORD.c.id == T1))) is None


def test_withdrawn_it_stays_sealed_and_comes_back_with_a_new_consent_only(intake, database, writer, clock):
    submit(intake, *WORLD, a_testimony(T1, consent=EVERYBODY), an_incident(I1, testimonies=[T1], **RESTS))
    assert withdraw(writer, T1, OWNER, "THE-REASON")
    assert not withdraw(writer, T1, OWNER, "again") and not retract(writer, T1, OWNER, "again")
    assert [seen_by(database, id) for id in (T1, I1)] == [[], []]
    assert history(database, PUBLIC, T1)[-1] == history(database, PUBLIC, I1)[-1] == ("removed", 1)
    stored = database.look(lambda connection: writer.vault.read(connection, [T1]))[T1]
    assert stored.content["withdrawal"] == {"reason": "THE-REASON"} and stored.content["recorded_by"] == "body"
    for stale in (a_testimony(T1, consent=EVERYBODY), a_testimony(T1)):  # as it was, or by publication
        with pytest.raises(Refused) as refused:
            submit(intake, stale)
        assert [one.field for one in refused.value.refusals] == ["consent"]
    anew = a_testimony(T1, consent=EVERYBODY | {"obtained_on": "2023-11-14"})
    assert submit(intake, anew).revised == [T1]
    assert [seen_by(database, id) for id in (T1, I1)] == [ALL, ALL]
    check_log(writer)


def test_a_key_store_that_refuses_leaves_no_connection_open(settings, monkeypatch):
    closed: list[object] = []
    monkeypatch.setattr("app.vault.keys.Database.close", _noting(closed))
    monkeypatch.setattr("app.vault.keys.crypto.master_key", lambda *_, **__: (_ for _ in ()).throw(ValueError))
    with pytest.raises(ValueError):
        KeyStore.open(settings)
    assert len(closed) == 1


def test_a_key_store_of_other_records_is_refused_however_often(intake, database, settings, tmp_path):
    submit(intake, a_source())
    home = tmp_path / "other"
    other = replace(settings, home=home, keys_url=f"sqlite:///{home}/keys.db", master_key=None)
    for _ in range(2):  # the first time leaves nothing by which it would pass for theirs
        with pytest.raises(SettingError, match="^the key store is not that of the main database: "):
            Writer.open(other, database)
    assert not (home / "master.key").exists()


def _noting(closed):
    from app.core.db import Database

    close = Database.close

    async def note(self):
        closed.append(self)
        await close(self)

    return note
