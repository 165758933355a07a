"""The public configuration: what a front end has to know before anybody signs in, at /api/config/.

Read `views.py` first. It reads the runtime settings and changes nothing. It must not import the other features.
"""
