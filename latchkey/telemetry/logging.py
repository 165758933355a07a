"""Logging configuration: structlog and the standard library, one line per event on standard output.

JSON in production, readable text in development. docs/metrics.md and docs/security.md describe the lines.
"""

import json
import logging
from typing import Any

import structlog
from structlog.typing import Processor

from latchkey.telemetry.request_log import add_request_id

_SHARED: list[Processor] = [
    add_request_id,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_encode = json.JSONEncoder(default=repr).encode


def logging_config(production: bool, level: str = "info") -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING: JSON in production, readable text in development.

    A log line is the most expensive part of a refresh after its SQL statement. So Latchkey's own lines are rendered by
    structlog and only passed on by the standard library, and record attributes that no format prints are not collected.

    The level is that of our own lines. Libraries log at 'info' at least: Django's lines for 'debug' have the values of
    templates, and so the links and codes of mails.
    """
    own = level.upper()
    libraries = "INFO" if own == "DEBUG" else own
    requests = own if production or own != "INFO" else "WARNING"
    text = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    json_renderer = structlog.processors.JSONRenderer(serializer=lambda event, **options: _encode(event))
    renderers: list[Processor] = [structlog.processors.format_exc_info, json_renderer] if production else [text]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, *renderers],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging._srcfile = None  # this and the next line as in "Optimization" of Python's logging HOWTO
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        "foreign_pre_chain": _SHARED,
    }
    stdout = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {
            "rendered": stdout,
            "stdout": {**stdout, "formatter": "line"},
        },
        "root": {"handlers": ["stdout"], "level": libraries},
        "loggers": {
            "latchkey": {"handlers": ["rendered"], "propagate": False, "level": own},
            "latchkey.requests": {"level": requests},
            "django.server": {"handlers": ["stdout"], "propagate": False},
            "django.request": {"level": "CRITICAL"},  # the request log has a line for each of these already
            # a traceback for each request with an unknown Host, which anybody can send
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "constance": {"level": "ERROR" if own == "ERROR" else "WARNING"},
        },
    }
