"""VQ-VAE-2: one level is a VQ-VAE, codes by level, and with its prior samples from the top to the pixels."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.callbacks import CoefficientSchedule
from keras_vae.ops.schedules import linear_schedule
from keras_vae.testing import check_serving

X = (harness.images(48) > 0.5).astype("float32")
SMALL = {"hidden": 8, "residual_hidden": 4, "depth": 1}
SIZES = {"top": 5, "bottom": 7}
FACTS = {"recipe": "tests", "dataset": "discs", "licence": "CC0-1.0", "seed": 0, "metrics": {}}


def quantizer(sizes, **options):
    levels = {name: keras_vae.VectorQuantizerEMA(k, 4, seed=i) for i, (name, k) in enumerate(sizes.items())}
    return keras_vae.HierarchicalQuantizer(levels, **SMALL, **options)


def vqvae2(decoder=None, dropout=0.0, **options):
    encoder = keras_vae.HierarchicalEncoder({"top": 2, "bottom": 1}, 4, **SMALL)
    decoder = keras_vae.VQDecoder((8, 8, 1), levels=1, **SMALL) if decoder is None else decoder
    return keras_vae.VQVAE2(encoder, decoder, quantizer(SIZES, dropout=dropout, seed=5), **options)


def over_codes(size, top):
    net = keras_vae.PixelSNAIL(8, 1, 1, stem_size=3, key_dim=4) if top else keras_vae.PixelCNN(8, depth=1, stem_size=3)
    of = keras_vae.PixelSNAILPrior if top else keras_vae.PixelCNNPrior
    return of(keras_vae.CategoricalLikelihood(size), net)


def prior(sizes=SIZES, **options):
    priors = {name: over_codes(size, top=name == "top") for name, size in sizes.items()}
    return keras_vae.HierarchicalPrior(priors, embedding_dim=8, residual_hidden=4, depth=1, **options)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = vqvae2()
    model.compile(keras.optimizers.Adam(5e-3))
    model.fit(X, epochs=8, batch_size=16, verbose=0)
    return model


@pytest.fixture(scope="module")
def fitted(model):
    keras.utils.set_random_seed(1)
    before = harness.weights(model)
    fitted = model.with_prior(prior())
    history = fitted.fit_prior(X, epochs=12, batch_size=16, optimizer=keras.optimizers.Adam(0.01), verbose=0).history
    harness.assert_same_weights(before, harness.weights(model))
    assert history["rate"][-1] < 0.8 * history["rate"][0]
    return fitted


def test_with_one_level_it_is_a_vqvae():
    """The same weights, the same training: codes, terms and codebooks stay equal."""
    plain = keras_vae.VQVAE(
        keras_vae.VQEncoder(4, levels=1, **SMALL),
        keras_vae.VQDecoder((8, 8, 1), levels=1, **SMALL),
        keras_vae.VectorQuantizerEMA(6, 4, seed=3),
    )
    encoder = keras_vae.HierarchicalEncoder({"codes": 1}, 4, **SMALL)
    one = keras_vae.HierarchicalQuantizer({"codes": keras_vae.VectorQuantizerEMA(6, 4, seed=3)})
    levels = keras_vae.VQVAE2(encoder, keras_vae.VQDecoder((8, 8, 1), levels=1, **SMALL), one)
    for each in (plain, levels):
        each.build((None, 8, 8, 1))
    harness.set_weights(plain, seed=1)
    levels.commitment_weight.assign(harness.numpy(plain.commitment_weight.value))
    for part in ("encoder", "decoder"):
        getattr(levels, part).set_weights(getattr(plain, part).get_weights())
    for name in ("codebook", "counts", "sums"):
        codes = harness.numpy(getattr(plain.bottleneck, name).value)
        getattr(levels.bottleneck.levels["codes"], name).assign(codes)
    logs = []
    for each in (plain, levels):
        each.bottleneck.restart_threshold = 0.0
        each.compile(keras.optimizers.SGD(1e-4))
        logs.append(each.fit(X, epochs=3, batch_size=16, shuffle=False, verbose=0).history)
    for name, values in logs[0].items():
        found = logs[1].get(name, logs[1].get(f"{name}_codes"))
        np.testing.assert_allclose(found, values, rtol=1e-4)
    np.testing.assert_array_equal(levels.encode(X)["codes"], plain.encode(X))
    np.testing.assert_allclose(levels.reconstruct(X), plain.reconstruct(X), atol=1e-4)
    assert levels.bits_per_image == plain.bits_per_image


def test_codes_by_level(model):
    codes = model.encode(X)
    assert [(name, part.shape) for name, part in codes.items()] == [("top", (48, 2, 2)), ("bottom", (48, 4, 4))]
    np.testing.assert_allclose(model.decode(codes), model.reconstruct(X), atol=1e-6)
    assert model.bits_per_image == pytest.approx(4 * np.log2(5) + 16 * np.log2(7))
    assert model.preset_facts()["codebook"] == {"top": [5, 4], "bottom": [7, 4]}
    moved = {
        name: model.decode({**codes, name: (part + 1) % SIZES[name]}) - model.decode(codes)
        for name, part in codes.items()
    }
    assert all(np.abs(part).max() > 1e-3 for part in moved.values())  # the decoder sees both
    logs = model.evaluate(X, verbose=0, return_dict=True)
    assert {f"{m}_{level}" for m in ("perplexity", "codebook_usage") for level in SIZES} <= set(logs)
    assert logs["rate"] == pytest.approx(model.bits_per_image * np.log(2), rel=1e-5)
    assert logs["elbo"] == pytest.approx(-logs["distortion"] - logs["rate"], rel=1e-5)


def test_a_top_level_that_was_alone_at_times_says_more_by_itself():
    errors, schedule = {}, CoefficientSchedule("bottleneck.dropout", linear_schedule(1.0, 0.0, steps=60))
    for dropout, callbacks in ((0.0, []), (1.0, [schedule])):
        keras.utils.set_random_seed(0)
        model = vqvae2(dropout=dropout)
        model.compile(keras.optimizers.Adam(0.01))
        history = model.fit(X, epochs=20, batch_size=16, verbose=0, callbacks=callbacks).history
        top = model.bottleneck.lookup(model.encode(X), levels=1)
        decoded = harness.numpy(model.likelihood.mean(model.decode_params(top)))
        errors[dropout] = [np.square(x - X).mean() for x in (decoded, model.reconstruct(X))]
    np.testing.assert_allclose(history["dropout"], np.linspace(57, 0, 20) / 60 + 1 / 60, atol=1e-6)
    assert errors[1.0][0] < 0.8 * errors[0.0][0] and errors[1.0][1] < 1.5 * errors[0.0][1], errors


def test_the_rate_is_that_of_the_levels_one_given_the_other(model, fitted):
    codes = model.encode(X)
    fitted.compile()
    rate = fitted.evaluate(X, verbose=0, return_dict=True)["rate"]
    fitted.prior.compile()
    logs = fitted.prior.evaluate(codes, verbose=0, return_dict=True)
    assert logs["rate_top"] + logs["rate_bottom"] == pytest.approx(logs["rate"], rel=1e-5) == pytest.approx(rate)
    assert logs["bits_per_dim"] == pytest.approx(rate / np.log(2) / 20, rel=1e-5)
    np.testing.assert_allclose(fitted.code_length(X).mean(), rate / np.log(2), rtol=1e-4)
    moved = {**codes, "top": (codes["top"] + 1) % SIZES["top"]}
    other = fitted.prior.evaluate(moved, verbose=0, return_dict=True)
    assert other["rate_bottom"] != pytest.approx(logs["rate_bottom"], rel=1e-5)  # which depends on those above


def test_samples_go_from_the_top_to_pixels_in_one_call(fitted):
    codes = fitted.prior.sample(5, seed=3)
    np.testing.assert_allclose(fitted.sample(5, seed=3), fitted.decode(codes), atol=1e-5)


def test_frozen_tops_and_redrawn_bottoms(model, fitted):
    """One image's top codes, with bottoms drawn anew: what is decoded keeps what the top holds."""
    top = model.encode(X[:1])["top"][0]
    drawn = fitted.prior.sample(6, seed=2, given={"top": top})
    assert (drawn["top"] == top).all() and len(np.unique(drawn["bottom"].reshape(6, -1), axis=0)) > 1
    images = fitted.sample(6, seed=2, given={"top": top})
    np.testing.assert_allclose(images, model.decode(drawn), atol=1e-5)
    tops = model.encode(X[:6])["top"]
    images = fitted.sample(6, seed=2, given={"top": tops})
    redrawn = fitted.prior.sample(6, seed=2, given={"top": tops})
    np.testing.assert_array_equal(redrawn["top"], tops)
    np.testing.assert_allclose(images, model.decode(redrawn), atol=1e-5)


def test_saved_as_a_preset_and_with_its_prior_alone(fitted, tmp_path):
    expected = fitted.sample(4, seed=3)
    fitted.save(tmp_path / "model.keras")
    keras_vae.save_pretrained(fitted, tmp_path / "preset", **FACTS)
    for loaded in (keras.saving.load_model(tmp_path / "model.keras"), keras_vae.load_pretrained(tmp_path / "preset")):
        np.testing.assert_allclose(loaded.sample(4, seed=3), expected, atol=1e-5)
        assert len(loaded.trainable_variables) == len(fitted.trainable_variables)  # the prior's stay
        assert list(loaded.bottleneck.levels) == list(loaded.prior.priors) == ["top", "bottom"]
    folder = keras_vae.save_pretrained(fitted.prior, tmp_path / "prior", **FACTS)
    assert keras_vae.presets.pretrained_metadata(folder)["data_shape"] == {"top": [2, 2], "bottom": [4, 4]}
    again = keras_vae.load_pretrained(tmp_path / "preset").with_prior(keras_vae.load_pretrained(folder))
    np.testing.assert_allclose(again.sample(4, seed=3), expected, atol=1e-5)


def test_it_serves_codes_by_level(fitted):
    answers = check_serving(fitted)
    assert {"indices_top", "indices_bottom"} <= set(answers["encode"])
    if "sample" in answers:
        assert {"images", "indices_top", "indices_bottom"} == set(answers["sample"])
    check_serving(fitted.prior)


def test_the_training_of_the_prior_goes_on_where_it_was_stopped(model, tmp_path):
    def fresh():
        keras.utils.set_random_seed(3)
        return model.with_prior(prior())

    options = {"batch_size": 16, "verbose": 0, "seed": 5}
    whole, parts = fresh(), fresh()
    whole.fit_prior(X, epochs=2, **options)
    parts.fit_prior(X, epochs=1, folder=tmp_path, **options)
    parts = fresh()
    assert parts.fit_prior(X, epochs=2, folder=tmp_path, **options).epoch == [1]
    for one, other in zip(whole.prior.trainable_variables, parts.prior.trainable_variables, strict=True):
        np.testing.assert_allclose(harness.numpy(one.value), harness.numpy(other.value), atol=1e-5)


def test_a_class_is_told_to_the_decoder_and_to_every_level_of_the_prior():
    keras.utils.set_random_seed(4)
    labels = np.arange(48, dtype="int32") % 2
    decoder = keras_vae.Conditioned(keras_vae.VQDecoder((8, 8, 1), levels=1, **SMALL))
    model = vqvae2(decoder, condition=keras_vae.ClassCondition(2))
    x = np.where(labels[:, None, None, None], X, 0.2 * X).astype("float32")
    model.compile(keras.optimizers.Adam(5e-3))
    model.fit({"x": x, "condition": labels}, epochs=1, batch_size=16, verbose=0)
    codes = model.encode(x, condition=labels)
    assert np.abs(model.decode(codes, condition=1) - model.decode(codes, condition=0)).max() > 1e-3
    conditional = model.with_prior(prior())
    conditional.fit_prior(x, condition=labels, epochs=1, batch_size=16, verbose=0)
    harness.set_weights(conditional.prior, seed=2)
    conditional.compile()
    rate = conditional.evaluate({"x": x, "condition": labels}, verbose=0, return_dict=True)["rate"]
    by_hand = conditional.prior.log_prob(codes, model.embed(labels))
    assert rate == pytest.approx(-harness.numpy(by_hand).mean(), rel=1e-4)
    drawn = conditional.prior.sample(6, seed=0, condition=1)
    images = conditional.sample(6, seed=0, condition=1)
    np.testing.assert_allclose(images, conditional.decode(drawn, condition=1), atol=1e-5)
    top = drawn["top"]
    bottoms = [conditional.prior.sample(6, seed=0, condition=c, given={"top": top})["bottom"] for c in (0, 1)]
    assert (bottoms[0] != bottoms[1]).any()


def test_refusals(model, fitted):
    encoder, decoder = keras_vae.VQEncoder(4, levels=1, **SMALL), keras_vae.VQDecoder((8, 8, 1), levels=1, **SMALL)
    harness.check_refuses(
        lambda: keras_vae.VQVAE2(encoder, decoder, keras_vae.VectorQuantizer(5, 4)),
        "`bottleneck` must be a keras_vae HierarchicalQuantizer",
        TypeError,
    )
    plain = keras_vae.VQVAE2(encoder, decoder, quantizer(SIZES))
    harness.check_refuses(lambda: plain.build((None, 8, 8, 1)), r"The features must be a dict by level")
    harness.check_refuses(
        lambda: model.with_prior(prior({"top": 5, "bottom": 8})), "`prior` must be over the codes of `bottleneck`"
    )
    codes = model.encode(X)
    harness.check_refuses(lambda: model.decode(codes["top"]), "`z` must be a dict of codes by level")
    harness.check_refuses(lambda: model.with_prior(prior()).sample(2), "HierarchicalPrior has not been trained")
    harness.check_refuses(
        lambda: model.sample(2, given={"top": codes["top"][0]}), "`given` of `sample` is for priors", TypeError
    )
