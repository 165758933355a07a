"""Accounts: the user model, password rules, reauthentication, and what operators do to accounts.

Read `models.py` first. Reauthentication (the password again, before a sensitive operation) is `reauthentication.py`. It
must not know sessions, mail or HTTP: ending sessions is a new `credential_version`, which their SQL compares.
"""
