"""Applications: clients of OAuth 2.0 with a client id, secrets, scopes and resources.

Read `models.py` first. The endpoints for them are in `oauth/`. It must not know sessions or users.
"""
