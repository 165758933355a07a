"""Formats of dates and times in the admin area, by language (Django's FORMAT_MODULE_PATH).

Django imports `<language>.formats` from here, and no other module does.
"""
