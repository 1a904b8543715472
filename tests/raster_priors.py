"""Small priors in raster order, with weights that NumPy drew, and what draws them again by the full pass."""

import keras
import numpy as np
from keras import ops

import harness
import keras_vae
from keras_vae.ops import draw_noise
from keras_vae.training import Sampler

CODES = lambda: keras_vae.CategoricalLikelihood(5)  # noqa: E731
PIXELS = lambda: keras_vae.BernoulliLikelihood()  # noqa: E731
LEVELS = lambda: keras_vae.DiscretizedLogisticMixtureLikelihood(3, levels=8)  # noqa: E731


def cnn(**options):
    return keras_vae.PixelCNN(**{"filters": 6, "depth": 2, "stem_size": 5, **options})


def plain(**options):
    return keras_vae.PlainPixelCNN(**{"filters": 18, "depth": 2, "stem_size": 5, **options})


def snail(**options):
    return keras_vae.PixelSNAIL(**{"filters": 6, "blocks": 2, "depth": 1, "stem_size": 3, "key_dim": 3, **options})


# name -> (the prior, the shape of its data); sizes odd and even, one row, wide and high
PRIORS = {
    "codes": (lambda: keras_vae.PixelCNNPrior(CODES(), cnn()), (4, 6)),
    "codes of a class": (
        lambda: keras_vae.PixelCNNPrior(CODES(), cnn(), condition=keras_vae.ClassCondition(3, 4)),
        (5, 3),
    ),
    "wide kernels": (lambda: keras_vae.PixelCNNPrior(CODES(), cnn(kernel_size=5, stem_size=3)), (3, 5)),
    "one row": (lambda: keras_vae.PixelCNNPrior(CODES(), cnn()), (1, 7)),
    "pixels": (lambda: keras_vae.PixelCNNPrior(PIXELS(), cnn()), (5, 4, 1)),
    "channels in order": (lambda: keras_vae.PixelCNNPrior(PIXELS(), cnn(channel_groups=3)), (3, 4, 3)),
    "levels of colours": (lambda: keras_vae.PixelCNNPrior(LEVELS(), cnn()), (3, 3, 3)),
    "plain": (lambda: keras_vae.PixelCNNPrior(CODES(), plain()), (4, 6)),
    "plain of a class": (
        lambda: keras_vae.PixelCNNPrior(LEVELS(), plain(kernel_size=5), condition=keras_vae.ClassCondition(3, 4)),
        (3, 5, 3),
    ),
    "plain, channels in order": (lambda: keras_vae.PixelCNNPrior(PIXELS(), plain(channel_groups=3)), (3, 4, 3)),
    "attention": (lambda: keras_vae.PixelSNAILPrior(CODES(), snail(heads=2)), (4, 5)),
    "attention of a class": (
        lambda: keras_vae.PixelSNAILPrior(PIXELS(), snail(), condition=keras_vae.ClassCondition(3)),
        (4, 3, 1),
    ),
}
N = 4  # draws in every test: each other number is compiled anew
_MADE, _FULL = {}, {}


def prior(name):
    """The prior of that name, made once for all tests: what it draws is compiled but once."""
    if name not in _MADE:
        make, shape = PRIORS[name]
        made = make()
        made.build({"x": (None, *shape)} if made.extra_inputs else (None, *shape))
        harness.set_weights(made, seed=2)
        for variable in made.trainable_variables:
            variable.assign(1.5 * harness.numpy(variable.value))  # so that every position matters for those behind it
        made.step.assign(1)
        _MADE[name] = made
    return _MADE[name]


def given(model, count=N):
    return {} if model.condition is None else {"condition": (np.arange(count) % 3).astype("int32")}


def params(model, x, condition=None):
    """The parameters at every position, by the full pass: a numpy array."""

    def full(inputs):
        features = model.embed(inputs["condition"]) if "condition" in inputs else None
        return model.params(model.pixels(inputs["x"]), features)

    if id(model) not in _FULL:
        _FULL[id(model)] = Sampler(model, full)
    return _FULL[id(model)].run({"x": x} if condition is None else {"x": x, "condition": condition})


def redrawn(model, x, seed, condition=None):
    """What the full pass draws at each position, the others as in x, from the noise of `sample(len(x), seed)`."""
    noise = draw_noise(model.noise_spec(model.data_shape), np.random.default_rng(seed), (len(x),))
    p = model.likelihood.distribution(params(model, x, condition))
    drawn = p.sample_from(keras.tree.map_structure(ops.convert_to_tensor, noise))
    return harness.numpy(drawn).reshape(x.shape)
