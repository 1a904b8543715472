"""The EMA codebook: one step by hand, three against the reference, and what happens to codes that nothing uses."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import reference
from keras_vae.bottlenecks import VectorQuantizerEMA
from keras_vae.training import Sampler


def layer(codebook, **kwargs):
    codebook = np.asarray(codebook, "float32")
    quantizer = VectorQuantizerEMA(*codebook.shape, **{"decay": 0.9, "restart_threshold": 0.0, "seed": 0, **kwargs})
    quantizer.build((None, codebook.shape[1]))
    quantizer.codebook.assign(codebook)
    quantizer.sums.assign(codebook)
    return quantizer


def step(quantizer, features):
    """One training step's change of the codebook: (codebook, counts, sums)."""
    quantizer.update(quantizer(np.asarray(features, "float32"), training=True))
    return state(quantizer)


def state(quantizer):
    return harness.numpy([quantizer.codebook.value, quantizer.counts.value, quantizer.sums.value])


def test_one_step_by_hand():
    quantizer = layer([[0.0], [10.0]], decay=0.5)
    codebook, counts, sums = step(quantizer, [[1.0], [2.0], [9.0]])
    # code 0: N = .5 + .5 * 2 = 1.5, m = 0 + .5 * 3 = 1.5, e = 1; code 1: N = 1, m = 5 + 4.5 = 9.5, e = 9.5
    np.testing.assert_allclose(counts, [1.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(sums, [[1.5], [9.5]], rtol=1e-6)
    np.testing.assert_allclose(codebook, [[1.0], [9.5]], rtol=1e-6)


def test_three_steps_are_the_references_with_a_code_that_is_never_used():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(6, 3)).astype("float32")
    start[5] = 100.0  # far from every feature
    quantizer = layer(start)
    expected = start, np.ones(6), start.copy()
    for _ in range(3):
        features = rng.normal(size=(40, 3)).astype("float32")
        got = step(quantizer, features)
        expected = reference.ema_update(*expected, features, decay=0.9)
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert got[1][5] == pytest.approx(0.9**3)
    np.testing.assert_array_equal(got[0][5], start[5])


def test_a_code_unused_for_3000_steps_is_unchanged_and_finite():
    start = np.array([[0.0, 1.0], [50.0, -60.0]], "float32")
    quantizer = layer(start, decay=0.99)
    statistics = quantizer(np.array([[0.5, 0.5], [0.1, 0.2]], "float32"), training=True)
    statistics = {key: ops.stop_gradient(statistics[key]) for key in ("indices", "z_e")}
    variables = [quantizer.codebook, quantizer.counts, quantizer.sums]

    def body(_, values):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            quantizer.update(statistics)
        return tuple(scope.get_current_value(v) for v in variables)

    def loop(inputs):
        values = tuple(ops.convert_to_tensor(v.value) for v in variables)
        final = ops.fori_loop(0, 3000, body, values)  # .99^3000 is 1e-13
        return {name: v[None] for name, v in zip(("codebook", "counts", "sums"), final, strict=True)}

    final = Sampler(quantizer, loop).run({"x": np.zeros((1, 1), "float32")})
    np.testing.assert_array_equal(final["codebook"][0, 1], start[1])
    assert 0 < final["counts"][0, 1] < 1e-5
    for value in final.values():
        assert np.isfinite(value).all()
    np.testing.assert_allclose(final["codebook"][0, 0], [0.3, 0.35], rtol=1e-4)  # the mean of what it stands for


def test_a_code_that_slept_wakes_at_the_features_that_come():
    quantizer = layer([[0.0], [50.0]], decay=0.5)
    for _ in range(30):
        step(quantizer, [[0.0]])
    codebook, counts, _ = step(quantizer, [[40.0]])
    assert codebook[1, 0] == pytest.approx(40.0, rel=1e-4)
    assert counts[1] == pytest.approx(0.5, rel=1e-4)


def test_the_search_uses_the_codebook_from_before_the_update():
    quantizer = layer([[0.0], [10.0]], decay=0.0)
    outputs = quantizer(np.array([[4.0]], "float32"), training=True)
    quantizer.update(outputs)
    assert harness.numpy(outputs["z"])[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert state(quantizer)[0][0, 0] == pytest.approx(4.0)


def test_dead_codes_restart_at_features_of_the_batch():
    start = np.full((8, 2), 50.0, "float32")
    start[0] = 0.0
    quantizer = layer(start, decay=0.5, restart_threshold=0.1)
    features = np.random.default_rng(1).normal(size=(64, 2)).astype("float32")
    for _ in range(8):
        codebook, counts, sums = step(quantizer, features)
    assert (np.abs(codebook) < 10).all()  # every code has left its far place
    indices = harness.numpy(quantizer(features)["indices"])
    assert reference.perplexity(indices, 8) > 4.0
    assert (counts > 0).all() and np.isfinite(sums).all()


def test_a_restarted_row_is_a_feature_with_a_count_of_one():
    start = np.array([[0.0, 0.0], [90.0, 90.0]], "float32")
    quantizer = layer(start, decay=0.1, restart_threshold=0.05)
    features = np.random.default_rng(2).normal(size=(16, 2)).astype("float32")
    codebook, counts, sums = step(quantizer, features)
    assert counts[1] == 1.0
    assert (np.abs(features - codebook[1]).sum(axis=1) == 0).any()
    np.testing.assert_array_equal(sums[1], codebook[1])


def test_a_restarted_row_is_above_the_limit_where_many_features_share_a_code():
    """With N = 1 it would be dead again in the next step, used or not, and half the codebook would restart for ever."""
    start = np.array([[0.0, 0.0], [90.0, 90.0]], "float32")
    quantizer = layer(start, decay=0.9, restart_threshold=0.5)
    features = np.random.default_rng(2).normal(size=(1000, 2)).astype("float32")
    codebook, counts, sums = step(quantizer, features)
    limit = 0.5 * (0.9 + 0.1 * 1000 + 0.9) / 2  # code 0 has all features, code 1 none
    assert counts[1] == pytest.approx(2 * limit, rel=1e-6)
    np.testing.assert_allclose(sums[1] / counts[1], codebook[1], rtol=1e-6)
    assert step(quantizer, features)[1][1] > 0.9 * 2 * limit  # alive: its count has moved, and not been set again


def test_without_a_seed_the_first_codebook_is_drawn_and_the_sums_are_the_codes():
    quantizers = [VectorQuantizerEMA(4, 3) for _ in range(2)]
    for quantizer in quantizers:
        quantizer.build((None, 3))
    (one, counts, sums), (other, _, _) = map(state, quantizers)
    np.testing.assert_array_equal(one, sums)
    np.testing.assert_array_equal(counts, 1)
    assert not np.array_equal(one, other)


def test_without_restarts_no_random_state_is_used():
    quantizer = layer([[0.0], [1.0]])
    before = harness.numpy(quantizer.seed_generator.state.value)
    step(quantizer, [[0.0], [0.0]])
    np.testing.assert_array_equal(harness.numpy(quantizer.seed_generator.state.value), before)


def test_examples_of_weight_zero_move_nothing():
    quantizer = layer([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0], [9.0, 9.0]], decay=0.5)
    features = np.array([[0.0, 0.0], [1.0, 1.0], [4.0, 4.0], [8.0, 8.0], [8.2, 8.1]], "float32")
    outputs = quantizer(features, training=True)
    quantizer.update({**outputs, "sample_weight": ops.convert_to_tensor([1.0, 2.0, 1.0, 0.0, 0.0])})
    codebook, counts, sums = state(quantizer)
    np.testing.assert_array_equal(codebook[3], [9.0, 9.0])
    np.testing.assert_allclose(counts, [1.0, 1.5, 1.0, 0.5])  # N = .5 + .5 sum w
    np.testing.assert_allclose(sums[:3, 0], [0.0, 1.5, 4.5])  # m = .5 e + .5 sum w z
    np.testing.assert_allclose(codebook[2], [4.5, 4.5])


def test_weights_of_one_are_no_weights():
    features = np.random.default_rng(4).normal(size=(6, 5, 2)).astype("float32")  # five positions for each example
    states = []
    for weights in (None, np.ones(6, "float32")):
        quantizer = layer(np.linspace(0, 90, 16).reshape(8, 2), decay=0.5, restart_threshold=0.5, seed=3)
        outputs = quantizer(features, training=True)
        quantizer.update(outputs if weights is None else {**outputs, "sample_weight": ops.convert_to_tensor(weights)})
        states.append(state(quantizer))
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weights", [[0.0, 3.0, 0.0, 1.0, 0.0], [0.0] * 5])
def test_restarts_take_features_by_their_weight_and_none_of_weight_zero(weights):
    start = np.full((400, 1), 90.0, "float32")
    start[0] = 0.0
    quantizer = layer(start, decay=0.1, restart_threshold=1.0)  # codes that nothing uses are dead at once
    outputs = quantizer(np.arange(5, dtype="float32")[:, None], training=True)
    quantizer.update({**outputs, "sample_weight": ops.convert_to_tensor(weights)})
    restarted = state(quantizer)[0][1:, 0]
    if any(weights):
        assert set(restarted) == {1.0, 3.0}
        assert 0.65 < (restarted == 1.0).mean() < 0.85  # three quarters of 399, within four standard deviations
    else:
        assert set(restarted) == {90.0}  # nothing to restart at


def test_evaluation_gives_no_statistics_and_changes_nothing():
    quantizer = layer(np.eye(3), restart_threshold=0.5)
    before = harness.weights(quantizer)
    outputs = quantizer(np.ones((4, 3), "float32"), training=False)
    assert sorted(outputs) == ["commitment", "indices", "z"]
    harness.assert_same_weights(before, harness.weights(quantizer))


def test_the_optimizer_does_not_see_the_codebook():
    quantizer = layer(np.eye(3))
    assert quantizer.trainable_variables == []
    paths = [v.path.split("/")[-1] for v in quantizer.non_trainable_variables]
    assert {"codebook", "counts", "sums"} <= set(paths)


def test_weights_and_search_are_float32_under_mixed_precision():
    codebook = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
    features = np.random.default_rng(1).normal(size=(500, 8)).astype("float32")
    exact = harness.numpy(layer(codebook)(features)["indices"])
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        quantizer = layer(codebook)
        outputs = quantizer(features, training=True)
        quantizer.update(outputs)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(harness.numpy(outputs["indices"]), exact)
    assert {v.dtype for v in (quantizer.codebook, quantizer.counts, quantizer.sums)} == {"float32"}
    assert harness.numpy(quantizer.counts.value).sum() == pytest.approx(0.9 * 64 + 0.1 * 500, rel=1e-5)


@pytest.mark.parametrize(
    "argument, told",
    [
        ({"codebook_size": 1}, "`codebook_size` must be an integer >= 2"),
        ({"embedding_dim": 0}, "`embedding_dim` must be an integer >= 1"),
        ({"decay": 1.0}, r"`decay` must be in \[0, 1\)"),
        ({"decay": -0.1}, r"`decay` must be in \[0, 1\)"),
        ({"restart_threshold": 1.5}, r"`restart_threshold` must be in \[0, 1\]"),
    ],
)
def test_refuses(argument, told):
    harness.check_refuses(lambda: VectorQuantizerEMA(**{"codebook_size": 8, "embedding_dim": 4, **argument}), told)
