"""Bearer tokens of every kind (RFC 6750): access tokens of people and applications, and API keys.

Read `principal.py` first: who a request comes from, and what it may do. It must not know the endpoints.
"""
