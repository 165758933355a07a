"""The headers that the OpenAPI document tells of."""

from collections.abc import Mapping, Sequence

from drf_spectacular.utils import OpenApiParameter

from latchkey.core import exceptions as errors


def error_headers(error_classes: Sequence[type[errors.ApiError]]) -> list[OpenApiParameter]:
    """Return the headers that come with these errors, each with its statuses: those that all errors of one have."""
    common: dict[int, set[str]] = {}
    for error_class in error_classes:
        own = set(error_class.default_headers)
        common[error_class.status] = common.get(error_class.status, own) & own
    statuses: dict[str, set[int]] = {}
    for error_class in error_classes:
        for header in error_class.default_headers:
            if header in common[error_class.status]:
                statuses.setdefault(header, set()).add(error_class.status)
    return [
        OpenApiParameter(
            header,
            {"type": "integer", "minimum": 1} if header == "Retry-After" else {"type": "string"},
            OpenApiParameter.HEADER,
            required=True,
            response=sorted(with_status),
        )
        for header, with_status in statuses.items()
    ]


def success_headers(headers: Mapping[str, str], status: int) -> list[OpenApiParameter]:
    """Return the headers of the answer itself, each with what it says."""
    return [
        OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True, description=says, response=[status])
        for name, says in headers.items()
    ]
