"""A `me` endpoint for systems without one; Django REST Framework's default classes authenticate the user."""

from django.contrib.auth.models import User
from rest_framework.generics import RetrieveAPIView
from rest_framework.serializers import ModelSerializer


class MeOutput(ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "email")


class MeView(RetrieveAPIView):
    serializer_class = MeOutput

    def get_object(self) -> User:
        return self.request.user
