"""Theme and menu of the admin area: unfold's setting UNFOLD, which latchkey/settings.py imports."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def requires(permission: str) -> Callable[[HttpRequest], bool]:
    """Return a check for unfold: show a menu item to users with this permission, which its page requires, too."""
    return lambda request: bool(request.user.has_perm(permission))


def menu_item(title: str, icon: str, page: str, permission: str) -> dict[str, Any]:
    """Return a menu item that links to an admin page; `icon` is a name of Material Symbols."""
    link = reverse_lazy(f"admin:{page}")
    return {"title": title, "icon": icon, "link": link, "permission": requires(permission)}


MENU = [
    {"items": [{"title": "Dashboard", "icon": "monitoring", "link": reverse_lazy("admin:index")}]},
    {
        "title": "Accounts",
        "items": [
            menu_item("Users", "person", "latchkey_user_changelist", "latchkey.view_user"),
            menu_item("Roles", "badge", "latchkey_role_changelist", "latchkey.view_role"),
            menu_item("Sessions", "devices", "latchkey_session_changelist", "latchkey.view_session"),
            menu_item("Audit log", "history", "latchkey_auditevent_changelist", "latchkey.view_auditevent"),
            menu_item("Mail queue", "mail", "latchkey_mail_changelist", "latchkey.view_mail"),
        ],
    },
    {
        "title": "Configuration",
        "items": [
            menu_item("Settings", "tune", "constance_config_changelist", "constance.view_config"),
            menu_item("Applications", "dns", "latchkey_application_changelist", "latchkey.view_application"),
            menu_item("Scopes", "rule", "latchkey_scope_changelist", "latchkey.view_scope"),
            menu_item("API keys", "vpn_key", "latchkey_apikey_changelist", "latchkey.view_apikey"),
            menu_item("Staff groups", "groups", "auth_group_changelist", "auth.view_group"),
        ],
    },
]
ACCOUNT_LINKS = [
    {"title": "Change password", "link": reverse_lazy("admin:password_change")},  # unfold's own is replaced by a list
    {"title": "Second factor", "link": reverse_lazy("account-security")},
]
PRIMARY = {
    "50": "oklch(97% .014 261)",
    "100": "oklch(93.5% .03 261)",
    "200": "oklch(88% .058 261)",
    "300": "oklch(80.5% .1 261)",
    "400": "oklch(71% .145 261)",
    "500": "oklch(62% .18 261)",
    "600": "oklch(48.53% .1827 261.35)",
    "700": "oklch(42.4% .151 261)",
    "800": "oklch(36% .125 261)",
    "900": "oklch(31% .1 261)",
    "950": "oklch(23.5% .07 261)",
}
"""Shades of the blue of the icon and of the pages, #1a56c4, which is shade 600."""

UNFOLD = {
    "SITE_TITLE": "Latchkey",
    "SITE_HEADER": "Latchkey",
    "SITE_URL": reverse_lazy("home"),
    "SITE_ICON": lambda request: static("latchkey/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("latchkey/icon.svg")}],
    "STYLES": [lambda request: static("latchkey/admin.css")],
    "SCRIPTS": [lambda request: static("latchkey/admin.js")],
    "COLORS": {"primary": PRIMARY},
    "SIDEBAR": {"navigation": MENU},
    "ACCOUNT": {"navigation": ACCOUNT_LINKS},
}
