"""Django app configuration: the one app of Latchkey, and Django's admin app with Latchkey's own admin site."""

# ruff: noqa: F401, PLC0415 - the imports in ready() are for their registrations, and need the models to be loaded

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class LatchkeyConfig(AppConfig):
    """The Django app; `ready` imports the modules that register checks, admin pages and OpenAPI extensions."""

    name = "latchkey"
    default = True
    verbose_name = "Latchkey"

    def ready(self) -> None:
        from latchkey import checks
        from latchkey.admin import (
            api_keys,
            applications,
            events,
            groups,
            mails,
            roles,
            scopes,
            sessions,
            settings_page,
            users,
        )
        from latchkey.audit import policy_changes
        from latchkey.mail import checks as mail_checks
        from latchkey.sessions import authentication
        from latchkey.signing_keys import checks as key_checks


class AdminConfig(django_admin.AdminConfig):
    """Django's admin app with the site of `latchkey.admin`."""

    default = False
    default_site = "latchkey.admin.site.Site"
