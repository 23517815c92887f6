"""Proofs over HTTP: each is verified by nothing but what was answered, and nothing else passes for one."""

from contextlib import closing

import orjson
import pytest

from app.custody import verify
from app.custody.checkpoints import HOUR
from app.custody.verify import Unproved
from app.intake.checkpointing import Checkpointing
from app.intake.erase import erase
from app.intake.retract import retract, withdraw
from tests.contract.asking import BASE, Service
from tests.intake.house import OWNER, T1, T2, a_person, a_place, a_source, a_testimony, apart, consent, submit, together
from tests.intake.test_merging import P1, P2

MECHANISM = 2


@pytest.fixture
def service(settings, intake):
    with closing(Service(settings)) as service:
        yield service


@pytest.fixture
def sign(settings, database, clock):
    """Make a checkpoint, six hours after the last."""
    checkpointing = Checkpointing(settings, database, None, clock)

    def _sign() -> None:
        assert checkpointing.once()
        clock.now += 6 * HOUR

    return _sign


def key_of(service) -> str:
    key: str = service.ask("/v1/log").json["key"]
    return key


def proved(service, address: str, view: int = 0) -> tuple[int, str]:
    """Return which form of a record is proved, and see that the record is it."""
    record = service.ask(address, view)
    _, leaf = verify.record(service.ask(f"{address}/proof", view).json, key_of(service), record.body)
    newest = service.ask(f"{address}/history", view).json["items"][-1]
    assert (newest["revision"], newest["digest"]) == (leaf.revision, f"sha256:{leaf.digest}")
    return leaf.revision, leaf.change


def test_before_the_first_checkpoint_nothing_is_proved(service, intake):
    submit(intake, a_source())
    about = service.ask("/v1/log").json
    assert (about["checkpoint"], about["next"], about["every_hours"]) == (None, None, 6)
    assert service.ask("/v1/log/checkpoints").json == {"items": [], "next": None}
    assert service.ask("/v1/sources/src-a/proof").json == {"checkpoint": None, "form": None}
    heard = service.ask("/v1/log/consistency?old=256")
    assert (heard.status, heard.json["detail"]) == (
        422,
        "There is no checkpoint of 256 leaves: /v1/log/checkpoints has all.",
    )


def test_a_record_is_proved_from_the_next_checkpoint_on(service, intake, sign):
    submit(intake, a_source(), a_place("camp"))
    sign()
    assert proved(service, "/v1/places/camp") == (1, "created")
    kept, record = service.ask("/v1/places/camp/proof").json, service.ask("/v1/places/camp").body
    submit(intake, a_place("camp", type="county"))
    newer = service.ask("/v1/places/camp/proof").json
    assert newer == {"checkpoint": kept["checkpoint"], "form": None}
    with pytest.raises(Unproved, match="newer than the newest checkpoint"):
        verify.record(newer, key_of(service), service.ask("/v1/places/camp").body)
    sign()
    assert proved(service, "/v1/places/camp") == (2, "updated")
    verify.record(kept, key_of(service), record)  # whoever kept both still has them


def test_nothing_is_told_of_an_earlier_form(service, intake, sign):
    fine, coarse = consent(public={"date": "day"}), consent(public={"date": "year"})
    submit(intake, a_source(), a_testimony(T1, consent=fine, date="2003-05-06"))
    sign()
    before = service.ask(f"/v1/testimonies/{T1}/proof").json["form"]
    submit(intake, a_testimony(T1, consent=coarse, date="2003-05-06"))
    for _ in range(2):
        heard = service.ask(f"/v1/testimonies/{T1}/proof").body.decode()
        assert before["leaf"]["digest"] not in heard and before["salt"] not in heard
        sign()


def test_a_proof_goes_on_holding_by_every_later_checkpoint(service, intake, sign):
    submit(intake, a_source())
    for name in "bcdefgh":
        sign()
        submit(intake, a_source(f"src-{name}"))
        assert proved(service, "/v1/sources/src-a") == (1, "created")
    sign()
    for name in "abcdefgh":
        assert proved(service, f"/v1/sources/src-{name}") == (1, "created")


def test_each_view_has_proofs_of_its_own(service, intake, sign):
    shown = consent(public={"content": "summary", "place": "country"}, mechanism={})
    submit(intake, a_source(), a_testimony(T1, consent=shown), a_testimony(T2, consent=consent(mechanism={})))
    sign()
    address = f"/v1/testimonies/{T1}"
    assert proved(service, address) == proved(service, address, MECHANISM) == (1, "created")
    one, other = (service.ask(f"{address}/proof", view) for view in (0, MECHANISM))
    ours, theirs = (heard.json["form"]["leaf"] for heard in (one, other))
    assert ours["digest"] != theirs["digest"]
    assert (ours["view"], theirs["view"]) == (0, MECHANISM)
    assert one["cache-control"].startswith("public") and other["cache-control"] == "private, no-store"
    assert one["etag"] != other["etag"]
    hidden, unknown = (service.ask(f"/v1/testimonies/{id}/proof") for id in (T2, T2[:-1] + "0"))
    assert (hidden.status, hidden.body) == (unknown.status, unknown.body) and hidden.status == 404
    assert proved(service, f"/v1/testimonies/{T2}", MECHANISM) == (1, "created")


def test_what_was_removed_has_no_proof_and_what_came_back_has_one(service, intake, sign):
    submit(intake, a_source(), a_place("camp"))
    assert retract(intake.writer, "camp", OWNER, "a test")
    sign()
    assert service.ask("/v1/places/camp/proof").status == 404
    submit(intake, a_place("camp"))
    sign()
    assert proved(service, "/v1/places/camp")[1] == "created"


def test_what_was_merged_leads_to_the_other_and_what_was_parted_is_proved(service, intake, sign):
    submit(intake, a_source(), a_person(P1), a_person(P2))
    together(intake.writer, P1, P2)
    assert service.ask(f"/v1/people/{P1}/proof").status == 308
    apart(intake.writer, P1)
    sign()
    assert proved(service, f"/v1/people/{P1}")[1] == "created"


def test_what_is_erased_leaves_the_log_as_it_was_signed(service, intake, sign):
    submit(intake, a_source(), a_testimony(T1, consent=consent(public={})))
    sign()
    before = service.ask(f"/v1/testimonies/{T1}/proof").json
    assert withdraw(intake.writer, T1, OWNER, "a test")
    assert erase(intake.writer, T1, OWNER, "a test")
    sign()
    assert service.ask(f"/v1/testimonies/{T1}/proof").status == 404
    verify.record(before, key_of(service))
    verify.consistency(service.ask("/v1/log/consistency?old=256").json, key_of(service))


def test_any_two_checkpoints_are_shown_to_be_of_one_log(service, intake, sign):
    for name in "abcdef":
        submit(intake, a_source(f"src-{name}"))
        sign()
    sizes = [one["size"] for one in service.ask("/v1/log/checkpoints").json["items"]]
    assert sizes == [1536, 1280, 1024, 768, 512, 256]
    for new in sizes:
        for old in sizes:
            heard = service.ask(f"/v1/log/consistency?old={old}&new={new}")
            if old > new:
                assert (heard.status, heard.json["errors"][0]["name"]) == (422, "old")
                continue
            first, last = verify.consistency(heard.json, key_of(service))
            assert (first.size, last.size) == (old, new)
    assert service.ask("/v1/log/consistency?old=256").json == service.ask("/v1/log/consistency?old=256&new=1536").json


def test_checkpoints_are_paged_and_stay(service, intake, sign):
    submit(intake, a_source())
    for _ in range(5):
        sign()
    pages = [service.ask("/v1/log/checkpoints?limit=2")]
    while address := pages[-1].json["next"]:
        assert address.startswith(f"{BASE}/v1/log/checkpoints?limit=2&before=")
        assert pages[-1]["link"] == f'<{address}>; rel="next"'
        sign()  # newer ones change nothing of older pages
        pages.append(service.ask(address))
    assert [one["size"] for page in pages for one in page.json["items"]] == [1280, 1024, 768, 512, 256]
    newest = service.ask("/v1/log")
    assert newest.json["checkpoint"]["size"] == 1792
    assert service.ask("/v1/log", if_none_match=newest["etag"]).status == 304


def test_an_answer_that_is_kept_never_outlives_a_checkpoint(service, intake, sign):
    submit(intake, a_source())
    for size in (256, 512, 768):
        sign()
        assert service.ask("/v1/log").json["checkpoint"]["size"] == size
        assert f"\n{size}\n" in service.ask("/v1/sources/src-a/proof").json["checkpoint"]


WRONG = [
    "/v1/log?limit=2",
    "/v1/log/checkpoints?limit=0",
    "/v1/log/checkpoints?before=x",
    "/v1/log/checkpoints?befor=256",
    "/v1/log/consistency",
    "/v1/log/consistency?new=256",
    "/v1/log/consistency?old=255",
    "/v1/log/consistency?old=-256",
    "/v1/log/consistency?old=256&new=257",
    "/v1/log/consistency?old=999999999999999999",
    "/v1/sources/src-a/proof?view=1",
]


@pytest.mark.parametrize("address", WRONG)
def test_what_cannot_be_asked_is_told_so(service, intake, sign, address):
    submit(intake, a_source())
    sign()
    heard = service.ask(address)
    assert (heard.status, heard.json["type"]) == (422, "/problems/invalid-request"), heard.body


def test_nothing_that_was_changed_is_proved(service, intake, sign):
    submit(intake, a_source(), a_place("camp"))
    sign()
    submit(intake, a_place("camp", type="county"))
    sign()
    proof, body, key = service.ask("/v1/places/camp/proof").body, service.ask("/v1/places/camp").body, key_of(service)
    other = service.ask("/v1/sources/src-a").body
    verify.record(orjson.loads(proof), key, body)
    wrong = [
        (proof, body.replace(b"county", b"camp12")),
        (proof, body.replace(b'"revision":2', b'"revision":1')),
        (proof, body[:-30] + b'2000-01-01T00:00:00.000Z"}'),
        (proof, body[:-1] + b',"type":"county"}'),  # a member twice: whoever reads takes the last
        (proof, body[:-1] + b',"more":1}'),
        (proof, body + b"\n"),
        (proof, other),
        (proof, b"{}"),
        (proof, b""),
        (proof.replace(b'"revision":2', b'"revision":3'), body),
        (proof.replace(b'"view":0', b'"view":1'), body),
        (proof.replace(b'"id":"camp"', b'"id":"cam"'), body),
        (proof.replace(b'"change":"updated"', b'"change":"created"'), body),
        (proof.replace(b'"salt":"', b'"salt":"0'), body),
        (proof.replace(b'"index":', b'"index":1'), body),
        (proof.replace(b"\\n512\\n", b"\\n513\\n"), body),
        (proof.replace(b'"checkpoint":"', b'"checkpoint":"x'), body),
        (proof.replace(b'"index":', b'"more":1,"index":'), body),
        (b"{}", body),
        (b'{"checkpoint":null,"form":null}', body),
    ]
    for changed, record in wrong:
        with pytest.raises(Unproved):
            verify.record(orjson.loads(changed), key, record)
    consistent = service.ask("/v1/log/consistency?old=256").json
    for changed in ({"path": []}, {"old": consistent["new"]}, {"new": consistent["old"]}, {"old": "x"}, {"path": "x"}):
        with pytest.raises(Unproved):
            verify.consistency(consistent | changed, key)
    with pytest.raises(Unproved, match="not signed by"):
        verify.consistency(consistent, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
