"""Families: three records of every kind, each naming those of its own family alone, and one above it where it can."""

from dataclasses import dataclass, field
from typing import Any

from app.intake.order import RANK
from app.records import BY_NAME, KINDS
from tests.contract.planting import Ids, Marks, Planter, opaque, word
from tests.contract.vault import OpenVault

FAMILIES = "abc"
DATES = {"a": "1990-05", "b": "1990/2012", "c": "2001/2003"}
GIVEN = {"a": "1991", "b": "2011", "c": "2021"}
A_DAY = 86_400_000
OWN_KIND = [kind.name for kind in KINDS if any(kind.name in to for _, to in kind.references if kind.name != "link")]


@dataclass
class Families:
    """Ids by name: `place-a`, and `place-above-a` for what it names of its own kind."""

    marks: Marks = field(default_factory=Marks)
    ids: dict[str, str] = field(default_factory=dict)
    contents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def grow(self) -> None:
        """Make all contents, family by family."""
        for family in FAMILIES:
            if family == "b":  # a source that goes back to nothing that its witness was heard in
                self._add("source", "source-aside", family)
            for kind in sorted(KINDS[:-1], key=lambda kind: RANK[kind.name]):  # what others name comes first
                if kind.name in OWN_KIND:
                    self._add(kind.name, f"{kind.name}-above", family)
                self._add(kind.name, kind.name, family)
            for kind in KINDS[:-1]:
                ends = {"from": self.ids[f"{kind.name}-{family}"], "to": self.ids[f"crime-{family}"]}
                if ends["from"] == ends["to"]:
                    ends["to"] = self.ids[f"source-{family}"]
                self._add("link", f"link-{kind.name}", family, ends)

    def _add(self, kind: str, name: str, family: str, more: dict[str, Any] | None = None) -> None:
        number = self.marks.new(name, ())
        stated: dict[str, Any] = {"type": "institution"} if kind == "actor" else {}
        opaquely = BY_NAME[kind].draws_id(stated)
        id = self.ids[f"{name}-{family}"] = opaque(str(BY_NAME[kind].prefix), number) if opaquely else word(number)
        stated |= {"kind": kind, "id": id, "restricted": False, "date": DATES[family], "protection": None}
        stated |= {"disclosure_basis": "published", "consent": None, "given": GIVEN[family]}
        stated |= {"left": GIVEN[family], "witness.left": GIVEN[family], "title_only": False, **(more or {})}
        for path, to in BY_NAME[kind].references:
            key = path.replace("[]", "")
            allowed = [to] if isinstance(to, str) else to
            named = [self.ids.get(f"{one}{'-above' if one == kind else ''}-{family}") for one in allowed]
            stated.setdefault(key, Ids(one for one in named if one is not None and one != id))
        if (kind, family) == ("incident", "b"):  # one witness, and what is not where the witness was heard
            stated["citations.source"] = Ids([self.ids["source-b"], self.ids["source-aside-b"]])
            stated["citations.supports"] = None  # all of it
        planter = Planter(self.marks, name, stated, FAMILIES.index(family))
        self.contents.setdefault(family, []).append(planter.plant(kind))


def settle(vault: OpenVault) -> Families:
    """Put the families into a vault: each has an owner of its own, and comes a day after the one before."""
    families = Families()
    families.grow()
    for family, contents in families.contents.items():
        drafts = [
            vault.intake.draft(BY_NAME[one["kind"]].model.model_validate(one), f"owner-{family}") for one in contents
        ]
        vault.intake.submit(drafts, f"owner-{family}")
        vault.clock.now += A_DAY
    return families
