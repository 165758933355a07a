"""The session engine: sign in, refresh, sign out, and the check of access tokens.

Read `refresh.py` first: its docstring is the table of all outcomes, and the code follows it. Then `sql.py`, the
statements. Use cases get plain values and must not know HTTP; mail and email_codes are above, and are not imported.
"""
