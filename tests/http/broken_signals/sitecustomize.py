"""Makes the request_started signal of /broken raise: an exception outside of any view."""

from typing import Any

from django.core.signals import request_started


def raise_on_purpose(environ: dict[str, Any], **kwargs: Any) -> None:
    if environ["PATH_INFO"] == "/broken" and "latchkey.error" not in environ:
        raise RuntimeError("on purpose")


request_started.connect(raise_on_purpose)
