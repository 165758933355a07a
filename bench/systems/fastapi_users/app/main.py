"""fastapi-users by the full example of its documentation (SQLAlchemy), for PostgreSQL."""

import os
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyUserDatabase
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from tables import User, user_database

LIFETIME = 3600  # seconds, as in the example: there is no refresh, and 30 would sign everybody out in the middle
SECRET = os.environ["BENCH_SECRET_KEY"]
CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))  # the least that Argon2 takes
PASSWORDS = PasswordHelper(CHEAP if os.environ.get("BENCH_CHEAP_HASH") == "1" else None)  # None: as it ships


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def user_manager(users: Annotated[SQLAlchemyUserDatabase, Depends(user_database)]) -> AsyncIterator[UserManager]:
    yield UserManager(users, PASSWORDS)


def strategy() -> JWTStrategy:
    return JWTStrategy(secret=SECRET, lifetime_seconds=LIFETIME)


BACKEND = AuthenticationBackend("jwt", BearerTransport(tokenUrl="auth/jwt/login"), get_strategy=strategy)
FASTAPI_USERS = FastAPIUsers[User, uuid.UUID](user_manager, [BACKEND])


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


class UserUpdate(schemas.BaseUserUpdate):
    pass


app = FastAPI()
app.include_router(FASTAPI_USERS.get_auth_router(BACKEND), prefix="/auth/jwt")
app.include_router(FASTAPI_USERS.get_register_router(UserRead, UserCreate), prefix="/auth")
app.include_router(FASTAPI_USERS.get_users_router(UserRead, UserUpdate), prefix="/users")
