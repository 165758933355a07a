"""API keys: long-lived bearer credentials of people and of applications, with scopes of their own.

Read `api_key.py` first, the form of a key. It must not know the endpoints that take one.
"""
