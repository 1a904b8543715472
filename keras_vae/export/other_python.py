"""The way from torch to a SavedModel: a second Python that runs Keras on TensorFlow writes it."""

import os
import pathlib
import subprocess
import sys
import tempfile

import keras
import numpy as np

from keras_vae.export.export_error import ExportError

SECONDS = 900


def write_in_other_python(model, folder, answers, batch_size, tolerance, python=None):
    """Writes `model` as a SavedModel into `folder` by `python -m keras_vae.export`, compared with the torch model.

    Args:
        model: a built model, on any backend.
        folder: `pathlib.Path`, an existing empty folder.
        answers: dict of arrays, what this process's model answers (`live_answers`).
        batch_size: int or None, as for `export_saved_model`.
        tolerance: float, as for `export_saved_model`.
        python: str, the interpreter, or None for this one. Default: None.
    """
    with tempfile.TemporaryDirectory(prefix="keras_vae_export_") as work:
        source, expected = pathlib.Path(work, "model.keras"), pathlib.Path(work, "answers.npz")
        model.save(source)
        np.savez(expected, **answers)
        command = [python or sys.executable, "-m", "keras_vae.export", str(source), str(folder)]
        command += ["--expected", str(expected), "--tolerance", repr(tolerance)]
        command += [] if batch_size is None else ["--batch-size", str(batch_size)]
        modules = own_modules(keras.saving.serialize_keras_object(model))
        command += [argument for module in modules for argument in ("--import", module)]
        try:
            done = subprocess.run(
                command,
                env=_environment(modules),
                cwd=work,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ExportError(f"The export by another Python did not run: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        last = lines[-1] if lines else f"exit status {done.returncode}"
        raise ExportError(
            f"The export by another Python ({command[0]}, Keras on TensorFlow) failed: {last}\n"
            + "\n".join(lines[-15:-1])
        )


def own_modules(config):
    """The modules, sorted, of a user's own classes in a configuration: another Python must import them first.

    Args:
        config: nest of dicts and lists, of `keras.saving.serialize_keras_object`.

    Raises:
        ExportError: for a class of the script itself, which cannot be imported.
    """
    found = set()
    for value in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        found.update(own_modules(value))
    module = config.get("module") if isinstance(config, dict) and "class_name" in config else None
    if module == "__main__":
        raise ExportError(
            f"{config['class_name']} is defined in the script that runs: to be exported from torch, by another Python, "
            "its class must be in a module."
        )
    name = config.get("registered_name") if module else None
    cls = keras.saving.get_registered_object(name) if name else None
    module = getattr(cls, "__module__", module)
    if module and module.split(".")[0] not in ("keras", "keras_vae", "builtins"):
        found.add(module)
    return sorted(found)


def _environment(modules):
    package = pathlib.Path(__file__).resolve().parents[1]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",  # the parent process holds the GPU
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if package.parent.name not in ("site-packages", "dist-packages"):  # a source checkout, perhaps not installed
        environment["PYTHONPATH"] = os.pathsep.join([str(package.parent), environment.get("PYTHONPATH", "")])
    for module in modules:
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is not None:  # the folder that its first part lies in
            place = str(pathlib.Path(file).resolve().parents[module.count(".") + file.endswith("__init__.py")])
            environment["PYTHONPATH"] = os.pathsep.join([environment.get("PYTHONPATH", ""), place])
    return environment
