"""The admin area under /admin/ (django-unfold): users, sessions, audit log, mails, services, settings, charts.

Read `site.py` first, then `users.py`. Its actions call the use cases of the features. It shows no secret, token or
digest. Nothing imports it but `urls.py`, `apps.py`, and `settings.py` for its theme.
"""
