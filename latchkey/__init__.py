"""Latchkey: a self-hosted sign-in service on Django and Django REST Framework.

A package is a feature (`sessions`, `passwords`) or a layer (`core`, `db`, `web`); imports point down only, as the
contracts in pyproject.toml say. To follow a request, read `urls.py`, `sessions/views.py` and `sessions/refresh.py`.
docs/architecture.md has the map. Only `settings.py` reads the environment.
"""
