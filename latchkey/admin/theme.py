"""How the admin area looks; latchkey/settings.py takes it from here."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def requires(permission: str) -> Callable[[HttpRequest], bool]:
    """Return whether to show an entry of the menu: to those alone whom its page lets in."""
    return lambda request: bool(request.user.has_perm(permission))


def menu_item(title: str, icon: str, page: str, permission: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{page}")
    return {"title": title, "icon": icon, "link": link, "permission": requires(permission)}


MENU = [
    {"items": [{"title": "Dashboard", "icon": "monitoring", "link": reverse_lazy("admin:index")}]},
    {
        "title": "People",
        "items": [
            menu_item("Users", "person", "latchkey_user_changelist", "latchkey.view_user"),
            menu_item("Sessions", "devices", "latchkey_session_changelist", "latchkey.view_session"),
            menu_item("Events", "history", "latchkey_auditevent_changelist", "latchkey.view_auditevent"),
            menu_item("Mails", "mail", "latchkey_mail_changelist", "latchkey.view_mail"),
        ],
    },
    {
        "title": "This service",
        "items": [
            menu_item("Lifetimes and rules", "tune", "constance_config_changelist", "constance.view_config"),
            menu_item("Services", "dns", "latchkey_clientcredential_changelist", "latchkey.view_clientcredential"),
            menu_item("Staff groups", "groups", "auth_group_changelist", "auth.view_group"),
        ],
    },
]
PRIMARY = {
    "50": "oklch(97.1% .013 234)",
    "100": "oklch(94% .028 234)",
    "200": "oklch(88.5% .052 234)",
    "300": "oklch(80.5% .082 234)",
    "400": "oklch(70.5% .102 234)",
    "500": "oklch(60.5% .098 234)",
    "600": "oklch(52% .086 234)",
    "700": "oklch(44.5% .073 234)",
    "800": "oklch(38.5% .06 234)",
    "900": "oklch(33.5% .05 234)",
    "950": "oklch(24.5% .037 234)",
}
"""Shades of the blue of our icon."""

UNFOLD = {
    "SITE_TITLE": "Latchkey",
    "SITE_HEADER": "Latchkey",
    "SITE_ICON": lambda request: static("latchkey/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("latchkey/icon.svg")}],
    "STYLES": [lambda request: static("latchkey/admin.css")],
    "SCRIPTS": [lambda request: static("latchkey/admin.js")],
    "COLORS": {"primary": PRIMARY},
    "SIDEBAR": {"navigation": MENU},
}
