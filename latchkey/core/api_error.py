"""Base class of the API errors (RFC 9457). The errors themselves are in `exceptions.py` and `access_errors.py`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

FieldErrors: TypeAlias = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """Base class of the API errors: one problem document (RFC 9457 section 3.1).

    `errors` are sentences by field, sent with status 400 only; without them the detail stands under `default_field`.
    `headers` are response headers, added to the `default_headers` of the class. `members` are extension members of the
    problem document (RFC 9457 section 3.2), for what clients would otherwise read out of a sentence or a header.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    detail: str
    default_field: ClassVar[str] = "body"
    default_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, errors: FieldErrors | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.code)
        self.errors = errors or {self.default_field: [self.detail]}
        self.headers = {**self.default_headers, **(headers or {})}

    @property
    def members(self) -> dict[str, Any]:
        """The extension members: `retry_after`, the seconds of a `Retry-After`, which not every script can read."""
        return {"retry_after": int(self.headers["Retry-After"])} if "Retry-After" in self.headers else {}
