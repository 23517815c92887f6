"""Verifying: a line that was changed, taken out or cut off is found; acts of managing are lines too."""

import orjson
import pytest
from sqlalchemy import select, update

from app.access.tables import AUDIT_ENTRY
from app.access.verify import verify
from tests.access.conftest import PARTNER, close, ship
from tests.intake.house import ONE_ENGINE, rows_of


class TestVerifying:
    def test_anonymous_has_no_part_in_it(self, own):
        own.sees()
        found = verify(own.database, own.settings.home / "audit")
        assert (found.entries, found.chains, found.waiting, found.faults) == (0, 0, 0, [])

    def test_a_line_changed_taken_out_or_cut_off_is_found(self, own):
        folder = own.settings.home / "audit"
        key = own.key(PARTNER)
        for _ in range(3):
            own.sees(key)
        close(own)
        ship(own)
        found = verify(own.database, folder)
        assert (found.entries, found.chains, found.faults) == (5, 2, [])
        assert verify(own.database, folder, (found.entries, found.head)).faults == []
        c = AUDIT_ENTRY.c
        whole = own.database.look(lambda connection: connection.scalar(select(c.line).where(c.entry == 3)))

        def change(entry, **values):
            own.database.write(
                lambda connection: connection.execute(update(AUDIT_ENTRY).where(c.entry == entry).values(**values))
            )

        change(3, line=bytes(whole).replace(b'"status":200', b'"status":404'))
        assert [one.partition(": ")[2][:6] for one in verify(own.database, folder).faults] == ["line 1"]
        change(3, line=bytes(whole))
        assert verify(own.database, folder).faults == []
        own.database.write(lambda connection: connection.execute(AUDIT_ENTRY.delete().where(c.entry == 3)))
        assert verify(own.database, folder).faults[0] == "entry 3 is missing"
        own.database.write(lambda connection: connection.execute(AUDIT_ENTRY.delete().where(c.entry >= 3)))
        assert verify(own.database, folder).faults == []  # the end can be cut off …
        assert verify(own.database, folder, (found.entries, found.head)).faults == [  # … but not for who noted the head
            "the entries are not those that were expected"
        ]


@ONE_ENGINE
def test_acts_of_managing_are_kept_in_the_transaction_that_does_them(own):
    row, _ = own.make(PARTNER)
    own.keys.rotate(row["id"], 1)
    own.keys.revoke(row["id"])
    own.keys.revoke(row["id"])  # a second time nothing happens, and nothing is kept
    with pytest.raises(ValueError, match="revoked"):
        own.keys.rotate(row["id"], 1)
    lines = [orjson.loads(line[4]) for line in rows_of(own.database, AUDIT_ENTRY)]
    assert [(line["act"], line["of_credential"], line["credential"]) for line in lines] == [
        ("create-organisation", None, None),
        ("create-credential", row["id"], None),
        ("rotate-credential", row["id"], None),
        ("revoke-credential", row["id"], None),
    ]
    assert verify(own.database, own.settings.home / "audit").faults == []
