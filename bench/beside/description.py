"""The file of `--beside`: TOML that describes running servers, with requests as templates.

docs/benchmarks.md documents every key. An unknown or missing key, or a wrong value, raises DescriptionError with a
sentence that names the key.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.system_under_test import PASSWORD

PLACEHOLDERS = ("email", "password", "access_token", "refresh_token")
"""Names that a request template may have in braces: `{email}`."""

LOOPBACK = ("127.0.0.1", "localhost")


class DescriptionError(Exception):
    """The file is wrong; the message is a sentence that names the file and the key."""


def check_template(value: Any) -> Any:
    """Refuse an unknown `{placeholder}` in a text, and in the texts of a table or array."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            check_template(part)
    elif isinstance(value, str):
        for name in re.findall(r"\{(\w+)\}", value):
            if name not in PLACEHOLDERS:
                raise ValueError(f"{{{name}}} is unknown; the names are {', '.join(PLACEHOLDERS)}")
    return value


def check_base_url(value: str) -> str:
    """Accept http:// at this machine only: CPU time is read from /proc, and others get no load."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if url.scheme != "http" or url.hostname not in LOOPBACK or url.query or url.fragment:
        raise ValueError(f"must be http:// with the host {' or '.join(LOOPBACK)}: the server runs on this machine")
    return value.rstrip("/")


def check_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must begin with /")
    return value


Template = Annotated[str, AfterValidator(check_template)]
Pid = Annotated[int, Field(gt=1)]


class Table(BaseModel):
    """A table of the file: unknown keys and other types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RequestTable(Table):
    """One request. `json` and `form` are bodies; at most one of them."""

    method: Literal["GET", "POST", "PUT", "PATCH"]
    path: Annotated[Template, AfterValidator(check_path)]
    headers: dict[str, Template] = {}
    json_body: Annotated[dict[str, Any] | None, AfterValidator(check_template)] = Field(None, alias="json")
    form: dict[str, Template] | None = None

    @model_validator(mode="after")
    def check_one_body(self) -> Self:
        if self.json_body is not None and self.form is not None:
            raise ValueError("has json and form; only one of them can be the body")
        return self


class MeTable(RequestTable):
    """The request for the user's own record, and a text that the right answer contains."""

    contains: Template = "{email}"


class AccountsTable(Table):
    """Users of the benchmark: addresses by pattern, or a list of existing ones."""

    email: str = "bench-{run}-{number}@example.com"
    emails: Annotated[list[str], Field(min_length=2)] | None = None
    password: str = PASSWORD
    count: Annotated[int, Field(ge=2)] = 24

    @model_validator(mode="after")
    def check_addresses(self) -> Self:
        if self.emails is not None and self.model_fields_set & {"email", "count"}:
            raise ValueError("has emails and also email or count; emails is the whole list")
        if "{number}" not in self.email:
            raise ValueError("email has no {number}, so all accounts would have the same address")
        return self

    def addresses(self, run: str) -> list[str]:
        """Return the addresses; `run` replaces `{run}`, and 1, 2, 3 ... replace `{number}`."""
        if self.emails is not None:
            return self.emails
        pattern = self.email.replace("{run}", run)
        return [pattern.replace("{number}", str(number)) for number in range(1, self.count + 1)]


class TokensTable(Table):
    """Where the tokens are in an answer: a dotted path in the JSON body, or `cookie:NAME`."""

    access_token: str = "access_token"
    refresh_token: str | None = None


class ProcessTable(Table):
    """Processes whose CPU time counts, each with its descendants; without it those that listen on the port."""

    pids: Annotated[list[Pid], Field(min_length=1)] | None = None
    process_group: Pid | None = None

    @model_validator(mode="after")
    def check_one_kind(self) -> Self:
        if (self.pids is None) == (self.process_group is None):
            raise ValueError("needs either pids or process_group")
        return self


class DatabaseTable(Table):
    """The PostgreSQL database of the server. Without `pids` the processes that listen on the port of the URL."""

    url: str
    pids: Annotated[list[Pid], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def check_url(self) -> Self:
        if urlsplit(self.url).scheme not in ("postgresql", "postgres"):
            raise ValueError("url must begin with postgresql://")
        return self


class ServerTable(Table):
    """One running server."""

    name: Annotated[str, Field(min_length=1)]
    base_url: Annotated[str, AfterValidator(check_base_url)]
    rotates: bool = True
    headers: dict[str, Template] = {}
    accounts: AccountsTable = AccountsTable()
    register_request: RequestTable | None = Field(None, alias="register")
    login: RequestTable
    refresh: RequestTable | None = None
    me: MeTable | None = None
    tokens: TokensTable = TokensTable()
    process: ProcessTable | None = None
    database: DatabaseTable | None = None

    @model_validator(mode="after")
    def check_accounts_exist(self) -> Self:
        if self.register_request is None and not self.accounts.model_fields_set & {"email", "emails"}:
            raise ValueError("needs register, or accounts.email or accounts.emails of accounts that exist")
        if self.register_request is None and "{run}" in self.accounts.email and self.accounts.emails is None:
            raise ValueError("accounts.email has {run}, so no such accounts exist, and there is no register")
        if self.refresh is not None and self.rotates and self.tokens.refresh_token is None:
            raise ValueError("needs tokens.refresh_token, or rotates = false")
        return self

    @property
    def port(self) -> int:
        return urlsplit(self.base_url).port or 80

    @property
    def host(self) -> str:
        """The Host header of its requests."""
        return urlsplit(self.base_url).netloc

    @property
    def prefix(self) -> str:
        """The path of the base URL, which every request begins with."""
        return urlsplit(self.base_url).path


class FileTable(Table):
    """The whole file."""

    server: Annotated[list[ServerTable], Field(min_length=1)]


def read_files(paths: list[Path]) -> list[ServerTable]:
    """Return the servers of all files; raise DescriptionError for a file that cannot be used."""
    servers = [server for path in paths for server in read_file(path)]
    names = [server.name for server in servers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DescriptionError(f"two servers have the name {twice[0]!r}.")
    return servers


def read_file(path: Path) -> list[ServerTable]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionError(f"{path} cannot be read: {getattr(error, 'strerror', 'it is not UTF-8')}.") from error
    try:
        return FileTable.model_validate(tomllib.loads(text)).server
    except tomllib.TOMLDecodeError as error:
        raise DescriptionError(f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        raise DescriptionError(f"{path}: {'; '.join(map(describe, error.errors()))}.") from error


def describe(error: Any) -> str:
    """Return a phrase such as `server 1: login.path is missing`."""
    place = [str(part) for part in error["loc"]]
    if place[:1] == ["server"] and len(place) > 1:
        key, where = ".".join(place[2:]), f"server {int(place[1]) + 1}: "
    else:
        key, where = ".".join(place), ""
    if error["type"] == "missing":
        said = "is missing"
    elif error["type"] == "extra_forbidden":
        said = "is not a key of this file"
    elif error["type"] == "value_error":
        said = str(error["ctx"]["error"])
    else:
        said = f"is wrong: {error['msg']}"
    return f"{where}{key} {said}".replace(":  ", ": ")
