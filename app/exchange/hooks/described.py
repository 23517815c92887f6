"""What the description of the API says of webhooks and acknowledgements, the message that is sent included."""

from typing import Any

from app.access.described import PURPOSE, models, ref
from app.access.managing import Rotation
from app.access.operations import PAGED, many, of_id, operation, query
from app.core.schema import MOMENT, TEXT, Json, closed, listed, or_null
from app.exchange.hooks.acknowledging import STATES, NewAcknowledgement
from app.exchange.hooks.managing import STATES as MESSAGES
from app.exchange.hooks.managing import ChangedWebhook, NewWebhook, Replay
from app.exchange.hooks.messages import CHANGED, TEST
from app.records import KINDS

TAG, TAG_SAID = "Webhooks", "Acknowledgements"
TAGS = [
    {"name": TAG, "description": "Being told that something changed."},
    {"name": TAG_SAID, "description": "Saying that what was removed is no longer held."},
]
OUTCOMES = ("delivered", "gone", "refused", "timeout", "connection", "tls", "protocol", "address", "secret")
_AT = "2026-11-24T10:31:26.123Z"
_ID, _MESSAGE = "whk-68s4te5cxbccjaqbgqzy10b8jh", f"msg_{'0a1b2c3d' * 4}"
_RECORD = "tst-68s4te5cxbccjaqbgqzy10b8jh"
_COUNT: Json = {"type": "integer", "minimum": 0}
_POSITION: Json = TEXT | {"description": "A place in the feed: `after` of /v1/changes without filters takes it."}
_KIND: Json = {"type": "string", "enum": [kind.name for kind in KINDS]}
_STATUS: Json = {"type": ["integer", "null"], "description": "What was answered, if anything was."}
_SECRET: Json = TEXT | {"description": "Shown now and never again. It signs every message."}

WEBHOOK: Json = {
    "id": _ID,
    "organisation": "example-ngo",
    "credential": "crd-33fhnhyemnqtxtj950xaj2exh7",
    "view": "partner/research",
    "name": "Our mirror",
    "url": "https://mirror.example.org/hooks/evidence",
    "kinds": ["incident", "testimony"],
    "state": "active",
    "reason": None,
    "created": _AT,
    "position": "UYn0rA",
    "waiting": 0,
    "dead": 0,
    "failing_since": None,
    "next_try": None,
    "former_secret_ends": None,
}
DELIVERY: Json = {
    "id": _MESSAGE,
    "state": "delivered",
    "changes": 2,
    "made": _AT,
    "tries": 1,
    "tried": _AT,
    "outcome": "delivered",
    "status": 204,
}
SAID: Json = {
    "record": _RECORD,
    "kind": "testimony",
    "state": "acknowledged",
    "removed": _AT,
    "acknowledged": "2026-11-24T11:00:00.000Z",
}
MESSAGE: Json = {
    "type": CHANGED,
    "timestamp": _AT,
    "data": {
        "webhook": _ID,
        "position": "UYn0rA",
        "changes": [{"id": _RECORD, "kind": "testimony", "change": "removed"}],
    },
}
_MEMBERS: Json = {
    **dict.fromkeys(("id", "organisation", "credential"), TEXT),
    "view": TEXT | {"description": "What it is told of: fixed when it was made."},
    "name": TEXT,
    "url": TEXT,
    "kinds": listed(_KIND) | {"description": "Empty: all."},
    "state": {
        "type": "string",
        "enum": ["active", "paused", "disabled", "stopped"],
        "description": "disabled: the receiver is gone or failed for days; stopped: its credential or view has ended.",
    },
    "reason": {"type": ["string", "null"], "enum": ["gone", "failing", "credential", "view", None]},
    "created": MOMENT,
    "position": _POSITION | {"description": "Up to here every change was handed over, or put aside."},
    "waiting": _COUNT | {"description": "Messages that were made and not yet taken."},
    "dead": _COUNT | {"description": "Messages that were put aside."},
    "failing_since": or_null(MOMENT),
    "next_try": or_null(MOMENT),
    "former_secret_ends": or_null(MOMENT),
}
_CHANGE = closed(
    {"id": TEXT, "kind": _KIND, "change": {"type": "string", "enum": ["created", "updated", "removed", "merged"]}}
)


def schemas() -> Json:
    """Return the schemas of all that is sent and answered here."""
    paged = {"next": or_null(TEXT | {"format": "uri"})}
    whole = {"next": {"type": "null"}, "total": _COUNT}
    said = closed(
        {
            "record": TEXT,
            "kind": _KIND,
            "state": {"type": "string", "enum": list(STATES)},
            "removed": MOMENT,
            "acknowledged": or_null(MOMENT),
        },
        description="A record that your organisation read and that is removed; whether you said that it is gone.",
    )
    delivery = closed(
        {
            "id": TEXT | {"description": "The header `webhook-id` of every attempt."},
            "state": {"type": "string", "enum": list(MESSAGES)},
            "changes": _COUNT | {"description": "How many it tells of."},
            "made": MOMENT,
            "tries": _COUNT,
            "tried": or_null(MOMENT),
            "outcome": {"type": ["string", "null"], "enum": [*OUTCOMES, None]},
            "status": _STATUS,
        }
    )
    data = closed({"webhook": TEXT, "position": _POSITION, "changes": listed(_CHANGE)})
    return models(NewWebhook, ChangedWebhook, Replay, Rotation, NewAcknowledgement) | {
        "Webhook": closed(_MEMBERS, description="A webhook, without its secret."),
        "WebhookWithSecret": closed({**_MEMBERS, "secret": _SECRET}, description="A webhook with a fresh secret."),
        "WebhookList": closed({"items": listed(ref("Webhook")), **whole}),
        "Delivery": delivery,
        "DeliveryList": closed({"items": listed(ref("Delivery")), **paged}),
        "Tried": closed({"id": TEXT, "outcome": {"type": "string", "enum": list(OUTCOMES)}, "status": _STATUS}),
        "Replayed": closed({"replayed": _COUNT}),
        "Acknowledgement": said,
        "AcknowledgementList": closed({"items": listed(ref("Acknowledgement")), **paged}),
        "AcknowledgementsKept": closed({"items": listed(ref("Acknowledgement")), **whole}),
        "RecordsChanged": closed(
            {"type": {"type": "string", "const": CHANGED}, "timestamp": MOMENT, "data": data},
            description="Which records changed, and how. What they are now, ask the service.",
        ),
        "WebhookTest": closed(
            {"type": {"type": "string", "const": TEST}, "timestamp": MOMENT, "data": closed({"webhook": TEXT})},
            description="Only whether messages arrive.",
        ),
    }


_ASKED, _OF_ONE = ("401", "403", "422"), ("401", "403", "404", "422")
_GIVEN = ("401", "403", "413", "415", "422")
_HOOK = (of_id("a webhook", _ID),)
_ONE, _SHOWN_ONCE = ("200", "Webhook", WEBHOOK), WEBHOOK | {"secret": "whsec_" + "A" * 43 + "="}


def _of(name: str, summary: str, doc: str, answer: Any, statuses: tuple[str, ...], **more: Any) -> Json:
    tag = more.pop("tag", TAG)
    return operation(name, summary, doc, answer, statuses, role="read", tag=tag, **more)


def paths() -> Json:
    """Return the description of every route of webhooks and acknowledgements."""
    one, bodied = "/v1/webhooks/{id}", ("401", "403", "404", "413", "415", "422")
    return {
        "/v1/webhooks": {
            "get": _of(
                "listWebhooks",
                "List webhooks",
                "Those that your credential made; with the right `admin` those of your organisation.",
                ("200", "WebhookList", many(WEBHOOK)),
                _ASKED,
            ),
            "post": _of(
                "createWebhook",
                "Be told of changes",
                "From now on, in your view, each message signed (Standard Webhooks). It stops when your credential "
                "does.",
                ("201", "WebhookWithSecret", _SHOWN_ONCE),
                (*_GIVEN, "409"),
                body=("NewWebhook", {name: WEBHOOK[name] for name in ("name", "url", "kinds")}),
                parameters=(PURPOSE,),
            ),
        },
        one: {
            "get": _of("getWebhook", "One webhook", "Without its secret.", _ONE, _OF_ONE, parameters=_HOOK),
            "patch": _of(
                "changeWebhook",
                "Change, pause or begin again",
                "`active` goes on where it stopped: nothing is left out.",
                _ONE,
                bodied,
                body=("ChangedWebhook", {"state": "paused"}),
                parameters=_HOOK,
            ),
            "delete": _deleted(),
        },
        f"{one}/rotate": {
            "post": _of(
                "rotateWebhook",
                "Give a webhook a new secret",
                "While the former one holds, messages have a signature of each.",
                ("200", "WebhookWithSecret", _SHOWN_ONCE),
                bodied,
                body=("Rotation", {"overlap_hours": 24}),
                parameters=_HOOK,
            )
        },
        f"{one}/test": {
            "post": _of(
                "testWebhook",
                "Send a message that tells of nothing",
                "Now and once; the answer says what came of it.",
                ("200", "Tried", {"id": _MESSAGE, "outcome": "delivered", "status": 204}),
                (*_OF_ONE, "409"),
                parameters=_HOOK,
            )
        },
        f"{one}/deliveries": {
            "get": _of(
                "listDeliveries",
                "What was sent",
                "Messages, newest first, and what came of the last attempt at each. Of those that were delivered the "
                "last thousand are told of.",
                ("200", "DeliveryList", {"items": [DELIVERY], "next": None}),
                _OF_ONE,
                parameters=(*_HOOK, _state(MESSAGES, "dead"), *PAGED),
            )
        },
        f"{one}/replay": {
            "post": _of(
                "replayWebhook",
                "Send again what was put aside",
                "Each message by the id that it had; a thousand at a time.",
                ("200", "Replayed", {"replayed": 1}),
                bodied,
                body=("Replay", {"messages": [_MESSAGE]}),
                parameters=_HOOK,
            )
        },
        "/v1/acknowledgements": {
            "get": _of(
                "listAcknowledgements",
                "What am I asked to let go of?",
                "Records that your organisation read in this view and that are removed from it, by their ids.",
                ("200", "AcknowledgementList", {"items": [SAID], "next": None}),
                _ASKED,
                parameters=(_state(STATES, "asked"), *PAGED, PURPOSE),
                tag=TAG_SAID,
            ),
            "post": _of(
                "acknowledge",
                "Say that what is removed is no longer held",
                "All of these, or none where one is wrong. The owner of each is told that you did, and when.",
                ("200", "AcknowledgementsKept", many(SAID)),
                _GIVEN,
                body=("NewAcknowledgement", {"records": [_RECORD]}),
                parameters=(PURPOSE,),
                tag=TAG_SAID,
            ),
        },
    }


def _state(words: tuple[str, ...], example: str) -> Json:
    return query("state", "Only these.", {"type": "string", "enum": list(words)}, example)


def _deleted() -> Json:
    found = _of("deleteWebhook", "Take a webhook away", "With all that waits.", _ONE, _OF_ONE, parameters=_HOOK)
    del found["responses"]["200"]
    found["responses"] = {"204": {"description": "It is gone."}, **found["responses"]}
    return found


def _sent(name: str, summary: str, schema: str, example: Json) -> Json:
    headers = [
        {"name": name, "in": "header", "required": True, "description": doc, "schema": TEXT, "example": value}
        for name, doc, value in (
            ("webhook-id", "The same for each attempt: who has it already drops it.", _MESSAGE),
            ("webhook-timestamp", "When this attempt was made, in seconds since 1970.", "1795516286"),
            ("webhook-signature", "`v1,` and HMAC-SHA256 by the secret; two while it is rotated.", "v1,K5o="),
        )
    ]
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "description": "Standard Webhooks 1.0. Verify the signature over the bytes as they came, then answer.",
            "tags": [TAG],
            "parameters": headers,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref(schema), "example": example}},
            },
            "responses": {
                "2XX": {"description": "Taken. Anything else is tried again, later each time."},
                "410": {"description": "Send nothing more: the webhook is disabled."},
                "429": {"description": "Later: as `Retry-After` says."},
            },
        }
    }


def describe(document: Json) -> Json:
    """Add all of it to the description of the API."""
    document["paths"] |= paths()
    document["tags"] += TAGS
    components = document["components"]
    components["schemas"] = dict(sorted((components["schemas"] | schemas()).items()))
    test = {"type": TEST, "timestamp": _AT, "data": {"webhook": _ID}}
    document["webhooks"] = {
        "records-changed": _sent("recordsChanged", "Records changed", "RecordsChanged", MESSAGE),
        "test": _sent("webhookTest", "A test", "WebhookTest", test),
    }
    return document
