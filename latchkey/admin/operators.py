"""The operator of a request to the admin area: for the audit log, and what they may change."""

from typing import cast

from django.http import HttpRequest

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.core.client import client_info


def operator_of(request: HttpRequest) -> Operator:
    """Return who makes the change of this request, and from where, as the audit log stores it."""
    return Operator(cast("int", request.user.pk), client_info(request.META))


def can_modify(request: HttpRequest, obj: User | None) -> bool:
    """Tell whether the operator may change this user.

    Only a superuser may change other staff: who sets the password of a member of staff gets the rights of that member.
    """
    own = obj is not None and obj.pk == request.user.pk
    return obj is None or bool(request.user.is_superuser) or not (obj.is_superuser or (obj.is_staff and not own))
