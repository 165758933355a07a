"""What every refusal is made of; latchkey.core.errors lists them all."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

FieldErrors: TypeAlias = Mapping[str, Sequence[str]]


class Refusal(Exception):
    """What a client is told when it does not get what it asked for (RFC 9457)."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    detail: ClassVar[str]
    field: ClassVar[str] = "body"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, errors: FieldErrors | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.code)
        self.errors = errors or {self.field: [self.detail]}
        self.extra_headers = {**self.headers, **(headers or {})}
