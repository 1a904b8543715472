"""In-painting: what is known stays, what is open is drawn from what is known, in pixels and in codes."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.generation import inpaint, known_codes

UPPER = np.repeat(np.arange(8)[:, None] < 4, 8, axis=1)


def weighted(prior, seed=0):
    rng = np.random.default_rng(seed)
    for variable in prior.trainable_variables:
        variable.assign(0.5 * rng.normal(size=variable.shape))
    prior.step.assign(1)
    return prior


@pytest.fixture(scope="module")
def pixels():
    """A prior over binary pixels."""
    net = keras_vae.PixelCNN(filters=4, depth=1, stem_size=3)
    prior = keras_vae.PixelCNNPrior(keras_vae.BernoulliLikelihood(), net, condition=keras_vae.ClassCondition(2))
    prior.build((None, 8, 8, 1))
    return weighted(prior)


@pytest.fixture(scope="module")
def codes():
    """A model of 4x4 codes, each of a block of 2x2 pixels."""
    encoder, decoder = keras.layers.Conv2D(4, 2, strides=2), keras.layers.Conv2DTranspose(1, 2, strides=2)
    vqvae = keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizer(6, 4, seed=1))
    vqvae.build((None, 8, 8, 1))
    net = keras_vae.PixelCNN(filters=4, depth=0, stem_size=3)
    model = vqvae.with_prior(keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(6), net))
    weighted(model.prior)
    return model


def test_a_code_is_known_where_its_whole_block_is():
    mask = np.ones((2, 4, 6), "float32")
    mask[0, 0, 0] = mask[1, 3, 5] = mask[1, 1, 2] = 0
    expected = mask.reshape(2, 2, 2, 3, 2).min(axis=(2, 4))
    np.testing.assert_array_equal(known_codes(mask, (2, 3)), expected)
    np.testing.assert_array_equal(known_codes(mask[1], (2, 3)), expected[1])
    np.testing.assert_array_equal(known_codes(mask, (4, 6)), mask)


def test_codes_that_share_a_pixel_both_need_it():
    mask = np.ones((1, 5))
    mask[0, 2] = 0  # the middle pixel of five belongs to both codes
    assert known_codes(mask, (1, 2)).tolist() == [[False, False]]
    mask[0, 2:] = 1, 0, 1
    assert known_codes(mask, (1, 2)).tolist() == [[True, False]]


def test_known_pixels_are_kept_exactly_and_the_others_are_drawn(pixels):
    images = (harness.images(2) > 0.5).astype("float32")
    drawn = inpaint(pixels, images, UPPER, n=3, seed=1, condition=np.array([0, 1]))
    assert drawn.shape == (2, 3, 8, 8, 1)
    np.testing.assert_array_equal(drawn[:, :, :4], np.repeat(images[:, None, :4], 3, axis=1))
    assert len(np.unique(drawn[0, :, 4:].reshape(3, -1), axis=0)) == 3
    own = pixels.sample(6, seed=1, condition=np.repeat([0, 1], 3), known=images.repeat(3, axis=0), mask=UPPER)
    np.testing.assert_array_equal(drawn.reshape(own.shape), own)
    np.testing.assert_array_equal(drawn, inpaint(pixels, images, np.stack([UPPER] * 2), 3, 1, condition=[0, 1]))


def test_known_codes_are_those_of_the_image(codes):
    images, mask = harness.images(2), UPPER.copy()
    mask[0, 0] = False  # and with it the first code
    drawn = inpaint(codes, images, mask, n=2, seed=4, temperature=0.5)
    known, of_code = codes.encode(images), known_codes(mask, (4, 4))
    assert of_code.sum() == 7
    own = codes.prior.sample(4, seed=4, known=known.repeat(2, axis=0), mask=of_code, temperature=0.5)
    np.testing.assert_array_equal(own[:, of_code], known.repeat(2, axis=0)[:, of_code])
    np.testing.assert_allclose(drawn.reshape(4, 8, 8, 1), codes.decode(own), atol=1e-6)
    everything = inpaint(codes, images, np.ones((8, 8)))[:, 0]
    np.testing.assert_allclose(everything, codes.reconstruct(images), atol=1e-6)


def test_refusals(pixels, codes):
    x = np.zeros((2, 8, 8, 1), "float32")
    harness.check_refuses(lambda: inpaint(codes, x[0], UPPER), r"`images` must have shape \(batch, 8, 8, 1\)")
    harness.check_refuses(lambda: inpaint(codes, x, UPPER[:4]), r"`mask` must have shape \(8, 8\).*shape=\(4, 8\)")
    harness.check_refuses(lambda: inpaint(codes, x, 0.5 * UPPER), "`mask` must be 1 where a pixel is known and 0")
    harness.check_refuses(lambda: inpaint(codes, x, UPPER, n=0), "`n` must be an integer >= 1")
    harness.check_refuses(lambda: inpaint(codes, x, UPPER, top_p=2), r"`top_p` must be in \[0, 1\]")
    harness.check_refuses(lambda: inpaint(pixels, x, UPPER), "`condition` must be given")
    harness.check_refuses(lambda: known_codes(UPPER, (9, 8)), r"`grid` must be from 1 to the sizes of the mask, \(8, 8")
    vae = keras_vae.VAE(keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), ()), latent_dim=2)
    vae.build((None, 8, 8, 1))
    harness.check_refuses(
        lambda: inpaint(vae, x, UPPER), r"`model` must have codes in a grid.*a VAE with latents.*\(2,\)"
    )
    uniform = codes.with_prior(keras_vae.UniformCodes(6))
    told = "`model` must have a prior that draws one position after the other.*Received: a UniformCodes"
    harness.check_refuses(lambda: inpaint(uniform, x, UPPER), told, TypeError)
