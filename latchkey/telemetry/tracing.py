"""Which trace a request belongs to (W3C Trace Context).

Spans for OpenTelemetry, where latchkey[otel] is installed and OTEL_EXPORTER_OTLP_ENDPOINT says where they go.

The SDK reads the OTEL_* variables by itself. Without an endpoint nothing of it is imported.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from django.conf import settings

from latchkey.telemetry.metrics import method_label
from latchkey.telemetry.route_labels import route_label

_TRACEPARENT = re.compile("00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


class TraceContext(NamedTuple):
    """The trace, and the caller's span in it: 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str


def parse_traceparent(traceparent: str) -> TraceContext | None:
    """Return what a traceparent header says; None where it is not exactly of version 00, for it goes into the log."""
    matched = _TRACEPARENT.fullmatch(traceparent)
    return TraceContext(*matched.groups()) if matched else None


if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

CONTEXT = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}

log = structlog.get_logger(__name__)


def with_tracing(application: Any) -> Any:
    """Return the application with a span around each request, or as it is where nobody wants them.

    Called in each worker: a fork would inherit the exporter, and not the thread that exports.
    """
    if not settings.TRACING:
        return application
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("tracing.not_installed", hint="install latchkey[otel], or take OTEL_EXPORTER_OTLP_ENDPOINT away")
        return application
    named = Resource.create({"service.name": "latchkey"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return TracingMiddleware(application, provider.get_tracer("latchkey"), provider.shutdown)


class TracingMiddleware:
    """A WSGI application (PEP 3333) around another; what it tells has no more of a request than the metrics have."""

    def __init__(self, application: Any, tracer: "Tracer", end: Any) -> None:
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self.application, self.tracer, self.shutdown = application, tracer, end
        self.server, self.error, self.context = SpanKind.SERVER, StatusCode.ERROR, TraceContextTextMapPropagator()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, route = method_label(environ["REQUEST_METHOD"]), route_label(environ["PATH_INFO"])
        sent = {name: environ[key] for name, key in CONTEXT.items() if key in environ}
        known = {"http.request.method": method, "http.route": route}
        with self.tracer.start_as_current_span(
            f"{method} {route}", self.context.extract(sent), kind=self.server, attributes=known
        ) as span:

            def started(status: str, headers: list[tuple[str, str]]) -> Any:
                code = int(status[:3])
                span.set_attribute("http.response.status_code", code)
                if code >= 500:
                    span.set_status(self.error)
                return start_response(status, headers)

            ours: dict[str, str] = {}
            self.context.inject(ours)
            environ["HTTP_TRACEPARENT"] = ours["traceparent"]  # for the lines of the log
            parts: Iterable[bytes] = self.application(environ, started)
            return parts
