"""Upper limits of Django and DRF: bare views of constant JSON, one ORM read, a DRF GET, a DRF POST with serializer."""

from django.contrib.contenttypes.models import ContentType
from django.http import JsonResponse
from django.urls import path
from rest_framework.response import Response
from rest_framework.serializers import Serializer, UUIDField
from rest_framework.views import APIView


class TokenInput(Serializer):
    token = UUIDField()


class BareView(APIView):
    def get(self, request):
        return Response({"status": "ok"})

    def post(self, request):
        read = TokenInput(data=request.data)
        read.is_valid(raise_exception=True)
        return Response({"token": str(read.validated_data["token"])})


def constant(request):
    return JsonResponse({"status": "ok"})


def row(request):
    return JsonResponse({"model": ContentType.objects.get(pk=1).model})


urlpatterns = [path("constant", constant), path("row", row), path("drf", BareView.as_view())]
