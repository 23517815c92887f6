"""The model: what two records share, how often pairs of one thing share it (m), and how often any two do (u).

The numbers are fixed, and a part of the program: nothing is learnt from the records, so no score says anything of
records that the two are not. `docs/duplicates.md` says how they were chosen, and how well they do. The form is splink's
(Fellegi and Sunter's model): the levels of a comparison exclude one another, the first that holds is taken.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

PRIOR = 0.001  # of two records that share a key, before anything is compared


class Level(NamedTuple):
    """One way in which two records may be alike in something."""

    says: str  # the word for it, in answers
    holds: str  # SQL on the columns of both; "" where no other level held
    m: float
    u: float


class Comparison(NamedTuple):
    """Something that is compared, and what has to be there in both."""

    on: str
    needs: str  # SQL; where it does not hold, nothing is said
    levels: tuple[Level, ...]


_SHARED_WORDS = "len(list_intersect(words_l, words_r))"
_OF_ALL_WORDS = f"{_SHARED_WORDS}::DOUBLE / (len(words_l) + len(words_r) - {_SHARED_WORDS})"
_OVERLAP = "s0_l <= e1_r AND s0_r <= e1_l"


def _any(column: str) -> str:
    return f"list_has_any({column}_l, {column}_r)"


def _both(column: str) -> str:
    return f"len({column}_l) > 0 AND len({column}_r) > 0"


def _known(column: str) -> str:
    return f"{column}_l IS NOT NULL AND {column}_r IS NOT NULL"


def _spans(days: int) -> str:
    """Return the condition that both dates are so exact, and overlap."""
    return f"{_OVERLAP} AND e1_l - s0_l <= {days} AND e1_r - s0_r <= {days}"


def _place(same: tuple[float, float], within: tuple[float, float], beside: tuple[float, float]) -> Comparison:
    m, u = (1 - same[i] - within[i] - beside[i] for i in (0, 1))
    return Comparison(
        "place",
        _both("places"),
        (
            Level("same", _any("places"), *same),
            Level("within", "list_has_any(places_l, above_r) OR list_has_any(above_l, places_r)", *within),
            Level("beside", _any("above"), *beside),
            Level("apart", "", m, u),
        ),
    )


_CITED = Comparison(
    "citation",
    f"{_both('sources')} OR {_both('cited')}",
    (
        Level("same-passage", _any("cited"), 0.30, 0.002),
        Level("same-source", _any("sources"), 0.30, 0.10),
        Level("other", "", 0.40, 0.898),
    ),
)
_PERSON = (
    Comparison(
        "name",
        _both("names"),
        (
            Level("same", _any("names"), 0.85, 0.0008),
            Level("near", _any("bones"), 0.10, 0.004),
            Level("other", "", 0.05, 0.9952),
        ),
    ),
    Comparison("sex", _known("sex"), (Level("same", "sex_l = sex_r", 0.98, 0.5), Level("other", "", 0.02, 0.5))),
    Comparison("age", _known("age"), (Level("same", "age_l = age_r", 0.75, 0.3), Level("other", "", 0.25, 0.7))),
    _place((0.80, 0.12), (0.10, 0.08), (0.05, 0.20)),
    Comparison(
        "left",
        _known("s0"),
        (
            Level("same-month", _spans(31), 0.45, 0.004),
            Level("same-year", _spans(366), 0.35, 0.05),
            Level("overlaps", _OVERLAP, 0.15, 0.25),
            Level("apart", "", 0.05, 0.696),
        ),
    ),
    _CITED,
)
_INCIDENT = (
    Comparison(
        "date",
        _known("s0"),
        (
            Level("same-days", _spans(3), 0.45, 0.001),
            Level("same-month", _spans(31), 0.20, 0.006),
            Level("same-year", _spans(366), 0.20, 0.06),
            Level("overlaps", _OVERLAP, 0.12, 0.30),
            Level("apart", "", 0.03, 0.633),
        ),
    ),
    _place((0.70, 0.02), (0.18, 0.10), (0.06, 0.20)),
    Comparison(
        "violation",
        _both("violations"),
        (
            Level("same", "list_sort(violations_l) = list_sort(violations_r)", 0.50, 0.06),
            Level("shared", _any("violations"), 0.42, 0.15),
            Level("other", "", 0.08, 0.79),
        ),
    ),
    Comparison(
        "words",
        _both("words"),
        (
            Level("alike", f"{_OF_ALL_WORDS} >= 0.5", 0.35, 0.0005),
            Level("shared", f"{_OF_ALL_WORDS} >= 0.2", 0.35, 0.02),
            Level("other", "", 0.30, 0.9795),
        ),
    ),
    Comparison(
        "victims",
        f"{_known('victims')} AND greatest(victims_l, victims_r) > 2",  # one or two say little of what happened
        (Level("same-number", "victims_l = victims_r", 0.65, 0.08), Level("other", "", 0.35, 0.92)),
    ),
    Comparison(
        "people", _both("people"), (Level("shared", _any("people"), 0.85, 0.01), Level("other", "", 0.15, 0.99))
    ),
    Comparison("actor", _both("actors"), (Level("shared", _any("actors"), 0.65, 0.2), Level("other", "", 0.35, 0.8))),
    Comparison("testimony", _both("told"), (Level("shared", _any("told"), 0.40, 0.02), Level("other", "", 0.60, 0.98))),
    Comparison("scope", _known("scope"), (Level("same", "scope_l = scope_r", 0.9, 0.5), Level("other", "", 0.1, 0.5))),
    _CITED,
)
MODELS: dict[str, tuple[Comparison, ...]] = {"person": _PERSON, "incident": _INCIDENT}


def settings(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return a model as splink takes it."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": PRIOR,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": "l.keys = r.keys AND (l.mine OR r.mine)", "arrays_to_explode": ["keys"]}
        ],
        "comparisons": [_compared(one) for one in comparisons],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }


def _compared(one: Comparison) -> dict[str, Any]:
    nothing = {"sql_condition": f"NOT ({one.needs})", "label_for_charts": "unknown", "is_null_level": True}
    return {
        "output_column_name": one.on,
        "comparison_levels": [
            nothing,
            *(
                {
                    "sql_condition": level.holds or "ELSE",
                    "label_for_charts": level.says,
                    "m_probability": level.m,
                    "u_probability": level.u,
                }
                for level in one.levels
            ),
        ],
    }
