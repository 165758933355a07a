"""Where log lines go and what they look like: standard output, one line an event."""

from typing import Any

import structlog
from structlog.typing import Processor

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_settings(production: bool) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING: JSON in production, readable text in development."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    text = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()] if production else [text]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        "foreign_pre_chain": _SHARED,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
        "root": {"handlers": ["stdout"], "level": "INFO"},
        "loggers": {
            "django.server": {"handlers": ["stdout"], "propagate": False},
            "django.request": {"level": "CRITICAL"},  # the request log has each of these already,
            "django.security.DisallowedHost": {
                "level": "CRITICAL"
            },  # and this one would be a traceback per stray request
            "constance": {"level": "WARNING"},
            "django_structlog": {"level": "INFO" if production else "WARNING"},
        },
    }
