"""The conditional VAE: who sees the condition, the loss by hand, and what it leaves to z."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.distributions import Normal
from keras_vae.likelihoods import BernoulliLikelihood

X = np.round(harness.images(64)).astype("float32")
LABELS = (X.sum(axis=(1, 2, 3)) > np.median(X.sum(axis=(1, 2, 3)))).astype("int32")  # small discs, large discs
WHOLE = {"x": X, "condition": LABELS}


def make(condition=None, prior=None, encoder=True, decoder=True):
    nets = [keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder((8, 8, 1), (16,))]
    nets[0] = keras_vae.Conditioned(nets[0], flatten=True) if encoder else nets[0]
    nets[1] = keras_vae.Conditioned(nets[1]) if decoder else nets[1]
    condition = keras_vae.ClassCondition(2) if condition is None else condition
    model = keras_vae.ConditionalVAE(*nets, condition, latent_dim=2, prior=prior)
    model.build((None, 8, 8, 1))
    return harness.set_weights(model, seed=1)


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    model = make(prior=keras_vae.ConditionalNormal(2))
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(WHOLE, epochs=60, batch_size=32, verbose=0)
    return model


@pytest.mark.parametrize("parts", [(True, True), (True, False), (False, True)])
def test_who_sees_the_condition(parts):
    model = make(encoder=parts[0], decoder=parts[1])
    z = model.encode(X, condition=LABELS)
    assert (np.abs(model.encode(X, condition=1 - LABELS) - z).max() > 1e-3) == parts[0]
    images = model.decode(z, condition=LABELS)
    assert (np.abs(model.decode(z, condition=1 - LABELS) - images).max() > 1e-3) == parts[1]


def test_the_loss_by_hand():
    model = make(prior=keras_vae.ConditionalNormal(2))
    one_hot = np.eye(2, dtype="float32")[LABELS]
    h = model.encoder.net(np.concatenate([X.reshape(64, -1), one_hot], axis=1))
    posterior = model.bottleneck.posterior(model.bottleneck.parameters(h))
    noise = np.random.default_rng(0).standard_normal((64, 2)).astype("float32")
    z = harness.numpy(posterior.sample_from(noise))
    params = model.decoder.net(np.concatenate([z, one_hot], axis=1))
    distortion = -harness.numpy(BernoulliLikelihood().log_prob(params, X))
    head = one_hot @ harness.numpy(model.prior.head.kernel) + harness.numpy(model.prior.head.bias)
    mean, log_var = head[:, :2], head[:, 2:]
    q_mean, q_log_var = harness.numpy(posterior.mean), harness.numpy(posterior.log_var)
    rate = 0.5 * (log_var - q_log_var + (np.exp(q_log_var) + (q_mean - mean) ** 2) / np.exp(log_var) - 1).sum(axis=1)
    outputs = {"z": z, "z_mean": q_mean, "z_log_var": q_log_var, "params": params, "condition": LABELS}
    outputs["reconstruction"] = model.likelihood.mean(params)
    terms = harness.numpy(model.terms(X, X, outputs, False))
    np.testing.assert_allclose(terms["distortion"], distortion, rtol=1e-5)
    np.testing.assert_allclose(terms["rate"], rate, rtol=1e-4)
    np.testing.assert_allclose(terms["loss"], distortion + rate, rtol=1e-4)


def test_samples_are_of_the_class_that_is_asked_for(trained):
    small, large = (trained.sample(200, seed=0, condition=c).sum(axis=(1, 2, 3)) for c in (0, 1))
    limit = np.median(X.sum(axis=(1, 2, 3)))
    assert (small < limit).mean() > 0.8 and (large > limit).mean() > 0.8
    mixed = trained.sample(4, seed=0, condition=[0, 1, 0, 1])
    np.testing.assert_allclose(mixed[1], trained.sample(4, seed=0, condition=1)[1], atol=1e-6)


def test_the_likelihood_knows_the_condition(trained):
    right, wrong = (trained.log_likelihood(X, num_samples=100, condition=c).mean() for c in (LABELS, 1 - LABELS))
    assert right > wrong + 1
    trained.compile()
    assert right > trained.evaluate(WHOLE, verbose=0, return_dict=True)["elbo"]


def test_numbers_as_condition(tmp_path):
    size = X.mean(axis=(1, 2, 3))[:, None].astype("float32")
    model = make(condition=keras_vae.VectorCondition(1))
    model.compile(keras.optimizers.Adam(0.01))
    model.fit({"x": X, "condition": 4 * size}, epochs=80, batch_size=32, verbose=0)
    areas = [model.sample(100, seed=0, condition=[4 * s]).mean() for s in (size.min(), size.mean(), size.max())]
    assert areas[0] < areas[1] < areas[2]


def test_sample_weights_and_streams(trained):
    trained.compile(keras.optimizers.SGD(0.0))
    weights = np.arange(64) % 2
    logs = trained.test_on_batch(WHOLE, sample_weight=weights.astype("float32"), return_dict=True)
    assert np.isfinite(logs["loss"])
    batches = keras_vae.datasets.ArrayBatches(WHOLE, 16, shuffle=False)
    streamed, whole = (trained.evaluate(data, verbose=0, return_dict=True)["rate"] for data in (batches, WHOLE))
    assert streamed == pytest.approx(whole, rel=1e-5)


def test_refusals(trained):
    for call, message in (
        (lambda: trained.sample(3), "`condition` must be given to a conditional ConditionalVAE"),
        (lambda: trained.sample(3, condition=2), r"`condition` must be labels in \[0, 2\)"),
        (lambda: trained.sample(3, condition=[0, 1]), "`condition` must be one, or one for each of 3 examples"),
        (lambda: trained.encode(X), "`x` must be a dict with 'x' and 'condition'"),
        (lambda: trained.fit(X), "`x` must be a dict with 'x' and 'condition'"),
        (lambda: trained.fit({**WHOLE, "y": X}), "`x` must be a dict with 'x' and 'condition'"),
        (lambda: trained.encode({"x": X, "condition": LABELS[:3]}), r"`x\['condition'\]` must have one entry for each"),
    ):
        harness.check_refuses(call, message)
    harness.check_refuses(lambda: trained.sample(1, condition=0.5), "`condition` must hold integer labels", TypeError)
    plain = keras_vae.VAE(keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), ()), latent_dim=2)
    plain.build((None, 8, 8, 1))
    harness.check_refuses(lambda: plain.sample(1, condition=1), "`condition` must be None for a VAE without one")
    harness.check_refuses(lambda: make(encoder=False, decoder=False), "must see the condition: wrap a net in `Cond")
    harness.check_refuses(
        lambda: keras_vae.ConditionalVAE(plain.encoder, plain.decoder, 10, 2),
        "`condition` must be a keras_vae Cond",
        TypeError,
    )
    model = keras_vae.VAE(keras_vae.MLPEncoder((4,)), plain.decoder, latent_dim=2, prior=keras_vae.ConditionalNormal(2))
    harness.check_refuses(lambda: model.build((None, 8, 8, 1)), "`condition_shape` must be that of a condition")


def test_a_prior_that_starts_as_the_standard_normal():
    prior = keras_vae.ConditionalNormal(2)
    prior.build((None, 2), condition_shape=(None, 3))
    posterior, condition = Normal(*np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")), np.ones((4, 3))
    expected = keras_vae.StandardNormal().rate(posterior, posterior.mean)
    np.testing.assert_allclose(
        harness.numpy(prior.rate(posterior, posterior.mean, condition)), harness.numpy(expected), rtol=1e-6
    )
