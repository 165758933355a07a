"""Migration table: which endpoint here replaces which endpoint of simplejwt, djoser or knox."""

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
"""By system: pairs of an old endpoint, as its documentation mounts it, and ours. docs/moving.md has the bodies, too."""

NOT_MIGRATED = {
    "simplejwt": "Its tokens, signed with the old secret key, are not accepted here: everybody signs in once more.",
    "djoser": "Its tokens and the links in its mails are not accepted here: everybody signs in once more.",
    "knox": "It stores digests of its tokens, which cannot become sessions here: everybody signs in once more.",
}
"""What does not come along from each system, as a sentence for the operator."""
