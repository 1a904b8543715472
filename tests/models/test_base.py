"""What the base carries: masks, latents by level, decoders that draw, noise of several kinds; as laws."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from variants import AutoregressiveDecoder, SequenceAutoencoder, SequenceVAE, TwoLevels, code_vqvae

import harness
import keras_vae
from keras_vae.distributions import Normal
from keras_vae.ops import draw_noise

RNG = np.random.default_rng(0)
X = harness.images(32)


def waves(time, count=16):
    """Sequences of two numbers, smooth, one phase each."""
    phase = np.random.default_rng(1).uniform(0, 6, (count, 1))
    t = np.arange(time)[None]
    return np.stack([np.sin(t / 2 + phase), np.cos(t / 2 + phase)], axis=-1).astype("float32")


def padded(x, time, fill=0.0):
    """The same sequences in a longer array, and the mask that says where they are."""
    longer = np.full((len(x), time, x.shape[2]), fill, "float32")
    longer[:, : x.shape[1]] = x
    mask = np.zeros((len(x), time), "float32")
    mask[:, : x.shape[1]] = 1
    return {"x": longer, "mask": mask}


class Recurrent(layers.Layer):
    """Features that look back, and end with the sequence where they are told its mask."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.supports_masking = units, True
        self.recurrence = layers.LSTM(units, return_sequences=True, go_backwards=True)

    def build(self, x_shape, mask_shape=None):
        self.recurrence.build(x_shape)

    def call(self, x, mask=None, training=False):
        return ops.flip(self.recurrence(x, mask=mask, training=training), axis=1)


def sequence_vae(latent_dim=3, likelihood=None, **kwargs):
    likelihood = likelihood or keras_vae.GaussianLikelihood(0.3)
    decoder = layers.Dense(likelihood.params_shape((None, 2))[-1])
    model = SequenceVAE(Recurrent(5), decoder, latent_dim=latent_dim, likelihood=likelihood, **kwargs)
    model.build((None, None, 2))
    return harness.set_weights(model, seed=2)


class TestMasks:
    def test_what_is_behind_the_end_changes_nothing(self):
        x = waves(6)
        model = sequence_vae()
        short, zeros, junk = padded(x, 6), padded(x, 9), padded(x, 9, fill=7.0)
        noise = np.random.default_rng(3).standard_normal((16, 9, 3)).astype("float32")
        found = []
        for batch in (short, zeros, junk):
            time = batch["x"].shape[1]
            posterior = model.posterior(batch)
            z = posterior.sample_from(noise[:, :time])
            outputs = {"z": z, **posterior.served(), "params": model.decode_params(z), "mask": batch["mask"] > 0}
            outputs["reconstruction"] = model.likelihood.mean(outputs["params"])
            found.append(harness.numpy(model.terms(batch["x"], batch["x"], outputs, False)))
        for terms in found[1:]:
            for name in ("distortion", "rate", "elbo", "loss"):
                np.testing.assert_allclose(terms[name], found[0][name], rtol=2e-5, err_msg=name)
        whole = model.terms(zeros["x"], zeros["x"], {**outputs, "mask": np.ones((16, 9), bool)}, False)
        assert (harness.numpy(whole["rate"]) > found[1]["rate"] + 0.1).all()  # latents behind the end would count

    @pytest.mark.parametrize(
        ("family", "prior", "options"),
        [
            ("Dirichlet", keras_vae.FamilyPrior("Dirichlet", concentration=0.7), None),  # joint, and no closed form
            ("EllipticalNormal", keras_vae.FamilyPrior("EllipticalNormal"), {"rank": 1}),
            ("EllipticalNormal", keras_vae.StandardNormal(), None),  # a vector's share beside those of its dimensions
            ("EllipticalStudentT", keras_vae.FamilyPrior("Normal"), None),
            ("Laplace", keras_vae.FamilyPrior("EllipticalNormal"), None),
        ],
    )
    def test_what_is_behind_the_end_changes_nothing_of_a_joint_family(self, family, prior, options):
        """Such a family has one share for each vector, that of a moment; so has a likelihood of several channels."""
        bottleneck = keras_vae.Reparameterised(family, 3, options, seed=0)
        likelihood = keras_vae.FamilyLikelihood("EllipticalNormal", {"rank": 1})  # joint over the two channels
        model = sequence_vae(latent_dim=None, bottleneck=bottleneck, prior=prior, likelihood=likelihood)
        x = waves(6)
        short, zeros, junk = padded(x, 6), padded(x, 9), padded(x, 9, fill=7.0)
        noise, found = draw_noise(model.bottleneck.noise_spec((9, 3)), np.random.default_rng(3), (16,)), []
        for batch in (short, zeros, junk):
            time = batch["x"].shape[1]
            posterior = model.posterior(batch)
            of_batch = keras.tree.map_structure(lambda one, time=time: one[:, :time], noise)
            z = posterior.sample_from(of_batch)
            outputs = {"z": z, **posterior.served(), "params": model.decode_params(z), "mask": batch["mask"] > 0}
            outputs["reconstruction"] = model.likelihood.mean(outputs["params"])
            terms = model.terms(batch["x"], batch["x"], outputs, False)
            weights = model.log_weights_tensors(batch, keras.tree.map_structure(lambda one: one[:, None], of_batch))
            found.append(harness.numpy({**terms, "shares": model.elementwise_rate(outputs), "weights": weights}))
        alone = harness.numpy(posterior.log_prob(z) - prior.log_prob(z))  # of all moments, those behind the end too
        for terms in found[1:]:
            for name in ("distortion", "rate", "elbo", "loss", "weights"):
                np.testing.assert_allclose(terms[name], found[0][name], rtol=1e-4, atol=1e-4, err_msg=name)
            assert terms["shares"].shape == (16, 9) and (terms["shares"][:, 6:] == 0).all()
            np.testing.assert_allclose(terms["shares"][:, :6], found[0]["shares"], rtol=1e-4, atol=1e-4)
        assert (np.abs(alone - found[2]["rate"]) > 1e-3).all()

    def test_it_trains_on_sequences_of_two_lengths(self):
        model = SequenceAutoencoder(Recurrent(8), layers.Dense(2))
        model.compile(keras.optimizers.Adam(0.02))
        lengths = np.tile([6, 10], 8)
        x = waves(10)
        x[lengths == 6, 6:] = 50.0  # what stands behind the end
        batches = keras_vae.datasets.ArrayBatches(x, 8, lengths=lengths, multiple_of=2)
        losses = model.fit(batches, epochs=30, shuffle=False, verbose=0).history["loss"]
        assert losses[-1] < 0.1 * losses[0]
        short, long = padded(waves(6), 6), padded(waves(10), 10)
        assert model.data_shape == (None, 2) and model.latent_shape == (None, 8)
        np.testing.assert_allclose(model.reconstruct(short), short["x"], atol=0.5)
        assert model.reconstruct(long).shape == (16, 10, 2) and model.encode(short).shape == (16, 6, 8)

    def test_saved_with_a_time_axis_of_any_size(self, tmp_path):
        model = SequenceVAE(
            keras.Sequential([layers.Dense(4)]),
            layers.Dense(2),
            latent_dim=2,
            likelihood=keras_vae.GaussianLikelihood(0.3),
        )
        model.build((None, None, 2))
        model.save(tmp_path / "m.keras")
        loaded = keras.saving.load_model(tmp_path / "m.keras")
        for time in (5, 8):
            batch = padded(waves(5), time)
            np.testing.assert_allclose(loaded.encode(batch), model.encode(batch), atol=1e-6)
        drawn = model.encode(padded(waves(5), 8), output="sample", seed=1)
        harness.check_refuses(lambda: model.sample(2), "`sample` needs latents of a known size")
        assert drawn.shape == (16, 8, 2) and np.abs(drawn - model.encode(padded(waves(5), 8))).std() > 0.3

    def test_refusals(self):
        model, batch = sequence_vae(), padded(waves(6), 8)
        harness.check_refuses(lambda: model.encode(batch["x"]), "`x` must be a dict with 'x' and 'mask'")
        for mask, message in (
            (batch["mask"] * 0.5, r"`x\['mask'\]` must hold whole numbers"),
            (batch["mask"][:, :3], r"`x\['mask'\]` must have shape \(batch, 8\)"),
            (0 * batch["mask"], r"`x\['mask'\]` must leave something of every example"),
            (batch["mask"][:3], r"`x\['mask'\]` must have one entry for each of the 16 examples"),
        ):
            harness.check_refuses(lambda mask=mask: model.encode({"x": batch["x"], "mask": mask}), message)


class TestLevels:
    @pytest.fixture(scope="class")
    def model(self):
        model = code_vqvae(TwoLevels({"top": 4, "bottom": 16}, 2))
        model.compile("adam")
        model.fit(X, batch_size=16, epochs=2, verbose=0)
        return model

    def test_codes_bits_and_metrics_by_level(self, model):
        assert model.latent_shape == {"top": (4,), "bottom": (4,)}
        assert model.bits_per_image == 4 * 2 + 4 * 4
        assert model.compression_ratio == 8 * 64 / 24
        assert model.bottleneck.bits_per_code == {"top": 2.0, "bottom": 4.0}
        logs = model.evaluate(X, verbose=0, return_dict=True)
        assert logs["rate"] == pytest.approx(24 * np.log(2), rel=1e-5)
        codes = model.encode(X)
        for level, size in (("top", 4), ("bottom", 16)):
            usage = len(np.unique(codes[level])) / size
            assert logs[f"codebook_usage_{level}"] == pytest.approx(usage)

    def test_reconstructions_are_decoded_codes(self, model):
        codes = model.encode(X)
        assert codes["top"].shape == codes["bottom"].shape == (32, 4) and codes["top"].max() < 4
        np.testing.assert_allclose(model.decode(codes), model.reconstruct(X), atol=1e-6)
        changed = {**codes, "top": (codes["top"] + 1) % 4}
        assert np.abs(model.decode(changed) - model.decode(codes)).max() > 1e-3

    def test_each_level_learns(self, model):
        moved = [harness.numpy(level.counts.value) for level in model.bottleneck.levels.values()]
        assert all((counts != 1).any() for counts in moved)

    def test_samples_by_level(self, model):
        with pytest.warns(UserWarning, match="no learned prior"):
            samples = model.sample(3, seed=1)
        rng = np.random.default_rng(1)
        drawn = {level: rng.random((3, 4), dtype="float32") for level in sorted(model.latent_shape)}
        codes = {level: (drawn[level] * size).astype("int32") for level, size in model.bottleneck.codebook_size.items()}
        np.testing.assert_allclose(samples, model.decode(codes), atol=1e-6)

    def test_refusals(self, model):
        codes = model.encode(X)
        harness.check_refuses(lambda: model.decode(codes["top"]), "`z` must be a dict of codes by level")
        harness.check_refuses(
            lambda: model.decode({**codes, "top": codes["top"] + 9}), r"`z\['top'\]` must be codes in \[0, 4\)"
        )


class TestDecodersThatDraw:
    @pytest.fixture(scope="class")
    def model(self):
        model = keras_vae.VAE(keras_vae.MLPEncoder((6,)), AutoregressiveDecoder(5), latent_dim=2)
        model.build((None, 5))
        return harness.set_weights(model, seed=4)

    def test_it_sees_the_target_in_training_and_nothing_ahead(self, model):
        x = RNG.integers(0, 2, (4, 5)).astype("float32")
        z = RNG.normal(size=(4, 2)).astype("float32")
        params = harness.numpy(model.decode_params(z, target=x))
        changed = x.copy()
        changed[:, 3] = 1 - changed[:, 3]
        moved = np.abs(harness.numpy(model.decode_params(z, target=changed)) - params).max(axis=0)
        assert (moved[:4] == 0).all() and moved[4] > 0.1

    def test_draws_follow_the_density(self, model):
        z = np.repeat(RNG.normal(size=(1, 2)).astype("float32"), 4000, axis=0)
        drawn = model.decode(z, seed=1)
        np.testing.assert_array_equal(drawn, model.decode(z, seed=1))
        every = np.array(np.meshgrid(*[[0, 1]] * 5)).reshape(5, -1).T.astype("float32")
        log_prob = harness.numpy(model.likelihood.log_prob(model.decode_params(z[: len(every)], target=every), every))
        assert np.exp(log_prob).sum() == pytest.approx(1.0, rel=1e-5)
        ones = (np.exp(log_prob)[:, None] * every).sum(axis=0)
        np.testing.assert_allclose(drawn.mean(axis=0), ones, atol=4 * np.sqrt(0.25 / 4000))

    def test_it_samples_and_has_a_likelihood(self, model):
        x = RNG.integers(0, 2, (8, 5)).astype("float32")
        assert set(np.unique(model.sample(6, seed=0))) <= {0.0, 1.0}
        np.testing.assert_array_equal(model.reconstruct(x, seed=2), model.decode(model.encode(x), seed=2))
        more, fewer = (model.log_likelihood(x, num_samples=n).mean() for n in (500, 1))
        assert more >= fewer - 0.5 and more < 0


def test_pairwise_log_prob_is_every_value_under_every_member():
    mean, log_var = RNG.normal(size=(3, 2, 2)).astype("float32"), RNG.normal(size=(3, 2, 2)).astype("float32")
    value = RNG.normal(size=(5, 2, 2)).astype("float32")
    got = harness.numpy(Normal(mean, log_var).pairwise_log_prob(value))
    for i in range(5):
        for j in range(3):
            alone = Normal(mean[j : j + 1], log_var[j : j + 1]).log_prob(value[i : i + 1])
            assert got[i, j] == pytest.approx(float(harness.numpy(alone)[0]), rel=1e-5)


def test_the_shares_of_dimensions_add_up_to_the_rate():
    prior = keras_vae.StandardNormal()
    posterior = Normal(*RNG.normal(size=(2, 4, 3)).astype("float32"))
    each = harness.numpy(prior.elementwise_rate(posterior, posterior.mean))
    assert each.shape == (4, 3) and (each >= 0).all()
    np.testing.assert_allclose(each.sum(axis=1), harness.numpy(prior.rate(posterior, posterior.mean)), rtol=1e-5)
    codes = keras_vae.UniformCodes(4)
    with pytest.raises(TypeError, match="`elementwise_rate` is not defined for UniformCodes"):
        codes.elementwise_rate(posterior, posterior.mean)


def test_a_hook_of_the_old_signature_works_for_one_release_more():
    class Old(keras_vae.PlainAutoencoder):
        steps = 0

        def update_state(self, outputs):
            self.steps += 1

    model = Old(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((8, 8, 1), ()))
    model.compile("adam")
    with pytest.warns(DeprecationWarning, match=r"`update_state` takes \(outputs, terms\) now"):
        model.fit(X, verbose=0)
    assert model.steps
    assert model.image_shape == model.data_shape == (8, 8, 1)


def test_mean_and_mode_are_two_answers():
    class Skewed(keras_vae.GaussianBottleneck):
        """A posterior whose mode is not its mean."""

        def posterior(self, outputs):
            normal = super().posterior(outputs)

            class LogNormal(type(normal)):
                mean = property(lambda self: ops.exp(normal.mean + 0.5 * ops.exp(normal.log_var)))
                mode = property(lambda self: ops.exp(normal.mean - ops.exp(normal.log_var)))

            return LogNormal(normal.mean, normal.log_var)

    model = keras_vae.VAE(keras_vae.MLPEncoder((6,)), keras_vae.MLPDecoder((8, 8, 1), ()), bottleneck=Skewed(2))
    model.build((None, 8, 8, 1))
    parameters = model.encode(X, output="distribution")
    mean, mode = (model.encode(X, output=name) for name in ("mean", "mode"))
    np.testing.assert_allclose(mean, harness.numpy(parameters.mean), rtol=1e-5)
    np.testing.assert_allclose(mode, harness.numpy(parameters.mode), rtol=1e-5)
    assert (mean > mode).all()
