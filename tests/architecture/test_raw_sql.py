"""Raw SQL: where the package executes it, and that no value is put into its text (SQL injection, ASVS 1.2.4)."""

import ast
import re

import pytest

from tests.support.package_ast import find_calls, parsed_files

SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|LOCK|ALTER|CREATE|DROP|TRUNCATE)\s")

EXECUTING_FILES = {
    "db/statements.py": "fetch_all, for all statements of ours",
    "import_export/bulk_insert.py": "inserts and sequences",
    "import_export/django_source.py": "reads the database of another system",
    "management/commands/migrate.py": "takes an advisory lock",
    "web/views.py": "readiness: SELECT 1",
}

COMPOSING_FUNCTIONS = {
    "api_keys/verification.py: _select": "functions of each database",
    "applications/access.py: _select": "functions of each database",
    "applications/credentials.py: _application_statement": "a clause for each database",
    "applications/credentials.py: _select_by_secret": "a clause for each database",
    "api_keys/verification.py: _touch": "a lock clause for each database",
    "audit/log.py: _with_event_cte": "two statements of ours",
    "import_export/bulk_insert.py: bulk_insert": "names of columns of ours, and a %s for each value",
    "import_export/django_source.py: read_users": "a table name that is checked by a pattern and quoted",
    "mail/queue.py: _claim_statement": "a lock clause for each database",
    "metrics_server/hourly_totals.py: add_counts": "a %(name)s for each value",
    "rate_limits/attempts.py: charge": "rows of ours for each action",
    "rate_limits/attempts.py: forget_attempts": "a %(name)s for each value, and a lock clause for each database",
    "rate_limits/attempts.py: _take_back": "a %(name)s for each value, and a condition of ours",
    "sessions/sql.py: for_vendor": "clauses for each database",
}
"""Functions that build the text of a statement when they are called, and what they put into it: never a value."""


def is_sql(node: ast.AST, sql_names: set[str]) -> bool:
    """Tell whether an expression is SQL: a text that begins like it, or the name of a constant that holds it."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(SQL.match(node.value))
    if isinstance(node, ast.JoinedStr):
        return any(is_sql(part, sql_names) for part in node.values)
    return getattr(node, "id", getattr(node, "attr", None)) in sql_names


def sql_constants(tree: ast.Module) -> set[str]:
    """Return the names of the constants of a module whose value contains SQL."""
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    names = {
        target.id: assignment.value
        for assignment in assignments
        for target in assignment.targets
        if isinstance(target, ast.Name)
    }
    return {name for name, value in names.items() if any(is_sql(node, set()) for node in ast.walk(value))}


def composes_sql(function: ast.FunctionDef | ast.AsyncFunctionDef, sql_names: set[str], templates: set[str]) -> bool:
    """Tell whether a function puts something into SQL: by an f-string, format(), % or +.

    templates are the parameters that hold SQL if they are formatted.
    """
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in node.values):
            parts: list[ast.AST] = [node]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            parts = [node.func.value]
            if getattr(node.func.value, "id", None) in templates:
                return True
        else:
            continue
        if any(is_sql(part, sql_names) for part in parts):
            return True
    return False


def composing_functions(files: dict[str, ast.Module]) -> set[str]:
    """Return the functions that compose SQL, as "file: function"; module constants are composed at import, of ours."""
    by_file = {file: sql_constants(tree) for file, tree in files.items()}
    sql_names = set().union(*by_file.values())
    found = set()
    for file, tree in files.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                templates = {argument.arg for argument in node.args.args} if by_file[file] else set()
                if composes_sql(node, sql_names, templates):
                    found.add(f"{file}: {node.name}")
    return found


@pytest.mark.ledger("ASVS-1.2.4")
def test_raw_sql_is_executed_in_known_files_only() -> None:
    calls = [(file, call.func) for file, call in find_calls("execute") if not file.startswith("migrations/")]
    on_cursors = {file for file, function in calls if isinstance(function, ast.Attribute)}
    assert on_cursors - {"management/command_line.py"} == set(EXECUTING_FILES)  # which executes commands
    assert not find_calls("raw", "extra", "RawSQL", "executemany", "executescript", "callproc")


@pytest.mark.ledger("ASVS-1.2.4")
def test_raw_sql_is_composed_in_known_functions_only() -> None:
    files = {file: tree for file, tree in parsed_files().items() if not file.startswith("migrations/")}
    assert composing_functions(files) == set(COMPOSING_FUNCTIONS)


@pytest.mark.parametrize(
    "statement",
    [
        'cursor.execute(f"SELECT 1 FROM latchkey_user WHERE email = {email}")',
        'cursor.execute("SELECT 1 FROM latchkey_user WHERE email = %s" % email)',
        'cursor.execute("SELECT 1 FROM latchkey_user WHERE email = " + email)',
        'fetch_all("SELECT 1 FROM latchkey_user WHERE email = {}".format(email), {})',
        "fetch_all(BY_EMAIL.format(email), {})",
        "fetch_all(sql.BY_EMAIL % email, {})",
        'PreparedStatement("x", BY_EMAIL + email, int)',
        "fetch_all(email.format(email), {})",
    ],
)
def test_rule_for_raw_sql_finds_interpolated_values(statement: str) -> None:
    constant = 'BY_EMAIL = "SELECT 1 FROM latchkey_user WHERE email = {}"'
    tree = ast.parse(f"{constant}\ndef find(email):\n    {statement}")
    assert composing_functions({"x.py": tree}) == {"x.py: find"}


@pytest.mark.parametrize(
    "statement",
    [
        'fetch_all(BY_EMAIL, {"email": email})',
        'log.info(f"SELECTED {email}")',
        'fetch_all("SELECT 1", {"a": "b" + email})',
    ],
)
def test_rule_for_raw_sql_accepts_parameters(statement: str) -> None:
    tree = ast.parse(f'BY_EMAIL = "SELECT 1 WHERE %(email)s"\ndef find(email):\n    {statement}')
    assert composing_functions({"x.py": tree}) == set()
