"""The one Django app, and Django's admin with a site of ours."""

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class LatchkeyConfig(AppConfig):
    name = "latchkey"
    default = True
    verbose_name = "Latchkey"

    def ready(self) -> None:
        from latchkey import checks  # noqa: F401, PLC0415  # registers the system checks
        from latchkey.admin import events, groups, mails, services, sessions, settings_page, users  # noqa: F401, PLC0415  # and the pages
        from latchkey.mail import checks as mail_checks  # noqa: F401, PLC0415  # and those of mail
        from latchkey.sessions import authentication  # noqa: F401, PLC0415  # registers the OpenAPI extension
        from latchkey.signing_keys import checks as key_checks  # noqa: F401, PLC0415  # and that of the key ring


class AdminConfig(django_admin.AdminConfig):
    default = False
    default_site = "latchkey.admin.site.Site"
