"""Change and reset of passwords: the endpoints, and the pages that links in mails open.

Read `reset.py` first: both requests of a reset. A new password always ends the sessions. It must not import the other
features at its level; password rules are in `accounts`, codes in `email_codes`.
"""
