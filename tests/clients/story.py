"""A partner's story with the generated Python client: sign in, send records, read, follow changes, change, withdraw."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from evidence_client import AuthenticatedClient
from evidence_client.api.access import create_token, get_me
from evidence_client.api.changes import list_changes
from evidence_client.api.places import create_place, retract_place
from evidence_client.api.testimonies import change_testimony, create_testimony, list_testimonies, withdraw_testimony
from evidence_client.models import (
    AllowedSubmitted,
    ChangeList,
    ChangeMade,
    ConsentForm,
    ConsentSubmitted,
    ConsentSubmittedAudiences,
    ContentLevel,
    CreateTokenBody,
    DateLevel,
    DisclosureBasis,
    IdentityLevel,
    Include,
    Me,
    MergePatch,
    PlaceLevel,
    PlaceSubmitted,
    PlaceType,
    PlaceWritten,
    Problem,
    Purpose,
    Reason,
    Sort,
    TestimonyList,
    TestimonySubmitted,
    TestimonyWritten,
    Text,
    Token,
    WitnessForm,
    WitnessSubmitted,
)
from evidence_client.types import UNSET, Unset

# --- sign in ---


def sign_in(address: str, client_id: str, client_secret: str) -> AuthenticatedClient:
    """Return a client with a token, which holds ten minutes."""
    proof = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    with AuthenticatedClient(address, proof, prefix="Basic") as basic:
        token = create_token.sync(client=basic, body=CreateTokenBody("client_credentials"))
    assert isinstance(token, Token), token
    return AuthenticatedClient(address, token.access_token)


# --- send ---


def text(english: str) -> Text:
    """Return a text in one language."""
    return Text.from_dict({"en": english})


def consent() -> ConsentSubmitted:
    """Return what a witness allowed: partners may use all but the name, for research."""
    partners = AllowedSubmitted(
        content=ContentLevel.FULL,
        identity=IdentityLevel.WITHHELD,
        place=PlaceLevel.COUNTY,
        date=DateLevel.YEAR,
        purposes=[Purpose.RESEARCH],
    )
    return ConsentSubmitted(
        obtained_by="An interviewer",
        obtained_on="2025-03-01",
        form=ConsentForm.WRITTEN,
        language="ko",
        recontact=False,
        audiences=ConsentSubmittedAudiences.from_dict({"partner": partners.to_dict()}),
    )


def testimony(number: int, place: str, date: str) -> TestimonySubmitted:
    """Return a record as it is sent."""
    return TestimonySubmitted(
        disclosure_basis=DisclosureBasis.CONSENT,
        witness=WitnessSubmitted(form=WitnessForm.UNNAMED),
        recorded_by="example-ngo",
        consent=consent(),
        date=date,
        places=[place],
        note=text(f"Sheet {number} at {place}"),
    )


def send(client: AuthenticatedClient, number: int, place: str) -> str:
    """Send one record; sent again with the same key, it is done once. Return its id."""
    body = testimony(number, place, f"{2000 + number}-05")
    made = create_testimony.sync(client=client, body=body, idempotency_key=f"{place}-{number}")
    assert isinstance(made, TestimonyWritten), made
    return made.id


# --- read ---


def pages(client: AuthenticatedClient, **filters: Any) -> Iterator[list[str]]:
    """Yield the ids of a filtered list, page by page: `next` has the cursor of the page that follows."""
    cursor: str | Unset = UNSET
    while True:
        page = list_testimonies.sync(client=client, limit=3, cursor=cursor, **filters)
        assert isinstance(page, TestimonyList), page
        yield [item.id for item in page.items]
        if page.next_ is None:
            return
        (cursor,) = parse_qs(urlsplit(page.next_).query)["cursor"]


# --- keep a copy ---


def follow(client: AuthenticatedClient, after: str, copy: dict[str, Any]) -> tuple[str, list[str]]:
    """Bring a copy up to date; return the place to go on from next time, and what happened."""
    happened = []
    while True:
        page = list_changes.sync(client=client, after=after, include=Include.RECORD, limit=4)
        assert isinstance(page, ChangeList), page
        for change in page.items:
            happened.append(change.change.value)
            if change.change == ChangeMade.REMOVED or not change.record:
                copy.pop(change.url, None)
            else:
                copy[change.url] = change.record.to_dict()
        (after,) = parse_qs(urlsplit(page.next_).query)["after"]
        if not page.more:
            return after, happened


# --- change, and be told what stands against it ---


def revise(client: AuthenticatedClient, place: str) -> dict[str, Any]:
    """Change a record as it was last seen; then as it was seen before, and to something that is no date."""
    made = create_testimony.sync_detailed(client=client, body=testimony(7, place, "2007"))
    assert isinstance(made.parsed, TestimonyWritten), made
    id, seen = made.parsed.id, made.headers["ETag"]
    patch = MergePatch.from_dict({"date": "2008-06"})
    changed = change_testimony.sync(id, client=client, body=patch, if_match=seen)
    assert isinstance(changed, TestimonyWritten), changed
    stale = change_testimony.sync(id, client=client, body=patch, if_match=seen)
    assert isinstance(stale, Problem), stale
    wrong = create_testimony.sync(client=client, body=testimony(8, place, "2007-13"))
    assert isinstance(wrong, Problem) and not isinstance(wrong.errors, Unset), wrong
    faults = [(fault.pointer, fault.detail) for fault in wrong.errors]
    return {"revision": changed.revision, "stale": stale.type_.value, "wrong": wrong.status, "faults": faults}


# --- end ---


def end(client: AuthenticatedClient, id: str, place: str) -> dict[str, Any]:
    """A witness withdraws: no further use. And a place that was entered twice is taken back."""
    ended = withdraw_testimony.sync(id, client=client, body=Reason("The witness asked."))
    assert isinstance(ended, TestimonyWritten), ended
    twice = create_place.sync_detailed(client=client, body=PlaceSubmitted(text("A county"), PlaceType.COUNTY, id=place))
    tag = twice.headers["ETag"]
    gone = retract_place.sync_detailed(place, client=client, body=Reason("Entered twice."), if_match=tag)
    return {"state": ended.state.value, "retracted": gone.status_code}


def main() -> None:
    """Tell the story; print what came of it."""
    place, copy = os.environ["PLACE"], dict[str, Any]()
    with sign_in(os.environ["SERVICE"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]) as client:
        me = get_me.sync(client=client)
        assert isinstance(me, Me), me
        made = create_place.sync(client=client, body=PlaceSubmitted(text("A county"), PlaceType.COUNTY, id=place))
        assert isinstance(made, PlaceWritten), made
        after, _ = follow(client, "start", copy)
        before = len(copy)
        ids = [send(client, number, place) for number in range(7)]
        once = send(client, 0, place) == ids[0]
        after, sent = follow(client, after, copy)
        read = [[ids.index(id) for id in page] for page in pages(client, place=[place], from_="2002", sort=Sort.DATE)]
        revised = revise(client, place)
        after, then = follow(client, after, copy)
        ended = end(client, ids[0], f"{place}-twice")
        after, last = follow(client, after, copy)
        left = [len(page) for page in pages(client, place=[place])]
    told = {"me": me.organisation, "once": once, "pages": read, "left": left, "copy": len(copy) - before}
    print(json.dumps({**told, **revised, **ended, "changes": [sent, then, last]}))


if __name__ == "__main__":
    main()
