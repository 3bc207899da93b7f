"""What holds for all code: who may import whom, and what nobody does."""

import ast
import importlib
import importlib.metadata
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("ui", "search", "generate", "indexer", "models", "xtal")  # a package imports only from those to its right
PACKAGES = [name for name in ORDER if (ROOT / name).is_dir()]
FILES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
READS_ENVIRONMENT = {"xtal/settings.py"}
SETS_ENVIRONMENT = {"xtal/gsas.py", "indexer/pool.py", "ui/__init__.py"}  # for foreign code: GSAS-II, BLAS, gradio
UNPICKLES = {"xtal/sources/plain_pickle.py"}  # plain containers, numbers and arrays, nothing else


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Dotted names that a file imports anywhere, also inside functions, with their lines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}:{node.lineno} imports relatively"
            yield str(node.module), node.lineno
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def dotted(node: ast.AST) -> str:
    """``os.environ`` of an attribute access, "" of anything that is no plain name."""
    if isinstance(node, ast.Name):
        return node.id
    inner = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if isinstance(node, ast.Attribute) and inner else ""


def test_there_is_code_to_look_at():
    assert set(PACKAGES) >= {"ui", "search", "indexer", "models", "xtal"}
    assert len(FILES) > 60


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package):
    to_the_left = set(ORDER[: ORDER.index(package)])
    wrong = [
        f"{place(path)}:{line} imports {name}"
        for path in (ROOT / package).rglob("*.py")
        for name, line in imported(path)
        if name.split(".")[0] in to_the_left | {"tests"}
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_top_level_names_are_ours(package):
    """`models`, `search` and the like are names that another distribution may take."""
    module = importlib.import_module(package)
    assert Path(module.__file__).resolve().parent in (ROOT / package, _installed_at() / package)


def _installed_at() -> Path:
    """Where the installed distribution has its packages: site-packages, or the source tree of an editable install."""
    distribution = importlib.metadata.distribution("xtalscout")
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        return Path(unquote(urlparse(origin["url"]).path)).resolve()
    return Path(str(distribution.locate_file(""))).resolve()


def test_nobody_unpickles():
    wrong = [
        f"{place(path)}:{line} imports {name}"
        for path in FILES
        for name, line in imported(path)
        if name.split(".")[0] in {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
        and place(path) not in UNPICKLES
    ]
    for path in FILES:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            allows = any(k.arg == "allow_pickle" and not _is_false(k.value) for k in node.keywords)
            if allows or dotted(node.func) in {"torch.load", "pd.read_pickle", "pandas.read_pickle"}:
                wrong.append(f"{place(path)}:{node.lineno} {ast.unparse(node)}")
    assert wrong == []


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_nobody_runs_text_as_code():
    wrong = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) in {"eval", "exec", "os.system", "os.popen"}
    ]
    assert wrong == []


def test_only_command_lines_print():
    wrong = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        if path.name != "__main__.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) == "print"
    ]
    assert wrong == []


def test_only_settings_read_the_environment():
    wrong = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        if place(path) not in READS_ENVIRONMENT | SETS_ENVIRONMENT
        for node in ast.walk(tree(path))
        if dotted(node) in {"os.environ", "os.getenv", "os.putenv", "environ", "getenv"}
    ]
    assert wrong == []


def test_exceptions_name_what_they_catch():
    """A handler of everything may only raise an error that says more."""
    wrong = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in {"Exception", "BaseException"})
        and not isinstance(node.body[-1], ast.Raise)
    ]
    assert wrong == []


def test_input_is_not_checked_with_assert():
    """``python -O`` takes them out."""
    wrong = [
        f"{place(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assert)
    ]
    assert wrong == []


def test_value_objects_are_frozen():
    """Mutable state is allowed only where a private class keeps count."""
    wrong = [
        f"{place(path)}:{node.lineno} {node.name}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for decorator in node.decorator_list
        if "dataclass" in ast.unparse(decorator) and "frozen=True" not in ast.unparse(decorator)
    ]
    assert wrong == []


def test_serving_needs_no_torch():
    """Only training code imports torch, and nothing else imports that code before it is asked to train."""
    training = {place(path) for path in FILES if any(name.split(".")[0] == "torch" for name, _ in imported(path))}
    assert all(name.startswith("models/") for name in training)
    modules = {name.removesuffix(".py").replace("/", ".") for name in training}
    early = [
        f"{place(path)}: {statement.lineno}"
        for path in FILES
        if place(path) not in training
        for statement in tree(path).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in [getattr(statement, "module", None) or statement.names[0].name]
        if name in modules | {"torch"}
    ]
    assert early == []
