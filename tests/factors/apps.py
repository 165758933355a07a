"""An authenticator app for tests, which calculates codes as RFC 6238 says, without the library of the service."""

import hmac
from base64 import b32decode
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

STEP = timedelta(seconds=30)


def code_at(secret: bytes | str, at: datetime, steps: int = 0) -> str:
    """Return the code that an app with this secret (bytes, or base32) shows at a time, or so many steps later."""
    key = b32decode(secret) if isinstance(secret, str) else secret
    step = int(at.timestamp()) // 30 + steps
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def wrong_code(secret: bytes | str, at: datetime) -> str:
    """Return a code that the app shows at no step near this time."""
    near = {code_at(secret, at, steps) for steps in range(-5, 6)}
    return next(code for code in ("000000", "111111", "222222", "333333") * 4 if code not in near)


def read_uri(uri: str) -> tuple[str, dict[str, str]]:
    """Return the label and the parameters of an otpauth:// URI."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    parameters = {name: value for name, (value,) in parse_qs(parts.query, strict_parsing=True).items()}
    return parts.path.removeprefix("/"), parameters
