"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header) of requests that create something.

Read `stored_keys.py` first. It knows neither HTTP nor what is created. The keys of refreshes are not here: they are in
the row of their session (sessions/refresh.py).
"""
