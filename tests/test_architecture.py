"""The house rules as tests: tests per package, sizes, signatures, docstrings, imports, words. Each message says what to do.

What must never live here: rules that ruff, mypy or import-linter can hold by themselves.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "operator" / "sampan"
TESTS = ROOT / "tests"

FILE_LINES, FUNCTION_LINES, PARAMETERS, POSITIONAL = 300, 60, 5, 3
"""POSITIONAL: the house asks for keyword-only past two; a third that is plainly the thing handled is let pass, a fourth never."""
HARD_FILE_LINES = 500
LONG_FILES: dict[str, str] = {}
"""Files of 301 to 500 lines, each with the reason why it is one noun all the same."""

CLICK_DECORATORS = ("command", "group")
SILENT_MARK = re.compile(r"#.*\S")

BANNED_WORDS = (
    re.compile(r"(?<![\w.~$}/-])/(?:work|root|home/\w+|Users/\w+)/\w+"),
    re.compile(r"(?<!no-emit-)\b(?:extra-)?index-url\b|\bGOPROXY\b|\bPIP_[A-Z_]+="),
)
"""What no committed file may name: a folder of the machine it was written on, and where packages are to be fetched from."""
LOCK_FILES = {"requirements.lock", "requirements-runtime.lock", "go.sum"}


def python_files(folder: Path) -> list[Path]:
    """Every Python file below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def shown(path: Path) -> str:
    """The path as a reader would type it."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file; read once, since every rule asks for it."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def has_code(tree: ast.Module) -> bool:
    """Tell whether there is a function or class to test: constants and re-exports need no test of their own."""
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in tree.body)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[list[str], list[str]]:
    """(positional, keyword-only) parameter names, without self and cls."""
    arguments = function.args
    positional = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args] if argument.arg not in ("self", "cls")]
    return positional, [argument.arg for argument in arguments.kwonlyargs]


def is_verb(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether click calls it: its parameters are the options of a command line, passed by name."""
    return any(name in ast.unparse(decorator) for decorator in function.decorator_list for name in CLICK_DECORATORS)


MODULES = python_files(PACKAGE)
TEST_FILES = python_files(TESTS)


def ids(path: Path) -> str:
    """A test's name from its file."""
    return shown(path)


def test_every_package_with_code_has_its_folder_of_tests() -> None:
    """Someone who changes a module finds its tests in the folder of its package; how they are cut into files is free."""
    packages = {module.parent.relative_to(PACKAGE) for module in MODULES if has_code(parsed(module))}
    folders = {test.parent.relative_to(TESTS / "unit") for test in (TESTS / "unit").rglob("test_*.py")}
    assert not packages - folders, f"no tests in tests/unit for the packages {sorted(map(str, packages - folders))}"
    assert not folders - packages, f"no package for the folders {sorted(map(str, folders - packages))} of tests/unit"


@pytest.mark.parametrize("path", [*MODULES, *TEST_FILES], ids=ids)
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file has one noun, a function one step."""
    lines = path.read_text(encoding="utf-8").count("\n")
    limit = HARD_FILE_LINES if shown(path) in LONG_FILES else FILE_LINES
    assert lines <= limit, f"{shown(path)} has {lines} lines, at most {limit}: split it, or give its reason in LONG_FILES"
    for function in functions(parsed(path)):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= FUNCTION_LINES, f"{shown(path)}:{function.lineno}: {function.name} has {length} lines, at most {FUNCTION_LINES}"


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_signatures_stay_narrow(path: Path) -> None:
    """At most five parameters, and no guessing which is which past the second: the rest is given by name."""
    for function in functions(parsed(path)):
        positional, keyword_only = parameters(function)
        where = f"{shown(path)}:{function.lineno}: {function.name}"
        if is_verb(function):
            continue
        assert len(positional) + len(keyword_only) <= PARAMETERS, (
            f"{where} takes more than {PARAMETERS} parameters: group them into a value"
        )
        assert len(positional) <= POSITIONAL, f"{where} takes {len(positional)} parameters by position: keyword-only past the second"


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_modules_and_public_names_say_what_they_are(path: Path) -> None:
    """The first lines of a file say what lives there; every public class and function says what it promises."""
    tree = parsed(path)
    if not tree.body:
        return
    assert ast.get_docstring(tree), f"{shown(path)}: the first lines must say what lives here"
    public = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    scopes: list[ast.Module | ast.ClassDef] = [tree, *public]
    silent = [
        f"{node.name} (line {node.lineno})" for scope in scopes for node in scope.body if _is_public(node) and not ast.get_docstring(node)
    ]
    assert not silent, f"{shown(path)}: no docstring: {', '.join(silent)}"


def _is_public(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """A class or function that others may use; a setter or overload is described with its sibling."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return False
    return not any(ast.unparse(decorator).endswith((".setter", "overload")) for decorator in node.decorator_list)


@pytest.mark.parametrize("path", [*MODULES, *TEST_FILES], ids=ids)
def test_no_exception_is_swallowed_silently(path: Path) -> None:
    """An `except` whose body does nothing says in a comment why that is right."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        idle = all(isinstance(statement, ast.Pass | ast.Continue) or _is_constant(statement) for statement in node.body)
        commented = any(SILENT_MARK.search(line) for line in lines[node.lineno - 1 : node.end_lineno])
        assert node.type is not None, f"{shown(path)}:{node.lineno}: a bare except catches even the end of the process"
        assert not idle or commented, f"{shown(path)}:{node.lineno}: a handler swallows its exception without a word why"


@pytest.mark.parametrize("path", [path for path in MODULES if shown(path) != "operator/sampan/faults.py"], ids=ids)
def test_a_fault_is_logged_in_one_way(path: Path) -> None:
    """A traceback may hold values: unforeseen errors are logged by `sampan.faults.log_fault` alone, which tells type and place."""
    tree = parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported = [alias.name for alias in node.names] + [getattr(node, "module", None)]
            assert "traceback" not in imported, f"{shown(path)}:{node.lineno}: a traceback may hold values: use log_fault"
        if isinstance(node, ast.Call):
            wrong = _is_log(node, "exception") or any(keyword.arg in ("exc_info", "stack_info") for keyword in node.keywords)
            assert not wrong, f"{shown(path)}:{node.lineno}: this logs a traceback, which may hold values: use log_fault"
        if isinstance(node, ast.ExceptHandler) and "Exception" in ast.unparse(node.type or ast.Constant("")).split("."):
            logged = [call.lineno for call in ast.walk(node) if _is_log(call, "error", "critical", "warning")]
            assert not logged, f"{shown(path)}:{logged[0]}: whatever is caught here is a fault: use log_fault"


def _is_log(node: ast.AST, *methods: str) -> TypeGuard[ast.Call]:
    """A call of one of a logger's methods; loggers are named log or _LOG here."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods):
        return False
    return ast.unparse(node.func.value).lower().strip("_") in ("log", "logger", "logging")


def _is_constant(statement: ast.stmt) -> bool:
    """A docstring or an ellipsis."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize("path", [path for path in TEST_FILES if path.name.startswith("test_")], ids=ids)
def test_every_test_can_fail(path: Path) -> None:
    """A test without an assertion only shows that code ran."""
    for function in functions(parsed(path)):
        if function.name.startswith("test_"):
            assert _checks_something(function), f"{shown(path)}:{function.lineno}: {function.name} asserts nothing"


@cache
def _checking_helpers() -> frozenset[str]:
    """Names of functions in tests/ that assert something themselves, so that a test may leave it to them."""
    return frozenset(function.name for path in TEST_FILES for function in functions(parsed(path)) if _asserts_itself(function))


def _asserts_itself(function: ast.AST) -> bool:
    """An assert statement, or a call of pytest.raises, warns or fail."""
    return any(
        isinstance(node, ast.Assert) or _called(node) in ("raises", "warns", "fail", "run_state_machine_as_test")
        for node in ast.walk(function)
    )


def _checks_something(function: ast.AST) -> bool:
    """Asserts itself, or calls a helper of ours that does."""
    return _asserts_itself(function) or any(_called(node) in _checking_helpers() for node in ast.walk(function))


def _called(node: ast.AST) -> str:
    """The last name of what a call calls; empty where it is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_operator_is_a_plain_folder() -> None:
    """`operator/__init__.py` would shadow the standard library's `operator` for everybody who runs Python here."""
    assert not (ROOT / "operator" / "__init__.py").exists()
    found = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.__file__)"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not Path(found.stdout.strip()).is_relative_to(ROOT / "operator")


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    """A reader and an import must never have to guess which `queue` is meant."""
    names = {shown(path): path.stem if path.name != "__init__.py" else path.parent.name for path in MODULES}
    clashes = [path for path, name in names.items() if name in sys.stdlib_module_names and not name.startswith("__")]
    assert not clashes, f"named like a module of the standard library: {clashes}"


def test_imports_follow_the_contracts() -> None:
    """The layers of pyproject.toml, as `make lint` checks them."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]


def committed_files() -> list[Path]:
    """Every text file of the project that is committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_project_speaks_of_itself_alone() -> None:
    """No path of the place it was written at, no package host: it has to work anywhere."""
    found = []
    for path in committed_files():
        if path == Path(__file__).resolve() or path.name in LOCK_FILES:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{shown(path)}: {match.group(0)}" for word in BANNED_WORDS if (match := word.search(text))]
    assert not found, found


@pytest.mark.parametrize("name", sorted(LOCK_FILES))
def test_lock_files_name_no_host(name: str) -> None:
    """Where packages come from is the installer's business."""
    files = list((ROOT / "operator").rglob(name))
    assert files
    for path in files:
        assert not re.search(r"https?://", path.read_text(encoding="utf-8")), shown(path)
