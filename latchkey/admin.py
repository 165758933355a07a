"""Where Django looks for the admin pages."""

from django.contrib import admin

from latchkey.accounts.admin import UserAdmin
from latchkey.sessions.admin import SessionAdmin

__all__ = ["SessionAdmin", "UserAdmin"]

admin.site.site_header = admin.site.site_title = "Latchkey"
admin.site.index_title = "Accounts, sessions and settings"
