"""The OpenAPI document tells a client every limit, and each is the real one."""

from typing import Any

import httpx
import pytest

from tests.attacks.doors import DOORS, FIELDS, accepted, knock
from tests.people import Person
from tests.problems import assert_problem


@pytest.fixture
def schema(http: httpx.Client) -> Any:
    return http.get("/api-doc/schema/", headers={"Accept": "application/json"}).json()


def field_of(schema: Any, name: str, field: str) -> Any:
    """Return what the document says of a field of the body that this door takes."""
    door = DOORS[name]
    body = schema["paths"][door.path][door.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    return schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"][field]


def of_length(field: str, length: int) -> str:
    """Return a good value with this many characters."""
    if field != "email":
        return "x" * length
    domain = "@" + ".".join(["b" * 61] * 3) + ".com"
    return "a" * (length - len(domain)) + domain


@pytest.mark.ledger("ASVS-2.1.1")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_the_limit_of_a_field_is_the_documented_one(alice: Person, schema: Any, name: str, field: str) -> None:
    documented = field_of(schema, name, field)
    assert documented["type"] == "string"
    if field == "refresh_token":
        assert documented["format"] == "uuid"
        assert_problem(knock(alice, name, {field: "x" * 36}), 400, "invalid", [field])
        assert knock(alice, name, accepted(alice, name)).status_code == 200
        return
    body, limit = accepted(alice, name), documented["maxLength"]
    longer = knock(alice, name, body | {field: of_length(field, limit + 1)})
    assert_problem(longer, 400, "password_too_long" if field == "password" else "invalid", [field])
    within = knock(alice, name, body | {field: of_length(field, limit)})
    assert within.status_code == (401 if name == "login" else DOORS[name].success), within.text


@pytest.mark.ledger("ASVS-2.1.1")
@pytest.mark.parametrize("name", DOORS)
def test_the_document_names_the_fields_that_are_read_and_no_other(schema: Any, name: str) -> None:
    door = DOORS[name]
    body = schema["paths"][door.path][door.method.lower()]["requestBody"]["content"]
    component = schema["components"]["schemas"][body["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    assert list(body) == ["application/json"]
    assert set(component["properties"]) == set(door.fields)
    assert set(component.get("required", [])) == (set() if name == "patch me" else set(door.fields))


@pytest.mark.ledger("ASVS-6.4.2", "NIST-3.1.1.2-7")
def test_nobody_is_asked_for_a_hint_or_a_secret_answer(schema: Any) -> None:
    from latchkey.accounts.models import User

    fields = {name for each in schema["components"]["schemas"].values() for name in each.get("properties", {})}
    fields |= {field.name for field in User._meta.get_fields()}
    assert {"password", "email"} <= fields
    assert not [name for name in fields if any(word in name for word in ("hint", "question", "answer", "reminder"))]
