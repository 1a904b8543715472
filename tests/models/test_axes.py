"""One VQ-VAE over one, two and three axes: what it does to signals is what it does to images and volumes of them."""

import itertools

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.testing import check_serving

SMALL = {"hidden": 6, "residual_hidden": 3, "levels": 2, "depth": 1}
SIGNALS = np.random.default_rng(0).normal(size=(3, 16, 2)).astype("float32")
EXTRA = {"width": 8, "depth": 4}  # sizes of the axes that are added


def vqvae(sizes, **options):
    encoder, decoder = keras_vae.VQEncoder(4, **SMALL), keras_vae.VQDecoder((*sizes, 2), **SMALL)
    model = keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizerEMA(7, 4, seed=1), **options)
    model.build((None, *sizes, 2))
    return model


def placed(kernel, axis, upsampling):
    """A kernel with one spatial axis more, that does along it what leaves constant data constant, and nothing else.

    One tap stands where the output does: of 4 with stride 2 the second meets input 2j for output j, of 3 and of 1 the
    one in the middle. A transposed convolution of 4 taps and stride 2 has an output of its own for each of two taps,
    the second and the third: 2q and 2q + 1 of input q. No tap reaches behind a border.
    """
    size = kernel.shape[0]
    taps = {1: [0], 3: [1], 4: [1, 2] if upsampling else [1]}[size]
    wider = np.zeros((*kernel.shape[:-2], size, *kernel.shape[-2:]), "float32")
    wider[..., taps, :, :] = kernel[..., None, :, :]
    return np.moveaxis(wider, -3, axis)


def give_weights(lower, higher, axis):
    """The model `higher`, of one more spatial axis at `axis`, gets the weights of `lower`, its kernels placed."""
    for one, other in zip(lower.variables, higher.variables, strict=True):
        value = harness.numpy(one.value)
        if value.ndim > 2 and value.ndim < len(other.shape):  # a kernel
            value = placed(value, axis, upsampling="up_" in one.path or "output" in one.path)
        other.assign(value)


@pytest.fixture(scope="module")
def of_signals():
    model = harness.set_weights(vqvae((16,)), seed=3)
    features = harness.numpy(model.encoder(SIGNALS)).reshape(-1, 4)
    model.bottleneck.codebook.assign(features[:7])  # codes that are used
    return model


@pytest.fixture(scope="module", params=[(0, 0), (1, 1), (1, 2)], ids=str)
def of_volumes(request, of_signals):
    """(axis added for images, model of images, axis added for volumes, model of volumes)."""
    first, second = request.param
    sizes = list(SIGNALS.shape[1:-1])
    models, found = of_signals, []
    for axis, size in zip((first, second), EXTRA.values(), strict=True):
        sizes.insert(axis, size)
        model = vqvae(tuple(sizes))
        give_weights(models, model, axis)
        found += [axis, model]
        models = model
    return found


def repeated(x, axis, size):
    """x (batch, ...) with one more axis after the batch, along which it is constant."""
    return np.repeat(np.expand_dims(x, axis + 1), size, axis=axis + 1)


def test_they_agree_on_what_is_constant_along_the_extra_axes(of_signals, of_volumes):
    """Codes, reconstructions and terms, at the borders too: sums over positions count each as often as it stands."""
    model, x, codes, decoded = of_signals, SIGNALS, of_signals.encode(SIGNALS), of_signals.reconstruct(SIGNALS)
    terms = terms_of(model, x)
    assert len(np.unique(codes)) > 2 and np.abs(decoded).std() > 0.1
    for axis, higher, size in zip(of_volumes[::2], of_volumes[1::2], EXTRA.values(), strict=True):
        x, decoded = (repeated(values, axis, size) for values in (x, decoded))
        codes = repeated(codes, axis, size // 4)
        np.testing.assert_array_equal(higher.encode(x), codes)
        np.testing.assert_allclose(higher.reconstruct(x), decoded, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(higher.decode(codes), decoded, rtol=1e-5, atol=1e-5)
        found = terms_of(higher, x)
        for name, factor in (("distortion", size), ("rate", size // 4), ("commitment", size // 4)):
            np.testing.assert_allclose(found[name], factor * terms[name], rtol=1e-4, atol=1e-6)
        assert higher.bits_per_image == codes[0].size * np.log2(7)
        terms = found


def terms_of(model, x):
    return {name: harness.numpy(value) for name, value in model.terms(x, x, model(x), False).items()}


def of_speakers(sizes=(16,)):
    """A VQVAE whose decoder alone hears who speaks."""
    decoder = keras_vae.Conditioned(keras_vae.VQDecoder((*sizes, 2), **SMALL))
    encoder, codebook = keras_vae.VQEncoder(4, **SMALL), keras_vae.VectorQuantizerEMA(7, 4, seed=1)
    return keras_vae.VQVAE(encoder, decoder, codebook, condition=keras_vae.ClassCondition(3, embedding_dim=2))


@pytest.fixture(scope="module", params=[(16,), (4, 8, 4)], ids=str)
def conditional(request):
    model = of_speakers(request.param)
    model.build((None, *request.param, 2))
    return harness.set_weights(model, seed=10)


def test_a_conditional_decoder_says_the_same_codes_in_another_voice(conditional):
    x = np.random.default_rng(1).normal(size=(4, *conditional.data_shape)).astype("float32")
    codes = conditional.encode(x, condition=0)
    np.testing.assert_array_equal(conditional.encode(x, condition=2), codes)  # the encoder does not hear it
    voices = [conditional.decode(codes, condition=speaker) for speaker in range(3)]
    for one, other in itertools.combinations(voices, 2):
        assert np.abs(one - other).max() > 1e-3
    joined = conditional.decode(codes, condition=[0, 1, 2, 1])
    np.testing.assert_allclose(joined, [voices[speaker][i] for i, speaker in enumerate([0, 1, 2, 1])], atol=1e-5)
    np.testing.assert_allclose(conditional.reconstruct(x, condition=2), voices[2], atol=1e-5)


@pytest.mark.parametrize("sizes", [(16,), (4, 8, 4)], ids=str)
def test_saved_loaded_a_preset_and_served(sizes, tmp_path):
    model = harness.set_weights(vqvae(sizes), seed=4)
    x = np.random.default_rng(3).normal(size=(4, *sizes, 2)).astype("float32")
    model.save(tmp_path / "model.keras")
    facts = {"recipe": "tests", "dataset": "noise", "licence": "CC0-1.0", "seed": 0, "metrics": {}}
    keras_vae.save_pretrained(model, tmp_path / "preset", **facts)
    for loaded in (keras.saving.load_model(tmp_path / "model.keras"), keras_vae.load_pretrained(tmp_path / "preset")):
        np.testing.assert_array_equal(loaded.encode(x), model.encode(x))
        np.testing.assert_allclose(loaded.reconstruct(x), model.reconstruct(x), atol=1e-6)
    answers = check_serving(model)
    assert answers["serving_default"]["reconstruction"].shape == (8, *sizes, 2)


@pytest.mark.parametrize("sizes, policy", [((16,), "float32"), ((4, 8, 4), "mixed_bfloat16")], ids=str)
def test_it_learns(sizes, policy):
    """A step in one compiled function lowers the distortion of its own batch, in half precision too."""
    x = np.cumsum(np.random.default_rng(6).normal(size=(4, *sizes, 2)), axis=1).astype("float32")
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    try:
        model = vqvae(sizes, likelihood=keras_vae.SquaredError())
    finally:
        keras.config.set_dtype_policy("float32")
    model.build((None, *sizes, 2))
    model.adapt_codebook(x, method="sample")  # by other codes it may learn the mean first, whatever the batch
    model.compile(keras.optimizers.Adam(1e-2))
    losses = model.fit(x, epochs=40, batch_size=4, verbose=0).history["distortion"]
    assert losses[-1] < 0.9 * losses[0], losses


def test_parts_of_other_ranks_are_told():
    encoder, quantizer = keras_vae.VQEncoder(4, **SMALL), keras_vae.VectorQuantizer(7, 4)
    model = keras_vae.VQVAE(encoder, keras_vae.VQDecoder((8, 8, 2), **SMALL), quantizer)
    harness.check_refuses(lambda: model.build((None, 16, 2)), r"`z` must have shape \(batch, 2, 2, features\)")
    model = vqvae((16,))
    harness.check_refuses(lambda: model.encode(np.zeros((1, 4, 4, 2))), r"`x` must have shape \(batch, 16, 2\)")
    harness.check_refuses(lambda: model.decode(np.zeros((1, 2, 2), int)), r"`z` must have shape \(batch, 4\)")
