"""How one operation is described in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class OperationSchema(AutoSchema):
    """drf-spectacular's account of an operation, with the links, the limits and the bodies that it leaves out."""

    links: Mapping[str, Mapping[str, Any]] = {}
    limits: Mapping[str, Mapping[str, Any]] = {}

    def get_operation(self, *args: Any) -> Any:
        """Add the links to the answer, which is the first of the responses."""
        operation: Any = super().get_operation(*args)
        if self.links:
            answer = next(iter(operation["responses"].values()))
            answer["links"] = {name: {"operationId": name, **link} for name, link in self.links.items()}
        return operation

    def _get_request_body(self, direction: Any = "request") -> Any:
        """Describe the body of a DELETE like any other: drf-spectacular knows of none."""
        method = self.method
        if method == "DELETE" and self.get_request_serializer():
            self.method = "POST"
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]  # untyped there
        finally:
            self.method = method

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """Say what text we take, and promise every key of an answer: forms of the admin may leave some out."""
        described: Any = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # untyped there
        for name, field in serializer.fields.items():
            told = described["properties"][name]
            if name == "email":
                told["format"] = "idn-email"  # its domain is answered in Unicode
            elif direction == "request" and isinstance(field, serializers.CharField):
                told |= {"pattern": r"^[^\x00]*$"} | ({} if field.allow_blank else {"minLength": 1})
            told |= self.limits.get(name, {})
        if isinstance(serializer, serializers.ModelSerializer):
            described["required"] = list(described["properties"])
        return described
