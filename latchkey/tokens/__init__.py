"""Token formats: access tokens (JWT), refresh tokens (split-token UUID), and keys as JWK.

Read `refresh_token.py` first, then `access_token.py`. Pure functions of their arguments and keys: no database, no
session, no request. The only package that imports PyJWT.
"""
