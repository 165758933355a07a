"""Operations of Swagger UI: find an operation on the page and execute it."""

import json

from playwright.sync_api import Locator, Page


def operation(page: Page, method: str, path: str) -> Locator:
    return page.locator(f".opblock-{method}", has=page.get_by_text(path, exact=True))


def execute(operation: Locator, body: dict[str, str] | None = None) -> Locator:
    """Open an operation, execute it with this body, and return the row with the server's response."""
    operation.locator(".opblock-summary-control").click()
    if body is not None:
        operation.locator("textarea.body-param__text").fill(json.dumps(body, indent=2))
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table tr.response")
