"""Chooses an installed backend before Keras is imported: plain `import keras` fails where TensorFlow is absent."""

import importlib.util
import json
import os
import pathlib
import sys

BACKENDS = ("tensorflow", "jax", "torch")


def configured():
    """The backend of the user's keras.json, or None. Keras writes the file itself, so it is a wish and not a proof."""
    home = pathlib.Path(os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text()).get("backend")
    except (OSError, ValueError):
        return None


def choose_backend():
    """Sets KERAS_BACKEND to an installed backend where the user has chosen none.

    An explicit KERAS_BACKEND, or a Keras that is imported already, is left as it is. Otherwise the backend of
    keras.json is taken if it is installed, else the first installed one of tensorflow, jax, torch.

    Raises:
        ImportError: if no backend is installed.
    """
    if os.environ.get("KERAS_BACKEND") or "keras" in sys.modules:
        return
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if not installed:
        raise ImportError(
            "keras_vae needs one of tensorflow, jax or torch, and none is installed: "
            'pip install "keras_vae[tensorflow]" (or [jax], or [torch])'
        )
    wish = configured()
    os.environ["KERAS_BACKEND"] = wish if wish in installed else installed[0]
