"""Browser sessions at /api/browser/: sign-in and refresh with the refresh token in an HttpOnly cookie.

Read `cookie.py` first, then `views.py`. The use cases are those of sign_in, sessions and passwords: what differs is
where the refresh token travels, and that each request needs an Origin that is allowed (web/origin.py).
"""
