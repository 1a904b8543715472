"""Raster priors that are given a class or a map: what they learn, and that drawing is the density's own inverse."""

import keras
import numpy as np
import pytest
from keras import ops, tree

import harness
import keras_vae
from keras_vae.layers import ClassCondition, MapCondition
from keras_vae.nets.raster_net import spread
from keras_vae.ops.noise import draw_noise
from keras_vae.testing import check_serving

CODES = 5


def over_codes(condition):
    net = keras_vae.PixelCNN(filters=8, depth=1, stem_size=3)
    return keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(CODES), net, condition=condition)


def of_a_level_above():
    return MapCondition((2, 3), num_codes=4, embedding_dim=6, net=keras_vae.ResidualStack(6, 3, depth=1))


CONDITIONS = {
    "class": lambda: ClassCondition(3),
    "embedded class": lambda: ClassCondition(3, embedding_dim=4),
    "map": lambda: MapCondition((4, 6, 2)),
    "smaller map": lambda: MapCondition((1, 3, 2)),
    "map of codes": of_a_level_above,
}


def made(prior, shape, step=1):
    """Built, with weights that NumPy drew, and taken for trained."""
    prior.build((None, *shape))
    rng = np.random.default_rng(0)
    for variable in prior.trainable_variables:
        variable.assign(0.5 * rng.normal(size=variable.shape))
    prior.step.assign(step)
    return prior


def drawn_at_once(prior, x, condition, seed):
    """What the noise of `seed` draws at each position, given that x stands before it: one full pass."""
    noise = draw_noise(prior.noise_spec(prior.data_shape), np.random.default_rng(seed), (len(x),))
    params = prior.params(ops.convert_to_tensor(x)[..., None], prior.embed(ops.convert_to_tensor(condition)))
    noise = tree.map_structure(ops.convert_to_tensor, noise)
    return harness.numpy(prior.likelihood.distribution(params).sample_from(noise))[..., 0]


@pytest.mark.parametrize("name", CONDITIONS)
def test_positions_drawn_one_by_one_are_those_of_the_full_pass(name):
    prior = made(over_codes(CONDITIONS[name]()), (4, 6))
    condition = prior.condition.examples(3, np.random.default_rng(0))
    x = prior.sample(3, seed=1, condition=condition)
    np.testing.assert_array_equal(drawn_at_once(prior, x, condition, 1), x)
    other = prior.sample(3, seed=1, condition=np.roll(condition, 1, axis=0))
    assert (other != x).any()  # it matters


def test_a_pixel_snail_sees_the_map_too():
    net = keras_vae.PixelSNAIL(8, 2, 1, stem_size=3, key_dim=4, heads=2)
    prior = made(keras_vae.PixelSNAILPrior(keras_vae.CategoricalLikelihood(CODES), net, of_a_level_above()), (4, 6))
    condition = prior.condition.examples(3, np.random.default_rng(0))
    x = prior.sample(3, seed=1, condition=condition)
    np.testing.assert_array_equal(drawn_at_once(prior, x, condition, 1), x)
    assert (prior.sample(3, seed=1, condition=condition[::-1]) != x).any()


def test_the_same_draws_on_every_backend():
    prior = made(over_codes(of_a_level_above()), (4, 6))
    drawn = prior.sample(1, seed=3, condition=np.array([[0, 1, 2], [3, 3, 0]]))[0]
    expected = [[3, 1, 1, 1, 1, 3], [3, 2, 0, 1, 1, 2], [3, 3, 1, 0, 3, 3], [0, 1, 2, 1, 4, 2]]
    np.testing.assert_array_equal(drawn, expected)


def test_one_map_for_all_is_the_same_map_for_each():
    prior = made(over_codes(MapCondition((4, 6, 2))), (4, 6))
    one = prior.condition.examples(1, np.random.default_rng(2))[0]
    drawn = prior.sample(3, seed=0, condition=one)
    np.testing.assert_array_equal(drawn, prior.sample(3, seed=0, condition=np.stack([one] * 3)))
    harness.check_refuses(
        lambda: prior.sample(3, condition=np.stack([one] * 2)), "must be one, or one for each of 3 examples"
    )
    harness.check_refuses(lambda: prior.sample(3, condition=one[:2]), r"must have shape \(batch, 4, 6, 2\)")


@pytest.mark.parametrize("grid", [(4,), (2, 6), (2, 2, 4)], ids=str)
def test_a_map_is_repeated_along_every_axis(grid):
    small = np.random.default_rng(0).normal(size=(2, *(size // 2 for size in grid), 3)).astype("float32")
    found = harness.numpy(spread(small, grid))
    for place in np.ndindex(*grid):
        np.testing.assert_array_equal(found[:, *place], small[:, *(i // 2 for i in place)])
    vector = harness.numpy(spread(small[:, *(0 for _ in grid)], grid))
    assert vector.shape == (2, *(1 for _ in grid), 3)
    harness.check_refuses(lambda: spread(small, tuple(size + 1 for size in grid)), "whose sizes divide the data's")


def test_a_map_whose_sizes_do_not_divide_the_datas_is_refused():
    prior = over_codes(MapCondition((3, 3, 1)))
    harness.check_refuses(lambda: prior.build((None, 4, 6)), r"whose sizes divide the data's, \(4, 6\)")


def test_it_learns_what_the_map_says():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    above = rng.integers(0, 4, (64, 2, 3))
    x = above.repeat(2, axis=1).repeat(2, axis=2) + rng.integers(0, 2, (64, 4, 6))  # one of two codes, by the map
    prior = over_codes(MapCondition((2, 3), num_codes=4, embedding_dim=8))
    prior.compile(keras.optimizers.Adam(0.02))
    prior.fit({"x": x, "condition": above}, epochs=25, batch_size=16, verbose=0)
    rates = [
        prior.evaluate({"x": x, "condition": c}, verbose=0, return_dict=True)["bits_per_dim"]
        for c in (above, above[::-1])
    ]
    assert rates[0] < 1.15 < 2.0 < rates[1]  # one bit each is what the map leaves open
    drawn = prior.sample(8, seed=0, condition=above[:8]) - above[:8].repeat(2, axis=1).repeat(2, axis=2)
    assert np.isin(drawn, (0, 1)).mean() > 0.97


def test_saved_and_loaded(tmp_path):
    prior = made(over_codes(of_a_level_above()), (4, 6))
    condition = prior.condition.examples(3, np.random.default_rng(0))
    prior.save(tmp_path / "prior.keras")
    loaded = keras.saving.load_model(tmp_path / "prior.keras")
    expected = prior.sample(3, seed=1, condition=condition)
    np.testing.assert_array_equal(loaded.sample(3, seed=1, condition=condition), expected)


@pytest.mark.parametrize("name", ["class", "map of codes"])
def test_its_signatures(name):
    check_serving(made(over_codes(CONDITIONS[name]()), (4, 6)))


def test_its_preset_tells_the_condition():
    facts = made(over_codes(of_a_level_above()), (4, 6)).preset_facts()
    assert facts == {"data_shape": [4, 6], "condition": "MapCondition"}
    assert made(over_codes(None), (4, 6)).preset_facts() == {"data_shape": [4, 6]}


def test_a_model_of_codes_with_a_prior_that_is_given_a_map():
    keras.utils.set_random_seed(0)
    encoder = keras.layers.Conv2D(4, 2, strides=2)
    decoder = keras.layers.Conv2DTranspose(1, 2, strides=2)
    vqvae = keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizer(CODES, 4, seed=1))
    vqvae.build((None, 8, 8, 1))
    model = vqvae.with_prior(over_codes(MapCondition((2, 2), num_codes=3, embedding_dim=4)))
    x, above = harness.images(16), np.random.default_rng(0).integers(0, 3, (16, 2, 2))
    table = harness.numpy(model.condition.embedding.embeddings.value).copy()
    model.fit_prior(x, epochs=2, batch_size=8, condition=above, verbose=0)
    assert np.abs(harness.numpy(model.condition.embedding.embeddings.value) - table).max() > 1e-4
    model.compile()
    rate = model.evaluate({"x": x, "condition": above}, verbose=0, return_dict=True)["rate"]
    by_hand = model.prior.log_prob(vqvae.encode(x), model.embed(above))
    assert rate == pytest.approx(-harness.numpy(by_hand).mean(), rel=1e-5)
    codes = model.prior.sample(4, seed=2, condition=above[:4])
    images = model.sample(4, seed=2, condition=above[:4])
    np.testing.assert_allclose(images, model.decode(codes, condition=above[:4]), atol=1e-6)
