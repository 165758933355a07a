"""to_django_encoding: which hashes of other systems are imported, and which are rejected."""

import pytest
from django.contrib.auth.hashers import check_password
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.import_export.password_hashes import MAX_LENGTH, to_django_encoding
from tests.import_export.legacy_hashes import (
    HASH_FORMATS,
    crypt_bcrypt,
    hash_in_format,
    passlib_pbkdf2,
    phc_argon2,
    phc_scrypt,
)
from tests.people import PASSWORD

pytestmark = pytest.mark.hashing

PUBLISHED = {  # by others: the documentation of passlib, the tests of Argon2 and of bcrypt
    "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44": "password",
    "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E": "password",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": "password",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA": "password",
    "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ": "password",
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW": "U*U",
}
SALT, HASH = "8PHy8/T19vf4+fr7/P3+/w", "A" * 43
COSTLY = {
    "bcrypt, cost 15": crypt_bcrypt(4).replace("$04$", "$15$"),
    "bcrypt, cost 31": crypt_bcrypt(4).replace("$04$", "$31$"),
    "Django's bcrypt, cost 31": f"bcrypt_sha256${crypt_bcrypt(4).replace('$04$', '$31$')}",
    "scrypt, N=2^30": f"$scrypt$ln=30,r=8,p=1${SALT}${HASH}",
    "scrypt, a large p": f"$scrypt$ln=14,r=8,p=9999${SALT}${HASH}",
    "scrypt, a large r": f"$scrypt$ln=14,r=9999,p=1${SALT}${HASH}",
    "Django's scrypt, N=2^30": f"scrypt$1073741824$salt$8$1${'A' * 86}==",
    "PBKDF2, 10^9 iterations": f"$pbkdf2-sha256$1000000000${SALT}${HASH}",
    "PBKDF2, SHA-512, 5 million iterations": f"$pbkdf2-sha512$5000000${SALT}${'A' * 86}",
    "PBKDF2, many blocks": f"$pbkdf2-sha256$i=4000000,l=64${SALT}${'A' * 86}",
    "Django's PBKDF2, 10^9 iterations": f"pbkdf2_sha256$1000000000$salt${'A' * 43}=",
    "Argon2, 4 GiB": f"$argon2id$v=19$m=4194304,t=1,p=1${SALT}${HASH}",
    "Argon2, 1 GiB in one pass": f"$argon2id$v=19$m=1048576,t=1,p=1${SALT}${HASH}",
    "scrypt, 512 MiB": f"$scrypt$ln=19,r=8,p=1${SALT}${HASH}",
    "Argon2, 9999 passes": f"$argon2id$v=19$m=65536,t=9999,p=1${SALT}${HASH}",
}
DAMAGED = {
    "bcrypt, cut off": crypt_bcrypt(4)[:-1],
    "bcrypt, spare bits": crypt_bcrypt(4)[:-1] + "/",
    "bcrypt, cost 3": crypt_bcrypt(4).replace("$04$", "$03$"),
    "Argon2, 99 lanes": f"$argon2id$v=19$m=65536,t=1,p=99${SALT}${HASH}",
    "Argon2, too little memory": f"$argon2id$v=19$m=8,t=1,p=4${SALT}${HASH}",
    "Argon2, no memory": f"$argon2id$v=19$m=0,t=1,p=1${SALT}${HASH}",
    "Argon2, a secret key": f"$argon2id$v=19$m=65536,t=1,p=1,keyid=AAAA${SALT}${HASH}",
    "a hash of 1 byte": f"$argon2id$v=19$m=65536,t=1,p=1${SALT}$AA",
    "a hash of 65 bytes": f"$pbkdf2-sha256$1000${SALT}${'A' * 87}",
    "no base64": f"$pbkdf2-sha256$1000${SALT}${'A' * 41}",
    "spare bits": f"$pbkdf2-sha256$1000${SALT}${'A' * 42}B",
    "0 iterations": f"$pbkdf2-sha256$0${SALT}${HASH}",
    "Django's, 0 iterations": f"pbkdf2_sha256$0$salt${'A' * 43}=",
    "Django's, cut off": f"pbkdf2_sha256$1000$salt${'A' * 40}=",
    "other digits": f"pbkdf2_sha256$\u0661000$salt${'A' * 43}=",
    "scrypt, N no power of two": f"scrypt$10000$salt$8$1${'A' * 86}==",
    "a line end": f"pbkdf2_sha256$1000$salt${'A' * 43}=\n",
}
UNSUPPORTED = [
    "md5$salt$" + "0" * 32,
    "0" * 32,
    "sha1$salt$" + "0" * 40,
    "$1$salt$x",
    "$6$salt$x",
    "$2x$04$x",
    "{SSHA}x",
]


@pytest.mark.parametrize("kind", HASH_FORMATS)
def test_imported_hash_of_every_format_verifies_only_the_right_password(kind: str) -> None:
    stored = to_django_encoding(hash_in_format(kind))
    assert check_password(PASSWORD, stored)
    assert not check_password(PASSWORD.upper(), stored)
    assert to_django_encoding(stored) == stored


@pytest.mark.parametrize(("text", "password"), PUBLISHED.items(), ids=lambda value: str(value)[:14])
def test_published_hashes_of_other_libraries_verify(text: str, password: str) -> None:
    assert check_password(password, to_django_encoding(text))
    assert not check_password(password + "!", to_django_encoding(text))


@pytest.mark.parametrize("kind", ["PHC, PBKDF2 with SHA-512", "scrypt", "Argon2id"])
def test_imported_hash_may_have_base64_padding(kind: str) -> None:
    salt, _, known = hash_in_format(kind).rpartition("$")
    assert to_django_encoding(f"{salt}==${known}=") == to_django_encoding(hash_in_format(kind))


def test_imported_bcrypt_hash_verifies_the_first_72_bytes() -> None:
    long = "é" * 60
    stored = to_django_encoding(crypt_bcrypt(4, password=long))
    assert check_password(long, stored)
    assert check_password(long[:36], stored)
    assert not check_password(long[:35], stored)


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_import_rejects_a_hash_that_is_too_expensive_to_verify(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Checking this hash takes more time or memory than a sign-in may\.$"):
        to_django_encoding(text)


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_import_rejects_a_damaged_hash(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This hash is damaged\.$|^A hash of this kind cannot be imported\.$"):
        to_django_encoding(text)


@pytest.mark.parametrize("text", UNSUPPORTED)
def test_import_rejects_a_weak_or_unknown_hash_format(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A hash of this kind cannot be imported\.$"):
        to_django_encoding(text)


def test_import_accepts_the_most_expensive_common_hashes() -> None:
    for text in (crypt_bcrypt(4).replace("$04$", "$14$"), f"pbkdf2_sha256$1500000$salt${'A' * 43}="):
        assert to_django_encoding(text)
    for text in (f"$scrypt$ln=17,r=8,p=1${SALT}${HASH}", f"$argon2id$v=19$m=262144,t=3,p=1${SALT}${HASH}"):
        assert to_django_encoding(text)


@pytest.mark.parametrize("text", ["!", "!" + "x" * 40])
def test_imported_unusable_password_stays_unusable(text: str) -> None:
    assert to_django_encoding(text) == text
    assert not check_password("", to_django_encoding(text))


def error_for(text: str) -> str:
    try:
        return "" if len(to_django_encoding(text)) <= MAX_LENGTH else "too long"
    except ValueError as error:
        return str(error)


@given(
    st.text()
    | st.builds(lambda kind, cut: hash_in_format(kind)[cut:], st.sampled_from(list(HASH_FORMATS)), st.integers(1, 9))
)
@example("$argon2id$")
@example("bcrypt$")
@example("!" * 300)
@example(passlib_pbkdf2("sha256", 1) + "$")
@example(phc_scrypt(1, 1, 1).replace("ln=1,", "ln=99,"))
@example(phc_argon2("id", 8, 1, 1).replace("v=19", "v=99"))
def test_to_django_encoding_accepts_any_text_or_raises_an_error_without_it(text: str) -> None:
    assert error_for(text) in {
        "",
        "This is too long for a hash.",
        "This hash is damaged.",
        "A hash of this kind cannot be imported.",
        "Checking this hash takes more time or memory than a sign-in may.",
    }
