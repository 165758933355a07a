"""The user's own record, for the systems that have no view of it: who asks is for REST framework's defaults to find."""

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
