"""One's own account at /api/me/: display name, export of personal data, security history, deletion.

Read `views.py` first. Erasure (GDPR article 17) is `erasure.py`, which operators use, too. It must not import the other
features at its level, and shows a user nothing about other users.
"""
