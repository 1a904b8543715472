"""A VQVAE on each quantizer: its terms, its metrics, its codes, its files; and codes that start at data."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from variants import code_vqvae

import harness
import keras_vae
import reference
from keras_vae import FSQ, LFQ, GroupedVectorQuantizer, ResidualVectorQuantizer, SimVQ
from keras_vae import VectorQuantizer as ByGradient
from keras_vae import VectorQuantizerEMA as ByAverages
from keras_vae.callbacks import LatentMetrics
from keras_vae.testing import check_mixed_precision, check_model
from small_models import facts

X = harness.images(8)
MAKERS = {  # the features of code_vqvae are four positions of as many numbers as the quantizer takes
    "fsq": lambda: FSQ([5, 4, 3]),
    "lfq": lambda: LFQ(5, entropy_weight=0.5, joint_bits=3),
    "sim_vq": lambda: SimVQ(8, 4, seed=1, gradient="rotation"),
    "cosine": lambda: ByAverages(8, 4, seed=1, metric="cosine", gradient="rotation", decay=0.9),
    "residual": lambda: ResidualVectorQuantizer(
        [ByAverages(8, 4, seed=1, restart_threshold=0.1), ByGradient(8, 4, seed=2), ByAverages(8, 4, seed=3)],
        dropout=0.5,
        gradient="rotation",
        seed=4,
    ),
    "grouped": lambda: GroupedVectorQuantizer([ByAverages(8, 2, seed=1, metric="cosine"), ByGradient(8, 3, seed=2)]),
}
EXTRA = {"fsq": [], "lfq": ["entropy"], "sim_vq": ["codebook"], "cosine": [], "residual": ["codebook"]}
EXTRA["grouped"] = ["codebook"]
BITS = {"fsq": 4 * np.log2(60), "lfq": 20.0, "sim_vq": 12.0, "cosine": 12.0, "residual": 36.0, "grouped": 24.0}


def made(name, build=True):
    quantizer = MAKERS[name]()
    model = code_vqvae(quantizer, quantizer.embedding_dim)
    if build:
        model.build((None, 8, 8, 1))
        harness.set_weights(model, seed=2)
    return model


@pytest.fixture(scope="module", params=MAKERS)
def named(request):
    return request.param, made(request.param)


def test_terms_add_up_and_are_those_of_the_layer(named):
    name, model = named
    outputs = model(X)
    terms = harness.numpy(model.terms(X, X, outputs, False))
    weights = {"distortion": 1.0, "commitment": harness.numpy(model.commitment_weight.value), "codebook": 1.0}
    weights["entropy"] = harness.numpy(getattr(model.bottleneck, "entropy_weight", 0.0))
    own = ["distortion", "commitment", *EXTRA[name]]
    np.testing.assert_allclose(terms["loss"], sum(weights[term] * terms[term] for term in own), rtol=1e-5)
    assert set(terms) == {*own, "loss", "rate", "elbo"} and set(own) <= set(model.trackers)
    assert terms["rate"] == pytest.approx(BITS[name] * np.log(2), rel=1e-5)


def test_codes_bits_and_the_way_back(named):
    name, model = named
    codes = model.encode(X)
    several = {"residual": (3,), "grouped": (2,)}.get(name, ())
    assert codes.shape == (8, 4, *several) and model.latent_shape == (4, *several) and codes.dtype == "int32"
    assert model.bits_per_image == pytest.approx(BITS[name])
    assert model.compression_ratio == pytest.approx(64 * 8 / BITS[name])
    np.testing.assert_allclose(model.decode(codes), model.reconstruct(X), rtol=1e-5, atol=1e-6)
    harness.check_refuses(lambda: model.decode(codes + 100), "`z` must be codes in")
    sizes = [model.bottleneck.codebook_size, model.bottleneck.embedding_dim]
    assert model.preset_facts()["codebook"] == [*several, *sizes]


def test_metrics_count_each_codebook(named):
    name, model = named
    for metric in (model.perplexity, model.codebook_usage):
        metric.reset_state()
    model.update_metrics(model(X))
    codes, size = model.encode(X).reshape(32, -1), model.bottleneck.codebook_size
    each = [reference.perplexity(column, size) for column in codes.T]
    used = np.mean([len(np.unique(column)) / size for column in codes.T])
    expected = {"perplexity": np.exp(np.mean(np.log(each))), "codebook_usage": used}
    assert float(model.perplexity.result()) == pytest.approx(expected["perplexity"], rel=1e-5)
    assert float(model.codebook_usage.result()) == pytest.approx(used, rel=1e-6)
    callback = LatentMetrics(X)
    callback.set_model(model)
    found = callback.measure()
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-5)


def test_a_preset_has_the_same_codes(named, tmp_path):
    name, model = named
    copy = keras_vae.load_pretrained(keras_vae.save_pretrained(model, tmp_path / name, **facts()))
    np.testing.assert_array_equal(copy.encode(X), model.encode(X))
    np.testing.assert_array_equal(copy.reconstruct(X), model.reconstruct(X))


def test_a_preset_of_many_codes_without_a_codebook_is_loaded(tmp_path):
    """Its metrics hold more numbers than its nets do."""
    model = code_vqvae(FSQ([8, 8, 8, 5, 5, 5]), 6)
    model.build((None, 8, 8, 1))
    copy = keras_vae.load_pretrained(keras_vae.save_pretrained(model, tmp_path / "many", **facts()))
    np.testing.assert_array_equal(copy.encode(X), model.encode(X))


@pytest.mark.parametrize("name", ["lfq", "residual"])
def test_everything_that_a_model_promises(name, tmp_path):
    check_model(lambda: made(name, build=False), X, tmp_path, None, ("entropy",), harness.BACKEND == "torch")


@pytest.mark.parametrize("name", ["lfq", "residual"])
def test_mixed_precision(name):
    check_mixed_precision(lambda: made(name, build=False), X, None, "mixed_bfloat16")


def test_a_step_of_fit_reaches_every_codebook():
    model = made("residual")
    model.compile(keras.optimizers.SGD(1e-2))
    before = [harness.numpy(level.codebook.value) for level in model.bottleneck.levels]
    weight = np.array([1.0] * 6 + [0.0] * 2, "float32")
    model.fit(X, sample_weight=weight, batch_size=8, epochs=2, verbose=0)
    for level, old in zip(model.bottleneck.levels, before, strict=True):
        assert not np.array_equal(harness.numpy(level.codebook.value), old)


@harness.needs("sklearn")
@pytest.mark.parametrize("name", ["cosine", "sim_vq", "residual", "grouped"])
def test_codes_start_at_the_features_of_data(name):
    model = made(name)
    x = harness.images(64, seed=3)
    model.compile()
    before = model.evaluate(x, verbose=0, return_dict=True)
    model.adapt_codebook(x, batch_size=16)
    after = model.evaluate(x, verbose=0, return_dict=True)
    assert after["commitment"] < 0.5 * before["commitment"]
    assert after["codebook_usage"] == 1.0


def test_codes_that_are_fixed_do_not_adapt():
    harness.check_refuses(lambda: made("fsq").adapt_codebook(X), "`adapt` needs a quantizer whose codes can .*: a FSQ")


@pytest.mark.slow
def test_memory_at_65536_codes_and_8192_vectors_is_bounded():
    # Distances or one-hot vectors would be 2048 MB, and the probabilities of all codes of LFQ as much again.
    script = """
        import resource, numpy as np, keras
        from keras_vae import FSQ, LFQ, VectorQuantizerEMA
        h = keras.ops.convert_to_tensor(np.random.default_rng(0).normal(size=(8, 1024, 16)).astype("float32"))
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        def steps(size, h):
            for layer in (VectorQuantizerEMA(size, 16), FSQ([8, 8, 8, 5, 5, 5]), LFQ(16)):
                outputs = layer(h[..., :6] if isinstance(layer, FSQ) else h, training=True)
                layer.update(outputs)
                for value in layer.terms(outputs).values():
                    keras.ops.convert_to_numpy(value)
        steps(64, h[:1, :64])  # loads what a first call loads
        before = peak()  # KiB
        steps(65536, h)
        print((peak() - before) // 1024)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert int(run.stdout.split()[-1]) < 400
