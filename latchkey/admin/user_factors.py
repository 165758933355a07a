"""Second factors of a user in the admin area: what the page shows, without any secret, and the filter of the list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from latchkey.accounts.models import User
from latchkey.factors import recovery_codes
from latchkey.factors.models import TotpSecret
from latchkey.passkeys.models import Passkey


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A second factor on the user's page."""

    kind: str
    name: str
    added_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors of a user, and how many recovery codes are left."""

    rows: list[FactorRow]
    recovery_codes: int


def factors_of(user: User) -> Factors:
    """Return the second factors of the user: three SELECTs, none for who has no factor."""
    if not user.second_factors:
        return Factors([], 0)
    confirmed = TotpSecret.objects.filter(user=user, confirmed_at__isnull=False).values("confirmed_at", "last_used_at")
    apps = [FactorRow("Authenticator app", "", app["confirmed_at"], app["last_used_at"]) for app in confirmed]
    stored = Passkey.objects.filter(user=user).order_by("pk").values("name", "created_at", "last_used_at")
    passkeys = [FactorRow("Passkey", each["name"], each["created_at"], each["last_used_at"]) for each in stored]
    return Factors([*apps, *passkeys], recovery_codes.count(user.pk))


class SecondFactorFilter(admin.SimpleListFilter):
    """Users who have a second factor, and users who have none."""

    title, parameter_name = "second factor", "second_factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User] | None:
        """Return the users of the chosen kind; None for all."""
        if self.value() == "yes":
            return queryset.filter(second_factors__gt=0)
        return queryset.filter(second_factors=0) if self.value() == "no" else None
