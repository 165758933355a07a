"""Endpoints for the operator's own services: verify, introspection (RFC 7662), revocation (RFC 7009).

Read `introspection.py` first. A client of OAuth is a service with a client credential (`models.py`); users sign in with
`sessions`. It must not import the other features at its level.
"""
