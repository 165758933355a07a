"""A person in a browser without scripts: opens pages, fills forms in and presses buttons, and keeps cookies."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.people import PASSWORD

SIGN_IN, SECURITY, CONFIRM = "/account/sign-in/", "/account/security/", "/account/confirm/"
AUTHENTICATOR, RECOVERY_CODES = "/account/security/authenticator/", "/account/security/recovery-codes/"


@dataclass
class Form:
    """A form of a page: where it is sent, and what its fields contain."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)


class Page(HTMLParser):
    """A page as a browser has it, with its forms and the text that people read."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer, self.status, self.path = answer, answer.status_code, answer.url.path
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.codes: list[str] = []
        self.selected = ""
        self.open_tags: list[str] = []
        self.feed(answer.text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given["action"], attributes=given))
        elif tag == "input" and self.forms and "name" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
            if given.get("type") == "checkbox" and "checked" not in given:
                self.forms[-1].unchecked.add(given["name"])
        elif tag == "select":
            self.selected = given["name"]
            self.forms[-1].fields[self.selected] = ""
        elif tag == "option" and "selected" in given:
            self.forms[-1].fields[self.selected] = given["value"]
        if tag not in ("input", "meta", "link", "br", "path"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open_tags:
            while self.open_tags.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if "head" not in self.open_tags or "title" in self.open_tags:
            self.words.append(data)
        if "code" in self.open_tags:
            self.codes.append(data.replace(" ", ""))

    def form(self, *names: str, action: str = "") -> Form:
        """Return the first form that has these fields, and that is sent there."""
        return next(form for form in self.forms if {*names} <= {*form.fields} and form.action.endswith(action))


class Visitor:
    """A browser at the account pages; `page` is what it shows."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = httpx.Client(transport=http._transport, base_url=http.base_url, follow_redirects=True)
        self.page: Page

    def open(self, path: str) -> Page:
        self.page = Page(self.http.get(path))
        return self.page

    def submit(self, action: str = "", **typed: Any) -> Page:
        """Fill in the form that has these fields, and press its button."""
        form = self.page.form(*typed, action=action)
        filled = {name: value for name, value in form.fields.items() if name not in form.unchecked}
        self.page = Page(self.http.post(form.action, data=filled | typed))
        return self.page

    def sign_in(self, email: str, password: str = PASSWORD, page: str = SIGN_IN) -> Page:
        """Type the address and the password on the sign-in page."""
        self.open(page)
        return self.submit(email=email, password=password)

    def is_signed_in(self) -> bool:
        return Page(self.http.get(SECURITY)).path == SECURITY
