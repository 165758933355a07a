"""Benchmark of servers that are already running: `python -m bench --beside FILE`. Start with description.py.

The servers may be written in any language. A TOML file describes their requests, tokens, processes and database.
"""
