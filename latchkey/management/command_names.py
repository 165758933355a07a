"""The names of all commands, found without an import of Django, and the refusal of any other word."""

import sys
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

PACKAGES_WITH_COMMANDS = (
    *("django.core", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"),
    *("django.contrib.staticfiles", "constance", "rest_framework", "drf_spectacular"),
)
"""Packages besides our own whose commands exist: Django's core, and INSTALLED_APPS."""


def command_names() -> set[str]:
    """Return the names of all commands, ours and those of Django and of libraries, without an import of any."""
    folders = [Path(__file__).parent / "commands"]
    for package in PACKAGES_WITH_COMMANDS:
        spec = find_spec(package)
        places = (spec and spec.submodule_search_locations) or ()
        folders += [Path(place) / "management" / "commands" for place in places]
    return {file.stem for folder in folders for file in folder.glob("[!_]*.py")}


def refuse_unknown_command(program: str, word: str) -> NoReturn:
    """Exit with code 2 and one sentence, with the nearest name of a command."""
    hint = f"'{program} --help' lists them."
    if nearest := get_close_matches(word.replace("-", "_"), command_names(), n=1):
        spelled = nearest[0].replace("_", "-") if "-" in word else nearest[0]
        hint = f"did you mean {spelled!r}?"
    print(f"latchkey: {word!r} is not a command; {hint}", file=sys.stderr)
    sys.exit(2)
