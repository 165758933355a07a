"""Key pairs that sign access tokens: schedule, key rotation, and the published key set (JWKS).

Read `schedule.py` first: the life of a key in one drawing. It must not know users or sessions. With HS256, whose keys
are derived from the secret key, nothing here is used but an empty key set.
"""
