"""What a model refuses: each error names the argument, what is accepted, what came, and leaves the model as it was."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae import VAE, VQVAE, BetaVAE, PlainAutoencoder

X = harness.images(4)
ENCODER, DECODER = keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), (4,))


def with_value(value):
    bad = X.copy()
    bad[1, 2, 3, 0] = value
    return bad


BAD_IMAGES = [
    (with_value(np.nan), "`x` must be finite. Received: 1 NaN or infinite of 256 values"),
    (with_value(np.inf), "`x` must be finite"),
    (with_value(1.5), r"`x` must be in \[0, 1\] for BernoulliLikelihood. Received: values from .* to 1.5"),
    ((X * 255).astype("uint8"), r"`x` must be in \[0, 1\].*Divide 8-bit images by 255"),
    (X[..., 0], r"`x` must have shape \(batch, 8, 8, 1\). Received: shape=\(4, 8, 8\)"),
    (X[:, :4], r"`x` must have shape \(batch, 8, 8, 1\). Received: shape=\(4, 4, 8, 1\)"),
    (np.repeat(X, 3, axis=-1), r"`x` must have shape \(batch, 8, 8, 1\). Received: shape=\(4, 8, 8, 3\)"),
    (X[:0], "`x` must hold at least one example"),
]


@pytest.mark.parametrize("bad, told", BAD_IMAGES, ids=lambda v: v[:24] if isinstance(v, str) else "")
@pytest.mark.parametrize("method", ["fit", "evaluate", "encode", "reconstruct", "variations", "log_likelihood"])
def test_images(vae, method, bad, told):
    before = harness.weights(vae)
    harness.check_refuses(lambda: getattr(vae, method)(bad), told)
    harness.assert_same_weights(before, harness.weights(vae))


def test_validation_data(vae):
    harness.check_refuses(
        lambda: vae.fit(X, validation_data=(with_value(np.nan),), verbose=0), r"`validation_data\[0\]` must be finite"
    )


def test_words_instead_of_images(vae):
    harness.check_refuses(lambda: vae.encode(np.full((2, 8, 8, 1), "a")), "`x` must be an array of numbers", TypeError)


@pytest.mark.parametrize(
    "z, told",
    [
        (
            np.zeros((2, 4), "float32"),
            r"`z` must have shape \(batch, 3\). Received: shape=\(2, 4\)",
        ),
        (np.zeros((0, 3), "float32"), "`z` must hold at least one example"),
        (np.full((2, 3), np.nan, "float32"), "`z` must be finite"),
    ],
)
def test_latents(vae, z, told):
    harness.check_refuses(lambda: vae.decode(z), told)


@pytest.mark.parametrize(
    "codes, told, error",
    [
        (np.full((1, 4, 4), 16), r"`z` must be codes in \[0, 16\). Received: codes from 16 to 16", ValueError),
        (np.full((1, 4, 4), -1), r"`z` must be codes in \[0, 16\)", ValueError),
        (np.zeros((1, 4, 4)), "`z` must be an array of integer codes", TypeError),
        (np.zeros((1, 4, 5), int), "`z` must have shape", ValueError),
    ],
)
def test_codes(vqvae, codes, told, error):
    harness.check_refuses(lambda: vqvae.decode(codes), told, error)


def test_an_unknown_form_of_encoding(vae):
    harness.check_refuses(lambda: vae.encode(X, output="median"), "`output` must be one of 'mean', 'mode'")


@pytest.mark.parametrize("method, name", [("sample", "n"), ("variations", "n"), ("log_likelihood", "num_samples")])
def test_counts(vae, method, name):
    arguments = {name: 0} if method == "sample" else {"x": X, name: 0}
    harness.check_refuses(lambda: getattr(vae, method)(**arguments), f"`{name}` must be an integer >= 1")


def test_models_without_a_prior_or_a_density(plain, vqvae):
    with pytest.raises(ValueError, match="`sample` needs a prior.* PlainAutoencoder has none"):
        plain.sample(1)
    for model in (plain, vqvae):
        harness.check_refuses(
            lambda m=model: m.log_likelihood(X), "`log_likelihood` needs a likelihood that is a density"
        )


@pytest.mark.parametrize("method", ["encode", "reconstruct", "sample", "decode"])
def test_a_model_that_is_not_built(method):
    model = VAE(ENCODER, DECODER, latent_dim=2)
    with pytest.raises(ValueError, match="VAE must be built first"):
        getattr(model, method)(*([] if method == "sample" else [X]))


class SequenceVQVAE(VQVAE):
    masked = True


@pytest.mark.parametrize(
    "make, told, error",
    [
        (lambda: VAE("conv", DECODER, 2), "`encoder` must be a keras Layer", TypeError),
        (lambda: VAE(ENCODER, "mlp", 2), "`decoder` must be a keras Layer", TypeError),
        (lambda: VAE(ENCODER, DECODER), "`latent_dim` must be an integer >= 1 where no `bottleneck`", ValueError),
        (lambda: VAE(ENCODER, DECODER, 0), "`latent_dim` must be an integer >= 1", ValueError),
        (
            lambda: VAE(ENCODER, DECODER, 3, bottleneck=keras_vae.GaussianBottleneck(2)),
            "`latent_dim` must be that of the `bottleneck`, 2",
            ValueError,
        ),
        (lambda: VAE(ENCODER, DECODER, 2, likelihood="bernoulli"), "`likelihood` must be a", TypeError),
        (lambda: VAE(ENCODER, DECODER, 2, prior="normal"), "`prior` must be a", TypeError),
        (lambda: BetaVAE(ENCODER, DECODER, 2, beta=-1), "`beta` must be a finite number >= 0", ValueError),
        (lambda: BetaVAE(ENCODER, DECODER), "`latent_dim` must be an integer", ValueError),
        (lambda: VQVAE(ENCODER, DECODER, keras_vae.GaussianBottleneck(2)), "`bottleneck` must be a", TypeError),
        (
            lambda: VQVAE(ENCODER, DECODER, keras_vae.VectorQuantizer(8, 4), commitment_weight=-0.1),
            "`commitment_weight` must be a finite number >= 0",
            ValueError,
        ),
        (lambda: SequenceVQVAE(ENCODER, DECODER, keras_vae.VectorQuantizer(8, 4)), "`masked` must be False", TypeError),
        (lambda: PlainAutoencoder(ENCODER, keras_vae.StandardNormal), "`decoder` must be a keras Layer", TypeError),
    ],
)
def test_constructors(make, told, error):
    harness.check_refuses(make, told, error)


def test_a_decoder_of_the_wrong_size():
    model = VAE(keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), (4,)), latent_dim=2)
    told = r"`decoder` must return \(4, 4, 1\).* Received: \(8, 8, 1\)"
    harness.check_refuses(lambda: model.build((None, 4, 4, 1)), told)


@pytest.mark.parametrize("channels", [1, 4])
def test_a_decoder_with_the_wrong_channels_for_its_likelihood(channels):
    decoder, likelihood = keras_vae.MLPDecoder((8, 8, channels), (4,)), keras_vae.PerPixelGaussianLikelihood()
    model = VAE(keras_vae.MLPEncoder((4,)), decoder, latent_dim=2, likelihood=likelihood)
    told = rf"`decoder` must return .*2 numbers for each channel.*Received: .*8, 8, {channels}\)"
    harness.check_refuses(lambda: model.build((None, 8, 8, 1)), told)


def test_a_quantizer_of_the_wrong_width():
    encoder, decoder = keras_vae.MLPEncoder((6,)), keras_vae.MLPDecoder((8, 8, 1), (4,))
    model = VQVAE(encoder, decoder, keras_vae.VectorQuantizer(8, 4))
    harness.check_refuses(lambda: model.build((None, 8, 8, 1)), "`embedding_dim` must be the number of features")


@pytest.mark.parametrize("shape", [(None,), (None, None, 8, 1)])
def test_sizes_that_are_not_known(shape):
    model = VAE(keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), (4,)), latent_dim=2)
    harness.check_refuses(lambda: model.build(shape), r"`input_shape` must be \(None, ...\) with known sizes")


def test_a_stream_is_checked_on_its_first_batch(vae):
    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X * 255

    harness.check_refuses(lambda: vae.fit(Stream(), verbose=0), r"`x \(first batch\)` must be in \[0, 1\]")


def unbuilt():
    model = VAE(keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), (4,)), latent_dim=2)
    model.compile("sgd")
    return model


@pytest.mark.parametrize(
    "arguments, told",
    [
        ({"y": np.ones(4, "float32")}, r"`y` must have shape \(batch, 8, 8, 1\). Received: shape=\(4,\)"),
        ({"y": np.ones((4, 1), "float32")}, r"`y` must have shape \(batch, 8, 8, 1\)"),
        ({"validation_data": (X[:, :4],)}, r"`validation_data\[0\]` must have shape \(batch, 8, 8, 1\)"),
    ],
)
def test_what_does_not_fit_the_data_of_a_model_that_is_not_built(arguments, told):
    model = unbuilt()
    harness.check_refuses(lambda: model.fit(X, **arguments, verbose=0), told)
    assert int(harness.numpy(model.step.value)) == 0


def test_labels_in_a_stream_are_refused_before_the_first_step():
    model = unbuilt()
    told = r"`x \(first batch, y\)` must have shape \(batch, 8, 8, 1\)"
    harness.check_refuses(lambda: model.fit(((X, np.ones(4)) for _ in range(2)), verbose=0), told)


def test_labels_do_not_broadcast_against_images_in_one_step(vae):
    harness.check_refuses(lambda: vae.train_on_batch(X, np.ones(4, "float32")), "`y` must have shape")


def test_one_number_for_each_example_is_refused():
    harness.check_refuses(lambda: unbuilt().fit(X[:, 0, 0, 0], verbose=0), "`x` must have two axes or more")


@pytest.mark.parametrize("bottleneck", [keras_vae.IdentityBottleneck(), keras_vae.VectorQuantizer(8, 4)])
@pytest.mark.parametrize("model", [VAE, BetaVAE])
def test_a_bottleneck_without_a_density(model, bottleneck):
    told = "`bottleneck` must draw z from a density, .*Received: bottleneck="
    harness.check_refuses(lambda: model(ENCODER, DECODER, bottleneck=bottleneck), told)


@pytest.mark.parametrize("seed", [-1, 0.5])
@pytest.mark.parametrize("method", ["encode", "sample", "variations", "log_likelihood"])
def test_seeds(vae, method, seed):
    arguments = {"encode": {"x": X, "output": "sample"}, "sample": {}}.get(method, {"x": X})
    error = ValueError if seed == -1 else TypeError
    harness.check_refuses(lambda: getattr(vae, method)(**arguments, seed=seed), "`seed` must be an integer >= 0", error)


@pytest.mark.parametrize("kind", ["PlainAutoencoder", "DenoisingAutoencoder", "SparseAutoencoder"])
def test_codes_in_a_model_without_a_commitment(kind):
    model = getattr(keras_vae, kind)
    encoder = keras_vae.MLPEncoder((4,), "sigmoid")
    harness.check_refuses(
        lambda: model(encoder, DECODER, bottleneck=keras_vae.VectorQuantizerEMA(8, 4)),
        f"`bottleneck` must be continuous: the loss of {kind} has no commitment term; VQVAE has",
    )
