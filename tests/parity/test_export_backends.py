"""The same model exported from torch, by a second Python, serves what the torch model answers."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from harness import images
from keras_vae import load_pretrained, save_pretrained
from small_models import environment, facts, small

pytestmark = [pytest.mark.cross_backend, pytest.mark.slow, pytest.mark.timeout(1800)]

EXPORT = """
import sys, keras, keras_vae
assert keras.backend.backend() == "torch"
print(keras_vae.load_pretrained(sys.argv[1]).export(sys.argv[2]))
"""


def test_torch_exports_through_another_python(tmp_path):
    import tensorflow as tf

    preset = save_pretrained(small("vqvae"), tmp_path / "vqvae", **facts())
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, str(preset), str(tmp_path / "serving" / "vqvae")],
        env=environment("torch"),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    folder = pathlib.Path(done.stdout.strip().splitlines()[-1])
    assert folder == tmp_path / "serving" / "vqvae" / "1"
    served = tf.saved_model.load(str(folder)).signatures
    assert sorted(served) == ["decode", "encode", "sample", "serving_default"]
    model, x = load_pretrained(preset), images(5)
    codes = served["encode"](images=tf.constant(x))["indices"].numpy()
    assert (codes == model.encode(x)).mean() >= 0.999
    decoded = served["decode"](indices=tf.constant(codes))["images"].numpy()
    np.testing.assert_allclose(decoded, model.decode(codes), atol=1e-5)
    samples = served["sample"](seed=tf.range(3))
    np.testing.assert_allclose(samples["images"], model.decode(samples["indices"].numpy()), atol=1e-5)


WITH_PRIOR = """
import sys, keras
import variants
model = variants.code_vqvae()
model.build((None, 8, 8, 1))
model = model.with_prior(variants.CausalPrior(8))
model.prior.step.assign(1)  # as if trained
assert keras.backend.backend() == "torch"
model.save(sys.argv[1])
print(model.export(sys.argv[2]))
"""


def test_torch_exports_a_variant_of_a_users_own_with_its_prior(tmp_path):
    import keras
    import tensorflow as tf
    import variants  # noqa: F401  (its classes are in the file)

    environ = environment("torch")
    tests = str(pathlib.Path(__file__).parents[1])
    environ["PYTHONPATH"] = os.pathsep.join([environ["PYTHONPATH"], tests])
    done = subprocess.run(
        [sys.executable, "-c", WITH_PRIOR, str(tmp_path / "model.keras"), str(tmp_path / "serving" / "codes")],
        env=environ,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    served = tf.saved_model.load(done.stdout.strip().splitlines()[-1]).signatures
    model, x = keras.saving.load_model(tmp_path / "model.keras"), images(5)
    codes = served["encode"](images=tf.constant(x))["indices"].numpy()
    assert (codes == model.encode(x)).mean() >= 0.95
    drawn = served["sample"](seed=tf.range(64))
    np.testing.assert_allclose(drawn["images"], model.decode(drawn["indices"].numpy()), atol=1e-5)
    # The draws are the prior's: their mean log-probability is minus its entropy, as that of the model's own draws.
    theirs = model.prior.log_prob(drawn["indices"].numpy())
    own = model.prior.log_prob(model.prior.sample(64, seed=0))
    difference = np.mean(keras.ops.convert_to_numpy(theirs)) - np.mean(keras.ops.convert_to_numpy(own))
    assert abs(difference) < 4 * np.std(keras.ops.convert_to_numpy(own)) / 64**0.5
