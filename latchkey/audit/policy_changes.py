"""The event `policy.changed`: a runtime setting has a new value, set in the admin area, by a command or in a shell.

All of them go through django-constance, which announces each change with a signal of its own. So no way to change a
setting can forget the event.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from constance.signals import config_updated
from django.conf import settings
from django.dispatch import receiver

from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record_by
from latchkey.conf.durations import readable

MAX_VALUE_LENGTH = 20
"""Characters of a value in the event, which has room for the name, the old value and the new one."""

_operator: ContextVar[Operator] = ContextVar("operator", default=COMMAND_LINE)


@contextmanager
def changing_policy(operator: Operator) -> Iterator[None]:
    """Record the changes in this block as those of the operator."""
    token = _operator.set(operator)
    try:
        yield
    finally:
        _operator.reset(token)


@receiver(config_updated)
def record_policy_change(key: str, old_value: Any, new_value: Any, **kwargs: Any) -> None:
    """Record that a setting has changed; a value that was never stored was the default."""
    old = settings.CONSTANCE_CONFIG[key][0] if old_value is None else old_value
    if old != new_value:
        detail = f"{key}: {loggable(old)} -> {loggable(new_value)}"
        record_by(_operator.get(), Event.POLICY_CHANGED, detail=detail)


def loggable(value: Any) -> str:
    """Return a value as the log may show it: short, and without an e-mail address."""
    text = readable(value)
    return "(an e-mail address)" if "@" in text else text[:MAX_VALUE_LENGTH]
