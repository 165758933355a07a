"""Every route, on one screen."""

from django.conf import settings
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from latchkey.account_pages.api_keys import CreateKeyPage, RevokeKeyPage
from latchkey.account_pages.authenticator import AuthenticatorPage, RemoveAuthenticatorPage
from latchkey.account_pages.confirm import ConfirmPage
from latchkey.account_pages.passkey_options import (
    ConfirmOptionsView,
    EnrolmentOptionsView,
    NewPasskeyOptionsView,
    SecondFactorOptionsView,
    SignInOptionsView,
)
from latchkey.account_pages.passkeys import AddPasskeyPage, PasskeyPage, RemovePasskeyPage
from latchkey.account_pages.recovery_codes import RecoveryCodesPage
from latchkey.account_pages.security import SecurityPage
from latchkey.account_pages.sign_in import (
    EnrolmentPage,
    EnrolPasskeyPage,
    PasskeySignInPage,
    SecondFactorPage,
    SignInPage,
    SignOutPage,
)
from latchkey.api_keys.views import KeysView, KeyView
from latchkey.browser_sessions.views import (
    BrowserChangePasswordView,
    BrowserEnrolPasskeyView,
    BrowserEnrolTotpView,
    BrowserLoginView,
    BrowserLogoutView,
    BrowserPasskeyView,
    BrowserRefreshView,
    BrowserSecondFactorView,
)
from latchkey.email_addresses.pages import ConfirmEmailPage, ResendVerificationPage, VerifyEmailPage
from latchkey.email_addresses.views import ChangeEmailView, ConfirmChangeView, ResendView, VerifyEmailView
from latchkey.factor_recovery.pages import CancelRecoveryPage, RecoverFactorsPage, RequestRecoveryPage
from latchkey.factor_recovery.views import CancelRecoveryView, ConfirmRecoveryView, RequestRecoveryView
from latchkey.factors.views import ConfirmTotpView, RecoveryCodesView, TotpView
from latchkey.metrics_server.views import metrics
from latchkey.oauth.metadata import metadata
from latchkey.oauth.token_views import OAuthIntrospectView, OAuthRevokeView, TokenView
from latchkey.oauth.views import IntrospectView, RevokeView, VerifyView
from latchkey.passkeys.views import (
    PasskeyOptionsView,
    PasskeysView,
    PasskeyView,
    apple_app_site_association,
    asset_links,
    webauthn_origins,
)
from latchkey.passwords.pages import ForgotPasswordPage, ResetPasswordPage
from latchkey.passwords.views import ChangePasswordView, ConfirmResetView, ResetPasswordView
from latchkey.profile.views import EmailStatusView, EventsView, ExportView, FactorsView, MeView
from latchkey.public_config.views import ConfigView
from latchkey.registration.views import RegisterView
from latchkey.sessions.views import LogoutView, RefreshView
from latchkey.sign_in.enrolment_views import BeginTotpEnrolmentView, EnrolTotpView
from latchkey.sign_in.passkey_views import (
    BeginPasskeyEnrolmentView,
    EnrolPasskeyView,
    PasskeySignInOptionsView,
    PasskeySignInView,
    SecondFactorPasskeyOptionsView,
    StepUpPasskeyOptionsView,
)
from latchkey.sign_in.views import LoginView, SecondFactorView, StepUpView
from latchkey.signing_keys.views import jwks
from latchkey.user_sessions.views import SessionsView, SessionView
from latchkey.users_api.event_views import UserEventsView
from latchkey.users_api.factor_views import UserFactorsView
from latchkey.users_api.key_views import UserKeysView, UserKeyView
from latchkey.users_api.mail_views import SendPasswordResetView, SendVerificationView
from latchkey.users_api.role_views import RolesView, UserClaimsView, UserRolesView, UserRoleView
from latchkey.users_api.session_views import UnlockUserView, UserSessionsView, UserSessionView
from latchkey.users_api.views import UsersView, UserView
from latchkey.web.views import DocsView, IndexView, SchemaView, home, livez, readyz

API = {  # in the order of the index at /api/
    "api/config": ConfigView.as_view(),
    "api/register": RegisterView.as_view(),
    "api/login": LoginView.as_view(),
    "api/login/second-factor": SecondFactorView.as_view(),
    "api/login/enrolment/totp": BeginTotpEnrolmentView.as_view(),
    "api/login/enrolment/totp/confirm": EnrolTotpView.as_view(),
    "api/login/enrolment/passkey": BeginPasskeyEnrolmentView.as_view(),
    "api/login/enrolment/passkey/confirm": EnrolPasskeyView.as_view(),
    "api/login/second-factor/passkey": SecondFactorPasskeyOptionsView.as_view(),
    "api/login/passkey/options": PasskeySignInOptionsView.as_view(),
    "api/login/passkey": PasskeySignInView.as_view(),
    "api/login/recovery": RequestRecoveryView.as_view(),
    "api/login/recovery/cancel": CancelRecoveryView.as_view(),
    "api/login/recovery/confirm": ConfirmRecoveryView.as_view(),
    "api/refresh": RefreshView.as_view(),
    "api/logout": LogoutView.as_view(),
    "api/browser/login": BrowserLoginView.as_view(),
    "api/browser/second-factor": BrowserSecondFactorView.as_view(),
    "api/browser/passkey": BrowserPasskeyView.as_view(),
    "api/browser/enrolment/totp": BrowserEnrolTotpView.as_view(),
    "api/browser/enrolment/passkey": BrowserEnrolPasskeyView.as_view(),
    "api/browser/refresh": BrowserRefreshView.as_view(),
    "api/browser/logout": BrowserLogoutView.as_view(),
    "api/browser/password/change": BrowserChangePasswordView.as_view(),
    "api/me": MeView.as_view(),
    "api/step-up": StepUpView.as_view(),
    "api/step-up/passkey": StepUpPasskeyOptionsView.as_view(),
    "api/verify": VerifyView.as_view(),
    "api/introspect": IntrospectView.as_view(),
    "api/revoke": RevokeView.as_view(),
    "api/sessions": SessionsView.as_view(),
    "api/sessions/<session_id>": SessionView.as_view(),
    "api/me/email": EmailStatusView.as_view(),
    "api/me/events": EventsView.as_view(),
    "api/me/export": ExportView.as_view(),
    "api/me/factors": FactorsView.as_view(),
    "api/me/totp": TotpView.as_view(),
    "api/me/totp/confirm": ConfirmTotpView.as_view(),
    "api/me/recovery-codes": RecoveryCodesView.as_view(),
    "api/me/passkeys": PasskeysView.as_view(),
    "api/me/passkeys/options": PasskeyOptionsView.as_view(),
    "api/me/passkeys/<passkey_id>": PasskeyView.as_view(),
    "api/me/keys": KeysView.as_view(),
    "api/me/keys/<key_id>": KeyView.as_view(),
    "api/password/change": ChangePasswordView.as_view(),
    "api/password/reset": ResetPasswordView.as_view(),
    "api/password/reset/confirm": ConfirmResetView.as_view(),
    "api/email/verify": VerifyEmailView.as_view(),
    "api/email/verify/resend": ResendView.as_view(),
    "api/email/change": ChangeEmailView.as_view(),
    "api/email/change/confirm": ConfirmChangeView.as_view(),
    "api/users": UsersView.as_view(),
    "api/users/<user_id>": UserView.as_view(),
    "api/users/<user_id>/roles": UserRolesView.as_view(),
    "api/users/<user_id>/roles/<role>": UserRoleView.as_view(),
    "api/users/<user_id>/claims": UserClaimsView.as_view(),
    "api/users/<user_id>/sessions": UserSessionsView.as_view(),
    "api/users/<user_id>/sessions/<session_id>": UserSessionView.as_view(),
    "api/users/<user_id>/password-reset": SendPasswordResetView.as_view(),
    "api/users/<user_id>/verification": SendVerificationView.as_view(),
    "api/users/<user_id>/factors": UserFactorsView.as_view(),
    "api/users/<user_id>/events": UserEventsView.as_view(),
    "api/users/<user_id>/keys": UserKeysView.as_view(),
    "api/users/<user_id>/keys/<key_id>": UserKeyView.as_view(),
    "api/users/<user_id>/unlock": UnlockUserView.as_view(),
    "api/roles": RolesView.as_view(),
}
OAUTH = {
    "oauth/token": TokenView.as_view(),
    "oauth/introspect": OAuthIntrospectView.as_view(),
    "oauth/revoke": OAuthRevokeView.as_view(),
}
DOCS = [
    path("api-doc/", DocsView.as_view(), name="docs"),
    path("api-doc/schema/", SchemaView.as_view(), name="schema"),
]

ACCOUNT_PAGES = [
    path("account/", RedirectView.as_view(pattern_name="account-security"), name="account"),
    path("account/sign-in/", SignInPage.as_view(), name="account-sign-in"),
    path("account/sign-in/passkey/", PasskeySignInPage.as_view(), name="account-passkey-sign-in"),
    path("account/sign-in/passkey/options/", SignInOptionsView.as_view(), name="account-passkey-sign-in-options"),
    path(
        "account/sign-in/second-factor/options/",
        SecondFactorOptionsView.as_view(),
        name="account-second-factor-options",
    ),
    path("account/sign-in/second-factor/", SecondFactorPage.as_view(), name="account-second-factor"),
    path("account/sign-in/recovery/", RequestRecoveryPage.as_view(), name="account-recovery"),
    path("account/sign-in/set-up/", EnrolmentPage.as_view(), name="account-enrolment"),
    path("account/sign-in/set-up/passkey/", EnrolPasskeyPage.as_view(), name="account-passkey-enrolment"),
    path("account/sign-in/set-up/passkey/options/", EnrolmentOptionsView.as_view(), name="account-enrolment-options"),
    path("account/sign-out/", SignOutPage.as_view(), name="account-sign-out"),
    path("account/confirm/", ConfirmPage.as_view(), name="account-confirm"),
    path("account/confirm/options/", ConfirmOptionsView.as_view(), name="account-confirm-options"),
    path("account/security/", SecurityPage.as_view(), name="account-security"),
    path("account/security/authenticator/", AuthenticatorPage.as_view(), name="account-authenticator"),
    path(
        "account/security/authenticator/remove/", RemoveAuthenticatorPage.as_view(), name="account-authenticator-remove"
    ),
    path("account/security/recovery-codes/", RecoveryCodesPage.as_view(), name="account-recovery-codes"),
    path("account/security/passkeys/add/", AddPasskeyPage.as_view(), name="account-passkey-add"),
    path("account/security/passkeys/add/options/", NewPasskeyOptionsView.as_view(), name="account-passkey-options"),
    path("account/security/passkeys/<passkey_id>/", PasskeyPage.as_view(), name="account-passkey"),
    path("account/security/passkeys/<passkey_id>/remove/", RemovePasskeyPage.as_view(), name="account-passkey-remove"),
    path("account/security/api-keys/add/", CreateKeyPage.as_view(), name="account-api-key-create"),
    path("account/security/api-keys/<key_id>/revoke/", RevokeKeyPage.as_view(), name="account-api-key-revoke"),
]

urlpatterns = [
    path("", home, name="home"),
    path("api/", IndexView.as_view(), name="index"),
    *(path(f"{route}/", view, name=route.removeprefix("api/")) for route, view in API.items()),
    *(path(f"{route}/", view) for route, view in OAUTH.items()),
    *(path(route, view) for route, view in (API | OAUTH).items()),  # a redirect would lose the body of a POST
    *(DOCS if settings.API_DOCS else ()),
    path("forgot-password/", ForgotPasswordPage.as_view(), name="forgot-password"),
    path("reset-password/", ResetPasswordPage.as_view()),
    path("verify-email/", VerifyEmailPage.as_view()),
    path("verify-email/resend/", ResendVerificationPage.as_view(), name="resend-verification"),
    path("confirm-email/", ConfirmEmailPage.as_view()),
    *ACCOUNT_PAGES,
    path("recover-factors/", RecoverFactorsPage.as_view()),
    path("cancel-recovery/", CancelRecoveryPage.as_view()),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path(".well-known/jwks.json", jwks),
    path(".well-known/openid-configuration", metadata),
    path(".well-known/oauth-authorization-server", metadata),
    path(".well-known/webauthn", webauthn_origins),
    path(".well-known/assetlinks.json", asset_links),
    path(".well-known/apple-app-site-association", apple_app_site_association),
    path("livez", livez),
    path("readyz", readyz),
    *([path("metrics", metrics)] if settings.METRICS_FOR_ALL else ()),
]

handler400 = "latchkey.web.problems.bad_request"
handler403 = "latchkey.web.problems.permission_denied"
handler404 = "latchkey.web.problems.not_found"
handler500 = "latchkey.web.problems.server_error"
