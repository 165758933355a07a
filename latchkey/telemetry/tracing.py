"""Tracing: the trace context of a request (W3C Trace Context), and a span for each with OpenTelemetry.

Spans are sent if OTEL_EXPORTER_OTLP_ENDPOINT is set and latchkey[otel] is installed. The SDK reads the other OTEL_*
variables by itself. Without an endpoint nothing of OpenTelemetry is imported.
"""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from latchkey.telemetry.metrics import METHODS
from latchkey.telemetry.route_labels import route_label

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_TRACEPARENT = re.compile("00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")

FIXED_ENVIRONMENT = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": "",
}
"""Variables of OpenTelemetry that nobody can change: the stable names of attributes, and no headers in spans."""

TRACE_HEADERS = ("HTTP_TRACEPARENT", "HTTP_TRACESTATE")
OTHER_METHOD = "_OTHER"
"""What OpenTelemetry calls a method that is in no standard: a client can send any."""

_WHOLE_ENVIRON = "latchkey.environ"
"""Key in the reduced WSGI environ: the whole one."""

log = structlog.get_logger(__name__)


class TraceContext(NamedTuple):
    """The trace of a request and the span that called it: 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str


def parse_traceparent(traceparent: str) -> TraceContext | None:
    """Parse a traceparent header; None if it is not exactly of version 00, because both ids are written to the log."""
    matched = _TRACEPARENT.fullmatch(traceparent)
    return TraceContext(*matched.groups()) if matched else None


def with_tracing(application: Any) -> Any:
    """Return the WSGI application with tracing, or unchanged if no endpoint is set or the extra is not installed.

    Called in each worker: a fork would inherit the exporter, but not the thread that exports.
    """
    if not settings.TRACING:
        return application
    try:
        return TracingMiddleware(application, build_provider())
    except ImportError:
        log.warning("tracing.not_installed", hint="install latchkey[otel], or take OTEL_EXPORTER_OTLP_ENDPOINT away")
        return application


def build_provider() -> "TracerProvider":
    """Return a provider that exports spans, as OpenTelemetry's variables say; raises ImportError without the extra.

    Raises ImproperlyConfigured for a variable that the SDK does not take.
    """
    os.environ.update(FIXED_ENVIRONMENT)
    try:  # some variables are read at the import
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra

        resource = Resource.create({"service.name": "latchkey"}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ImproperlyConfigured(f"A variable OTEL_... cannot be used by OpenTelemetry: {reason}.") from error
    return provider


def refuse_invalid_tracing() -> None:
    """Raise ImproperlyConfigured for variables that the SDK does not take; each worker would end at its start."""
    if settings.TRACING:
        with suppress(ImportError):
            build_provider().shutdown()


class TracingMiddleware:
    """WSGI middleware (PEP 3333) that makes a span of each request: OpenTelemetry's own, with a reduced request.

    OpenTelemetry's middleware makes attributes of what it sees: query string, host, IP address, user agent. So it sees
    the method, the route and the trace headers only, while the application gets the whole request
    (docs/decisions/0018-opentelemetry-middleware.md).
    """

    def __init__(self, application: Any, provider: "TracerProvider") -> None:
        from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware  # noqa: PLC0415 - an extra

        self.application, self.shutdown = application, provider.shutdown
        self.middleware: Any = OpenTelemetryMiddleware(
            self.call_application, request_hook=describe_request, tracer_provider=provider
        )

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        reduced = {
            "REQUEST_METHOD": method if method in METHODS else OTHER_METHOD,
            "PATH_INFO": route_label(environ["PATH_INFO"]),
            _WHOLE_ENVIRON: environ,
            **{name: environ[name] for name in TRACE_HEADERS if name in environ},
        }
        response: Iterable[bytes] = self.middleware(reduced, start_response)
        return response

    def call_application(self, reduced: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Call the application with the whole request."""
        response: Iterable[bytes] = self.application(reduced[_WHOLE_ENVIRON], start_response)
        return response


def describe_request(span: "Span", reduced: dict[str, Any]) -> None:
    """Add the route to the span, and give the ids of the span to the log lines of the request."""
    span.set_attribute("http.route", reduced["PATH_INFO"])
    ids = span.get_span_context()
    reduced[_WHOLE_ENVIRON]["HTTP_TRACEPARENT"] = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"
