"""What every test shares: a quiet machine, skips for what is not installed, small models compiled once."""

import importlib.util
import os
import tempfile

for name, value in {
    "OMP_NUM_THREADS": "1",  # torch on two busy cores is ten times slower with two threads each
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "Agg",
    # Compiling costs the tests more than running does: XLA optimises little, JAX keeps all that it compiles, and XLA's
    # new emitters of fused loops, and their several modules, take three times as long to compile as the old one.
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}.items():
    os.environ.setdefault(name, value)

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # pytest-xdist's workers and the recipes inherit it, and share it
    compiled = tempfile.TemporaryDirectory(prefix="keras_vae_compiled_", ignore_cleanup_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled.name

import keras_vae  # picks the backend, so it comes before keras
import keras
import numpy as np
import pytest

import harness
from small_models import small

BACKENDS = ("tensorflow", "jax", "torch")


def pytest_collection_modifyitems(config, items):
    missing = [name for name in BACKENDS if importlib.util.find_spec(name) is None]
    prepared = os.environ.get("TFDS_DATA_DIR", "")
    for item in items:
        if missing and item.get_closest_marker("cross_backend"):
            item.add_marker(pytest.mark.skip(reason=f"needs all three backends; not installed: {', '.join(missing)}"))
        if item.get_closest_marker("fuzz") and "fuzz" not in config.getoption("markexpr"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: choose it with -m fuzz"))
        if item.get_closest_marker("data") and not os.path.isdir(prepared):
            item.add_marker(pytest.mark.skip(reason="needs prepared datasets: set TFDS_DATA_DIR"))


@pytest.fixture(autouse=True)
def fixed_seed():
    """Every test starts from the same global seed, so that none depends on which ran before it."""
    keras.utils.set_random_seed(1234)


def fitted(kind):
    keras.utils.set_random_seed(0)
    model = small(kind)
    model.compile("adam")
    model.fit(harness.images(32), batch_size=16, verbose=0)
    return model


@pytest.fixture(scope="session")
def plain():
    """A fitted PlainAutoencoder of 8x8x1 images; a test must leave it as it found it."""
    return fitted("plain")


@pytest.fixture(scope="session")
def vae():
    """A fitted convolutional VAE of 8x8x1 images with three latents; a test must leave it as it found it."""
    return fitted("vae")


@pytest.fixture(scope="session")
def vqvae():
    """A fitted VQVAE of 8x8x1 images with 4x4 codes of sixteen; a test must leave it as it found it."""
    return fitted("vqvae")
