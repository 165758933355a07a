"""Actions of a user on the pages of the admin: read a form, change a field, submit it."""

from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from tests.people import PASSWORD

SETTINGS = "/admin/constance/config/"
USERS = "/admin/latchkey/user/"
SESSIONS = "/admin/latchkey/session/"
EVENTS = "/admin/latchkey/auditevent/"
MAILS = "/admin/latchkey/mail/"


Response = Any
"""What Django's test client returns: an HttpResponse with `context`, `text`, `url` and `json()` added."""


class Browser(Client):
    """Django's test client that leaves the transaction of the test open for `http`."""

    def request(self, **request: Any) -> Any:
        try:
            return super().request(**request)
        finally:
            for signal in (request_started, request_finished):  # the client has just connected them again
                signal.disconnect(close_old_connections)


def sign_in(email: str, password: str = PASSWORD) -> Browser:
    """Return a browser that has submitted this address and password on the sign-in page of the admin."""
    browser = Browser()
    browser.post("/admin/login/", {"username": email, "password": password, "next": "/admin/"})
    return browser


def user_page(user_id: int, page: str = "change") -> str:
    return f"{USERS}{user_id}/{page}/"


def form_data(form: Any) -> dict[str, Any]:
    """Return what a browser submits for a form that nobody has edited."""
    values = {name: form[name].value() for name in form.fields if not form.fields[name].disabled}
    shown = {name: form.fields[name].prepare_value(value) for name, value in values.items()}
    sent = {name: value for name, value in shown.items() if value is not None and value is not False}
    return sent | {f"initial-{name}": value for name, value in shown.items() if form.fields[name].show_hidden_initial}


def save_settings(browser: Browser, **typed: Any) -> Response:
    """Fill in these values on the settings page and submit it; None leaves a box unticked or a field empty."""
    form = form_data(browser.get(SETTINGS).context["form"])
    sent = {name: value for name, value in (form | typed).items() if value is not None}
    return browser.post(SETTINGS, sent, follow=True)


def save_user(browser: Browser, user_id: int, **typed: Any) -> Response:
    """Fill in these values on the page of a user and submit it; None unticks a box."""
    page = browser.get(user_page(user_id))
    form = form_data(page.context["adminform"].form) if page.status_code == 200 else {}
    sent = {name: value for name, value in (form | typed).items() if value is not None}
    return browser.post(user_page(user_id), sent, follow=True)


def run_action(browser: Browser, page: str, action: str, *ids: int, **typed: Any) -> Response:
    """Select these rows of a list, run an action on them, and confirm it where a page asks."""
    sent = {"action": action, "_selected_action": list(ids), "post": "yes", **typed}
    return browser.post(page, {name: value for name, value in sent.items() if value is not None}, follow=True)


def shown_messages(answer: Response) -> list[str]:
    """Return the messages of the page."""
    return [str(message) for message in answer.context["messages"]]
