"""What the siblings of the VAE minimise, by hand, and that they report the plain bound."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
import reference
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
def test_examples_without_weight_leave_statistics_of_the_batch_alone(name):
    model = made(getattr(keras_vae, name), **LOSSES[name][0])
    term = {"CapacityVAE": "capacity_gap", "FreeBitsVAE": "floored_rate"}.get(name, "mmd")
    weight, outputs, seen = np.array([1, 0] * 5, "float32"), harness.numpy(model(X)), []
    other = {key: part + 3.0 if key.startswith("z") else part for key, part in outputs.items()}
    for rows in ([False, False], [False, True], [True, False]):  # of two examples, those that are others
        changed = {k: np.where(np.resize(rows, (10, *[1] * (v.ndim - 1))), other[k], v) for k, v in outputs.items()}
        given = {k: ops.convert_to_tensor(v) for k, v in {**changed, "sample_weight": weight}.items()}
        if hasattr(model, "seed_generator"):
            model.seed_generator.state.assign(np.array([3, 0]))
        seen.append(harness.numpy(model.terms(X, X, given, False)[term])[0])
    assert seen[1] == pytest.approx(seen[0], rel=1e-5)
    assert abs(seen[2] - seen[0]) > 1e-3


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
