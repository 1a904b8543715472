"""The same model exported from torch, by a second Python, serves what the torch model answers."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from harness import images
from keras_vae import load_pretrained, save_pretrained
from small_models import facts, small

pytestmark = [pytest.mark.cross_backend, pytest.mark.slow, pytest.mark.timeout(600)]

EXPORT = """
import sys, keras, keras_vae
assert keras.backend.backend() == "torch"
print(keras_vae.load_pretrained(sys.argv[1]).export(sys.argv[2]))
"""


@pytest.mark.parametrize("kind", ["vae", "vqvae"])
def test_torch_exports_through_another_python(tmp_path, kind):
    import tensorflow as tf

    preset = save_pretrained(small(kind), tmp_path / kind, **facts())
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, str(preset), str(tmp_path / "serving" / kind)],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    folder = pathlib.Path(done.stdout.strip().splitlines()[-1])
    assert folder == tmp_path / "serving" / kind / "1"
    served = tf.saved_model.load(str(folder)).signatures
    assert sorted(served) == ["decode", "encode", "sample", "serving_default"]
    model, x = load_pretrained(preset), images(5)
    latent = "indices" if kind == "vqvae" else "z"
    codes = served["encode"](images=x)[latent].numpy()
    np.testing.assert_allclose(codes, model.encode(x), atol=1e-5)
    decoded = served["decode"](**{latent: tf.constant(codes)})["images"].numpy()
    np.testing.assert_allclose(decoded, model.decode(codes), atol=1e-5)
    samples = served["sample"](seed=tf.range(3))
    np.testing.assert_allclose(samples["images"], model.decode(samples[latent].numpy()), atol=1e-5)
