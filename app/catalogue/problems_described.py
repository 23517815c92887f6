"""Examples of problems, as the description of the API has them: each as the service answers it."""

from app.access.caller import unauthenticated
from app.core.problems import Fault, Problem, invalid, not_found
from app.core.schema import Json

_PROBLEMS = {
    "invalid-parameter": Problem(
        "invalid-parameter",
        "There is no parameter 'bbbox'. Did you mean 'bbox'?",
        (Fault("query", "bbbox", "There is no parameter 'bbbox'. Did you mean 'bbox'?"),),
    ),
    "unauthenticated": unauthenticated("This credential is not known here, or is not whole.", given=True),
    "forbidden": Problem(
        "forbidden",
        "This needs the right 'read', to read records as one of its views is shown them. Your credential has: admin.",
    ),
    "too-large": Problem("too-large", "A body has at most 65536 bytes here."),
    "unsupported-media-type": Problem("unsupported-media-type", "The body has to be application/json."),
    "not-found": not_found(),
    "not-acceptable": Problem(
        "not-acceptable", "This is offered as application/json; the header Accept takes none of them."
    ),
    "conflict": Problem("conflict", "This id is taken. Choose another one."),
    "precondition-failed": Problem("precondition-failed", "The record was changed since: read it as submitted again."),
    "precondition-required": Problem(
        "precondition-required", "Say which form of the record you change: its ETag, as If-Match."
    ),
    "too-long": Problem("too-long", "The query string has 9001 bytes; 8192 are the most that is read."),
    "invalid-request": invalid([Fault("query", "peroid", "There is no parameter 'peroid'. Did you mean 'period'?")]),
    "too-many-requests": Problem(
        "too-many-requests", "More than 3000 requests came from you in a minute. Try again in 2 seconds."
    ),
    "internal-error": Problem("internal-error", "Something went wrong here. The operator can find it."),
    "unavailable": Problem("unavailable", "What you may see is being prepared. Try again later."),
}


def problem(slug: str) -> Json:
    """Return an example of a problem."""
    return _PROBLEMS[slug].as_json()
