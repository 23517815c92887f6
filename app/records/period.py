"""A period: a named span of time, kept as data."""

from typing import Literal

from app.records.base import Content, Edtf, OwnSlug, Text
from app.records.kind import Kind
from app.records.shown import Date, ShownRecord, says


class Period(Content):
    """A span that has a name: an era, a mandate, before and after December 2011."""

    kind: Literal["period"] = "period"
    id: OwnSlug | None = None
    label: Text
    date: Edtf
    basis: Text | None = None


class PeriodShown(ShownRecord):
    """A named span of time; its id is what `period=` takes."""

    id: str = says("Readable and permanent.", "post-2011-12")
    kind: Literal["period"] = says("Always period.", "period")
    label: Text = says("Its name.", {"en": "From 17 December 2011"})
    date: Date = says(
        "The span.", {"edtf": "2011-12-17/..", "start": ["2011-12-17", "2011-12-17"], "end": [None, None]}
    )
    basis: Text | None = says(
        "Why it begins and ends there.",
        {
            "en": "From Kim Jong Il's death on 17 December 2011, announced on 19 December together with his son as "
            "successor"
        },
    )


KIND = Kind(
    name="period",
    path="periods",
    title="Periods",
    about="Named spans of time: eras, mandates, before and after December 2011.",
    model=Period,
    shown=PeriodShown,
    date="date",
    dates=("date",),
    references=(("citations[].source", "source"),),
    facets={"source": "citations[].source"},
)
