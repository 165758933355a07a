"""Rules for the source of the package that neither ruff nor import-linter can state, and for its settings."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from importlib.metadata import version
from itertools import product

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.hashers import get_hashers
from django.contrib.sessions.backends import db
from django.urls import get_resolver
from django.utils.module_loading import import_string
from rest_framework.serializers import ModelSerializer

from latchkey.conf.policy import Policy
from latchkey.tokens.access_token import ALGORITHM
from tests.support.package_ast import find_calls, imported_names, walk_nodes

BUILT_IN_EVALUATORS = ("eval", "exec", "compile", "__import__")
BROKEN_HASHES = ("md4", "md5", "ripemd160", "sha1")


def is_method_of(call: ast.Call, module: str) -> bool:
    """Tell whether a call is `module.something(...)`."""
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", None) == module


def constant_argument(call: ast.Call, position: int, name: str) -> object:
    """Return the constant that a call passes at a position or by name; None if there is none."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == name] or call.args[position : position + 1]
    return getattr(given[0], "value", None) if given else None


def test_source_parser_finds_known_imports_and_calls() -> None:
    assert {"jwt", "hmac", "secrets", "django.conf.settings"} <= imported_names()
    assert {file for file, _ in find_calls("decode_complete")} == {
        "tokens/access_token.py",
        "tokens/client_assertion.py",
    }


@pytest.mark.ledger("ASVS-1.3.2")
def test_source_evaluates_no_text_as_code_and_no_setting_names_a_module() -> None:
    assert [file for file, call in find_calls(*BUILT_IN_EVALUATORS) if isinstance(call.func, ast.Name)] == []
    assert {type(setting.default) for setting in fields(Policy)} <= {timedelta, int, bool, str}
    texts = [setting for setting in fields(Policy) if type(setting.default) is str]
    assert all(setting.metadata.get("choices") or setting.metadata.get("check") for setting in texts)
    bad = ("os.system", "latchkey.models:User", "__import__('os')")
    checks = [
        setting.metadata["check"] for setting in texts if "check" in setting.metadata and setting.name != "site_name"
    ]
    for check, text in product(checks, bad):
        with pytest.raises(ValueError, match=r"^Write"):
            check(text)


def test_only_the_settings_module_reads_environment_variables() -> None:
    """Others may write: Django's name of the settings before they are loaded, and OpenTelemetry's variables."""
    written = {
        id(call.func.value) for _, call in find_calls("setdefault", "update") if isinstance(call.func, ast.Attribute)
    }
    uses = [(file, node) for file, node in walk_nodes() if isinstance(node, ast.Attribute) and is_environment(node)]
    assert {file for file, node in uses if id(node) not in written} == {"settings.py"}
    assert not {name for name in imported_names() if re.fullmatch(r"os\.(environb?|getenvb?)", name)}


def is_environment(node: ast.Attribute) -> bool:
    return getattr(node.value, "id", None) == "os" and node.attr in ("environ", "environb", "getenv", "getenvb")


@pytest.mark.ledger("ASVS-1.2.9")
def test_every_regular_expression_is_a_literal() -> None:
    calls = [
        (file, call)
        for file, call in find_calls("compile", "fullmatch", "match", "search", "findall", "finditer", "sub", "split")
        if is_method_of(call, "re")
    ]
    assert len(calls) >= 3
    composed = {file for file, call in calls if not isinstance(call.args[0], ast.Constant)}
    assert composed == {"server/hashing_routes.py"}  # of escaped routes of ours
    lookups = [keyword.arg for _, node in walk_nodes() if isinstance(node, ast.Call) for keyword in node.keywords]
    assert [name for name in lookups if name and name.endswith(("__regex", "__iregex"))] == []


@pytest.mark.ledger("ASVS-1.5.2")
def test_sessions_and_settings_are_stored_as_json() -> None:
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    assert issubclass(import_string(f"{settings.SESSION_ENGINE}.SessionStore"), db.SessionStore)
    assert tuple(map(int, version("django-constance").split(".")[:2])) >= (4, 4)  # which stores JSON


def subclasses(parent: type) -> Iterator[type]:
    children: list[type] = parent.__subclasses__()
    for child in children:
        yield child
        yield from subclasses(child)


@pytest.mark.ledger("CS-DRF-2")
def test_serializers_list_their_fields_explicitly() -> None:
    assert get_resolver().url_patterns  # all views are imported, and with them all serializers
    own = [one for one in subclasses(ModelSerializer) if one.__module__.startswith("latchkey.")]
    metas = [one.Meta for one in own if hasattr(one, "Meta")]
    assert metas
    assert [meta for meta in metas if not isinstance(meta.fields, tuple) or hasattr(meta, "exclude")] == []


@pytest.mark.hashing
@pytest.mark.ledger("ASVS-11.4.1", "ASVS-11.4.3")
def test_hash_functions_are_sha_2_or_password_hashes() -> None:
    named = {(file, node.value) for file, node in walk_nodes() if isinstance(node, ast.Constant)}
    broken = {(file, text) for file, text in named if str(text).lower().replace("-", "") in BROKEN_HASHES}
    assert broken == {("import_export/totp_secrets.py", "SHA1")}  # HMAC-SHA-1 of RFC 6238, named by otpauth:// URIs
    digests = [call for _, call in find_calls("digest") if is_method_of(call, "hmac")]
    assert {constant_argument(call, 2, "digest") for call in digests} == {"sha256"}
    salted = [call for _, call in find_calls("salted_hmac")]
    assert {constant_argument(call, 3, "algorithm") for call in salted} == {"sha256"}  # Django's default is SHA-1
    default, *imported = [hasher.algorithm for hasher in get_hashers()]
    assert default == "argon2"
    assert set(imported) == {
        *("pbkdf2_sha256", "pbkdf2_sha256_phc", "pbkdf2_sha512_phc", "pbkdf2_sha1"),
        *("scrypt", "scrypt_phc", "bcrypt", "bcrypt_sha256"),
    }
    assert ALGORITHM == "HS256"


@pytest.mark.ledger("ASVS-9.1.2", "REG-JOSELIBS-01", "REG-AUTHLIB-01", "REG-PYJWT-19")
def test_access_tokens_are_decoded_in_one_place_with_one_algorithm() -> None:
    """Only `tokens` imports PyJWT (import-linter), and only there does a call take `algorithms`."""
    decoding = [
        (file, keyword.value)
        for file, node in walk_nodes()
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "algorithms"
    ]
    ((file, algorithms),) = decoding
    assert file.startswith("tokens/")
    assert isinstance(algorithms, ast.List)
    assert len(algorithms.elts) == 1


@pytest.mark.ledger("ASVS-13.1.1")
def test_source_opens_connections_only_to_the_database() -> None:
    """Django connects to the mail server. HTTP clients are banned, `socket` is limited to few modules."""
    assert {file for file, _ in find_calls("create_connection", "urlopen", "send_mail", "getaddrinfo", "connect")} == {
        *("db/async_pool.py", "db/postgresql/base.py"),  # to the database
        "import_export/django_source.py",  # to one to import from
        "metrics_server/sockets.py",  # to listen
    }
    assert [cache["BACKEND"].rpartition(".")[2] for cache in settings.CACHES.values()] == ["LocMemCache"]


@pytest.mark.ledger("REG-DJANGO-04", "REG-DJANGO-19", "REG-DJANGO-20")
def test_admin_has_no_inlines_and_no_editable_lists() -> None:
    own = [(model, pages) for model, pages in admin.site._registry.items() if model._meta.app_label == "latchkey"]
    assert own
    for model, pages in own:
        assert not pages.list_editable
        assert not pages.inlines
        assert not model._meta.pk.editable or model._meta.pk.get_internal_type() == "BigAutoField"


@pytest.mark.ledger("REG-DJANGO-13", "REG-DJANGO-02")
def test_admin_sessions_are_not_saved_on_read_and_translation_is_off() -> None:
    assert settings.SESSION_SAVE_EVERY_REQUEST is False
    assert settings.USE_I18N is False
    assert [name for name in settings.MIDDLEWARE if "locale" in name.lower() or "cache" in name.lower()] == []
