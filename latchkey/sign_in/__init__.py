"""Sign-in: the one flow that opens a session, whatever a person authenticates with.

Read `admission.py` first: every proof of identity ends there, and no other package may open a session (an import
contract holds it). Then `login.py` for the password.
"""
