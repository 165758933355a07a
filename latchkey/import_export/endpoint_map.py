"""What a client asks of the systems that people move from, and what it asks here."""

LOGIN = "POST /api/login/"

ENDPOINT_MAP = {
    "simplejwt": (
        ("POST /api/token/", LOGIN),
        ("POST /api/token/refresh/", "POST /api/refresh/"),
        ("POST /api/token/verify/", "GET /api/verify/"),
        ("POST /api/token/blacklist/", "POST /api/logout/"),
    ),
    "djoser": (
        ("POST /auth/users/", "POST /api/register/"),
        ("GET, PUT, PATCH /auth/users/me/", "GET, PUT, PATCH /api/me/"),
        ("POST /auth/jwt/create/", LOGIN),
        ("POST /auth/jwt/refresh/", "POST /api/refresh/"),
        ("POST /auth/jwt/verify/", "GET /api/verify/"),
        ("POST /auth/token/login/", LOGIN),
        ("POST /auth/token/logout/", "POST /api/logout/"),
        ("DELETE /auth/users/me/", "DELETE /api/me/"),
        ("POST /auth/users/activation/", "POST /api/email/verify/"),
        ("POST /auth/users/resend_activation/", "POST /api/email/verify/resend/"),
        ("POST /auth/users/set_password/", "POST /api/password/change/"),
        ("POST /auth/users/reset_password/", "POST /api/password/reset/"),
        ("POST /auth/users/reset_password_confirm/", "POST /api/password/reset/confirm/"),
        ("POST /auth/users/set_email/", "POST /api/email/change/"),
    ),
    "knox": (
        ("POST /api/auth/login/", LOGIN),
        ("POST /api/auth/logout/", "POST /api/logout/"),
        ("POST /api/auth/logoutall/", "DELETE /api/sessions/?all=true"),
    ),
}
"""As their own documentation mounts them; docs/moving.md has the bodies too."""

NOT_MIGRATED = {
    "simplejwt": "Its tokens are signed with the old secret key and are not taken here: everybody signs in once more.",
    "djoser": "Its tokens, JWTs or not, are not taken here: everybody signs in once more. Mails on their way are void.",
    "knox": "It keeps digests of its tokens, which cannot become sessions here: everybody signs in once more.",
}
