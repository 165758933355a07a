"""The admin area under /admin/ (django-unfold): users, sessions, audit log, mails, applications, settings, charts.

Read `site.py` first, then `users.py`. Its actions call the use cases of the features. It shows no token and no digest,
and a new secret of an application, or a new API key, once. Nothing imports it but `urls.py`, `apps.py`, and
`settings.py` for its theme.
"""
