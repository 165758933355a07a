"""Checks of the runtime settings that are text: name of the site, URLs, colour, address of the support.

The values appear in HTML, in the subjects of mails, in style attributes and in headers. So each check accepts a narrow
form, which is safe in all of these places, and returns the value as it is used. They raise ValueError with a sentence.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from latchkey.conf.web_urls import parse_web_url

Check: TypeAlias = Callable[[str], str]

MAX_NAME_LENGTH = 60
_COLOR = re.compile("#(?:[0-9A-Fa-f]{3}){1,2}")
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/-]+")
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")
_UNSAFE_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of characters that cannot be seen, or that reorder those around them."""


def check_site_name(text: str) -> str:
    """Return the name of the site, '' for none."""
    name = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"A name has at most {MAX_NAME_LENGTH} characters.")
    if any(unicodedata.category(character) in _UNSAFE_CATEGORIES or character in '<>"' for character in name):
        raise ValueError('A name has no line breaks, no invisible characters, and none of < > ".')
    return name


def check_web_url(text: str) -> str:
    """Return an absolute http or https URL, '' for none."""
    url = text.strip()
    if url:
        parse_web_url(url)
    return url


def check_logo_url(text: str) -> str:
    """Return the URL of an image: an absolute one, or a path of this service; '' for none."""
    url = text.strip()
    if _PATH.fullmatch(url) and "/../" not in f"{url}/":
        return url
    return check_web_url(url)


def check_color(text: str) -> str:
    """Return a colour as '#rrggbb' in small letters, '' for none."""
    color = text.strip().lower()
    if not color:
        return ""
    if not _COLOR.fullmatch(color):
        raise ValueError("Write a colour as '#rrggbb', such as '#1a56c4'.")
    return color if len(color) == 7 else "#" + "".join(digit * 2 for digit in color[1:])


def check_support_email(text: str) -> str:
    """Return an e-mail address in ASCII, '' for none."""
    address = text.strip()
    if address and not _ADDRESS.fullmatch(address):
        raise ValueError("Write one e-mail address in plain letters, such as 'support@example.com'.")
    return address


def text_color_on(color: str) -> str:
    """Return black or white, whichever is easier to read on this '#rrggbb' (WCAG 2.2, relative luminance)."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def origin_of(url: str) -> str:
    """Return the origin of an absolute URL, '' for a path."""
    return parse_web_url(url).origin if urlsplit(url).scheme else ""
