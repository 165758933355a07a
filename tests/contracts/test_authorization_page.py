"""docs/authorization.md: its table of permissions is that of the OpenAPI document."""

import yaml

from tools.permission_table import COLUMNS, PAGE, SOURCE, page_with_table


def test_table_of_permissions_is_that_of_the_openapi_document() -> None:
    document = yaml.safe_load(SOURCE.read_text())
    text = PAGE.read_text()
    assert page_with_table(text, document) == text, "run 'make openapi'"
    callers = {
        caller
        for methods in document["paths"].values()
        for spec in methods.values()
        for caller in spec["x-latchkey-access"]["callers"]
    }
    assert callers == set(COLUMNS)
