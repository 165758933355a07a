"""Admin page of the runtime settings (django-constance): how it is called in the menu."""

from constance.admin import Config
from django.apps import apps

apps.get_app_config("constance").verbose_name = "Settings"
Config._meta.verbose_name_plural = "lifetimes and rules"
