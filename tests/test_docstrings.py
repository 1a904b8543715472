"""Documentation is code: every argument of every public name is described, and every example runs on this backend."""

import doctest
import importlib
import inspect
import pkgutil
import re

import keras
import pytest

import keras_vae

SECTIONS = ("Args", "Input shape", "Output shape", "Returns", "Raises", "Reference", "Example")


def modules():
    """Every module of the package that this backend can import."""
    found = [keras_vae]
    for info in pkgutil.walk_packages(keras_vae.__path__, "keras_vae."):
        parts = info.name.split(".")
        others = {"tensorflow", "jax", "torch"} - {keras.backend.backend()}
        other_backend = parts[1] == "_backend" and parts[-1].split("_")[0] in others  # torch.py, torch_symbolic.py
        if not other_backend and parts[-1] != "__main__" and "saved_models" not in parts:
            found.append(importlib.import_module(info.name))
    return found


MODULES = modules()


def public():
    """name -> object for what is in `__all__` of the package and of its rooms, modules left out."""
    found = {}
    for module in MODULES:
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            ours = getattr(value, "__module__", "").startswith("keras_vae.") and "._backend" not in value.__module__
            if ours and (inspect.isclass(value) or inspect.isfunction(value)):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


def methods(cls):
    """name -> function for the public methods that a class itself defines and that Keras has not documented already."""
    for name, value in vars(cls).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            inherited = any(name in vars(base) for base in cls.__mro__[1:])
            if not inherited and name not in ("call", "build", "get_config"):
                yield f"{cls.__module__}.{cls.__qualname__}.{name}", value


PUBLIC = public()
METHODS = {name: f for cls in PUBLIC.values() if inspect.isclass(cls) for name, f in methods(cls)}


def arguments(thing):
    """The names that a docstring owes the reader: every parameter but self and the Keras keywords in **kwargs."""
    target = thing.__init__ if inspect.isclass(thing) else thing
    if inspect.isclass(thing) and not getattr(target, "__module__", "").startswith("keras_vae"):
        return []
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in inspect.signature(target).parameters.values() if p.kind in kinds and p.name != "self"]


def sections(text):
    """heading -> lines under it, for the headings that stand alone or open a line at the docstring's own margin."""
    found, current = {}, None
    for line in inspect.cleandoc(text).splitlines():
        heading = re.match(rf"({'|'.join(SECTIONS)}):", line)
        if heading:
            current = heading.group(1)
            found[current] = []
        elif current:
            found[current].append(line)
    return found


def described(lines):
    names = set()
    for line in lines:
        entry = re.match(r"\s{4}([*\w]+(?:, [*\w]+)*)(?: \([^)]*\))?:", line)
        if entry:
            names.update(part.strip("*") for part in entry.group(1).split(", "))
    return names


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_are_documented(name):
    thing = PUBLIC[name]
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    assert text, f"{name} has no docstring of its own"
    first = inspect.cleandoc(text).splitlines()[0]
    assert first.endswith((".", "?", ":")), f"{name}: the first line is not a sentence: {first!r}"
    found = sections(text)
    missing = set(arguments(thing)) - described(found.get("Args", []))
    assert not missing, f"{name}: not in `Args:`: {sorted(missing)}"
    order = [s for s in SECTIONS if s in found]
    assert list(found) == order, f"{name}: the sections come as {list(found)}; the order is {order}"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_public_methods_describe_their_arguments(name):
    method = METHODS[name]
    assert method.__doc__, f"{name} has no docstring"
    found = sections(method.__doc__)
    if "Args" in found:
        missing = set(arguments(method)) - described(found["Args"])
        assert not missing, f"{name}: not in `Args:`: {sorted(missing)}"


REGISTERED = {f"{cls.__module__}.{cls.__qualname__}" for cls in keras_vae.core.registration.REGISTRY.values()}


@pytest.mark.parametrize("name", sorted(REGISTERED & set(PUBLIC)))
def test_registered_classes_have_an_example(name):
    assert ">>>" in "\n".join(sections(PUBLIC[name].__doc__).get("Example", [])), f"{name} has no `Example:` that runs"


def test_registered_classes_are_public():
    assert REGISTERED <= set(PUBLIC), f"in no `__all__`: {sorted(REGISTERED - set(PUBLIC))}"


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {}
    for module in MODULES:
        for test in finder.find(module, module.__name__, module=module):
            if test.examples:
                found[test.name] = test
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = EXAMPLES[name]
    test.globs = {"__name__": "__main__", **test.globs}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said = []
    runner.run(test, out=said.append, clear_globs=True)
    assert runner.failures == 0, "".join(said)
