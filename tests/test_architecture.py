"""What holds for all code: who may import whom, and what nobody does."""

import ast
import importlib
import importlib.metadata
import json
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("ui", "search", "generate", "indexer", "models", "xtal")  # a package imports only from those to its right
ROOMS = ({"refinement"}, {"readers", "sources", "physics"}, {"patterns"}, {"crystals"})  # of xtal, in the same sense
LONGEST, FULLEST = 300, 16  # lines of a file, modules of a folder
PACKAGES = [name for name in ORDER if (ROOT / name).is_dir()]
FILES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
READS_ENVIRONMENT = {"xtal/settings.py"}
# for GSAS-II, BLAS and gradio
SETS_ENVIRONMENT = {"xtal/physics/gsas.py", "indexer/pool.py", "ui/__init__.py", "ui/guard/kept.py"}
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


def room(name: str) -> str:
    """The room of xtal that a dotted name lies in, "" for what all rooms share."""
    found = name.split(".")[1:2] if name.startswith("xtal.") else []
    return found[0] if found and any(found[0] in level for level in ROOMS) else ""


def test_the_rooms_of_xtal_are_those_that_are_ordered():
    folders = {path.parent.name for path in (ROOT / "xtal").glob("*/__init__.py")}
    assert folders == set().union(*ROOMS)


@pytest.mark.parametrize("level", range(len(ROOMS)))
def test_rooms_of_xtal_import_one_way(level):
    """A room imports from rooms below its own level; what all share imports from no room."""
    below = set().union(*ROOMS[level + 1 :])
    wrong = [
        f"{place(path)}:{line} imports {name}"
        for here in ROOMS[level]
        for path in (ROOT / "xtal" / here).rglob("*.py")
        for name, line in imported(path)
        if room(name) not in {"", here} | below
    ]
    shared = [
        f"{place(path)}:{line} imports {name}"
        for path in (ROOT / "xtal").glob("*.py")
        for name, line in imported(path)
        if room(name)
    ]
    assert wrong + shared == []


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def import_graph() -> dict[str, set[str]]:
    """Modules that each module imports anywhere, for type checking too, with the packages that this runs first."""
    modules = {module_name(path): path for path in FILES}
    graph = {}
    for module, path in modules.items():
        found = {name for name, _ in imported(path) if name in modules}
        packages = {".".join(name.split(".")[:depth]) for name in found for depth in range(1, name.count(".") + 1)}
        graph[module] = {name for name in found | packages if not f"{module}.".startswith(f"{name}.")}
    return graph


def test_no_imports_run_in_a_circle():
    graph = import_graph()
    assert sum(map(len, graph.values())) > 500
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("path", [*FILES, *(ROOT / "tests").rglob("*.py")], ids=place)
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_folders_are_no_attics():
    folders = Counter(path.parent for path in [*FILES, *(ROOT / "tests").rglob("*.py")])
    assert {place(folder): count for folder, count in folders.items() if count > FULLEST} == {}


def test_every_room_says_what_it_is_for_and_hands_on_names_that_exist():
    for folder in {path.parent for path in FILES}:
        init = folder / "__init__.py"
        assert init.is_file(), f"{place(folder)} has no __init__.py"
        assert ast.get_docstring(tree(init)), f"{place(init)} says nothing"
        module = importlib.import_module(module_name(init))
        assert [name for name in getattr(module, "__all__", []) if not hasattr(module, name)] == []


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
