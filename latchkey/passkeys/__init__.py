"""Passkeys (WebAuthn Level 3): registration, assertion, and the documents that bind apps and domains to them.

Read `assertion.py` first. It owns the passkeys of the accounts and nothing else: it opens no session, and knows
nothing of sign-in. Only this package imports the library `webauthn`.
"""
