"""Roles, scopes and custom claims: what an account may do, as its access tokens say it.

Read `token_claims.py` first. A role is granted to a person, a scope to an application or to a role; `User.claims` are
free. It must not know sessions or applications.
"""
