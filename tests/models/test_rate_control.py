"""What the siblings of the VAE minimise, by hand; that they report the plain bound; and the state of GECO."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
import reference
from keras_vae.losses import mmd
from keras_vae.training import TrainingCheckpoint, resume
from toys import Told

X = harness.images(10, size=4)
SHAPE = X.shape[1:]
STEP = 6  # of training, as if so many had been made


def nets(linear=False):
    encoder = keras_vae.MLPEncoder((3,), "linear") if linear else keras_vae.MLPEncoder((6,), "tanh")
    return encoder, keras_vae.MLPDecoder(SHAPE, (5,), "tanh")


def made(cls, seed=0, **kwargs):
    """A built model with weights that NumPy drew; its coefficients are those that were given."""
    parts = nets(linear="latent_dim" not in kwargs)
    model = cls(*parts, **kwargs)
    model.build((None, *SHAPE))
    for part in (model.encoder, model.decoder, model.bottleneck):
        harness.set_weights(part, seed)
    model.step.assign(STEP)
    return model


def capacity_loss(m, d, rate, t, o):
    return d + m["capacity_weight"] * abs(rate.mean() - m["capacity"] * STEP / 10)


def floored(m, d, rate, t, o):
    each = 0.5 * (o["z_mean"] ** 2 + np.exp(o["z_log_var"]) - 1 - o["z_log_var"])
    return d + np.maximum(each.mean(axis=0), m["free_bits"]).sum()


def distance(m, d, rate, t, o):
    each = o["z_mean"] ** 2 + (np.exp(o["z_log_var"] / 2) - 1) ** 2
    return d + m["distance_weight"] * each.sum(axis=1)


def rae(m, d, rate, t, o):
    l2 = m["l2_weight"] * o["decoder"]
    return d + m["embedding_weight"] * 0.5 * np.square(o["z"]).sum(axis=1) + l2 + m["gradient_weight"] * t["gradient"]


GAUSSIAN = {"latent_dim": 3}
LOSSES = {  # class -> (arguments, coefficients and a second value of each, loss by hand)
    "CapacityVAE": (
        {**GAUSSIAN, "capacity_steps": 10},
        {"capacity": (5.0, 9.0), "capacity_weight": (30.0, 8.0)},
        capacity_loss,
    ),
    "FreeBitsVAE": (GAUSSIAN, {"free_bits": (0.2, 0.9)}, floored),
    "ParameterDistanceVAE": (GAUSSIAN, {"distance_weight": (1.5, 0.2)}, distance),
    "GECO": (
        GAUSSIAN,
        {"tolerance": (7.0, 3.0), "multiplier": (2.0, 5.0)},
        lambda m, d, rate, t, o: rate + m["multiplier"] * (d - m["tolerance"]),
    ),
    "InfoVAE": (
        GAUSSIAN,
        {"alpha": (0.3, -1.0), "mmd_weight": (9.0, 4.0)},
        lambda m, d, rate, t, o: d + (1 - m["alpha"]) * rate + (m["alpha"] + m["mmd_weight"] - 1) * t["mmd"],
    ),
    "WAE": ({}, {"mmd_weight": (9.0, 4.0)}, lambda m, d, rate, t, o: d + m["mmd_weight"] * t["mmd"]),
    "RAE": ({}, {"embedding_weight": (0.5, 2.0), "l2_weight": (0.1, 0.3), "gradient_weight": (0.2, 0.7)}, rae),
}


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_loss_is_the_papers_and_each_weight_moves_it(name):
    arguments, coefficients, by_hand = LOSSES[name]
    first = {key: values[0] for key, values in coefficients.items()}
    own = {key: value for key, value in first.items() if key != "multiplier"}
    model = made(getattr(keras_vae, name), **arguments, **own)
    if "multiplier" in first:
        model.multiplier.assign(first["multiplier"])
    outputs = model(X)
    facts = harness.numpy(outputs)
    facts["decoder"] = sum(np.square(harness.numpy(v.value)).sum() for v in model.decoder.trainable_variables)
    variational = "z_mean" in facts
    score = reference.bernoulli_log_prob if variational else lambda x, p: -np.square(x - p).sum(axis=(1, 2, 3))
    distortion = -score(X, facts["params"])
    rate = reference.kl_normal(facts["z_mean"], np.exp(facts["z_log_var"].astype("float64"))) if variational else None

    def check(values):
        terms = harness.numpy(model.terms(X, X, outputs, False))
        assert all(value.shape == (10,) for value in terms.values())
        np.testing.assert_allclose(terms["loss"], by_hand(values, distortion, rate, terms, facts), rtol=2e-4)
        np.testing.assert_allclose(terms["distortion"], distortion, rtol=1e-4)
        if variational:  # whatever is minimised, the bound itself is told
            np.testing.assert_allclose(terms["rate"], rate, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(terms["elbo"], -(distortion + rate), rtol=1e-4)
        return terms["loss"]

    loss = check(first)
    for key, (_, second) in coefficients.items():
        setattr(model, key, second)
        assert np.abs(check({**first, key: second}) - loss).min() > 1e-3, f"{key} does not move the loss"
        setattr(model, key, first[key])


@pytest.mark.parametrize("name", ["CapacityVAE", "FreeBitsVAE", "InfoVAE", "WAE"])
def test_statistics_of_the_batch_leave_out_examples_without_weight(name):
    model = made(getattr(keras_vae, name), **LOSSES[name][0])
    weight = np.array([1, 0] * 5, "float32")
    outputs, term = model(X), {"CapacityVAE": "capacity_gap", "FreeBitsVAE": "floored_rate"}.get(name, "mmd")
    draws = []

    def told(x, y, outputs):
        if term == "mmd":  # the draws of the prior are given: as many as there are latents, of which half count
            z = outputs["z"]
            return mmd(z, draws[0], outputs.get("sample_weight"))
        return model.terms(x, y, outputs, False)[term]

    draws.append(np.random.default_rng(0).normal(size=(10, 3)).astype("float32"))
    whole = harness.numpy(told(X, X, {**outputs, "sample_weight": ops.convert_to_tensor(weight)}))
    half = harness.numpy(told(X[::2], X[::2], {key: part[::2] for key, part in outputs.items()}))
    np.testing.assert_allclose(np.mean(whole), np.mean(half), rtol=1e-4)


@pytest.mark.parametrize("average", ["batch", "example"])
def test_below_the_floor_there_is_no_gradient(average):
    """Of two latents one is below: on average over the batch, or in one example and not in the other."""
    decoder = keras.layers.Dense(4)
    model = keras_vae.FreeBitsVAE(keras.layers.Identity(), decoder, bottleneck=Told(), free_bits=0.4, average=average)
    model.build((None, 4))
    parameters = np.array([[0.1, 1.5, 0.2, -0.3], [1.2, 1.0, 0.0, 0.1]], "float32")  # means, log-variances
    mean, log_var = np.split(parameters.astype("float64"), 2, axis=1)
    rates = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var)
    paid = np.broadcast_to(rates.mean(axis=0), rates.shape) if average == "batch" else rates
    above = paid > 0.4
    assert not above.all() and above.any()

    def penalty(x):
        return model.loss_terms(x, x, model(x), True)["floored_rate"]

    np.testing.assert_allclose(harness.numpy(penalty(parameters)), np.maximum(paid, 0.4).sum(axis=1), rtol=1e-5)
    expected = np.concatenate([mean, 0.5 * (np.exp(log_var) - 1)], axis=1) * np.tile(above, 2)
    np.testing.assert_allclose(harness.gradient(penalty, parameters), expected, rtol=1e-4, atol=1e-6)


def test_capacity_presses_the_rate_up_as_well_as_down():
    decoder = keras.layers.Dense(4)
    gradients = []
    for capacity in (0.1, 50.0):
        model = keras_vae.CapacityVAE(
            keras.layers.Identity(), decoder, bottleneck=Told(), capacity=capacity, capacity_steps=1
        )
        model.build((None, 4))
        model.step.assign(1)
        mean = np.array([[0.1, 1.5, 0.0, 0.0], [1.2, 1.0, 0.0, 0.0]], "float32")
        gradients.append(harness.gradient(lambda x, m=model: m.loss_terms(x, x, m(x), True)["capacity_gap"], mean))
    np.testing.assert_allclose(gradients[0], mean, rtol=1e-5, atol=1e-6)  # of two equal gaps, half each of the mean
    np.testing.assert_allclose(gradients[1], -gradients[0], rtol=1e-5, atol=1e-6)


def test_capacity_grows_and_stays():
    model = made(keras_vae.CapacityVAE, **GAUSSIAN, capacity=8.0, capacity_steps=4)
    outputs, seen = model(X), []
    for step in (0, 1, 3, 4, 100):
        model.step.assign(step)
        seen.append(float(model.terms(X, X, outputs, False)["capacity"][0]))
    assert seen == [0.0, 2.0, 6.0, 8.0, 8.0]


def geco(**kwargs):
    model = made(keras_vae.GECO, **GAUSSIAN, **{"tolerance": 9.0, "decay": 0.8, "multiplier_rate": 0.1, **kwargs})
    model.step.assign(0)
    return model


def by_hand(distortions, tolerance=9.0, decay=0.8, rate=0.1):
    """The multiplier and the average after each step. Rezende & Viola 2018, algorithm 1."""
    multiplier, average, states = 1.0, None, []
    for distortion in distortions:
        excess = distortion - tolerance
        average = excess if average is None else decay * average + (1 - decay) * excess
        multiplier = min(max(multiplier * np.exp(rate * average), 1e-6), 1e6)
        states.append((multiplier, average))
    return states


def test_three_steps_of_geco_by_hand():
    """In a compiled step, with sample weights; the step itself uses the multiplier from before."""
    model, told = geco(), []
    model.compile(keras.optimizers.SGD(1e-3))
    weight = np.array([1, 0, 2, 1, 1, 0, 0, 1, 3, 1], "float32")
    states, used = [], []
    for _ in range(3):
        model.reset_metrics()
        logs = model.train_on_batch(X, sample_weight=weight, return_dict=True)
        told.append(float(logs["distortion"]))
        used.append(float(logs["multiplier"]))
        states.append([float(harness.numpy(v.value)) for v in (model.multiplier, model.excess)])
    expected = by_hand(told)
    np.testing.assert_allclose(states, expected, rtol=1e-4)
    np.testing.assert_allclose(used, [1.0, *(m for m, _ in expected[:2])], rtol=1e-4)
    assert states[0][0] > 1.05
    before = harness.weights(model)
    model.evaluate(X, verbose=0)
    harness.assert_same_weights(
        *([pair for pair in w if "seed" not in pair[0]] for w in (before, harness.weights(model)))
    )


def test_the_multiplier_stays_within_its_limits():
    model = geco(tolerance=-1e4, multiplier_rate=1.0)
    outputs = model(X)
    for limit, sign in ((1e6, 1.0), (1e-6, -1.0)):
        model.excess.assign(0.0)
        model.tolerance = -sign * 1e4
        model.step.assign(1)
        model.update_state(outputs, model.terms(X, X, outputs, True))
        assert float(harness.numpy(model.multiplier.value)) == pytest.approx(limit)


def test_a_resumed_geco_is_the_one_that_was_not_interrupted(tmp_path):
    def trained(folder, epochs):
        model = geco()
        model.bottleneck.seed_generator.state.assign(np.array([5, 0]))
        model.compile(keras.optimizers.SGD(1e-3))
        options = {"initial_epoch": resume(model, folder), "callbacks": [TrainingCheckpoint(folder)]}
        model.fit(X, batch_size=5, epochs=epochs, shuffle=False, verbose=0, **options)
        return harness.weights(model)

    whole = trained(tmp_path / "whole", 2)
    trained(tmp_path / "part", 1)
    again = trained(tmp_path / "part", 2)
    assert [value for path, value in again if path.endswith("/multiplier")] != [1.0]
    for (path, one), (_, other) in zip(whole, again, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=path)


def test_geco_meets_its_tolerance_from_either_side():
    """On data of two directions: the distortion goes where it is told, with no more rate than that takes."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(256, 2)) @ rng.normal(size=(2, 6))).astype("float32")
    model = keras_vae.GECO(
        keras.layers.Identity(),
        keras.layers.Dense(6),
        tolerance=0.5,
        latent_dim=2,
        decay=0.9,
        multiplier_rate=1e-6,
        likelihood=keras_vae.SquaredError(),
    )
    model.compile(keras.optimizers.Adam(0.05))
    many, logs = np.tile(x, (100, 1)), {}
    model.fit(many, batch_size=256, verbose=0)
    model.multiplier_rate = 0.03
    for tolerance in (0.5, 2.0):
        model.tolerance = tolerance
        model.fit(many, batch_size=256, epochs=2, verbose=0)
        logs[tolerance] = model.evaluate(np.tile(x, (10, 1)), batch_size=256, verbose=0, return_dict=True)
        assert logs[tolerance]["distortion"] == pytest.approx(tolerance, rel=0.2)
    assert logs[0.5]["multiplier"] > 1 > logs[2.0]["multiplier"]
    assert logs[0.5]["rate"] > logs[2.0]["rate"] + 1


def test_the_gradient_penalty_of_a_linear_decoder_is_its_weights():
    decoder = keras_vae.MLPDecoder(SHAPE, ())
    model = keras_vae.RAE(keras_vae.MLPEncoder((3,), "linear"), decoder, gradient_weight=1.0, probes=400, seed=1)
    model.build((None, *SHAPE))
    terms = harness.numpy(model.terms(X, X, model(X), True))
    kernel = harness.numpy(decoder.dense_layers()[0].kernel.value)
    assert terms["gradient"].mean() == pytest.approx(np.square(kernel).sum(), rel=0.1)
    plain = keras_vae.RAE(*nets(linear=True))
    plain.build((None, *SHAPE))
    assert "gradient" not in plain.terms(X, X, plain(X), True) and "gradient" not in plain.trackers


def test_a_wae_draws_its_prior_anew_and_with_a_condition():
    model = keras_vae.WAE(
        keras_vae.MLPEncoder((3,), "linear"),
        keras_vae.MLPDecoder(SHAPE, (5,)),
        prior=keras_vae.ConditionalNormal(3),
        condition=keras_vae.ClassCondition(2),
        seed=4,
    )
    model.build((None, *SHAPE))
    head = harness.numpy(model.prior.head.kernel.value)
    model.prior.head.kernel.assign(np.zeros_like(head))
    x = {"x": X, "condition": np.arange(10) % 2}
    outputs = model(x)

    def mmd_of(outputs):
        return harness.numpy(model.terms(X, X, outputs, False)["mmd"])[0]

    one, other = (mmd_of(outputs) for _ in range(2))
    assert one != other
    model.prior.head.bias.assign(np.array([50.0, 50, 50, 0, 0, 0]))  # means, then log-variances
    assert mmd_of(outputs) > max(one, other) + 1


BAD = {
    "CapacityVAE": {"capacity": -1.0, "capacity_weight": -1.0, "capacity_steps": 0},
    "FreeBitsVAE": {"free_bits": -1.0, "average": "latent"},
    "GECO": {"tolerance": float("nan"), "decay": 1.0, "multiplier_rate": 0.0},
    "InfoVAE": {"alpha": 1.5, "mmd_weight": 0.5},
    "ParameterDistanceVAE": {"distance_weight": -1.0},
    "RAE": {"embedding_weight": -1.0, "l2_weight": -1.0, "gradient_weight": -1.0, "probes": 0},
    "WAE": {"mmd_weight": -1.0},
}


@pytest.mark.parametrize("name, argument", [(name, key) for name, bad in BAD.items() for key in bad])
def test_bad_arguments(name, argument):
    given = {**({} if name in ("WAE", "RAE") else GAUSSIAN), argument: BAD[name][argument]}
    if name == "GECO":
        given.setdefault("tolerance", 1.0)
    harness.check_refuses(lambda: getattr(keras_vae, name)(*nets(), **given), f"`{argument}` must be")


def test_codes_are_refused():
    for cls in (keras_vae.WAE, keras_vae.RAE):
        quantizer = keras_vae.VectorQuantizer(4, 3)
        harness.check_refuses(
            lambda cls=cls, q=quantizer: cls(*nets(), bottleneck=q), "`bottleneck` must be continuous"
        )


def test_a_posterior_without_mean_and_variance_has_no_distance():
    class Bare(Told):
        def call(self, h, training=False):
            return {"z": h[:, :2], "both": h}

        def posterior(self, outputs):
            return super().posterior(self.parameters(outputs["both"]))

    model = keras_vae.ParameterDistanceVAE(keras.layers.Identity(), keras.layers.Dense(4), bottleneck=Bare())
    model.build((None, 4))
    x = np.zeros((2, 4), "float32")
    harness.check_refuses(lambda: model.terms(x, x, model(x), True), "`bottleneck` must return 'z_mean'")
