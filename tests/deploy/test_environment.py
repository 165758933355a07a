"""Environment variables are read literally, without expansion."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.production import HOST, POSTGRESQL, SECRET, production_server, read_settings


def read(folder: Path, **environment: str) -> dict[str, Any]:
    return read_settings(production_server(folder, POSTGRESQL, **environment))


@pytest.mark.parametrize("secret", [f"x${SECRET}", f"${SECRET}", f"{SECRET}\\$", "$LATCHKEY_PUBLIC_URL" + SECRET])
def test_secret_key_with_dollar_signs_is_read_literally(tmp_path: Path, secret: str) -> None:
    assert read(tmp_path, LATCHKEY_SECRET_KEY=secret)["SECRET_KEY"] == secret


@pytest.mark.parametrize("comma", [",", ", ", " , "])
def test_environment_lists_may_have_spaces_around_commas(tmp_path: Path, comma: str) -> None:
    settings = read(
        tmp_path,
        LATCHKEY_ALLOWED_HOSTS=comma.join([HOST, "127.0.0.1"]),
        LATCHKEY_SECRET_KEY_FALLBACKS=comma.join([SECRET, SECRET[::-1]]),
        LATCHKEY_CORS_ORIGINS=comma.join(["https://a.example", "https://b.example"]),
    )
    assert settings["ALLOWED_HOSTS"] == [HOST, "127.0.0.1"]
    assert settings["SECRET_KEY_FALLBACKS"] == [SECRET, SECRET[::-1]]
    assert settings["CORS_ALLOWED_ORIGINS"] == ["https://a.example", "https://b.example"]
