"""AutoSchema of drf-spectacular plus access, OpenAPI links, length limits and bodies of DELETE."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from latchkey.conf.rest_framework import OPERATION_TAGS
from latchkey.web.access import PERSON, Access
from latchkey.web.openapi.access import access_extension, security_requirements


class OperationSchema(AutoSchema):
    """AutoSchema that adds what drf-spectacular leaves out."""

    links: Mapping[str, Mapping[str, Any]] = {}
    collected_links: Mapping[str, Mapping[str, Any]] = {}  # complete once every view is imported
    limits: Mapping[str, Mapping[str, Any]] = {}

    def get_tags(self) -> list[str]:
        """Return the tag of the feature that the view belongs to; one without an entry has its name."""
        feature = type(self.view).__module__.split(".")[1]
        return [OPERATION_TAGS.get(feature, feature.replace("_", " ").capitalize())]

    def get_auth(self) -> Any:
        """Return the security requirements, by the access that the view declares."""
        return security_requirements(self.access, super().get_auth())

    @property
    def access(self) -> Access:
        """The access to the operation, as the view declares it."""
        declared: Access = self.view.access_for(self.method) if hasattr(self.view, "access_for") else PERSON
        return declared

    def get_extensions(self) -> Any:
        """Add the access of the operation."""
        return {**super().get_extensions(), "x-latchkey-access": access_extension(self.access)}

    def get_operation(self, *args: Any) -> Any:
        """Add the links to the success, which is the first of the responses."""
        operation: Any = super().get_operation(*args)
        if links := {**self.collected_links, **self.links}:
            success = next(iter(operation["responses"].values()))
            success["links"] = {name: {"operationId": name, **link} for name, link in links.items()}
        return operation

    def _get_request_body(self, direction: Any = "request") -> Any:
        """Describe the body of a DELETE, which drf-spectacular ignores; require that of an object without fields."""
        method = self.method
        given: Any = self.get_request_serializer()
        if method == "DELETE" and given:
            self.method = "POST"
        try:
            body: Any = super()._get_request_body(direction)  # type: ignore[no-untyped-call]  # untyped there
        finally:
            self.method = method
        return {**body, "required": True} if given is OpenApiTypes.OBJECT else body

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """Add the pattern of text, and require every key of an output, as models allow blank values in admin forms."""
        described: Any = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # untyped there
        for name, field in serializer.fields.items():
            schema = described["properties"][name]
            if name == "email":
                schema["format"] = "idn-email"  # its domain is answered in Unicode
            elif direction == "request" and isinstance(field, serializers.CharField):
                schema |= {"pattern": r"^[^\x00]*$"} | ({} if field.allow_blank else {"minLength": 1})
            schema |= self.limits.get(name, {})
        if isinstance(serializer, serializers.ModelSerializer):
            described["required"] = list(described["properties"])
        return described
