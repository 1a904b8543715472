"""The rooms of the library import one way only, and name no backend: read from the source, not from a run."""

import ast
import pathlib
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_vae"
RANKS = (  # a room imports itself and the rows above it; rooms of one row do not import each other
    ("core",),
    ("_backend",),
    ("ops",),
    ("distributions", "reports"),
    ("layers", "estimators"),
    ("training",),
    ("bottlenecks", "likelihoods", "losses", "nets", "metrics", "datasets"),
    ("priors",),
    ("models",),
    ("generation",),
    ("callbacks", "presets", "export", "distribute"),
    ("runs", "testing"),
    ("tuning",),
    ("cli",),
)
RANK = {room: rank for rank, rooms in enumerate(RANKS) for room in rooms}
NOT_AT_IMPORT = {"tuning", "export", "distribute", "testing", "cli"}  # rooms that `import keras_vae` leaves alone
BACKENDS = {"tensorflow", "jax", "torch"}
BACKEND_ROOMS = {"_backend", "export", "distribute"}
EVERYWHERE = {"keras", "numpy", "h5py", "rich", "keras_vae"}  # Keras and what it brings

SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if "saved_models" not in p.relative_to(PACKAGE).parts)


def room_of(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path):
    """(module, inside a function) for each import of a file, `from keras_vae import x` counted as keras_vae.x."""
    found = []

    def visit(node, in_function):
        if isinstance(node, ast.Import):
            found.extend((alias.name, in_function, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = path.relative_to(PACKAGE.parent).parts[: -node.level]
                module = ".".join((*base, *filter(None, [module])))
            names = [f"{module}.{alias.name}" for alias in node.names] if module in ("keras_vae", "keras") else [module]
            found.extend((name, in_function, node.lineno) for name in names)
        for child in ast.iter_child_nodes(node):
            visit(child, in_function or isinstance(node, (ast.FunctionDef, ast.Lambda)))

    visit(ast.parse(path.read_text()), False)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_only_what_lies_below_them(path):
    room = room_of(path)
    where = path.relative_to(PACKAGE.parent)
    assert room in RANK or room in ("__init__", "__main__"), (
        f"{where}: `{room}` is no room of the design. Fix: put the file into one of {sorted(RANK)}."
    )
    for module, in_function, line in imports(path):
        parts = module.split(".")
        if parts[0] != "keras_vae":
            continue
        if room == "__main__":
            continue  # the command itself: nothing imports it
        if room == "__init__":
            assert len(parts) == 1 or parts[1] not in NOT_AT_IMPORT, (
                f"{where}:{line}: `import keras_vae` must not load {parts[1]}. Fix: let the user import it."
            )
            continue
        assert len(parts) > 1 and (parts[1] in RANK or in_function), (
            f"{where}:{line}: a room must not import the package's top. Fix: import from the room that defines it."
        )
        target = parts[1]
        if target not in RANK or target == room:
            continue
        if where.name == "exported.py" and room == "training" and target == "export" and in_function:
            continue  # the one exception: Exported.export
        assert RANK[target] < RANK[room], (
            f"{where}:{line}: {room}/ must not import {target}/. Fix: move what is shared to a room left of both, "
            f"or pass it in as an argument. The order is {' < '.join('|'.join(rooms) for rooms in RANKS)}."
        )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_backend_room_names_a_backend(path):
    room, where = room_of(path), path.relative_to(PACKAGE.parent)
    for module, _, line in imports(path):
        assert not module.startswith("keras.src") or room == "_backend", (
            f"{where}:{line}: keras.src is private. Fix: use the public keras API, or wrap it in _backend/."
        )
        root = module.split(".")[0]
        assert root not in BACKENDS or room in BACKEND_ROOMS, (
            f"{where}:{line}: imports {root}. Fix: say it in keras.ops; failing that, add one function per backend "
            "to _backend/."
        )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_optional_packages_come_through_require(path):
    room, where = room_of(path), path.relative_to(PACKAGE.parent)
    for module, _, line in imports(path):
        root = module.split(".")[0]
        known = root in EVERYWHERE or root in sys.stdlib_module_names or (root in BACKENDS and room in BACKEND_ROOMS)
        assert known, (
            f"{where}:{line}: imports {root}, which `import keras_vae` must not need. Fix: call "
            f'keras_vae.core.optional.require("{module}", extra, feature) inside the function that uses it.'
        )


def test_the_order_of_rooms_is_checked():
    """The checks above see an upward import, a sideways one, and a backend: they are not vacuous."""
    assert RANK["ops"] < RANK["layers"] < RANK["models"] < RANK["cli"]
    assert RANK["nets"] == RANK["metrics"]
    own = imports(pathlib.Path(__file__))
    assert ("ast", False, own[0][2]) in own and all(not inside for _, inside, _ in own)
