"""A prior of codes of several levels: normalised, drawn level by level as the density says, each level on its own."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops, tree

import harness
import keras_vae
from keras_vae.datasets import ArrayBatches
from keras_vae.ops.noise import draw_noise

SIZES = {"top": (1, 2), "bottom": (2, 2)}
K = {"top": 3, "bottom": 2}


def over_codes(size, attention=False):
    options = {"stem_size": 3}
    net = keras_vae.PixelSNAIL(4, 1, 1, key_dim=3, **options) if attention else keras_vae.PixelCNN(4, 1, **options)
    of = keras_vae.PixelSNAILPrior if attention else keras_vae.PixelCNNPrior
    return of(keras_vae.CategoricalLikelihood(size), net)


def made(sizes=None, codes=None, step=1, seed=3, **options):
    """Built, with weights that NumPy drew, large enough for every code to matter, and taken for trained."""
    sizes, codes = SIZES if sizes is None else sizes, K if codes is None else codes
    priors = {name: over_codes(codes[name], attention=name == "top") for name in sizes}
    prior = keras_vae.HierarchicalPrior(priors, embedding_dim=4, residual_hidden=3, depth=1, **options)
    prior.build({name: (None, *size) for name, size in sizes.items()})
    harness.set_weights(prior, seed=seed)
    for variable in prior.trainable_variables:
        variable.assign(1.5 * harness.numpy(variable.value))
    prior.step.assign(step)
    return prior


@pytest.fixture(scope="module")
def prior():
    return made()


def every(shape, size):
    """All codes of a level."""
    count = int(np.prod(shape))
    return np.array(list(itertools.product(range(size), repeat=count)), "int32").reshape(-1, *shape)


def log_prob(prior, codes, condition=None):
    return harness.numpy(harness.compiled(prior.log_prob)(tree.map_structure(ops.convert_to_tensor, codes), condition))


@pytest.fixture(scope="module")
def all_codes():
    tops, bottoms = every((1, 2), 3), every((2, 2), 2)
    return {"top": np.repeat(tops, len(bottoms), axis=0), "bottom": np.tile(bottoms, (len(tops), 1, 1))}


def test_probabilities_of_all_codes_sum_to_one(prior, all_codes):
    """Of all, and of the lower level given each codes of the upper one: 9 x 16 of them."""
    probabilities = np.exp(log_prob(prior, all_codes)).reshape(9, 16)
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
    top = np.exp(log_prob(prior.priors["top"], every((1, 2), 3)))
    np.testing.assert_allclose(probabilities.sum(axis=1), top, rtol=1e-4)  # above nothing is known of what is below
    below = probabilities / probabilities.sum(axis=1, keepdims=True)
    assert below.std(axis=0).max() > 1e-3  # what is below depends on it


def test_draws_follow_the_probabilities(prior, all_codes):
    drawn = prior.sample(4000, seed=1, batch_size=4000)
    number = lambda codes: np.ravel_multi_index(  # noqa: E731
        [*codes["top"].reshape(-1, 2).T, *codes["bottom"].reshape(-1, 4).T], (3, 3, 2, 2, 2, 2)
    )
    share = np.bincount(number(drawn), minlength=144) / 4000
    expected = np.zeros(144)
    expected[number(all_codes)] = np.exp(log_prob(prior, all_codes))
    deviation = np.sqrt(expected * (1 - expected) / 4000)
    assert (np.abs(share - expected) <= 4.5 * deviation + 1e-4).all()


def test_the_lower_level_redrawn_follows_its_conditional(prior, all_codes):
    top = np.array([[2, 1]])
    drawn = prior.sample(4000, seed=2, batch_size=4000, given={"top": top})
    assert (drawn["top"] == top).all()
    chosen = (all_codes["top"] == top).all(axis=(1, 2))
    joint = np.exp(log_prob(prior, all_codes))[chosen]
    share = np.bincount(np.ravel_multi_index([*drawn["bottom"].reshape(-1, 4).T], (2,) * 4), minlength=16) / 4000
    np.testing.assert_allclose(share, joint / joint.sum(), atol=4 * np.sqrt(0.25 / 4000))


def test_one_seed_draws_the_same_below_given_what_it_drew_above(prior):
    drawn = prior.sample(4, seed=5)
    again = prior.sample(4, seed=5, given={"top": drawn["top"]})
    for level in SIZES:
        np.testing.assert_array_equal(again[level], drawn[level])


@pytest.fixture(scope="module")
def three():
    sizes, codes = {"top": (1, 2), "middle": (2, 2), "bottom": (4, 4)}, {"top": 3, "middle": 4, "bottom": 5}
    return made(sizes, codes, condition=keras_vae.ClassCondition(3, embedding_dim=2))


def test_each_level_is_given_all_that_stand_above_it_and_the_condition(three):
    """log p(level | ...) changes with every level above and with the condition, and with none below."""
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, k, (3, *three.data_shape[name])) for name, k in three.codebook_size.items()}
    condition = np.array([0, 1, 2], "int32")
    of_levels = harness.compiled(lambda codes, condition: three({"x": codes, "condition": condition})["log_probs"])
    shares = lambda codes, condition: harness.numpy(of_levels(codes, condition))  # noqa: E731
    before = shares(codes, condition)
    assert log_prob(three, codes, three.embed(condition)) == pytest.approx(sum(before.values()), rel=1e-5)
    names = list(codes)
    for i, name in enumerate(names):
        other = {**codes, name: (codes[name] + 1) % three.codebook_size[name]}
        found = shares(other, condition)
        for j, level in enumerate(names):
            moved = np.abs(found[level] - before[level]).max()
            assert moved > 1e-5 if j >= i else moved == 0
    found = shares(codes, (condition + 1) % 3)
    assert all(np.abs(found[level] - before[level]).max() > 1e-5 for level in names)


def test_three_levels_are_drawn_by_their_own_priors_in_turn(three):
    condition = np.array([2, 0, 1], "int32")
    drawn = three.sample(3, seed=4, condition=condition)
    noise = draw_noise(three.noise_spec(three.data_shape), np.random.default_rng(4), (3,))
    given = three.embed(ops.convert_to_tensor(condition))
    for name, prior in three.priors.items():
        codes = ops.convert_to_tensor(drawn[name].astype("int32"))
        params = prior.params(prior.pixels(codes), given)  # one full pass draws what was drawn one by one
        again = prior.likelihood.distribution(params).sample_from(
            tree.map_structure(ops.convert_to_tensor, noise[name])
        )
        np.testing.assert_array_equal(harness.numpy(again)[..., 0], drawn[name])
        given = three._map(name, codes, given)
    middle = three.sample(3, seed=9, condition=condition, given={name: drawn[name] for name in ("top", "middle")})
    np.testing.assert_array_equal(middle["middle"], drawn["middle"])


def trained(levels, x, epochs=3):
    """A prior of these levels alone trained, the others left as they were made."""
    prior = made()
    below = {"top": [], "bottom": [*prior.tables.values(), *prior.maps.values()]}
    for name in set(SIZES) - set(levels):
        for part in (prior.priors[name], *below[name]):
            part.trainable = False
    prior.compile(keras.optimizers.Adam(0.01))
    prior.fit(x, epochs=epochs, batch_size=8, shuffle=False, verbose=0)
    return {name: [harness.numpy(w.value) for w in prior.priors[name].weights] for name in SIZES}


def test_levels_trained_at_once_are_levels_trained_one_after_the_other():
    rng = np.random.default_rng(1)
    x = {name: rng.integers(0, K[name], (16, *size)) for name, size in SIZES.items()}
    at_once = trained(SIZES, x)
    for name in SIZES:
        alone = trained([name], x)[name]
        difference = max(np.abs(one - other).max() for one, other in zip(at_once[name], alone, strict=True))
        assert difference < 1e-5  # of steps of 0.01


def test_it_learns_what_belongs_below_what(prior):
    keras.utils.set_random_seed(0)
    top = np.random.default_rng(2).integers(0, 2, (64, 2, 2))
    x = {"top": top, "bottom": top.repeat(2, axis=1).repeat(2, axis=2)}  # the lower level repeats the upper one
    priors = {name: over_codes(2) for name in x}
    model = keras_vae.HierarchicalPrior(priors, embedding_dim=8, residual_hidden=4, depth=1)
    model.compile(keras.optimizers.Adam(0.02))
    batches = ArrayBatches(x, 16, seed=0)
    logs = model.fit(batches, epochs=30, verbose=0).history
    assert logs["rate_bottom"][-1] < 0.5 < 4 * np.log(2) * 0.9 < logs["rate_top"][-1]
    drawn = model.sample(8, seed=0)
    assert (drawn["bottom"] == drawn["top"].repeat(2, axis=1).repeat(2, axis=2)).mean() > 0.95


def test_controls_of_all_levels_and_of_one(prior):
    plain = prior.sample(4, seed=6)
    for controls in ({"temperature": 1.0}, {"top_k": {"top": 3, "bottom": 2}}, {"top_p": {"top": 1.0}}):
        for level, codes in prior.sample(4, seed=6, **controls).items():
            np.testing.assert_array_equal(codes, plain[level])
    likeliest = [prior.sample(4, seed=seed, top_k={"top": 1}) for seed in (0, 1)]
    np.testing.assert_array_equal(likeliest[0]["top"], likeliest[1]["top"])
    assert (likeliest[0]["bottom"] != likeliest[1]["bottom"]).any()
    known, mask = np.array([[1, 0], [0, 0]]), np.array([[1, 1], [0, 0]])
    filled = prior.sample(8, seed=2, known={"bottom": known}, mask={"bottom": mask})
    assert (filled["bottom"][:, 0] == known[0]).all() and (filled["bottom"][:, 1] != known[1]).any()


def test_streams_of_codes_by_level_with_a_condition(three):
    rng = np.random.default_rng(3)
    codes = {name: rng.integers(0, k, (6, *three.data_shape[name])) for name, k in three.codebook_size.items()}
    x = {"x": codes, "condition": np.arange(6) % 3}
    three.compile()
    whole, streamed = (
        three.evaluate(data, batch_size=size, verbose=0, return_dict=True)
        for data, size in ((x, 4), (ArrayBatches(x, 4, shuffle=False), None))
    )
    assert streamed == pytest.approx(whole, rel=1e-5)


def test_refusals(prior, three):
    make = keras_vae.HierarchicalPrior
    for priors, message in (
        ([over_codes(2)], "`priors` must be a dict of priors of codes, the top level first"),
        ({"top": keras_vae.StandardNormal()}, r"`priors\['top'\]` must be a keras_vae LearnedPrior"),
        (
            {"top": keras_vae.AutoregressiveFlowPrior(keras_vae.AutoregressiveFlow(1, (2,)))},
            r"`priors\['top'\]` must be of integer codes",
        ),
    ):
        harness.check_refuses(lambda priors=priors: make(priors), message, TypeError)
    own = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(2), condition=keras_vae.ClassCondition(2))
    harness.check_refuses(lambda: make({"top": own}), "must leave `condition` to the HierarchicalPrior")
    for name in ("embedding_dim", "residual_hidden"):
        harness.check_refuses(lambda name=name: make({"top": over_codes(2)}, **{name: 0}), f"`{name}` must be an")
    harness.check_refuses(lambda: make({"top": over_codes(2)}, depth=-1), "`depth` must be an integer >= 0")
    fresh = make({"top": over_codes(2), "bottom": over_codes(2)})
    harness.check_refuses(lambda: fresh.build((None, 2, 2)), "The codes must be a dict by level")
    harness.check_refuses(
        lambda: make({"top": over_codes(2), "bottom": over_codes(2)}).build(
            {"top": (None, 3, 3), "bottom": (None, 4, 4)}
        ),
        r"whose sizes divide the data's, \(4, 4\)",
    )
    x = {name: np.zeros((2, *size), int) for name, size in SIZES.items()}
    prior.compile()
    for data, message in (
        ({"top": x["top"]}, r"`x` must be a dict of codes by level, \['bottom', 'top'\]"),
        (x["top"], "`x` must be a dict of codes by level"),
        ({**x, "top": x["top"] + 3}, r"`x\['top'\]` must be in \[0, 2\]"),
        ({**x, "bottom": x["top"]}, r"`x\['bottom'\]` must have shape \(batch, 2, 2\)"),
    ):
        harness.check_refuses(lambda data=data: prior.evaluate(data, verbose=0), message)
    harness.check_refuses(lambda: made(step=0).sample(1), "HierarchicalPrior has not been trained")
    for given in (
        {"bottom": x["bottom"][0]},
        {"top": x["top"][0], "bottom": x["bottom"][0]},
        {"middle": x["top"][0]},
        3,
    ):
        harness.check_refuses(
            lambda given=given: prior.sample(2, given=given), "`given` must be a dict with the upperm"
        )
    harness.check_refuses(
        lambda: prior.sample(2, given={"top": np.zeros((3, 1, 2), int)}), r"`given\['top'\]` must have"
    )
    harness.check_refuses(
        lambda: prior.sample(2, given={"top": x["top"][0] + 3}), r"`given\['top'\]` must be in \[0, 2\]"
    )
    harness.check_refuses(lambda: prior.sample(1, top_k={"middle": 1}), "`top_k` must be by level, of")
    harness.check_refuses(lambda: prior.sample(1, known=x["top"], mask=1), "`known` must be a dict by level", TypeError)
    harness.check_refuses(lambda: three.sample(1), "`condition` must be given to a conditional HierarchicalPrior")
