"""What every layer may use: API errors, the clock, client information, cryptographic keys, device names.

Read `exceptions.py` first: it is the closed list of errors. Nothing here knows HTTP, the database or any other package
of Latchkey.
"""
