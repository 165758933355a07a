"""The relying party of passkeys out of environment variables: defaults, and what is refused in one sentence."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.passkeys import app_origins, parse_android_apps, parse_ios_apps, parse_origins, parse_rp_id

HASH = bytes(range(32))
FINGERPRINT = ":".join(f"{byte:02X}" for byte in HASH)
ANDROID_ORIGIN = "android:apk-key-hash:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


@pytest.mark.parametrize(
    ("public_url", "rp_id", "origins"),
    [
        ("https://auth.example.com", "auth.example.com", ["https://auth.example.com"]),
        ("https://auth.example.com:8443/auth", "auth.example.com", ["https://auth.example.com:8443"]),
        ("http://localhost:8000", "localhost", ["http://localhost:8000"]),
        ("http://127.0.0.1:8000", "localhost", ["http://localhost:8000"]),
        ("http://[::1]:8000", "localhost", ["http://localhost:8000"]),
        ("https://192.0.2.7", "", ["https://192.0.2.7"]),
        ("", "", []),
    ],
)
def test_relying_party_is_by_default_that_of_the_public_url(public_url: str, rp_id: str, origins: list[str]) -> None:
    assert parse_origins([], public_url) == origins
    assert parse_rp_id("", public_url, origins) == rp_id


@pytest.mark.parametrize(
    ("rp_id", "origins"),
    [
        ("auth.example.com", []),
        ("example.com", []),
        ("Example.COM.", []),
        ("app.example.net", ["https://app.example.net"]),
        ("example.net", ["https://app.example.net", "https://app.example.org"]),
        ("auth.example.com", ["https://app.example.org"]),
        ("example.com", [ANDROID_ORIGIN]),
    ],
)
def test_rp_id_may_be_the_domain_or_a_parent_of_the_public_url_or_of_an_origin(rp_id: str, origins: list[str]) -> None:
    public_url = "https://auth.example.com"
    assert parse_rp_id(rp_id, public_url, parse_origins(origins, public_url)) == rp_id.lower().rstrip(".")


@pytest.mark.parametrize(
    "rp_id",
    [
        *("com", "ample.com", "example.net", "app.auth.example.com", "192.0.2.7", "[::1]", "*.example.com", "x y"),
        *("https://auth.example.com", "auth.example.com:443", "", "auth..example.com", "localhost"),
    ],
)
def test_rp_id_of_another_domain_is_refused_in_one_sentence(rp_id: str) -> None:
    public_url = "https://auth.example.com"
    if not rp_id:
        assert parse_rp_id(rp_id, public_url, [public_url]) == "auth.example.com"
        return
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_PASSKEY_RP_ID is '.*'; write the host of .*\.$"):
        parse_rp_id(rp_id, public_url, [public_url])


def test_origins_are_normalized_and_take_the_place_of_the_public_url() -> None:
    texts = ["HTTPS://App.Example.com:443/", "http://localhost:5173", ANDROID_ORIGIN]
    expected = ["https://app.example.com", "http://localhost:5173", ANDROID_ORIGIN]
    assert parse_origins(texts, "https://auth.example.com") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("http://app.example.com", "*", "null", "app.example.com", "https://app.example.com/path", "https://*.com"),
        *("capacitor://localhost", "android:apk-key-hash:short", f"{ANDROID_ORIGIN}=", "android:apk-key-hash-sha256:x"),
    ],
)
def test_origin_without_passkeys_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_PASSKEY_ORIGINS contains '.*'; write an https origin"):
        parse_origins(["https://app.example.com", text], "https://auth.example.com")


@pytest.mark.parametrize("fingerprint", [FINGERPRINT, FINGERPRINT.lower(), FINGERPRINT.replace(":", "")])
def test_android_app_gives_its_fingerprint_and_its_origin(fingerprint: str) -> None:
    (app,) = parse_android_apps([f"com.example.app:{fingerprint}"])
    assert (app.package, app.certificate_hash) == ("com.example.app", HASH)
    assert (app.fingerprint, app.origin) == (FINGERPRINT, ANDROID_ORIGIN)


@pytest.mark.parametrize(
    "text", ["com.example.app", f"app:{FINGERPRINT}", f"com.example.app:{FINGERPRINT}:00", "com.example.app:00:01"]
)
def test_android_app_without_a_whole_fingerprint_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_ANDROID_APPS contains '.*'; write a package"):
        parse_android_apps([text])


@pytest.mark.parametrize("text", ["com.example.app", "A1B2C3D4E5", "a1b2c3d4e5.com.example.app", "A1B2C3D4E5."])
def test_ios_app_without_a_team_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_IOS_APPS contains '.*'; write the id of the team"):
        parse_ios_apps([text])


def test_apps_add_their_origins() -> None:
    android, ios = (
        parse_android_apps([f"com.example.app:{FINGERPRINT}"]),
        parse_ios_apps(["A1B2C3D4E5.com.example.app"]),
    )
    assert app_origins("example.com", android, ios) == [ANDROID_ORIGIN, "https://example.com"]
    assert app_origins("example.com", (), []) == []
    assert app_origins("", (), ios) == []
