"""English formats of the admin area: ISO 8601 dates and 24-hour times.

Read `formats.py`, whose names are those of Django's settings (DATETIME_FORMAT and others).
"""
