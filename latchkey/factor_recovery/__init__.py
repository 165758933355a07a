"""Delayed recovery of an account that has lost every second factor: by mail, after days in which its owner is warned.

Read `request.py` first, then `reminders.py`, `cancel.py` and `confirm.py`: that is the order in time. The table is in
`factors/delayed_recovery.py`. It must not import the other features at its level.
"""
