"""What the package does not do at all, and what it does in one place only."""

import ast
from dataclasses import fields
from datetime import timedelta
from importlib.metadata import version
from inspect import signature

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from latchkey.conf.policy import Policy
from latchkey.sessions.access_tokens import prepare
from latchkey.signing_keys import key_set as ring
from latchkey.tokens.access_token import ALGORITHM
from tests.support.package_ast import find_calls, imported_names, walk_nodes

SERIALIZING = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
NETWORK = {"requests", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client", "smtplib", "ftplib", "ssl"}
CRYPTOGRAPHIC = ("hashlib", "hmac", "secrets", "uuid", "jwt", "cryptography", "random", "crypt", "ssl")
CRYPTOGRAPHIC += ("Crypto", "nacl", "jose", "argon2", "bcrypt", "django.contrib.auth.hashers", "django.utils.crypto")


def test_the_parser_sees_the_package() -> None:
    assert {"jwt", "hmac", "secrets", "django.conf.settings"} <= imported_names()
    assert [file for file, _ in find_calls("decode_complete")] == ["tokens/access_token.py"]


@pytest.mark.ledger("ASVS-1.3.2")
def test_no_text_becomes_code_and_no_setting_names_a_module() -> None:
    dangerous = ("eval", "exec", "compile", "__import__", "import_module", "import_string", "system", "popen")
    found = [(file, ast.unparse(call)) for file, call in find_calls(*dangerous)]
    assert [entry for entry in found if "re.compile" not in entry[1]] == []
    assert "subprocess" not in imported_names()
    assert {type(knob.default) for knob in fields(Policy)} <= {timedelta, int, bool, str}
    assert all(type(knob.default) is not str or knob.metadata["choices"] for knob in fields(Policy))


@pytest.mark.ledger("ASVS-1.2.9")
def test_every_pattern_is_a_literal() -> None:
    patterns = find_calls("compile", "fullmatch", "match", "search", "findall", "sub", "split")
    of_re = [call for _, call in patterns if ast.unparse(call.func).startswith("re.")]
    assert len(of_re) >= 3
    assert [ast.unparse(call) for call in of_re if not isinstance(call.args[0], ast.Constant)] == []
    lookups = [keyword.arg for _, node in walk_nodes() if isinstance(node, ast.Call) for keyword in node.keywords]
    assert [name for name in lookups if name and name.endswith(("__regex", "__iregex"))] == []


@pytest.mark.ledger("ASVS-1.5.2")
def test_nothing_stored_or_received_is_read_as_anything_but_json() -> None:
    assert imported_names() & SERIALIZING == set()
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert tuple(map(int, version("django-constance").split(".")[:2])) >= (4, 4)  # which stores JSON


@pytest.mark.ledger("CS-DRF-2")
def test_serializers_name_their_fields() -> None:
    listed = 0
    for file, node in walk_nodes():
        if isinstance(node, ast.Assign) and "serializers" in file:
            names = {ast.unparse(target) for target in node.targets}
            assert "exclude" not in names, file
            if "fields" in names:
                listed += 1
                assert isinstance(node.value, ast.Tuple), file
    assert listed >= 2


@pytest.mark.ledger("ASVS-6.5.3")
def test_chance_comes_from_the_operating_system() -> None:
    assert imported_names() & {"random", "numpy", "uuid.uuid1", "uuid.uuid3", "uuid.uuid5", "time.time_ns"} == set()
    assert {"secrets", "uuid.uuid4"} <= imported_names()


@pytest.mark.ledger("ASVS-11.2.1", "REG-PYTHONJOSE-01")
def test_cryptography_comes_from_vetted_libraries() -> None:
    used = {name for name in imported_names() if name.startswith(CRYPTOGRAPHIC)}
    assert used <= {
        *("hashlib", "hashlib.sha256", "ssl"),
        *("hmac", "hmac.compare_digest", "secrets", "uuid", "uuid.UUID", "uuid.uuid4", "jwt"),
        *("jwt.algorithms", "jwt.algorithms.HMACAlgorithm", "jwt.algorithms.get_default_algorithms"),
        *("hashlib", "cryptography.fernet", "cryptography.hazmat.primitives.asymmetric"),
        *(f"cryptography.fernet.{name}" for name in ("Fernet", "MultiFernet", "InvalidToken")),
        *(f"cryptography.hazmat.primitives.asymmetric.{kind}" for kind in ("ec", "ed25519", "rsa")),
        "cryptography.hazmat.primitives.serialization",
        *(
            f"cryptography.hazmat.primitives.serialization.{name}"
            for name in ("Encoding", "NoEncryption", "PrivateFormat", "load_der_private_key")
        ),
        *("cryptography.hazmat.primitives.hashes", "cryptography.hazmat.primitives.hashes.SHA256"),
        *("cryptography.hazmat.primitives.kdf.hkdf", "cryptography.hazmat.primitives.kdf.hkdf.HKDF"),
        *("django.contrib.auth.hashers", "django.contrib.auth.hashers.Argon2PasswordHasher"),
        *("django.contrib.auth.hashers.check_password", "django.contrib.auth.hashers.make_password"),
        *("django.utils.crypto", "django.utils.crypto.salted_hmac", "django.utils.crypto.constant_time_compare"),
        *("nacl.exceptions", "nacl.exceptions.InvalidkeyError", "nacl.pwhash", "nacl.pwhash.argon2id"),
        *("bcrypt", "django.contrib.auth.hashers.BasePasswordHasher", "django.contrib.auth.hashers.get_hasher"),
        *(
            f"django.contrib.auth.hashers.{kind}PasswordHasher"
            for kind in ("BCrypt", "BCryptSHA256", "PBKDF2", "PBKDF2SHA1", "Scrypt")
        ),
    }


@pytest.mark.ledger("ASVS-11.4.1", "ASVS-11.4.3")
def test_every_hash_is_of_the_sha_2_family_or_made_for_passwords() -> None:
    named = [node.value for _, node in walk_nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in named if text.lower().replace("-", "") in ("md5", "sha1", "md4", "ripemd160")] == []
    assert {ast.literal_eval(call.args[2]) for _, call in find_calls("digest") if len(call.args) == 3} == {"sha256"}
    salted = [ast.unparse(call) for _, call in find_calls("salted_hmac")]
    assert [call for call in salted if "algorithm='sha256'" not in call] == []  # Django's own choice is SHA-1
    hashers = [import_string(path)() for path in settings.PASSWORD_HASHERS]
    brought_along = {"pbkdf2_sha256", "pbkdf2_sha256_phc", "pbkdf2_sha512_phc", "pbkdf2_sha1", "scrypt", "scrypt_phc"}
    assert hashers[0].algorithm == "argon2"
    assert {hasher.algorithm for hasher in hashers[1:]} == brought_along | {"bcrypt", "bcrypt_sha256"}
    assert ALGORITHM == "HS256"


@pytest.mark.ledger("ASVS-9.1.2", "REG-JOSELIBS-01", "REG-AUTHLIB-01", "REG-PYJWT-19")
def test_a_token_is_decoded_in_one_place_with_one_algorithm() -> None:
    decoding = [
        (file, call) for file, call in find_calls("decode", "decode_complete") if "jwt" in ast.unparse(call.func)
    ]
    ((file, call),) = decoding
    assert file == "tokens/access_token.py"
    assert {k.arg: ast.unparse(k.value) for k in call.keywords}["algorithms"] == "[key.algorithm]"


def test_whoever_verifies_or_signs_an_access_token_asks_for_the_keys_of_the_ring() -> None:
    """Without them a token is held against the secret's own key alone, and signed by it."""
    asked = [call for _, call in find_calls("verify", "issue") if ast.unparse(call.func).startswith("access_token.")]
    assert {ast.unparse(call.func): ast.unparse(call.args[-1]) for call in asked} == {
        "access_token.verify": "find",
        "access_token.issue": "terms.key",
    }
    assert signature(prepare).parameters["find"].default is ring.find_key
    begun = {file: ast.unparse(call.args[1]) for file, call in find_calls("begin") if len(call.args) == 2}
    assert begun == {"sessions/fast_path.py": "lambda kid: keys[kid].key if kid in keys else None"}  # of ring.held()
    assert {len(call.args) for call in asked if "verify" in ast.unparse(call.func)} == {3}


@pytest.mark.ledger("ASVS-13.1.1")
def test_nobody_is_called_but_the_database_and_the_mail_server() -> None:
    assert imported_names() & NETWORK == {"smtplib", "ssl"}
    errors = [file for file, node in walk_nodes() if isinstance(node, ast.Import) and node.names[0].name in NETWORK]
    assert set(errors) == {"mail/failures.py"}  # whose names of errors are all that it takes; Django sends the mails
    assert [cache["BACKEND"].rpartition(".")[2] for cache in settings.CACHES.values()] == ["LocMemCache"]
    assert {
        (file, ast.unparse(call.func)) for file, call in find_calls("create_connection", "urlopen", "send_mail")
    } == {
        ("db/async_pool.py", "connections.create_connection")  # to the database
    }
    assert {file for file, _ in find_calls("getaddrinfo")} == {"metrics_server/sockets.py"}
    assert [file for file, _ in find_calls("socket")] == ["metrics_server/sockets.py"]  # to listen


@pytest.mark.ledger("REG-DJANGO-04", "REG-DJANGO-19", "REG-DJANGO-20")
def test_the_admin_has_no_formsets_that_make_or_delete_rows() -> None:
    from django.contrib import admin

    for model, pages in admin.site._registry.items():
        if model._meta.app_label == "latchkey":
            assert not pages.list_editable
            assert not pages.inlines
            assert not model._meta.pk.editable or model._meta.pk.get_internal_type() == "BigAutoField"
    assert "GenericTabularInline" not in str(imported_names())
    assert "GenericInlineModelAdmin" not in str(imported_names())


@pytest.mark.ledger("REG-DJANGO-13", "REG-DJANGO-02")
def test_no_session_is_saved_by_reading_and_no_language_is_looked_up() -> None:
    assert settings.SESSION_SAVE_EVERY_REQUEST is False
    assert settings.USE_I18N is False
    assert [name for name in settings.MIDDLEWARE if "locale" in name.lower() or "cache" in name.lower()] == []
