"""Metrics of all workers and health checks (liveness and readiness), on an address of their own.

Read `start.py` first: what a worker starts. Then `views.py` and `collectors.py`. What is counted in a request is in
`telemetry`. It must not use the request threads, and must not import the features at its level.
"""
