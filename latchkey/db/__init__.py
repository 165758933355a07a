"""Database access beside the ORM: raw SQL, and the event loop's asynchronous connection pool.

Read `statements.py` first, then `async_pool.py` for the event loop. It executes SQL and does not know what it means:
no table, no model and no feature is named here.
"""
