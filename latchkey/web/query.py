"""Strict query parameters: an unknown or misspelt one is an error, as it must not count as left out."""

import re
from collections.abc import Mapping

from rest_framework.request import Request

from latchkey.core.exceptions import InvalidInput


def parse_query(request: Request, forms: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    """Return the parameters; raises InvalidInput for an unknown, malformed or repeated one."""
    return validate_query(dict(request.query_params.lists()), forms)


def validate_query(given: Mapping[str, list[str]], forms: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    """Return the one value of each parameter, out of all values by name; raises InvalidInput as parse_query does."""
    wrong = {
        name: ["This parameter has another form."]
        for name, form in forms.items()
        if name in given and not (len(given[name]) == 1 and form.fullmatch(given[name][0]))
    }
    if given.keys() - forms.keys():
        wrong["query"] = ["This address takes no such parameter."]
    if wrong:
        raise InvalidInput(wrong)
    return {name: values[0] for name, values in given.items()}
