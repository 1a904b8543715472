"""Priors in raster order: causal, normalised, and drawn by caches exactly as by the full pass."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops
from raster_priors import PRIORS, N, given, params, prior, redrawn

import harness
import keras_vae

NAMES = sorted(PRIORS)


@pytest.mark.parametrize("name", NAMES)
def test_drawn_by_caches_is_drawn_by_the_full_pass(name):
    model = prior(name)
    drawn = model.sample(N, seed=7, **given(model))
    assert drawn.shape == (N, *model.data_shape)
    again = redrawn(model, drawn, 7, **given(model))
    assert (np.abs(drawn - again) < 1e-6).mean() >= 0.999
    assert len(np.unique(drawn)) > 1


@pytest.mark.parametrize("name", ["plain", "channels in order", "attention"])
def test_drawn_in_half_precision(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = PRIORS[name][0]()
        model.build((None, *PRIORS[name][1]))
    finally:
        keras.config.set_dtype_policy("float32")
    harness.set_weights(model, seed=2)
    model.step.assign(1)
    drawn = model.sample(N, seed=7)
    assert (drawn == redrawn(model, drawn, 7)).mean() >= 0.95  # a rounding may move a probability over its noise
    assert len(np.unique(drawn)) > 1


@pytest.mark.parametrize("name", ["codes", "levels of colours", "attention"])
def test_a_batch_of_one(name):
    model = prior(name)
    drawn = model.sample(1, seed=3)
    np.testing.assert_allclose(drawn, redrawn(model, drawn, 3), atol=1e-6)


@pytest.mark.parametrize("name", ["wide kernels", "plain, channels in order", "levels of colours", "attention"])
def test_logits_of_the_caches_are_those_of_the_full_pass(name):
    model = prior(name)
    net, (height, width) = model.net, model.grid
    x = model.sample(N, seed=1)
    expected = params(model, x)
    embedded = harness.numpy(model._embedded(model.pixels(ops.convert_to_tensor(x))))  # numpy cuts without compiling
    memory = net.start(N, model.grid, model.embedded_channels)
    padded = np.pad(embedded, ((0, 0), (0, 0), (net.reach, 0), (0, 0)))
    for i in range(height):
        memory, above, state = net.start_row(memory, i)
        for j in range(width):
            features, state = net.at(above, state, ops.convert_to_tensor(padded[:, i, j : j + net.reach + 1]), j)
            found = harness.numpy(model.head.at(0.0, features[:, None]))
            np.testing.assert_allclose(found, expected[:, i, j], atol=1e-5 * np.abs(expected).max())
            state = net.know(above, state, ops.convert_to_tensor(embedded[:, i, j]), j)
        memory = net.end_row(memory, state, ops.convert_to_tensor(embedded[:, i]))


@pytest.mark.parametrize("name", NAMES)
def test_strictly_causal(name):
    """No parameter depends on its own position, or on one behind it: by the Jacobian."""
    model = prior(name)
    (height, width), groups = model.grid, model.net.channel_groups
    places, inputs = height * width, model.embedded_channels
    given_features = model.embed(ops.zeros((places * inputs,), "int32")) if given(model) else None
    function = lambda embedded: model.head(model.net(embedded, condition=given_features))  # noqa: E731
    x = harness.numpy(model._embedded(model.pixels(ops.convert_to_tensor(model.sample(N, seed=5, **given(model))))))[0]
    jacobian = harness.derivatives(function, x, np.eye(x.size).reshape(-1, *x.shape))
    seen = (jacobian != 0).reshape(places, groups, inputs // groups, places, groups, -1).any(axis=(2, 5))
    before, itself = np.tri(places, k=-1, dtype=bool).T, np.eye(places, dtype=bool)  # [t, s]: t comes before s
    for source, group in itertools.product(range(groups), range(groups)):
        allowed = before | itself if source < group else before
        assert not seen[:, source, :, group][~allowed].any()
        assert seen[:, source, :, group][itself].any() == (source < group)  # a relu may hide one or another
        assert all(seen[t, source, t + 1, group] for t in range(places - 1) if (t + 1) % width)
    if "attention" in name:
        assert seen[:-1, :, -1].all()  # the last position sees every other


def test_probabilities_of_all_codes_sum_to_one():
    for make in (keras_vae.PixelCNNPrior, keras_vae.PixelSNAILPrior):
        net = keras_vae.PixelCNN(4, depth=1) if make is keras_vae.PixelCNNPrior else keras_vae.PixelSNAIL(4, 1, 1)
        model = make(keras_vae.CategoricalLikelihood(3), net)
        model.build((None, 2, 2))
        harness.set_weights(model, seed=4)
        every = np.array(list(itertools.product(range(3), repeat=4)), "int32").reshape(-1, 2, 2)
        probabilities = np.exp(harness.numpy(harness.compiled(model.log_prob)(ops.convert_to_tensor(every))))
        assert probabilities.sum() == pytest.approx(1.0, rel=1e-5) and probabilities.std() > 1e-3


@pytest.mark.parametrize("name", ["codes", "channels in order", "levels of colours"])
def test_the_likelihood_of_a_draw_is_the_product_of_the_conditionals_that_drew_it(name):
    model = prior(name)
    drawn = model.sample(N, seed=9)
    p = model.likelihood.distribution(params(model, drawn))
    each = harness.numpy(p.elementwise_log_prob(model.pixels(ops.convert_to_tensor(drawn))))
    total = harness.numpy(harness.compiled(model.log_prob)(ops.convert_to_tensor(drawn)))
    np.testing.assert_allclose(each.sum(axis=1), total, rtol=1e-5)
    model.compile()
    scores = model.evaluate(drawn, verbose=0, return_dict=True)
    assert scores["rate"] == pytest.approx(-total.mean(), rel=1e-5)
    bits = -total.mean() / np.log(2) / np.prod(model.data_shape)
    assert scores["bits_per_dim"] == pytest.approx(bits, rel=1e-5)


@pytest.mark.parametrize("name", ["codes", "pixels"])
def test_top_k_of_one_is_the_path_of_arg_max(name):
    model = prior(name)
    paths = model.sample(N, seed=1, top_k=1)
    np.testing.assert_array_equal(paths[0], paths[1])
    mode = harness.numpy(model.likelihood.distribution(params(model, paths)).mode).reshape(paths.shape)
    np.testing.assert_array_equal(mode, paths)
    if name == "codes":
        np.testing.assert_array_equal(paths, model.sample(N, seed=2, temperature=1e-4))


def test_what_changes_nothing():
    model = prior("codes")
    plain = model.sample(N, seed=6)
    for control in ({"temperature": 1.0}, {"top_k": 5}, {"top_k": 5, "top_p": 1.0}):
        np.testing.assert_array_equal(model.sample(N, seed=6, **control), plain)


def test_a_nucleus_holds_what_is_drawn():
    model = prior("codes")
    drawn = model.sample(N, seed=6, top_k=3, top_p=0.5)
    p = harness.numpy(ops.softmax(params(model, drawn), axis=-1))
    order = np.argsort(-p, axis=-1, kind="stable")
    rank = (order == drawn[..., None]).argmax(axis=-1)
    before = np.take_along_axis(np.cumsum(np.take_along_axis(p, order, -1), -1), np.maximum(rank, 1)[..., None] - 1, -1)
    assert (rank < 3).all() and ((rank == 0) | (before[..., 0] < 0.5 + 1e-5)).all()
    assert (model.sample(N, seed=6) != drawn).any()


@pytest.mark.parametrize("name", ["codes", "channels in order"])
def test_known_positions_stay_and_the_rest_is_drawn_from_them(name):
    model = prior(name)
    known = model.sample(N, seed=1)
    mask = np.zeros(model.grid, bool)
    mask[0], mask[-1, 0] = True, True
    filled = model.sample(N, seed=2, known=known, mask=mask)
    np.testing.assert_array_equal(filled[:, mask], known[:, mask])
    assert (filled[:, ~mask] != known[:, ~mask]).any()
    again = redrawn(model, filled, 2)
    np.testing.assert_array_equal(filled[:, ~mask], again[:, ~mask])
    one = model.sample(N, seed=2, known=known[0], mask=np.broadcast_to(mask, (N, *mask.shape)).astype("uint8"))
    assert (one[:, mask] == known[0][mask]).all()


def test_a_condition_says_what_is_drawn():
    model = prior("codes of a class")
    each = [model.sample(N, seed=3, condition=c) for c in range(3)]
    assert (each[0] != each[1]).any() and (each[1] != each[2]).any()
    mixed = model.sample(N, seed=3, condition=np.array([0, 1, 2, 0]))
    for row in range(3):
        np.testing.assert_array_equal(mixed[row], each[row][row])


def test_it_learns():
    """Codes that repeat the one to the upper left: nothing is random in them but the first row and column."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (128, 4, 4)).astype("int32")
    for i, j in itertools.product(range(1, 4), range(1, 4)):
        codes[:, i, j] = codes[:, i - 1, j - 1]
    keras.utils.set_random_seed(1)
    net = keras_vae.PixelCNN(16, depth=1, stem_size=3)
    model = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(3), net)
    model.compile(keras.optimizers.Adam(0.02))
    rate = model.fit(codes, epochs=12, batch_size=32, verbose=0).history["rate"]
    least = 7 * np.log(3)
    assert rate[0] > 1.2 * least and 0.95 * least < rate[-1] < 1.05 * least
    drawn = model.sample(64, seed=0)
    assert (drawn[:, 1:, 1:] == drawn[:, :-1, :-1]).mean() > 0.97


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"temperature": 0.0}, "`temperature` must be a finite number > 0"),
        ({"top_k": 0}, "`top_k` must be an integer >= 1"),
        ({"top_p": 1.5}, r"`top_p` must be in \[0, 1\]"),
        ({"mask": np.ones((4, 6))}, "`mask` needs `known`"),
        ({"known": np.ones((4, 6), int)}, "`known` needs `mask`"),
        ({"known": np.ones((4, 5), int), "mask": np.ones((4, 6))}, r"`known` must have shape \(4, 6\)"),
        ({"known": np.full((4, 6), 5), "mask": np.ones((4, 6))}, r"`known` must be in \[0, 4\]"),
        ({"known": np.full((4, 6), 2.5), "mask": np.ones((4, 6))}, "`known` must hold whole numbers"),
        ({"known": np.full((4, 6), np.nan), "mask": np.ones((4, 6))}, "`known`"),
        ({"known": np.ones((4, 6), int), "mask": np.full((4, 6), 0.5)}, "`mask` must be 1 where a position is known"),
        ({"known": np.ones((4, 6), int), "mask": np.ones((6, 4))}, r"`mask` must have shape \(4, 6\)"),
        ({"known": np.ones((4, 6), int), "mask": np.full((4, 6), 2)}, "`mask` must be 1 where a position is known"),
    ],
)
def test_refused_controls(arguments, message):
    harness.check_refuses(lambda: prior("codes").sample(2, **arguments), message)


def test_refused_data_and_parts():
    likelihood, snail = keras_vae.CategoricalLikelihood(5), keras_vae.PixelSNAIL(4, 1, 1)
    model = prior("codes")
    harness.check_refuses(lambda: model.evaluate(np.full((2, 4, 6), 5), verbose=0), r"`x` must be in \[0, 4\]")
    harness.check_refuses(lambda: model.build((None, 4, 7)), r"built for data of shape \(4, 6\)")
    harness.check_refuses(lambda: keras_vae.PixelCNNPrior(likelihood, snail), "`net` must be", TypeError)
    harness.check_refuses(lambda: keras_vae.PixelCNNPrior("codes"), "`likelihood` must be", TypeError)
    pixels = keras_vae.PixelCNNPrior(keras_vae.BernoulliLikelihood(), keras_vae.PixelCNN(4, channel_groups=2))
    harness.check_refuses(lambda: pixels.build((None, 4, 4)), "scores pixels")
    harness.check_refuses(lambda: pixels.build((None, 4, 4, 3)), "`net` must have channel_groups=1 or 3")
    levels = keras_vae.DiscretizedLogisticMixtureLikelihood(2)
    colours = keras_vae.PixelCNNPrior(levels, keras_vae.PixelCNN(6, channel_groups=3))
    harness.check_refuses(lambda: colours.build((None, 4, 4, 3)), "`net` must have channel_groups=1 for 3 channels")
    harness.check_refuses(
        lambda: prior("levels of colours").sample(1, top_k=2), "`top_k` needs a likelihood of classes"
    )
    new = keras_vae.PixelCNNPrior(likelihood, keras_vae.PixelCNN(4, depth=0))
    with pytest.raises(ValueError, match="must be built first"):
        new.sample()
    new.build((None, 2, 2))
    harness.check_refuses(lambda: new.sample(), "has not been trained")


def test_a_net_of_half_precision_in_a_prior_of_float32():
    net = keras_vae.PixelCNN(6, depth=1, stem_size=3, dtype="mixed_bfloat16")
    model = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(5), net)
    model.build((None, 3, 4))
    harness.set_weights(model)
    model.step.assign(1)
    drawn = model.sample(N, seed=0)
    assert drawn.shape == (N, 3, 4) and len(np.unique(drawn)) > 1


def test_what_would_teach_nothing_is_refused():
    model = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(5), keras_vae.PixelCNN(4, depth=0))
    model.build((None, 2, 2))
    model.trainable = False  # as `with_prior` leaves it
    model.compile("adam")
    harness.check_refuses(lambda: model.fit(np.zeros((2, 2, 2), int), verbose=0), "needs weights that may learn")
    given = keras_vae.PixelCNNPrior(
        keras_vae.CategoricalLikelihood(5), model.net, condition=keras_vae.ClassCondition(2)
    )
    harness.check_refuses(lambda: given.build({"x": (None, 2, 2)}), "`net` must be new, or have been built with")
    make = lambda: keras_vae.PixelCNNPrior(keras_vae.GaussianLikelihood())  # noqa: E731
    harness.check_refuses(make, "`likelihood` must be of classes, or of pixels in an interval")
    fractions = np.full((2, 4, 6), 0.5)
    harness.check_refuses(lambda: prior("codes").evaluate(fractions, verbose=0), "`x` must hold whole numbers")


def test_controls_beyond_the_numbers_of_a_float():
    model = prior("codes")
    paths = model.sample(N, seed=1, temperature=1e-50)
    np.testing.assert_array_equal(paths, model.sample(N, seed=2, top_k=1))
    np.testing.assert_array_equal(model.sample(N, seed=6, top_k=10**12), model.sample(N, seed=6))
