"""The relying party of passkeys (WebAuthn): its RP ID, the origins it accepts, and the apps that belong to it.

All of it comes from environment variables, never from a request: with an RP ID out of the Host header, a forged header
could choose for whom a passkey is made.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.urls import is_loopback, normalize_host, parse_origin, parse_url

RP_ID, ORIGINS = "LATCHKEY_PASSKEY_RP_ID", "LATCHKEY_PASSKEY_ORIGINS"
LOCALHOST = "localhost"
"""RP ID of a service whose host is a loopback address, because an IP address cannot be an RP ID."""

_ANDROID_ORIGIN = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")
_ANDROID_APP = re.compile(
    r"(?P<package>[A-Za-z]\w*(?:\.[A-Za-z]\w*)+):(?P<hash>[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31})"
)
_IOS_APP = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class AndroidApp:
    """An Android app: its package, and the SHA-256 of the certificate that signs it (32 bytes)."""

    package: str
    certificate_hash: bytes

    @property
    def fingerprint(self) -> str:
        """The hash as Digital Asset Links write it: pairs of upper-case hexadecimal digits, separated by colons."""
        return self.certificate_hash.hex(":").upper()

    @property
    def origin(self) -> str:
        """The origin that Android's Credential Manager gives for the app in the client data."""
        return f"android:apk-key-hash:{urlsafe_b64encode(self.certificate_hash).rstrip(b'=').decode()}"


def parse_android_apps(texts: Iterable[str]) -> tuple[AndroidApp, ...]:
    """Return the apps of LATCHKEY_ANDROID_APPS, each `package:fingerprint`; raises ImproperlyConfigured."""
    apps = []
    for text in texts:
        if not (matched := _ANDROID_APP.fullmatch(text)):
            hint = (
                "write a package, a colon and the SHA-256 fingerprint of its certificate, 'com.example.app:14:6D:...'"
            )
            raise ImproperlyConfigured(f"LATCHKEY_ANDROID_APPS contains {text!r}; {hint}.")
        apps.append(AndroidApp(matched["package"], bytes.fromhex(matched["hash"].replace(":", ""))))
    return tuple(apps)


def parse_ios_apps(texts: Iterable[str]) -> list[str]:
    """Return the apps of LATCHKEY_IOS_APPS, each the team's and the bundle's id; raises ImproperlyConfigured."""
    apps = list(texts)
    for text in apps:
        if not _IOS_APP.fullmatch(text):
            hint = "write the id of the team and of the bundle, such as 'A1B2C3D4E5.com.example.app'"
            raise ImproperlyConfigured(f"LATCHKEY_IOS_APPS contains {text!r}; {hint}.")
    return apps


def parse_origins(texts: Iterable[str], public_url: str) -> list[str]:
    """Return the origins of web pages and apps that may use passkeys, without a list that of the public URL.

    An origin is https, or http on the user's own machine: browsers offer passkeys nowhere else. Raises
    ImproperlyConfigured.
    """
    origins = []
    for text in texts:
        try:
            origin = text if _ANDROID_ORIGIN.fullmatch(text) else parse_origin(text)
        except ValueError:
            origin = ""
        if not (origin.startswith(("https://", "android:")) or (origin.startswith("http://") and is_loopback(origin))):
            hint = "write an https origin, such as 'https://app.example.com', or 'android:apk-key-hash:...'"
            raise ImproperlyConfigured(f"{ORIGINS} contains {text!r}; {hint}.")
        origins.append(origin)
    return origins or _default_origins(public_url)


def _default_origins(public_url: str) -> list[str]:
    if not public_url:
        return []
    url = parse_url(public_url)
    if not _is_domain(url.host) and is_loopback(url.origin):
        return [url.origin.replace(url.host, LOCALHOST, 1)]
    return [url.origin]


def parse_rp_id(text: str, public_url: str, origins: Sequence[str]) -> str:
    """Return the RP ID: a domain, by default the host of the public URL; '' where that is an IP address.

    It has to be the host of the public URL or of one of the origins, or a parent domain of one of them; browsers refuse
    any other. Origins on other domains are related origins (WebAuthn Level 3 section 5.11). Raises
    ImproperlyConfigured.
    """
    hosts = [parse_url(url).host for url in (public_url, *origins) if "://" in url]
    if not text:
        host = hosts[0] if public_url else ""
        return host if _is_domain(host) else LOCALHOST if LOCALHOST in hosts else ""
    try:
        rp_id = normalize_host(text)
    except ValueError:
        rp_id = ""
    if not _is_domain(rp_id) or not any(is_in_scope(host, rp_id) for host in hosts):
        hint = f"write the host of LATCHKEY_PUBLIC_URL or of one of {ORIGINS}, or a parent domain of it"
        raise ImproperlyConfigured(f"{RP_ID} is {text!r}; {hint}.")
    return rp_id


def is_in_scope(host: str, rp_id: str) -> bool:
    """Return whether pages of this host may use passkeys of the RP ID without being related origins.

    The host equals the RP ID or is below it, and the RP ID is no top-level domain (WebAuthn Level 3 section 5.1.3).
    """
    return host == rp_id or ("." in rp_id and host.endswith(f".{rp_id}"))


def app_origins(rp_id: str, android_apps: Iterable[AndroidApp], ios_apps: Iterable[str]) -> list[str]:
    """Return the origins that apps give in the client data: Android's of each app, Apple's of the RP ID."""
    return [*(app.origin for app in android_apps), *([f"https://{rp_id}"] if rp_id and any(ios_apps) else [])]


def related_origins(rp_id: str, origins: Iterable[str]) -> list[str]:
    """Return the origins for the document of related origins, [] where all are in the scope of the RP ID."""
    web = [origin for origin in origins if "://" in origin]
    return web if any(not is_in_scope(parse_url(origin).host, rp_id) for origin in web) else []


def _is_domain(host: str) -> bool:
    """Return whether this is a host with a name: an IP address cannot be an RP ID."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return host != ""
    return False
