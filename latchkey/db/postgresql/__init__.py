"""Django's database backend for PostgreSQL, with a time limit for every answer of the server.

`base.py` is the module that Django loads for `ENGINE = "latchkey.db.postgresql"`, `connection.py` the connection of
psycopg behind it. Neither knows a table.
"""
