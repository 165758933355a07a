"""Validation of body fields: missing, of the wrong type, empty, or with characters that are not allowed."""

from typing import Any

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, FIELDS, nothing_changes, send, valid_body

WRONG = [None, True, False, 0, 1, -1, 1.5, 2**53, 2**128, [], ["a@example.com"], {}, {"a": 1}]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_accepts_a_valid_body(alice: Person, name: str) -> None:
    assert send(alice, name, valid_body(alice, name)).status_code == ENDPOINTS[name].success


@pytest.mark.ledger("H-TYPE-01", "H-UUID-03", "ASVS-2.2.1", "ASVS-2.2.2", "ASVS-15.3.5")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_api_refuses_a_field_of_another_type(alice: Person, name: str, field: str) -> None:
    with nothing_changes():
        for wrong in WRONG:
            answer = send(alice, name, valid_body(alice, name) | {field: wrong})
            assert_problem(answer, 400, "invalid", [field])


@pytest.mark.ledger("H-PW-06")
@pytest.mark.parametrize(("name", "field"), [pair for pair in FIELDS if pair[0] != "patch me"])
def test_api_refuses_a_body_without_a_required_field(alice: Person, name: str, field: str) -> None:
    body = valid_body(alice, name)
    del body[field]
    with nothing_changes():
        assert_problem(send(alice, name, body), 400, "invalid", [field])


@pytest.mark.parametrize(("name", "field"), [pair for pair in FIELDS if pair[1] != "username"])
def test_api_refuses_an_empty_string_in_a_required_field(alice: Person, name: str, field: str) -> None:
    with nothing_changes():
        assert_problem(send(alice, name, valid_body(alice, name) | {field: ""}), 400, "invalid", [field])


@pytest.mark.ledger("H-STR-02", "CS-PW-4")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_api_refuses_nul_and_lone_surrogates_in_a_field(alice: Person, name: str, field: str) -> None:
    good = valid_body(alice, name)
    text = good[field]
    with nothing_changes():
        for ill in ("\x00", "\ud800", "\udfff", "\udc00\ud800"):
            for value in (ill, f"{text}{ill}", f"{ill}{text}", f"{text[:5]}{ill}{text[5:]}"):
                assert_problem(send(alice, name, good | {field: value}), 400, "invalid", [field])


@pytest.mark.ledger("RFC9457-3.2")
@pytest.mark.parametrize("name", ["register", "login", "put me"])
def test_api_names_all_invalid_fields_at_once(alice: Person, name: str) -> None:
    fields = list(ENDPOINTS[name].fields)
    with nothing_changes():
        assert_problem(send(alice, name, {}), 400, "invalid", fields)
        assert_problem(send(alice, name, dict.fromkeys(fields, 1)), 400, "invalid", fields)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_api_ignores_unknown_fields(alice: Person, name: str) -> None:
    unknown: dict[str, Any] = {"": "", "x" * 1000: 1, "__proto__": {}, "__class__": [], "user": None, "\u202e": "x"}
    body = {**unknown, **{f"k{n}": n for n in range(3000)}, **valid_body(alice, name)}
    assert send(alice, name, body).status_code == ENDPOINTS[name].success
