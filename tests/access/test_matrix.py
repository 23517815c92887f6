"""The matrix: what each route answers to whom, in one table; a route that has no row in it fails."""

import pytest

from tests.access.conftest import MECHANISM, OPEN, PARTNER
from tests.access.conftest import MECHANISMS as HIDDEN

# Who asks: nobody; somebody with one right; an admin and a steward of the operator.
WHO = ("anonymous", "read", "contribute", "steward", "admin", "operator-steward", "operator-admin")
ITEMS = "/v1/collections/testimonies/items"
# A body that is wrong in every way: where it is looked at, the caller had the right.
MATRIX = {
    # route                                      anonymous  read  contribute  steward  admin  op-steward  op-admin
    ("GET", "/v1"):                             (      200,  200,        200,     200,   200,        200,      200),
    ("GET", "/v1/testimonies"):                 (      200,  200,        403,     403,   403,        403,      403),
    ("GET", "/v1/testimonies/queryables"):      (      200,  200,        403,     403,   403,        403,      403),
    ("GET", f"/v1/testimonies/{OPEN}"):         (      200,  200,        403,     403,   403,        403,      403),
    ("GET", f"/v1/testimonies/{OPEN}/history"): (      200,  200,        403,     403,   403,        403,      403),
    ("GET", f"/v1/testimonies/{OPEN}/proof"):   (      200,  200,        403,     403,   403,        403,      403),
    ("GET", f"/v1/testimonies/{OPEN}/sources"): (      200,  200,        403,     403,   403,        403,      403),
    ("POST", "/v1/testimonies"):                (      401,  403,        422,     403,   403,        403,      403),
    ("PUT", f"/v1/testimonies/{OPEN}"):         (      401,  403,        422,     422,   403,        422,      403),
    ("PATCH", f"/v1/testimonies/{OPEN}"):       (      401,  403,        403,     403,   403,        403,      403),
    ("DELETE", f"/v1/testimonies/{OPEN}"):      (      401,  403,        422,     422,   403,        422,      403),
    ("PATCH", "/v1/testimonies/tst-none"):      (      401,  403,        404,     404,   403,        404,      403),
    ("GET", f"/v1/testimonies/{OPEN}/submitted"):   (  401,  403,        403,     403,   403,        403,      403),
    ("GET", f"/v1/testimonies/{HIDDEN}/submitted"): (  401,  403,        404,     404,   403,        404,      403),
    ("GET", f"/v1/testimonies/{OPEN}/disclosure"):  (  401,  403,        403,     403,   403,        403,      403),
    ("POST", f"/v1/testimonies/{OPEN}/withdrawal"): (  401,  403,        422,     422,   403,        422,      403),
    ("POST", f"/v1/testimonies/{OPEN}/merge"):  (      401,  403,        422,     422,   403,        422,      403),
    ("DELETE", f"/v1/testimonies/{OPEN}/merge"):(      401,  403,        422,     422,   403,        422,      403),
    ("POST", "/v1/incidents/inc-none/merge"):   (      401,  403,        422,     422,   403,        422,      403),
    ("DELETE", "/v1/incidents/inc-none/merge"): (      401,  403,        422,     422,   403,        422,      403),
    ("POST", f"/v1/testimonies/{OPEN}/objection"):  (  401,  403,        422,     422,   403,        422,      403),
    ("GET", "/v1/testimonies/tst-none"):        (      404,  404,        403,     403,   403,        403,      403),
    ("GET", "/v1/changes"):                     (      200,  200,        403,     403,   403,        403,      403),
    ("HEAD", "/v1/changes/stream"):             (      200,  200,        403,     403,   403,        403,      403),
    ("GET", "/v1/search?q=text"):               (      200,  200,        403,     403,   403,        403,      403),
    ("GET", "/v1/statistics/counts"):           (      200,  200,        403,     403,   403,        403,      403),
    ("GET", "/v1/conformance"):                 (      200,  200,        200,     200,   200,        200,      200),
    ("GET", "/v1/collections"):                 (      200,  200,        200,     200,   200,        200,      200),
    ("GET", "/v1/collections/testimonies"):     (      200,  200,        200,     200,   200,        200,      200),
    ("GET", f"{ITEMS}"):                        (      200,  200,        403,     403,   403,        403,      403),
    ("GET", f"{ITEMS}/{OPEN}"):                 (      200,  200,        403,     403,   403,        403,      403),
    ("GET", f"{ITEMS}/{HIDDEN}"):               (      404,  404,        403,     403,   403,        403,      403),
    ("POST", f"{ITEMS}"):                       (      405,  405,        405,     405,   405,        405,      405),
    ("GET", "/v1/me"):                          (      200,  200,        200,     200,   200,        200,      200),
    ("GET", "/.well-known/jwks.json"):          (      200,  200,        200,     200,   200,        200,      200),
    ("POST", "/v1/token"):                      (      415,  415,        415,     415,   415,        415,      415),
    ("GET", "/v1/keys"):                        (      401,  403,        403,     403,   200,        403,      200),
    ("POST", "/v1/keys"):                       (      401,  403,        403,     403,   422,        403,      422),
    ("GET", "/v1/keys/crd-none"):               (      401,  403,        403,     403,   404,        403,      404),
    ("DELETE", "/v1/keys/crd-none"):            (      401,  403,        403,     403,   404,        403,      404),
    ("POST", "/v1/keys/crd-none/rotate"):       (      401,  403,        403,     403,   422,        403,      422),
    ("GET", "/v1/organisations"):               (      401,  403,        403,     403,   200,        403,      200),
    ("POST", "/v1/organisations"):              (      401,  403,        403,     403,   403,        403,      422),
    ("GET", "/v1/organisations/none"):          (      401,  403,        403,     403,   404,        403,      404),
    ("PATCH", "/v1/organisations/none"):        (      401,  403,        403,     403,   403,        403,      422),
    ("DELETE", "/v1/organisations/none"):       (      401,  403,        403,     403,   403,        403,      404),
    ("GET", "/v1/imports"):                     (      401,  403,        200,     200,   403,        200,      403),
    ("POST", "/v1/imports"):                    (      401,  403,        422,     403,   403,        403,      403),
    ("GET", "/v1/imports/imp-none"):            (      401,  403,        404,     404,   403,        404,      403),
    ("DELETE", "/v1/imports/imp-none"):         (      401,  403,        404,     404,   403,        404,      403),
    ("GET", "/v1/imports/imp-none/file"):       (      401,  403,        404,     403,   403,        403,      403),
    ("PATCH", "/v1/imports/imp-none/file"):     (      401,  403,        404,     403,   403,        403,      403),
    ("POST", "/v1/imports/imp-none/confirm"):   (      401,  403,        403,     404,   403,        404,      403),
    ("GET", "/v1/imports/imp-none/report"):     (      401,  403,        404,     404,   403,        404,      403),
    ("GET", "/v1/imports/imp-none/sheet"):      (      401,  403,        404,     404,   403,        404,      403),
    ("GET", "/v1/imports/imp-none/events"):     (      401,  403,        404,     404,   403,        404,      403),
    ("GET", "/v1/audit"):                       (      401,  403,        403,     200,   403,        200,      403),
    ("GET", "/v1/audit/seals"):                 (      401,  403,        403,     403,   403,        200,      403),
    ("POST", "/v1/audit/seals"):                (      401,  403,        403,     403,   403,        403,      403),
    ("GET", f"/v1/testimonies/{OPEN}/recipients"):   ( 401,  403,        403,     403,   403,        403,      403),
    ("GET", "/v1/testimonies/tst-none/recipients"):  ( 401,  403,        403,     404,   403,        404,      403),
    ("GET", "/v1/webhooks"):                    (      401,  200,        403,     403,   200,        403,      200),
    ("POST", "/v1/webhooks"):                   (      401,  422,        403,     403,   403,        403,      403),
    ("GET", "/v1/webhooks/whk-none"):           (      401,  404,        403,     403,   404,        403,      404),
    ("PATCH", "/v1/webhooks/whk-none"):         (      401,  422,        403,     403,   422,        403,      422),
    ("DELETE", "/v1/webhooks/whk-none"):        (      401,  404,        403,     403,   404,        403,      404),
    ("POST", "/v1/webhooks/whk-none/rotate"):   (      401,  422,        403,     403,   422,        403,      422),
    ("POST", "/v1/webhooks/whk-none/test"):     (      401,  404,        403,     403,   404,        403,      404),
    ("GET", "/v1/webhooks/whk-none/deliveries"):(      401,  404,        403,     403,   404,        403,      404),
    ("POST", "/v1/webhooks/whk-none/replay"):   (      401,  422,        403,     403,   422,        403,      422),
    ("GET", "/v1/acknowledgements"):            (      401,  200,        403,     403,   403,        403,      403),
    ("POST", "/v1/acknowledgements"):           (      401,  422,        403,     403,   403,        403,      403),
    # Reviewing takes two rights, one of them `read`.
    ("GET", "/v1/duplicates?kind=people"):      (      401,  403,        403,     403,   403,        403,      403),
    ("POST", "/v1/duplicates"):                 (      401,  403,        403,     403,   403,        403,      403),
    ("GET", "/v1/duplicates/decisions"):        (      401,  403,        403,     403,   403,        403,      403),
}  # fmt: skip


@pytest.fixture(scope="module")
def keys(house):
    """A key for each who asks."""
    organisation, operator = house.organisation(PARTNER), house.organisation(operator=True)
    made = {"anonymous": None}
    for role in WHO[1:5]:
        made[role] = house.key(PARTNER, organisation=organisation, roles=(role,))
    for role in ("steward", "admin"):
        made[f"operator-{role}"] = house.key(organisation=operator, roles=(role,))
    return made


@pytest.mark.parametrize(("method", "address"), MATRIX)
def test_every_route_answers_each_as_the_table_says(house, keys, method, address):
    found = []
    for who in WHO:
        headers = {} if keys[who] is None else {"Authorization": f"Bearer {keys[who]}"}
        body = {"overlap_hours": "wrong"} if method in ("POST", "PUT", "PATCH") else None
        if method == "PATCH" and "testimonies" in address:
            headers["Content-Type"] = "application/merge-patch+json"
        found.append(house.client.request(method, address, json=body, headers=headers).status_code)
    assert tuple(found) == MATRIX[method, address]


def test_only_a_mechanism_seals(house):
    key = house.key(MECHANISM, roles=("steward",))
    headers = {"Authorization": f"Bearer {key}"}
    assert house.client.get("/v1/audit/seals", headers=headers).status_code == 200
    assert house.client.post("/v1/audit/seals", json={}, headers=headers).status_code == 422


def test_no_route_is_without_its_row(house):
    reads, accesses, writes = house.client.app.router.routes[:3]
    asked = {(method, address.partition("?")[0]) for method, address in MATRIX}
    missing = [
        (method, template)
        for template in accesses.templates
        for method in accesses.methods(template)
        if not any(
            method == one and accesses.find(address) and accesses.find(address)[0] == template for one, address in asked
        )
    ]
    assert missing == []
    # So are those that write.
    sorts = {(method, name.partition("{id}")[1:]) for name, these in writes._methods.items() for method in these}
    stand = {(method, found[0].partition("{id}")[1:]) for method, address in asked if (found := writes.find(address))}
    assert sorts - stand == set()
    # Routes that read are all made alike; one of each sort stands for every kind.
    sorts = {handler.__qualname__ for _, handler, _, by_view in reads._fixed.values() if by_view}
    sorts |= {handler.__qualname__ for _, handler in (*reads._ones.values(), *reads._below.values())}
    stand = {reads.find(address)[1].__qualname__ for _, address in asked if reads.find(address)}
    assert sorts - stand == set()
