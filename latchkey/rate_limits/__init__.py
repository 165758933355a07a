"""Throttling of sign-in, registration, mails and codes, in the database; and of made-up tokens, in memory.

Read `keys.py` first: the kinds of attempts with their numbers; then `attempts.py`: the one SQL statement. It must not
know users, passwords or HTTP: a caller charges a key before its check, and refunds the charge if the check succeeds.
"""
