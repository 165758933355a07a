"""API for back ends, /api/users/: what operators do in the admin, for applications with users:read or users:write.

Read `views.py` first. It must not import the other features at its level, apart from their use cases below it.
"""
