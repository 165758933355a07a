"""Create accounts: python -m make_people '[["alice@example.com", "her password"], ...]'."""

import json
import sys

import django
from django.contrib.auth import get_user_model

if __name__ == "__main__":
    django.setup()
    for email, password in json.loads(sys.argv[1]):
        get_user_model().objects.create_user(username=email, email=email, password=password)
