"""Purposes: a credential with several views says by the header Purpose which one it reads in."""

import pytest

from tests.access.conftest import MECHANISM, OPEN, PARTNER


class TestPurpose:
    def test_anonymous_has_one_and_is_not_asked(self, house):
        assert house.sees() == house.sees(Purpose="un-reporting") == house.sees(Purpose="prefetch") == [OPEN]

    def test_with_one_view_it_may_be_left_out(self, house):
        key = house.key(PARTNER)
        assert len(house.sees(key)) == len(house.sees(key, Purpose="research")) == 2
        assert len(house.sees(key, Purpose="partner/research")) == 2

    def test_with_several_it_chooses(self, house):
        key = house.key(PARTNER, MECHANISM)
        assert len(house.sees(key, Purpose="research")) == 2
        assert len(house.sees(key, Purpose="un-reporting")) == 3
        assert len(house.sees(key, Purpose="mechanism/un-reporting")) == 3

    def test_with_several_it_has_to_be_there(self, house):
        answer = house.ask("/v1/testimonies", house.key(PARTNER, MECHANISM))
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {
                "in": "header",
                "name": "Purpose",
                "detail": "You may read for several purposes: say for which one. They are: research, un-reporting.",
            }
        ]

    @pytest.mark.parametrize("purpose", ["reserch", "publication", "un-reporting", "", "research, research", "\u00e9"])
    def test_one_that_is_not_the_credentials_own_is_refused(self, house, purpose):
        answer = house.client.get(
            "/v1/testimonies",
            headers={"Authorization": f"Bearer {house.key(PARTNER)}", "Purpose": purpose.encode("latin-1")},
        )
        assert answer.status_code == 422
        detail = answer.json()["errors"][0]["detail"]
        assert detail.startswith("This is no purpose for which you may read; they are: research.")
        assert ("Did you mean 'research'?" in detail) == purpose.startswith("res")

    def test_who_may_read_what_is_public_says_so(self, house):
        key = house.key("public/publication", PARTNER)
        answer = house.ask("/v1/testimonies", key, Purpose="publication")
        assert [item["id"] for item in answer.json()["items"]] == [OPEN]
        assert len(house.sees(key, Purpose="research")) == 2
