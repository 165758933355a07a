"""The RSGI application that granian runs: request bodies, event loop, request threads, WSGI environ.

Read `rsgi.py` first. It decides where a request runs (event loop, request thread, hashing thread) and does not know
what it asks for. Only `management` is above it.
"""
