"""The one way in: validated records become revisions, leaves, and what each view is shown, in one transaction."""

import dataclasses
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.core import crypto, ids, moments
from app.disclosure.fitness import Doubt, doubts
from app.intake.world import PEOPLE
from app.intake.write import Writer
from app.records import BY_NAME, references
from app.records.base import Content
from app.records.consent import expiry, not_yet
from app.vault.append import Addition, Head, commit
from app.vault.keys import chunks
from app.vault.tables import GONE, RECORD
from app.vocabulary import edtf

PUBLIC_RECORD = "public-record"
ENDED = "has passed: the record keeps the consent that it has; name a day to come, or take the record back"
STANDS = ("objection", "merger", "linked")  # in a revision, beside what was submitted: what is sent again lifts none
NOWHERE = "names no {} that is on record"
IN_ITSELF = "leads back to this very record: nothing lies in itself"


@dataclass(frozen=True)
class Refusal:
    """One record that cannot be taken: its position in what was submitted, the field, and why."""

    position: int
    field: str
    reason: str
    target: str = dataclasses.field(default="", compare=False)  # the id that stands in that field and cannot be taken


class Refused(Exception):
    """Nothing was taken; the reasons say why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Keep the reasons."""
        super().__init__(f"{len(refusals)} reasons")
        self.refusals = tuple(refusals)


@dataclass
class Outcome:
    """What became of a submission: ids by what happened to them."""

    created: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    doubts: list[tuple[str, Doubt]] = field(default_factory=list)  # by id: what a person should look at again


@dataclass(frozen=True)
class Asker:
    """Whoever submits from outside, who must learn of no record of others that they are not shown.

    Such a record is none that could be named, unless the newest revision of theirs names it already.
    """

    organisation: str
    views: int  # that they are shown, one bit each


@dataclass(frozen=True, slots=True)
class Draft:
    """A record on its way in, with its id."""

    id: str
    kind: str
    content: Mapping[str, Any]
    plain: bytes
    links: tuple[tuple[str, str, tuple[str, ...]], ...]
    targets: tuple[str, ...]  # the ids of the records that it names, each once

    @classmethod
    def of(cls, plain: bytes) -> "Draft":
        """Return the draft with these canonical bytes."""
        value = orjson.loads(plain)
        kind = BY_NAME[value["kind"]]
        links = tuple(references(kind, value))
        return cls(value["id"], kind.name, value, plain, links, tuple(dict.fromkeys([one[1] for one in links])))

    def under(self, standing: Mapping[str, Any]) -> "Draft":
        """Return the draft with what stands whatever is submitted: see `STANDS`."""
        return Draft.of(BY_NAME[self.kind].canonical({**self.content, **standing}))


def stands(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a revision stays, whatever is submitted after it."""
    return {name: content[name] for name in STANDS if content.get(name)}


def is_over(content: Mapping[str, Any], now: int) -> bool:
    """Tell whether a consent has run out at a moment."""
    moment = expiry(content)
    return moment is not None and moment <= now


def _is_same(draft: Draft, head: Head) -> bool:
    """Tell whether a draft is what the newest revision of its record says."""
    return commit(head.salt, draft.plain) == head.commitment


def barred(head: Head, content: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the field and the reason for which a record that is gone may not come back as this, if it may not."""
    if head.state == "erased":
        return "id", "was erased: what is erased does not come back"
    if head.state == "withdrawn":
        stated = (content.get("consent") or {}).get("obtained_on")
        withdrawn = edtf.bounds(moments.iso(head.at)[:10])
        if stated is None or edtf.bounds(stated).s0 < withdrawn.s0:
            return "consent", "the record was withdrawn: it comes back only with a consent obtained since"
    return None


class Intake:
    """The way in: gives records their ids, checks what they name, and has them written."""

    def __init__(self, writer: Writer) -> None:
        """Take records in by a writer."""
        self.writer = writer
        self._naming = crypto.derive(writer.master, "ids")

    def draft(self, content: Content, owner: str) -> Draft:
        """Give a validated record its id and its canonical bytes.

        A record that states no id gets one that depends on its owner and slug, or on its owner and whole content, by
        a secret function: the same file loaded twice makes the same records, and the id tells nobody anything.

        Raises:
            Refused: it states no id and needs one, or a consent or assessment of a day to come.
        """
        value = content.content()
        kind = BY_NAME[value["kind"]]
        if value["id"] is None:
            if not kind.draws_id(value):
                raise Refused([Refusal(0, "id", "is required: records of this kind have readable ids")])
            value["id"] = self.drawn(kind.name, value, owner)
        if early := [Refusal(0, name, reason) for name, reason in not_yet(value, moments.day_of(self.writer.clock()))]:
            raise Refused(early)
        # From the canonical bytes: what is shown must come out the same from a revision read back.
        return Draft.of(kind.canonical(value))

    def drawn(self, kind: str, content: Mapping[str, Any], owner: str) -> str:
        """Return the id that a record of an owner gets which states none, by its slug or else by its whole content."""
        name = content["slug"].encode() if content["slug"] else BY_NAME[kind].canonical({**content, "id": None})
        return ids.fixed(str(BY_NAME[kind].prefix), self.digest(kind, name, owner))

    def digest(self, kind: str, name: bytes, owner: str) -> str:
        """Return what the id of an owner's record follows from, by its slug or another name: 64 hexadecimal digits."""
        return hmac.digest(self._naming, b"\0".join((owner.encode(), kind.encode(), name)), hashlib.sha256).hex()

    def submit(
        self,
        drafts: Sequence[Draft],
        owner: str,
        promised: Callable[[str], str | None] = lambda _: None,
        asker: Asker | None = None,
    ) -> Outcome:
        """Take records: all of them, or none.

        Args:
            drafts: records with distinct ids.
            owner: the organisation that holds them.
            promised: tells the kind of a record that a later submission of the same load will bring, by its id.
            asker: whoever submits, where it must learn of no hidden record of others.

        Raises:
            Refused: a reference leads nowhere, an id belongs to another kind or owner, or a new consent has run out.
                Nothing was written.
        """

        def _submit(connection: Connection, at: int, size: int) -> Outcome:
            outcome, additions = self.plan(connection, drafts, owner, promised, asker)
            self.writer.append(connection, at, size, additions)
            return outcome

        return self.writer.transact(_submit)

    def plan(
        self,
        connection: Connection,
        drafts: Sequence[Draft],
        owner: str,
        promised: Callable[[str], str | None] = lambda _: None,
        asker: Asker | None = None,
    ) -> tuple[Outcome, list[Addition]]:
        """Return what would become of drafts, and what is to be appended for that; nothing is written.

        Raises:
            Refused: as for `submit`; an `asker` may name no record of others that it is not shown.
        """
        heads = self.writer.vault.heads(connection, [draft.id for draft in drafts])
        self._check(connection, drafts, heads, owner, promised, asker)
        outcome = Outcome()
        additions: list[Addition] = []
        for draft in self._under_what_stands(connection, drafts, heads):
            head = heads.get(draft.id)
            if head is not None and head.state not in GONE and _is_same(draft, head):
                outcome.unchanged.append(draft.id)
                continue
            (outcome.revised if head else outcome.created).append(draft.id)
            additions.append(self.addition(draft, owner, head))
        outcome.doubts = self.doubts(additions, asker)
        return outcome, additions

    def doubts(self, additions: Sequence[Addition], asker: Asker | None = None) -> list[tuple[str, Doubt]]:
        """Return what a person should look at again, by id; what the additions name must have been learnt.

        An `asker` is told of no name in a record of others: it could try one after another.
        """
        world, here = self.writer.world, {one.id: one.content for one in additions}

        def contents(id: str) -> Mapping[str, Any] | None:
            node = world.node(id)
            if asker is not None and node is not None and node.owner != asker.organisation:
                return None
            return here.get(id) or world.content(id)

        found: list[tuple[str, Doubt]] = []
        for one in additions:
            found += [(one.id, doubt) for doubt in doubts(BY_NAME[one.kind], one.content, contents, world)]
            if one.state == "expired":
                found.append((one.id, Doubt("consent.expires", "has passed: the record is kept, and shown to nobody")))
        return found

    def _under_what_stands(
        self, connection: Connection, drafts: Sequence[Draft], heads: Mapping[str, Head]
    ) -> Sequence[Draft]:
        """Return drafts with what stands of each in the vault: an objection, a merger, what it is linked to.

        What is sent again lifts none of it.
        """
        met = [(draft, heads[draft.id]) for draft in drafts if draft.id in heads]
        changed = [draft for draft, head in met if head.state != "erased" and not _is_same(draft, head)]
        if not changed:
            return drafts
        merged = self.writer.vault.survivors(connection, [draft.id for draft in changed])
        may = [one.id for one in changed if one.kind in PEOPLE or one.id in merged]
        stand = {id: stands(one.content) for id, one in self.writer.vault.read(connection, may).items()}
        return [draft.under(standing) if (standing := stand.get(draft.id)) else draft for draft in drafts]

    def _check(
        self,
        connection: Connection,
        drafts: Sequence[Draft],
        heads: Mapping[str, Head],
        owner: str,
        promised: Callable[[str], str | None],
        asker: Asker | None,
    ) -> None:
        refusals: list[Refusal] = []
        named = self.named(connection, [one.id for one in drafts if one.id in heads]) if asker is not None else {}
        here = {draft.id: draft.kind for draft in drafts}
        self.writer.world.learn(connection, [to for draft in drafts for to in draft.targets if to not in here])
        for position, draft in enumerate(drafts):
            head = heads.get(draft.id)
            if head is not None and (head.kind, head.owner) != (draft.kind, owner):
                refusals.append(Refusal(position, "id", "belongs to a record of another kind or owner"))
            elif head is not None and (reason := barred(head, draft.content)) is not None:
                refusals.append(Refusal(position, *reason))
            for path, target, allowed in draft.links:
                if asker is not None and not self._is_known(target, asker):
                    if target in named.get(draft.id, ()):
                        continue
                    kind = here.get(target) or promised(target)
                else:
                    kind = here.get(target) or self._kind_of(target) or promised(target)
                if kind not in allowed:
                    refusals.append(Refusal(position, path, NOWHERE.format(" or ".join(allowed)), target))
        refusals += self._circles(drafts)
        refusals += self.ended(connection, drafts)
        if len(here) < len(drafts):
            refusals.append(Refusal(len(here), "id", "stands twice in one submission"))
        if refusals:
            raise Refused(refusals)

    def ended(self, connection: Connection, drafts: Sequence[Draft]) -> list[Refusal]:
        """Return a refusal for every draft that gives a record on record a new consent, which has run out already.

        A record that is new with such a consent is taken and shown to nobody (docs/consent.md), and so is one whose
        consent is the one on record: a file that is kept for long is loaded again like any other.
        """
        now = self.writer.clock()
        over = {one.id: position for position, one in enumerate(drafts) if is_over(one.content, now)}
        refusals: list[Refusal] = []
        for id, stored in self.writer.vault.read(connection, over).items() if over else ():
            if stored.content.get("consent") != drafts[over[id]].content["consent"]:
                refusals.append(Refusal(over[id], "consent.expires", ENDED))
        return refusals

    def _circles(self, drafts: Sequence[Draft]) -> list[Refusal]:
        """Return a refusal for every draft that would lie in itself, by way of others."""
        here = {draft.id: draft.content["parent"] for draft in drafts if BY_NAME[draft.kind].hierarchical}
        refusals: list[Refusal] = []
        for position, draft in enumerate(drafts):
            above, met = here.get(draft.id), set[str]()
            while above is not None and above != draft.id and above not in met:
                met.add(above)
                node = self.writer.world.node(above)
                above = here.get(above, node.parent if node is not None else None)
            if above == draft.id:
                refusals.append(Refusal(position, "parent", IN_ITSELF))
        return refusals

    def unknown(self, connection: Connection, ids: Iterable[str], asker: Asker) -> set[str]:
        """Return those of some ids that are of records of others, of which an asker must not learn."""
        c = RECORD.c
        found: set[str] = set()
        for chunk in chunks(ids):
            rows = connection.execute(select(c.id, c.owner, c.views).where(c.id.in_(chunk)))
            found |= {id for id, owner, views in rows if owner != asker.organisation and not views & asker.views}
        return found

    def named(self, connection: Connection, ids: Sequence[str]) -> dict[str, set[str]]:
        """Return what the newest revisions of records name; of those that are on record."""
        stored = self.writer.vault.read(connection, ids)
        return {
            id: {to for _, to, _ in references(BY_NAME[one.kind], one.content)}
            for id, one in stored.items()
            if one.state != "erased"
        }

    def _is_known(self, id: str, asker: Asker) -> bool:
        """Tell whether an asker may know that there is, or was, such a record."""
        node = self.writer.world.node(id)
        if node is None:
            return False
        if node.owner == asker.organisation:
            return True
        world = self.writer.world
        return world.leads_to(id) == id and world.views_of(id) & asker.views != 0

    def _kind_of(self, id: str) -> str | None:
        node = self.writer.world.node(id)
        return node.kind if node is not None and node.state not in GONE else None

    def addition(self, draft: Draft, owner: str, head: Head | None = None) -> Addition:
        """Return what a draft adds to the vault, after the revision that is there."""
        return Addition(
            id=draft.id,
            kind=draft.kind,
            k=ids.k_of(draft.id),
            owner=owner,
            revision=head.revision + 1 if head else 1,
            previous=head.leaf if head else None,
            change="submitted",
            state="expired" if is_over(draft.content, self.writer.clock()) else "live",
            expires=expiry(draft.content),
            content=draft.content,
            plain=draft.plain,
            targets=draft.targets,
        )
