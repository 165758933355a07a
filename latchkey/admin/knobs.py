"""The settings that a superuser changes while the service runs, as constance's page has them."""

from constance.admin import Config
from django.apps import apps

apps.get_app_config("constance").verbose_name = "Settings"
Config._meta.verbose_name_plural = "lifetimes and rules"
