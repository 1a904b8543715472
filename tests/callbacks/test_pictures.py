"""Pictures, scalars and latent metrics while a real model trains; TensorBoard's files are read back."""

import copy
import warnings

import keras
import numpy as np
import pytest
from fakes import FakeCodes, FakeModel

import keras_vae
from harness import images
from keras_vae import callbacks, generation, metrics, reports

pytest.importorskip("PIL")
X = images(24)


@pytest.fixture(scope="module")
def vae():
    """Compiled once: tests train the same model on."""
    model = keras_vae.VAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((8, 8, 1), (8,)), latent_dim=3)
    model.compile("adam")
    model.build((None, 8, 8, 1))
    return model


@pytest.fixture(scope="module")
def vqvae():
    """Four codes of four numbers, by dense nets: quick to compile."""
    layers = keras.layers
    model = keras_vae.VQVAE(
        keras.Sequential([layers.Flatten(), layers.Dense(16), layers.Reshape((4, 4))]),
        keras.Sequential([layers.Flatten(), layers.Dense(64), layers.Reshape((8, 8, 1))]),
        keras_vae.VectorQuantizerEMA(codebook_size=16, embedding_dim=4),
    )
    model.compile("adam")
    model.build((None, 8, 8, 1))
    return model


def fit(model, *given, epochs=1, **kwargs):
    return model.fit(X, epochs=epochs, batch_size=12, verbose=0, callbacks=list(given), **kwargs)


def weights_of(model):
    return [v for v in model.variables if v.name != "seed_generator_state"]


def png(path):
    from PIL import Image

    return np.asarray(Image.open(path))


def events(folder):
    pytest.importorskip("tensorboardX")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = accumulator.EventAccumulator(str(folder), size_guidance={accumulator.IMAGES: 0})
    reader.Reload()
    return reader


def test_image_grid_of_a_vae(tmp_path, vae):
    model = vae
    fit(model, callbacks.ImageGrid(X, tmp_path, every=2, num_samples=4), epochs=3)
    names = sorted(p.name for p in tmp_path.iterdir())
    kinds = ("reconstructions", "samples", "traversal")
    assert names == sorted(f"{kind}-{epoch:04d}.png" for kind in kinds for epoch in (2, 3))  # the last one always
    # The last pictures show the model as it now is.
    expected = reports.comparison_grid(X[:16], model.reconstruct(X[:16]))
    assert np.abs(png(tmp_path / "reconstructions-0003.png").astype(int) - expected).max() <= 1
    expected = reports.image_grid(model.sample(4, seed=0), clip=True)
    assert np.abs(png(tmp_path / "samples-0003.png").astype(int) - expected).max() <= 1
    assert not np.array_equal(png(tmp_path / "samples-0002.png"), png(tmp_path / "samples-0003.png"))


def test_image_grid_draws_what_the_model_has(tmp_path, vqvae):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # no samples of uniform codes
        fit(vqvae, callbacks.ImageGrid(X, tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["reconstructions-0001.png"]
    expected = reports.comparison_grid(X[:16], vqvae.reconstruct(X[:16]))
    assert np.abs(png(tmp_path / "reconstructions-0001.png").astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "model, options, expected",
    [
        (FakeModel(), {}, ["reconstructions", "traversal"]),  # no prior, no samples
        (FakeModel(), {"traversal": False}, ["reconstructions"]),
        (FakeCodes(), {}, ["reconstructions"]),
    ],
)
def test_image_grid_leaves_out_what_there_is_not(tmp_path, model, options, expected):
    callback = callbacks.ImageGrid(np.random.default_rng(0).random((4, 1, 3, 1)), tmp_path, **options)
    callback.set_model(model)
    assert list(callback.draw(7)) == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{name}-0007.png" for name in expected]


def test_pictures_change_no_weight(tmp_path, vae):
    """What the callbacks do at the end of an epoch leaves every weight of the model and of the optimizer alone."""
    fit(vae)
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in (*weights_of(vae), *vae.optimizer.variables)]
    for callback in (callbacks.ImageGrid(X, tmp_path), callbacks.LatentMetrics(X)):
        callback.set_model(vae)
        callback.set_params({"epochs": 1})
        callback.on_epoch_end(0, {})
    for variable, value in zip((*weights_of(vae), *vae.optimizer.variables), before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)


def test_tensorboard_holds_scalars_and_pictures(tmp_path, vae):
    pytest.importorskip("tensorboardX")
    history = fit(
        vae,
        callbacks.LatentMetrics(X),
        callbacks.ImageGrid(X, tmp_path / "png", tensorboard=tmp_path / "tb" / "pictures"),
        callbacks.TensorBoardScalars(tmp_path / "tb"),
        epochs=2,
        validation_data=(X,),
    ).history
    train, validation = events(tmp_path / "tb" / "train"), events(tmp_path / "tb" / "validation")
    for name, values in history.items():
        reader = validation if name.startswith("val_") else train
        found = reader.Scalars(name.removeprefix("val_"))
        assert [event.step for event in found] == [1, 2]
        np.testing.assert_allclose([event.value for event in found], values, rtol=1e-6)
    pictures = events(tmp_path / "tb" / "pictures")
    assert sorted(pictures.Tags()["images"]) == ["reconstructions", "samples", "traversal"]
    found = pictures.Images("samples")
    height, width, _ = png(tmp_path / "png" / "samples-0002.png").shape
    assert [event.step for event in found] == [1, 2] and (found[1].height, found[1].width) == (height, width)


def test_latent_metrics_of_a_vae(vae):
    model = vae
    history = fit(model, callbacks.LatentMetrics(X), epochs=2).history
    assert history["val_psnr"][-1] == pytest.approx(metrics.psnr(X, model.reconstruct(X)).mean(), rel=1e-5)
    assert history["val_active_units"][-1] == metrics.active_units(model.encode(X, output="mean"))
    assert len(history["val_psnr"]) == 2 and "val_perplexity" not in history


def test_latent_metrics_of_codes(vqvae):
    model = vqvae
    history = fit(model, callbacks.LatentMetrics(X, prefix="held_out_")).history
    share = np.bincount(model.encode(X).ravel(), minlength=16) / model.encode(X).size
    share = share[share > 0]
    assert history["held_out_perplexity"][0] == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-5)
    assert history["held_out_codebook_usage"][0] == len(share) / 16
    assert "held_out_active_units" not in history and "perplexity" in history  # the training's own


def test_checkpoints_can_follow_a_latent_metric(tmp_path, vae):
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5", monitor="val_psnr", mode="max", save_best_only=True, save_weights_only=True
    )
    history = fit(vae, callbacks.LatentMetrics(X), best, epochs=3).history
    vae.load_weights(tmp_path / "best.weights.h5")
    assert metrics.psnr(X, vae.reconstruct(X)).mean() == pytest.approx(max(history["val_psnr"]), rel=1e-5)


def test_callbacks_can_be_copied(tmp_path):
    """A tuner deep-copies them for every trial."""
    for callback in (callbacks.ImageGrid(X, tmp_path), callbacks.LatentMetrics(X), callbacks.TensorBoardScalars("tb")):
        copied = copy.deepcopy(callback)
        assert type(copied) is type(callback) and vars(copied).keys() == vars(callback).keys()
        for name, value in vars(callback).items():
            np.testing.assert_array_equal(getattr(copied, name), value)


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match="`x` must have shape"):
        callbacks.ImageGrid(X[:0], tmp_path)
    with pytest.raises(ValueError, match="`every` must be an integer >= 1"):
        callbacks.ImageGrid(X, tmp_path, every=0)
    with pytest.raises(ValueError, match="`num_samples` must be an integer >= 0"):
        callbacks.ImageGrid(X, tmp_path, num_samples=-1)
    with pytest.raises(ValueError, match="`x` must hold at least two images"):
        callbacks.LatentMetrics(X[:1])


def test_a_conditional_model_is_drawn_and_measured(tmp_path):
    encoder = keras_vae.Conditioned(keras_vae.MLPEncoder((8,)), flatten=True)
    decoder = keras_vae.Conditioned(keras_vae.MLPDecoder((8, 8, 1), (8,)))
    model = keras_vae.ConditionalVAE(encoder, decoder, keras_vae.ClassCondition(3), latent_dim=2)
    labels = np.arange(24) % 3
    grid = callbacks.ImageGrid(X, tmp_path, num_samples=5, condition=labels)
    model.compile("adam")
    measured = callbacks.LatentMetrics(X, condition=labels)
    history = model.fit({"x": X, "condition": labels}, verbose=0, callbacks=[measured, grid]).history
    assert sorted(p.name for p in tmp_path.iterdir()) == ["reconstructions-0001.png", "samples-0001.png"]
    expected = reports.image_grid(model.sample(5, seed=0, condition=[0, 1, 2, 0, 1]), clip=True)
    assert np.abs(png(tmp_path / "samples-0001.png").astype(int) - expected).max() <= 1
    x0 = model.reconstruct(X, condition=labels)
    assert history["val_psnr"][0] == pytest.approx(float(metrics.psnr(X, x0).mean()), rel=1e-4)
    rows = generation.latent_traversal(model, X[0], steps=3, condition=2)
    z = model.encode(X[:1], output="mean", condition=2)[0]
    np.testing.assert_allclose(rows[1, 2], model.decode([[z[0], 3.0]], condition=2)[0], atol=1e-5)
    with pytest.raises(ValueError, match="`condition` must have one entry for each of 24 images. Received: 3"):
        callbacks.ImageGrid(X, tmp_path, condition=labels[:3])
