"""Audit log: the closed list of events, and the one function that stores, logs and counts them.

Read `log.py` first: `record` is called by every use case. It must not know features: an event is a name with a user, a
session, a client, an operator and a reason, and never contains secrets or e-mail addresses.
"""
