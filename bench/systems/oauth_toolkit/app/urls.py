"""The routes: the toolkit's own, and the user's own record."""

from django.urls import include, path
from me import MeView
from oauth2_provider import urls as oauth2_urls

urlpatterns = [
    path("o/", include(oauth2_urls)),
    path("api/me/", MeView.as_view()),
]
