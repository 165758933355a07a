"""The OpenAPI document: operations, error responses and headers, derived from the views (drf-spectacular).

Read `operation.py` first: the decorator that every view method has. It must not know features.
"""
