"""URLs of the operator's web pages: the targets that a request may name, and the checks that keep them safe.

A redirect to wherever a request says would be an open redirect: a mail of ours, with a link of ours, would lead to a
stranger's page. So a target must have exactly the origin of an allowed URL, and a path that begins with its path; and
it must be written so plainly that no two programs read it differently (RFC 9700 section 2.1).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MAX_LENGTH = 1_000
"""Characters of a URL."""

DEFAULT_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
"""Characters of a URL (RFC 3986 section 2): no space, no backslash, no quotes, no control characters, whole escapes."""

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\]")
_NOT_A_URL = "Write a whole URL with http or https and without a user name, such as 'https://app.example.com/account/'."


class WebUrl(NamedTuple):
    """The parts of a URL that decide where it leads."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """The origin (RFC 6454), without the default port of its scheme."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def parse_web_url(text: str) -> WebUrl:
    """Return the parts of an absolute http or https URL; raises ValueError with a sentence.

    User names, dot segments, empty segments and encoded slashes are refused, however often they are encoded, as is what
    browsers and libraries read differently.
    """
    if len(text) > MAX_LENGTH or not _PLAIN.fullmatch(text):
        raise ValueError(_NOT_A_URL)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_NOT_A_URL) from None
    scheme, _, rest = text.partition("://")
    host = parts.netloc.lower().removesuffix(f":{port}")
    if scheme.lower() not in DEFAULT_PORTS or not rest or not _HOST.fullmatch(host) or port == 0:
        raise ValueError(_NOT_A_URL)
    path = parts.path or "/"
    if not _is_plain_path(path):
        raise ValueError("The path of the URL has dot segments, empty segments or encoded slashes; write it plainly.")
    return WebUrl(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path)


def _is_plain_path(path: str) -> bool:
    """Tell whether every program reads this path alike, decoded or not."""
    decoded = path
    for _ in range(3):
        segments = decoded.split("/")[1:]
        if (
            "\\" in decoded
            or "" in segments[:-1]
            or any(segment.partition(";")[0] in (".", "..") for segment in segments)
        ):
            return False
        if decoded.count("/") != path.count("/"):
            return False
        decoded, before = unquote(decoded), decoded
        if decoded == before:
            return decoded.isprintable()
    return False  # encoded over and over


def parse_redirect_urls(texts: Sequence[str]) -> tuple[WebUrl, ...]:
    """Return the allowed targets of LATCHKEY_REDIRECT_URLS; raises ImproperlyConfigured."""
    allowed = []
    for text in texts:
        try:
            allowed.append(parse_web_url(text))
        except ValueError as error:
            raise ImproperlyConfigured(f"LATCHKEY_REDIRECT_URLS has {text!r}. {error}") from None
        if "?" in text or "#" in text:
            raise ImproperlyConfigured(f"LATCHKEY_REDIRECT_URLS has {text!r}; leave out the query and the fragment.")
    return tuple(allowed)


def is_allowed_redirect(text: str, allowed: Sequence[WebUrl]) -> bool:
    """Tell whether a target has the origin of an allowed URL, and its path or one below it."""
    try:
        target = parse_web_url(text)
    except ValueError:
        return False
    return any(target.origin == url.origin and _is_below(target.path, url.path) for url in allowed)


def _is_below(path: str, prefix: str) -> bool:
    """Tell whether the path begins with the segments of the prefix: /account has /account/new, not /accountant."""
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")
