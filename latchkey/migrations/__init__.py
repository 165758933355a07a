"""Database migrations of the one app, for SQLite and PostgreSQL.

Read `0001_initial.py` first: all tables. Migrations with SQL for one database check `connection.vendor`. A released
migration is never edited.
"""
