"""A finding: what a body of inquiry found, by paragraph."""

from typing import Annotated, Literal

from pydantic import Field

from app.records.base import Content, Name, OwnSlug, Slug, StandardOfProof, Text
from app.records.kind import Kind
from app.records.shown import ShownRecord, says


class Finding(Content):
    """A finding in our words, with its paragraph."""

    kind: Literal["finding"] = "finding"
    id: OwnSlug | None = None
    document: Name
    area: Name
    paragraph: Name
    paraphrase: Text
    violations: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    standard_of_proof: StandardOfProof = "not-stated"
    source: Slug | None = None


class FindingShown(ShownRecord):
    """What a body of inquiry found."""

    id: str = says("Readable and permanent.", "find-63-59")
    kind: Literal["finding"] = says("Always finding.", "finding")
    document: str = says("The document.", "A/HRC/25/63")
    area: str = says("The part of the inquiry that it belongs to.", "detention-torture-camps")
    paragraph: str = says("Its paragraph.", "59")
    paraphrase: Text = says(
        "The finding in our words.",
        {
            "en": "People found to have committed major political crimes are sent to political prison camps without "
            "trial; families up to three generations used to be sent too"
        },
    )
    violations: list[str] = says(
        "Ids of the violations found.",
        ["detention-torture-camps", "unfair-trial", "political-prison-camp", "guilt-by-association"],
    )
    standard_of_proof: StandardOfProof = says("By which standard it was found.", "reasonable-grounds-to-believe")
    source: str | None = says("Id of the document.", "src-004")


KIND = Kind(
    name="finding",
    path="findings",
    title="Findings",
    about="What the commission of inquiry and later reports found, by paragraph.",
    model=Finding,
    shown=FindingShown,
    references=(("violations", "violation"), ("source", "source"), ("citations[].source", "source")),
    facets={
        "violation": "violations",
        "standard_of_proof": "standard_of_proof",
        "source": "citations[].source|source",
    },
)
