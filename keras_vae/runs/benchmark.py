"""The same measurement on every installed backend, each in a process of its own on one core."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import keras

from keras_vae import _backend

BACKENDS = ("tensorflow", "jax", "torch")
ONE_CORE = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
WORKER = "--measure"  # the command line of such a process: script, this, name, whether to pin it, arguments


def cpu_ms(step, repeats=4):
    """The least CPU time, in ms, of a call of `step` after a first one, which may compile.

    CPU time, summed over threads, repeats within some 20 % on a machine that others use too; wall time does not.

    Args:
        step: function without arguments that returns when its work is done.
        repeats: int >= 1, calls after the first. Default: 4.

    Returns:
        float, ms.

    Example:

    >>> from keras_vae.runs.benchmark import cpu_ms
    >>> cpu_ms(lambda: sum(range(1000))) < 1000
    True
    """
    step()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        step()
        spent.append(time.process_time() - start)
    return 1e3 * min(spent)


def gradient_step(layer, x):
    """A compiled step of a quantizer: forward, its losses, gradients to features and trained weights, its own update.

    Args:
        layer: Quantizer, built or not.
        x: array (batch, ..., D), features.

    Returns:
        function without arguments, which returns the gradients: to x, then to the trained weights.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.runs.benchmark import gradient_step
    >>> step = gradient_step(keras_vae.VectorQuantizer(8, 4), np.ones((2, 3, 4), "float32"))
    >>> [tuple(gradient.shape) for gradient in step()]
    [(2, 3, 4), (8, 4)]
    """
    x = keras.ops.convert_to_tensor(x)
    if not layer.built:
        layer.build(x.shape)

    def loss(x):
        outputs = layer(x, training=True)
        layer.update(outputs)
        weights, terms = {"commitment": 0.25, **layer.term_weights}, layer.terms(outputs)
        return keras.ops.sum(outputs["z"]) + sum(keras.ops.sum(weights[name] * terms[name]) for name in terms)

    return _backend.compiled_gradients(layer, loss, x)


def extra_mb(step):
    """How far a call of `step` takes the peak of this process's memory above its size before the call, in MiB (Unix).

    The peak is that of the process's life until now: the figure is an upper bound where an earlier peak was higher.

    Args:
        step: function without arguments.

    Returns:
        float, MiB.

    Example:

    >>> from keras_vae.runs.benchmark import extra_mb
    >>> extra_mb(lambda: b"1" * 300 * 2**20) > 200
    True
    """
    import resource  # not on every system that the library runs on

    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 2**20


def measure_backends(script, arguments, rounds=1, plain="torch", smoke=False):
    """Runs `script` once per installed backend, and once as "plain", as a process that `is_worker` recognises.

    Args:
        script: str or path of the script, which begins with `is_worker`.
        arguments: sequence of int, handed to its `measure`.
        rounds: int >= 1; every process is run so often, in turn, and the lowest figures are kept. Default: 1.
        plain: str, the backend whose package the "plain" code uses. Default: "torch".
        smoke: bool, only the backend in use, beside "plain", and on any core: to see that it runs. Default: False.

    Returns:
        dict name -> dict figure -> float, the names being "plain" and the installed backends.

    Raises:
        RuntimeError: if a process fails; with the end of what it said.
    """
    found = {}
    for name in ("plain", *(BACKENDS if not smoke else (keras.backend.backend(),))) * rounds:
        backend = plain if name == "plain" else name
        if importlib.util.find_spec(backend) is None:
            print(f"{name}: left out, for {backend} is not installed", flush=True)
            continue
        command = [sys.executable, str(script), WORKER, name, *map(str, (int(smoke), *arguments))]
        environment = {**os.environ, **ONE_CORE, "KERAS_BACKEND": backend}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Measuring {name} failed:\n{done.stderr[-2000:]}")
        figures, before = json.loads(done.stdout.splitlines()[-1]), found.get(name, {})
        found[name] = {figure: min(value, before.get(figure, value)) for figure, value in figures.items()}
        print(f"{name}: measured", flush=True)
    return found


def as_rate(found, figure, name):
    """The figures of `measure_backends` with a time in ms as a number a second: 1,000 / ms.

    Args:
        found: dict name -> dict figure -> float.
        figure: str, the time; left alone where it was not measured.
        name: str, the rate's name, in its place.

    Returns:
        dict as `found`.

    Example:

    >>> from keras_vae.runs.benchmark import as_rate
    >>> as_rate({"plain": {"MB": 3.0}, "jax": {"MB": 2.0, "ms/image": 4.0}}, "ms/image", "images/s")
    {'plain': {'MB': 3.0}, 'jax': {'MB': 2.0, 'images/s': 250.0}}
    """

    def renamed(key, value):
        return (name, 1e3 / value) if key == figure else (key, value)

    return {backend: dict(renamed(*item) for item in figures.items()) for backend, figures in found.items()}


def comparison(found, bars, ask=True):
    """The figures of `measure_backends` as rows of a table, with what should hold of them and whether it does.

    Args:
        found: dict name -> dict figure -> float, as `measure_backends` returns it.
        bars: dict figure -> (bar, holds): the bar in words, and a function of plain's figure (or None) and of the dict
            backend -> figure, asked where all it needs was measured; None where there is no bar.
        ask: bool, whether to; sizes can be too small for a bar to mean anything. Default: True.

    Returns:
        list of dicts, one per figure.

    Example:

    >>> from keras_vae.runs.benchmark import comparison
    >>> found = {"plain": {"ms": 2.0}, "jax": {"ms": 1.0}, "torch": {"ms": 3.0}}
    >>> comparison(found, {"ms": ("JAX <= plain", lambda p, b: b["jax"] <= p)})
    [{'figure': 'ms', 'plain': 2.0, 'jax': 1.0, 'torch': 3.0, 'bar': 'JAX <= plain', 'holds': True}]
    """
    rows = []
    for figure, (bar, holds) in bars.items():
        row = {name: figures.get(figure) for name, figures in found.items()}
        plain = row.get("plain")
        try:
            held = bool(holds(plain, {k: v for k, v in row.items() if k != "plain"})) if ask and holds else None
        except (KeyError, TypeError):  # a backend, or plain code, that was left out
            held = None
        rows.append({"figure": figure, **row, "bar": bar, "holds": held})
    return rows


def is_worker(measure):
    """In a process that `measure_backends` started: pins it to one core, prints what `measure` found, returns True.

    Args:
        measure: function of a name ("plain" or a backend) and the arguments, which returns a dict figure -> float.

    Returns:
        bool, False in any other process.
    """
    if sys.argv[1:2] != [WORKER]:
        return False
    name, smoke, *arguments = sys.argv[2:]
    if smoke == "0" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(json.dumps(measure(name, *map(int, arguments))))
    return True
