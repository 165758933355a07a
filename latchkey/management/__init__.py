"""The command line behind `latchkey`: commands, arguments, error messages, exit codes and progress bars.

Read `commands/serve.py` first. The top layer: everything may be imported here, and nothing imports it but `cli.py`.
Commands parse options and print; the work is done by the packages of the features.
"""
