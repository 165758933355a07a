"""How pages and mails present the site: name, application, logo, colour and support, out of the runtime settings."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from latchkey.conf.policy import Policy, current_policy
from latchkey.conf.text_settings import origin_of, text_color_on

PRODUCT_NAME = "Latchkey"
ACCENT_COLOR = "#1a56c4"
"""The colour of buttons where the operator has chosen none: shade 600 of the admin area's theme."""


@dataclass(frozen=True, slots=True)
class Site:
    """What templates of pages and mails show as `site_...`; a value that is not set is empty."""

    name: str
    app_url: str
    logo_url: str
    accent_color: str
    accent_text_color: str
    support_email: str

    @property
    def logo_origin(self) -> str:
        """The origin of a logo on another server, which the content security policy of a page has to name."""
        return origin_of(self.logo_url)

    @property
    def absolute_logo_url(self) -> str:
        """The URL of the logo for a mail, which has no origin of its own."""
        return f"{settings.PUBLIC_URL}{self.logo_url}" if self.logo_url.startswith("/") else self.logo_url


def current_site(policy: Policy | None = None) -> Site:
    """Return the site as these settings describe it; without them those in force."""
    policy = policy or current_policy()
    accent = policy.accent_color or ACCENT_COLOR
    return Site(
        name=policy.site_name or default_site_name(),
        app_url=policy.app_url,
        logo_url=policy.logo_url,
        accent_color=accent,
        accent_text_color=text_color_on(accent),
        support_email=policy.support_email,
    )


def default_site_name() -> str:
    """Return the host of LATCHKEY_PUBLIC_URL, or the name of the product on a machine without a name."""
    try:
        host = urlsplit(settings.PUBLIC_URL).hostname or ""
    except ValueError:  # not a URL: the system checks report that
        return PRODUCT_NAME
    try:
        ip_address(host)
    except ValueError:
        return PRODUCT_NAME if host in ("", "localhost") else host
    return PRODUCT_NAME
