"""The routes: allauth's own, and the user's own record."""

from django.urls import include, path
from me import MeView

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("api/me/", MeView.as_view()),
]
