"""Configuration: parsers of environment variables for `settings.py`, and the runtime settings (policy).

Read `policy.py` first: it has the settings that a superuser changes while the service runs. `settings.py` imports these
modules before Django is set up, so they import no model and no other package of Latchkey.
"""
