"""Applications and scopes in the admin area: who may change them, a secret that is shown once, and deletion."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from time_machine import Traveller

from latchkey.admin.reauthentication import MAX_AGE_SECONDS
from latchkey.api_keys.models import ApiKey
from latchkey.applications.manage import Change, create_application
from latchkey.applications.models import Application, ClientCredential, hash_secret
from latchkey.applications.secrets import add_secret
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Scope
from latchkey.authorization.scope_changes import create_scope
from tests.applications.keys import make_jwk
from tests.applications.tokens import is_accepted, issue
from tests.support.admin_pages import Browser, form_data, shown_messages
from tests.support.captured_log import CapturedLog

APPLICATIONS, SCOPES = "/admin/latchkey/application/", "/admin/latchkey/scope/"
SECRET = re.compile(r'<code id="secret">([\w-]{43})</code>')
ACTIONS = ("new-secret", "remove-older-secret", "revoke-tokens", "deactivate", "reactivate")


@pytest.fixture
def shop(db: None) -> Application:
    create_scope("orders:read", "Read all orders.", COMMAND_LINE)
    values = Change(name="The shop", scopes=["orders:read"], resources=["https://orders.example/"])
    return create_application("shop", values, COMMAND_LINE)


def page_of(application: Application, page: str = "change") -> str:
    return f"{APPLICATIONS}{application.pk}/{page}/"


def press(browser: Browser, application: Application, action: str, **typed: Any) -> Any:
    """Press a button on the page of an application, and confirm it where a page asks."""
    page = browser.get(page_of(application))
    newest = page.context["newest"] if page.status_code == 200 else 0
    sent = {"newest": newest, "post": "yes", **typed}
    return browser.post(page_of(application, f"action/{action}"), sent, follow=True)


def save(browser: Browser, path: str, **typed: Any) -> Any:
    """Fill in these values on a page and submit it."""
    form = form_data(browser.get(path).context["adminform"].form)
    return browser.post(path, {**form, **typed}, follow=True)


def test_superuser_adds_an_application_with_a_public_key_and_a_scope(admin: Browser, shop: Application) -> None:
    scope, jwk = Scope.objects.get(name="orders:read"), make_jwk(kid="a")
    typed = {
        "client_id": "jobs",
        "name": "Jobs",
        "scopes": [scope.pk],
        "resources": "https://a.example/\r\nhttps://b.example",
    }
    answer = save(
        admin, f"{APPLICATIONS}add/", **typed, public_keys=f'{{"keys": [{str(jwk).replace(chr(39), chr(34))}]}}'
    )
    assert "was added successfully" in shown_messages(answer)[0]
    row = Application.objects.get(client_id="jobs")
    assert (row.name, row.resources) == ("Jobs", ["https://a.example/", "https://b.example"])
    assert [key["kid"] for key in row.public_keys] == ["a"]
    assert [given.name for given in row.scopes.all()] == ["orders:read"]
    event = AuditEvent.objects.get(name="application.created", detail="jobs")
    assert event.actor_id is not None


def test_application_without_a_client_id_gets_one_and_its_page_says_that_it_needs_a_secret(admin: Browser) -> None:
    answer = save(admin, f"{APPLICATIONS}add/", client_id="", _continue="1")
    assert re.fullmatch(r"app-[a-z0-9]{16}", Application.objects.get().client_id)
    assert "add a secret, or a public key" in answer.text


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        *(("client_id", "shop", "already exists"), ("client_id", "12", "one of digits alone")),
        *(("client_id", "a b", "is not a valid client id"), ("resources", "nope", "is not a valid resource")),
        *(("public_keys", "x", "This is no JSON Web Key Set"), ("public_keys", "[{}]", "Key 1 needs")),
        ("public_keys", '[{"kty": "EC", "d": "x"}]', "Key 1 is a private key"),
        ("public_keys", '[{"kty": "oct", "k": "x"}]', "Key 1 is a symmetric key"),
    ],
)
def test_wrong_value_is_a_sentence_beside_its_field(
    admin: Browser, shop: Application, field: str, typed: str, sentence: str
) -> None:
    answer = save(admin, f"{APPLICATIONS}add/", **{"client_id": "jobs", field: typed})
    assert sentence in answer.context["adminform"].form.errors[field][0]
    assert Application.objects.count() == 1


def test_page_of_an_application_saves_only_what_the_operator_touched(admin: Browser, shop: Application) -> None:
    form = form_data(admin.get(page_of(shop)).context["adminform"].form)
    Application.objects.filter(pk=shop.pk).update(resources=["https://new.example/"])  # while the page is open
    admin.post(page_of(shop), form | {"name": "Our shop"})
    row = Application.objects.get()
    assert (row.name, row.resources, row.scopes.count()) == ("Our shop", ["https://new.example/"], 1)
    assert AuditEvent.objects.get(name="application.changed").detail == "shop: name"


def test_scope_that_is_unticked_and_key_set_that_is_emptied_are_taken_away(admin: Browser, shop: Application) -> None:
    Application.objects.filter(pk=shop.pk).update(public_keys=[make_jwk()])
    save(admin, page_of(shop), scopes=[], public_keys="")
    row = Application.objects.get()
    assert (row.scopes.count(), row.public_keys) == (0, [])


def test_new_secret_is_shown_once_and_nowhere_else(
    admin: Browser, shop: Application, captured_log: CapturedLog
) -> None:
    answer = press(admin, shop, "new-secret")
    (secret,) = SECRET.findall(answer.text)
    assert ClientCredential.objects.get().digest in (hash_secret(secret), memoryview(hash_secret(secret)))
    assert "no-store" in answer["Cache-Control"]
    assert answer.redirect_chain == []
    pages = (page_of(shop), page_of(shop, "history"), APPLICATIONS, "/admin/", "/admin/latchkey/auditevent/")
    for page in pages:
        assert secret not in admin.get(page).text
    assert secret not in captured_log.text
    assert secret not in str(dict(admin.session))
    assert AuditEvent.objects.get(name="service.added").actor_id is not None


def test_form_that_is_sent_twice_adds_one_secret(admin: Browser, shop: Application) -> None:
    assert SECRET.search(press(admin, shop, "new-secret", newest=0).text)
    answer = press(admin, shop, "new-secret", newest=0)
    assert shown_messages(answer)[0].startswith("No secret was added")
    assert ClientCredential.objects.count() == 1


def test_third_secret_is_refused_and_the_older_one_is_removed(admin: Browser, shop: Application) -> None:
    first, second = (add_secret("shop", COMMAND_LINE) for _ in range(2))
    assert 'action/new-secret/"' not in admin.get(page_of(shop)).text
    assert shown_messages(press(admin, shop, "new-secret")) == [
        "It has two secrets already: remove the older one first."
    ]
    assert shown_messages(press(admin, shop, "remove-older-secret")) == ["Removed the older secret."]
    assert first
    assert second
    assert bytes(ClientCredential.objects.get().digest) == hash_secret(second)


def test_button_that_ends_something_asks_first(clock: Traveller, admin: Browser, shop: Application) -> None:
    clock.shift(timedelta(seconds=5))
    token = issue("shop")
    clock.shift(timedelta(seconds=1))
    for action, sentence in (("revoke-tokens", "refused at once"), ("deactivate", "until it is reactivated")):
        page = press(admin, shop, action, post="")
        assert "The shop?" in page.text
        assert sentence in page.text
        assert is_accepted(token)
    assert shown_messages(press(admin, shop, "deactivate")) == ["Deactivated the application."]
    assert not is_accepted(token)
    assert shown_messages(press(admin, shop, "reactivate")) == ["Reactivated the application."]
    assert Application.objects.get().is_active
    assert not is_accepted(token)


def test_application_is_deleted_after_a_confirmation_with_its_secrets_and_keys(
    admin: Browser, shop: Application
) -> None:
    add_secret("shop", COMMAND_LINE)
    ApiKey.objects.create(application=shop, key_id="k", digest=b"d", name="deploy")
    assert "secrets 1, API keys 1" in admin.get(page_of(shop, "delete")).text
    admin.post(page_of(shop, "delete"), {"post": "yes"})
    assert not Application.objects.exists()
    assert not ClientCredential.objects.exists()
    assert not ApiKey.objects.exists()
    assert AuditEvent.objects.get(name="application.deleted").detail == "shop"


def test_list_finds_applications_by_client_id_and_name_and_filters_them(admin: Browser, shop: Application) -> None:
    create_application("jobs", Change(), COMMAND_LINE)
    scope = Scope.objects.get(name="orders:read").pk
    for query in ({"q": "sho"}, {"q": "the shop"}, {"scopes__id__exact": scope}):
        assert [row.client_id for row in admin.get(APPLICATIONS, query).context["cl"].result_list] == ["shop"]
    Application.objects.filter(pk=shop.pk).update(is_active=False)
    found = admin.get(APPLICATIONS, {"is_active__exact": "0", "kind__exact": "service"}).context["cl"].result_list
    assert [row.client_id for row in found] == ["shop"]
    for lookup in ("public_keys", "tokens_valid_from__gte", "api_keys__digest"):
        assert admin.get(APPLICATIONS, {lookup: "x"}).status_code in (302, 400)


def test_staff_who_are_no_superusers_look_and_change_nothing(staff: Callable[..., Browser], shop: Application) -> None:
    rights = [f"{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("application", "scope")]
    clerk, scope = staff(*rights), Scope.objects.get(name="orders:read")
    page = clerk.get(page_of(shop))
    assert page.status_code == clerk.get(f"{SCOPES}{scope.pk}/change/").status_code == 200
    assert "action/" not in page.text
    for action in ACTIONS:
        assert press(clerk, shop, action).status_code == 403
    for path in (page_of(shop), page_of(shop, "delete"), f"{APPLICATIONS}add/", f"{SCOPES}add/"):
        assert clerk.post(path, {"name": "x", "post": "yes"}).status_code == 403
    assert clerk.post(f"{SCOPES}{scope.pk}/delete/", {"post": "yes", "force": "yes"}).status_code == 403
    assert (Application.objects.get().name, ClientCredential.objects.count()) == ("The shop", 0)


def test_staff_without_the_permission_see_no_application(staff: Callable[..., Browser], shop: Application) -> None:
    clerk = staff("view_user")
    assert {clerk.get(path).status_code for path in (APPLICATIONS, page_of(shop), SCOPES)} == {403}


@pytest.mark.parametrize("action", ACTIONS)
def test_button_without_a_recent_proof_asks_for_it_and_changes_nothing(
    clock: Traveller, admin: Browser, shop: Application, action: str
) -> None:
    clock.shift(timedelta(seconds=MAX_AGE_SECONDS))
    before = Application.objects.values().get()
    answer = press(admin, shop, action)
    assert answer.redirect_chain[-1][0].startswith("/admin/reauthenticate/")
    assert (Application.objects.values().get(), ClientCredential.objects.count()) == (before, 0)


def test_button_that_does_not_exist_and_a_get_request_change_nothing(admin: Browser, shop: Application) -> None:
    assert press(admin, shop, "nope").status_code == 404
    assert admin.get(page_of(shop, "action/new-secret"))["Location"] == page_of(shop)
    assert admin.post(f"{APPLICATIONS}999999/action/new-secret/").status_code == 404
    assert not ClientCredential.objects.exists()


def test_superuser_adds_and_describes_a_scope(admin: Browser) -> None:
    for name in ("A b", "a/b", "A"):
        refused = save(admin, f"{SCOPES}add/", name=name, description="x").context["adminform"].form.errors
        assert "Write 1 to 64" in refused["name"][0]
    save(admin, f"{SCOPES}add/", name="orders:read", description=" Read all orders. ")
    scope = Scope.objects.get(name="orders:read")
    assert scope.description == "Read all orders."
    save(admin, f"{SCOPES}{scope.pk}/change/", name="other", description="Read orders.")
    scope.refresh_from_db()
    assert (scope.name, scope.description) == ("orders:read", "Read orders.")
    assert set(AuditEvent.objects.values_list("name", flat=True)) >= {"scope.created", "scope.changed"}


def test_scope_in_use_is_deleted_only_where_the_operator_takes_it_away(admin: Browser, shop: Application) -> None:
    path = f"{SCOPES}{Scope.objects.get(name='orders:read').pk}/delete/"
    assert "It is in use: application shop." in admin.get(path).text
    answer = admin.post(path, {"post": "yes"}, follow=True)
    assert shown_messages(answer) == ["Nothing was deleted: orders:read is in use: application shop."]
    admin.post(path, {"post": "yes", "force": "yes"})
    assert not Scope.objects.filter(name="orders:read").exists()


def test_built_in_scope_cannot_be_deleted(admin: Browser, shop: Application) -> None:
    path = f"{SCOPES}{Scope.objects.get(name='users:read').pk}/delete/"
    assert admin.get(path).status_code == admin.post(path, {"post": "yes", "force": "yes"}).status_code == 403


def test_list_of_scopes_counts_who_has_them(admin: Browser, shop: Application) -> None:
    page = admin.get(SCOPES)
    (row,) = (row for row in page.context["cl"].result_list if row.name == "orders:read")
    assert (row.application_count, row.role_count) == (1, 0)
    assert "Application.None" not in page.text
