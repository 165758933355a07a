"""Password hashing: Argon2id, the hashers of imported hashes, and the low-priority thread that runs them.

Read `argon2.py` first: it has the cost, and equal time for wrong passwords. It does not know users or requests; which
endpoints hash is an attribute of their views.
"""
