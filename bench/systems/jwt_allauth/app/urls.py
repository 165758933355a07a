"""The routes: all of them are the package's own."""

from django.urls import include, path

urlpatterns = [path("jwt-allauth/", include("jwt_allauth.urls"))]
