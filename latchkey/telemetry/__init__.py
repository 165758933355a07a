"""Observability of requests: logs, Prometheus metrics and OpenTelemetry traces.

Read `request_log.py` first: the one log line per request. What the events mean belongs to `audit`, how metrics are
served to `metrics_server`; this package imports no feature and no database table.
"""
