"""API keys: what each opens, and that it closes with the next request when it ends."""

from tests.access.conftest import MECHANISM, MECHANISMS, OPEN, PARTNER, PARTNERS


class TestReading:
    def test_anonymous_sees_what_is_public(self, house):
        assert house.sees() == [OPEN]

    def test_a_key_reads_its_view(self, house):
        assert house.sees(house.key(PARTNER)) == sorted([OPEN, PARTNERS])
        assert house.sees(house.key(MECHANISM)) == sorted([OPEN, PARTNERS, MECHANISMS])
