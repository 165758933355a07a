"""Human-readable device names from User-Agent strings, for the list of sessions, mails and the admin area.

A name is put together of two closed lists. ua-parser takes most names out of the string itself, so that a client could
otherwise have words of its own mailed to somebody, as the name of a browser.
"""

from functools import cache
from typing import Any

UNKNOWN = "Unknown device"
APPLE_DEVICES = ("iPhone", "iPad")
BROWSERS = frozenset(
    {
        *("Amazon Silk", "Android", "Apple Mail", "Brave", "Chrome", "Chrome Mobile", "Chrome Mobile WebView"),
        *("Chrome Mobile iOS", "Chromium", "DuckDuckGo", "DuckDuckGo Mobile", "Ecosia Android", "Ecosia iOS", "Edge"),
        *("Edge Mobile", "Electron", "Epiphany", "Falkon", "Firefox", "Firefox Focus", "Firefox Mobile", "Firefox iOS"),
        *("HeadlessChrome", "Huawei Browser", "IE", "IE Mobile", "Konqueror", "Kindle", "LibreWolf", "Lynx"),
        *("MiuiBrowser", "Mobile Safari", "Netscape", "Oculus Browser", "Opera"),
        *("Opera GX", "Opera Mini", "Opera Mobile", "Opera Touch", "Outlook", "Pale Moon", "PhantomJS", "QQ Browser"),
        *("QQ Browser Mobile", "Qt Web Engine", "Safari", "Sailfish Browser", "Samsung Internet", "SeaMonkey"),
        *("Thunderbird", "UC Browser", "Vivaldi", "Waterfox", "WebKit Nightly", "Whale", "Yandex Browser"),
        *("Apache-HttpClient", "Go-http-client", "Java", "PostmanRuntime", "Python Requests", "Python aiohttp"),
        *("Python-urllib", "Wget", "axios", "curl", "libcurl", "node-fetch", "okhttp"),
    }
)
SYSTEMS = frozenset(
    {
        *(
            "ATV OS X",
            "Android",
            "Arch Linux",
            "BlackBerry OS",
            "CentOS",
            "Chrome OS",
            "Debian",
            "Fedora",
            "Firefox OS",
        ),
        *("FreeBSD", "Gentoo", "KaiOS", "Linux", "Linux Mint", "Mac OS", "Mac OS X", "NetBSD", "OpenBSD", "Red Hat"),
        *("SUSE", "Sailfish", "Solaris", "Symbian OS", "Tizen", "Ubuntu", "WatchOS", "Windows", "Windows Mobile"),
        *("Windows Phone", "iOS", "tvOS", "webOS"),
    }
)
"""Families of ua-parser that may be named; one with a dot would be a link in a mail. Any other counts as unknown."""


def device_name(user_agent: str) -> str:
    """Return a name such as 'Firefox on Linux', out of the lists alone: 'Linux' or 'Unknown device' for other programs.

    Clients choose their User-Agent, so no decision may depend on it.
    """
    parsed = _parser().parse(user_agent)
    family = parsed.user_agent.family.removesuffix(" UI/WKWebView") if parsed.user_agent else ""
    browser = family if family in BROWSERS else ""
    system = parsed.os.family if parsed.os and parsed.os.family in SYSTEMS else ""
    device = next((name for name in APPLE_DEVICES if name in user_agent), system)
    return " on ".join(part for part in (browser, device) if part) or UNKNOWN


@cache
def _parser() -> Any:
    """Load ua-parser's patterns for browsers and operating systems at first use: they take 20 MB and 0.1 s.

    The patterns for device vendors, which would take as much again, are left out. All are matched in linear time,
    whatever a client sends.
    """
    from ua_parser import Parser  # noqa: PLC0415 - late, because of the memory
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415 - late, as above
    from ua_parser.regex import Resolver  # noqa: PLC0415 - late, as above

    browsers, systems, _ = load_lazy_builtins()
    return Parser(Resolver((browsers, systems, [])))
