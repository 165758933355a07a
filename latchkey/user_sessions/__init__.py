"""One's own sessions at /api/sessions/: list the signed-in devices, end one, end all others.

Read `sessions.py` first. It works on the rows of `sessions` and has no table of its own. It must not import the other
features at its level.
"""
