"""Import and export of users with their password hashes, and import from other Django projects.

Read `importer.py` first, then `record.py`: the fields and how strictly they are parsed. It knows files and rows; the
command line (options, progress bar, exit codes) is in `management`. It must not import the features at its level.
"""
