"""Requirement and bearer header: misspelt requirements are found at the start, and malformed headers refused."""

import pytest
from latchkey_client import InvalidToken, MissingToken, Requirement, StepUpRequired, read_token

pytestmark = pytest.mark.clients


@pytest.mark.parametrize(
    "misspelt",
    [
        {"role": "Editor"},
        {"role": "editor viewer"},
        {"role": 'editor"'},
        {"scope": "reports:read,reports:write"},
        {"scope": "a  b"},
        {"scope": "a\nb"},
        {"acr": "aal3"},
        {"max_age": -1},
        {"role": "editor", "session": False},
        {"max_age": 0, "session": False},
    ],
)
def test_misspelt_requirement_is_a_value_error(misspelt: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Requirement(**misspelt)  # type: ignore[arg-type]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
def test_request_without_a_bearer_token_gets_a_challenge_without_an_error(header: str | None) -> None:
    with pytest.raises(MissingToken) as missing:
        read_token(header)
    assert (missing.value.status, missing.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


@pytest.mark.parametrize("token", ["a b", "a&b=c", "é", "a\nb", "=", "a" * 8193])
def test_malformed_bearer_token_is_invalid(token: str) -> None:
    with pytest.raises(InvalidToken):
        read_token(f"Bearer {token}")


@pytest.mark.parametrize("header", ["Bearer a.b_c-d~e+f/g==", "bearer  a.b_c-d~e+f/g== ", "BEARER a.b_c-d~e+f/g=="])
def test_scheme_may_be_in_any_case(header: str) -> None:
    assert read_token(header) == "a.b_c-d~e+f/g=="


def test_challenge_names_only_what_was_asked_for() -> None:
    assert StepUpRequired("phr").www_authenticate.endswith('acr_values="phr"')
    assert StepUpRequired(max_age=0).www_authenticate.endswith('required", max_age="0"')
