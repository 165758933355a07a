"""The subcommands of `latchkey`, one module each (Django management commands).

Read `serve.py` first: it starts the service. A command parses its options, calls a use case and prints the result;
it must not contain the use case itself.
"""
