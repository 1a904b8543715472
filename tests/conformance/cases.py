"""One case for every class that is registered for serialization: an `@export` without one fails the suite by name."""

import dataclasses
from unittest import mock

import keras
import numpy as np

import harness
import keras_vae
from keras_vae.distributions import Bernoulli, Normal
from keras_vae.ops import draw_noise

RNG = np.random.default_rng(0)
IMAGES = harness.images(8)  # (8, 8, 8, 1), in (0, 1)
MAP = RNG.normal(size=(4, 4, 4, 6)).astype("float32")
VECTORS = RNG.normal(size=(4, 6)).astype("float32")
CONDITION = VECTORS[::-1].copy()
CODES = RNG.integers(0, 5, (4, 3, 3)).astype("int32")
IMAGE_PARAMS = RNG.normal(size=IMAGES.shape).astype("float32")
MIXTURE_PARAMS = RNG.normal(size=(4, 3, 3, 2 * 10)).astype("float32")
COLOURS = (RNG.integers(0, 17, (4, 3, 3, 3)) / 16).astype("float32")
CODES_OF_MAP = RNG.integers(0, 6, (4, 4, 4, 1)).astype("int32")
COSTS = {name: RNG.normal(50.0, 9.0, 4).astype("float32") for name in ("distortion", "rate")}


@dataclasses.dataclass
class Case:
    """What the conformance tests need to know of a class.

    Attributes:
        arguments: callable -> dict, every constructor argument at a value that is not its default; parts are made anew.
        x: the input: an array, or a tuple of arrays for metrics (targets, predictions), likelihoods (params, x), and
            layers of several inputs.
        keep_default: arguments that have no second value that this case could use.
        golden: callable, the object -> dict of arrays that are the same on every backend, or None for what it returns.
        y: the target of a model that has another than x.
        batch_terms: terms of a model that are statistics of the batch.
    """

    arguments: callable
    x: object
    keep_default: tuple = ()
    golden: callable = None
    y: object = None
    batch_terms: tuple = ()


def mlp_nets():
    encoder = keras_vae.MLPEncoder((7, 5), "tanh")
    return {"encoder": encoder, "decoder": keras_vae.MLPDecoder((8, 8, 1), (7,), "tanh")}


def gaussian_parts():
    return {
        "bottleneck": keras_vae.GaussianBottleneck(3, seed=5),
        "likelihood": keras_vae.SharedVarianceGaussianLikelihood(stddev=0.3),
        "prior": keras_vae.StandardNormal(),
    }


def vqvae_arguments():
    # The decoder of a per-pixel variance returns two numbers for each channel of x.
    return {
        "encoder": keras_vae.VQEncoder(4, hidden=6, residual_hidden=3, levels=1, depth=1),
        "decoder": keras_vae.VQDecoder((8, 8, 2), hidden=6, residual_hidden=3, levels=1, depth=1),
        "bottleneck": keras_vae.VectorQuantizerEMA(9, 4, decay=0.9, restart_threshold=0.0, seed=3),
        "commitment_weight": 0.5,
        "likelihood": keras_vae.PerPixelGaussianLikelihood(),
        "prior": keras_vae.UniformCodes(9),
    }


def vae_golden(model):
    """Everything that is a function of weights, data and given noise."""
    x, given, one = IMAGES[:4], {}, {}
    if model.condition is not None:
        given, one = {"condition": np.arange(4)}, {"condition": 2}
    k = model.num_samples
    noise = np.random.default_rng(1).normal(size=(4 * k, *model.latent_shape)).astype("float32")
    whole = {"x": x, **given} if given else x
    posterior = model.posterior(whole)
    z = posterior.repeat(k).sample_from(noise)
    params = model.decode_params(z, **model.repeated(model.net_inputs(given)))
    outputs = {"z": z, "params": params}
    if k > 1:
        draws = model.by_draw(outputs)
        outputs = {**keras.tree.map_structure(lambda part: part[:, 0], draws), "draws": draws}
    outputs.update(z_mean=posterior.mean, z_log_var=posterior.log_var)
    outputs["reconstruction"] = model.likelihood.mean(outputs["params"])
    terms = model.terms(x, x, {**outputs, **given}, False)
    x = whole
    outputs.update({f"draws_{name}": part for name, part in outputs.pop("draws", {}).items()})
    return {
        **outputs,
        **terms,
        "encode": model.encode(x, output="sample", seed=3),
        "sample": model.sample(3, seed=4, **one),
        "variations": model.variations(x, 2, seed=5),
        "log_likelihood": model.log_likelihood(x, num_samples=9, seed=6),
    }


def still_golden(model):
    """Outputs and terms of a model whose training draws noise."""
    x = IMAGES[:4]
    outputs = model(x)
    return {**outputs, **model.terms(x, x, outputs, False), "encode": model.encode(x)}


def with_given_draws(golden):
    """A golden function whose draws from normal distributions are NumPy's, and so the same everywhere."""

    def wrapped(thing):
        rng = np.random.default_rng(0)

        def normal(shape, **_):
            return keras.ops.convert_to_tensor(rng.normal(size=tuple(shape)).astype("float32"))

        with mock.patch.object(keras.random, "normal", normal):
            return golden(thing)

    return wrapped


def score_golden(likelihood):
    params, x = CASES[type(likelihood).__name__].x
    return {"log_prob": likelihood.log_prob(params, x), "mean": likelihood.mean(params)}


def deterministic_golden(model):
    """Outputs, terms, and what three steps of SGD make of them."""
    x = IMAGES[:4]
    before = still_golden(model)
    model.compile(keras.optimizers.SGD(1e-3))
    model.fit(x, batch_size=4, epochs=3, verbose=0)
    return {**before, "encode": model.encode(x), "after_training": model.reconstruct(x)}


def corruption_golden(layer):
    """What is destroyed and what is left, for one draw that is NumPy's and so the same everywhere."""
    rng = np.random.default_rng(0)
    draws = {
        "uniform": lambda shape, **_: keras.ops.convert_to_tensor(rng.random(tuple(shape), "float32")),
        "normal": lambda shape, stddev, **_: keras.ops.convert_to_tensor(
            (stddev * rng.normal(size=tuple(shape))).astype("float32")
        ),
    }
    with mock.patch.multiple(keras.random, **draws):
        corrupted, destroyed = layer.corrupt(keras.ops.convert_to_tensor(MAP))
    return {"corrupted": keras.ops.cast(corrupted, "float32"), "destroyed": keras.ops.cast(destroyed, "float32")}


def sigmoid_net(*units):
    return keras_vae.MLPEncoder(units, "sigmoid")


def stages():
    first = keras_vae.DenoisingAutoencoder(sigmoid_net(7), likelihood=keras_vae.BernoulliLikelihood())
    return [first, keras_vae.DenoisingAutoencoder(sigmoid_net(5), corruption=keras_vae.BernoulliMask(0.1, seed=2))]


def quantizer_golden(layer):
    outputs = layer(MAP, training=True)
    if isinstance(layer, keras_vae.VectorQuantizerEMA):
        layer.restart_threshold = 0.0  # restarts are drawn at random
        layer.update(outputs)
        outputs.update(codebook=layer.codebook.value, counts=layer.counts.value, sums=layer.sums.value)
    return outputs


def family_prior_golden(prior):
    """The density of given data, and draws from noise that is NumPy's."""
    prior.build((None, 6))
    noise = draw_noise(prior.noise_spec((6,)), np.random.default_rng(2), (4,))
    return {"log_prob": prior.log_prob(np.exp(VECTORS)), "sample": prior.sample_from(noise)}


def boltzmann_golden(prior):
    """The density, the rate of independent units, and draws of a machine too large to be summed exactly."""
    z = CASES["BoltzmannMachine"].x
    prior.build(z.shape)
    harness.set_weights(prior)
    noise = draw_noise(prior.noise_spec(z.shape[1:]), np.random.default_rng(2), (5,))
    rate = prior.rate(Bernoulli(4 * z - 1), z)
    return {"log_prob": prior.log_prob(z), "rate": rate, "sample": prior.sample_from(noise)}


def raster_golden(prior):
    """The density of given data, and draws, which are equal on every backend."""
    case = CASES[type(prior).__name__]
    prior.step.assign(1)  # as if trained
    return {**prior(case.x), "sample": prior.sample(3, seed=4, condition=2, temperature=0.8, top_p=0.9)}


def mixture_golden(prior, z=VECTORS):
    """The density, the shares of the components, and draws, of a prior that may have been built by a model."""
    if not prior.built:
        prior.build((None, *z.shape[1:]))
        harness.set_weights(prior)
    noise = draw_noise(prior.noise_spec(z.shape[1:]), np.random.default_rng(2), (5,))
    return {
        "log_prob": prior.log_prob(z),
        "responsibilities": prior.responsibilities(z),
        "sample": prior.sample_from(noise),
    }


def baseline_golden(baseline):
    """What it says of features after a step that it learnt from."""
    for _ in range(2):
        baseline.update(COSTS, baseline(VECTORS))
    return baseline(VECTORS)


def estimator_golden(estimator):
    """What a quantity becomes beside the score of a draw, and its gradient with respect to it."""
    beside = estimator.beside(keras.ops.convert_to_tensor(VECTORS))
    log_prob = keras.ops.convert_to_tensor(VECTORS[:, 0])
    value = keras.ops.convert_to_tensor(COSTS["distortion"])
    terms = [
        estimator.through(name, value, beside, lambda: log_prob) for name in ("distortion", "rate", "something else")
    ]
    slope = harness.gradient(lambda x: estimator.through("distortion", value, beside, lambda: x), log_prob)
    return {"values": keras.ops.stack(terms), "gradient": slope}


def small_flow():
    return keras_vae.AutoregressiveFlow(num_steps=2, units=(8,))


def flow_golden(bottleneck):
    """What a posterior by a flow says of given noise."""
    q = bottleneck.posterior(bottleneck.parameters(VECTORS))
    z = q.sample_from(VECTORS[:, :3])
    values = {"z": z, "log_prob": q.log_prob(z), "of_another": q.log_prob(CONDITION[:, 3:])}
    return {**values, "mean": q.mean, "mode": q.mode}


def fitted(prior):
    """A density fitted to more latents than there are of them in a case."""
    prior.fit(np.random.default_rng(3).normal(size=(40, VECTORS.shape[1])))
    return prior


def vamp_vae(prior):
    """A VAE of pictures with three latents, of which a prior takes the posterior."""
    model = keras_vae.VAE(**mlp_nets(), latent_dim=3, prior=prior)
    model.build(IMAGES.shape)
    return model


CASES = {
    # nets
    "MLPEncoder": Case(lambda: {"units": (5, 3), "activation": "tanh", "centered": True}, IMAGES),
    "MLPDecoder": Case(lambda: {"output_shape": (4, 4, 2), "units": (5,), "activation": "tanh"}, VECTORS),
    "ConvEncoder": Case(lambda: {"filters": (3, 4), "units": 5, "kernel_size": 3, "activation": "elu"}, IMAGES),
    "ConvDecoder": Case(
        lambda: {"output_shape": (8, 12, 2), "filters": (3, 4), "units": 5, "kernel_size": 3, "activation": "elu"},
        VECTORS,
    ),
    "VQEncoder": Case(lambda: {"embedding_dim": 3, "hidden": 6, "residual_hidden": 2, "levels": 1, "depth": 1}, IMAGES),
    "VQDecoder": Case(
        lambda: {"output_shape": (16, 16, 2), "hidden": 5, "residual_hidden": 2, "levels": 3, "depth": 1},
        MAP[:, :2, :2],
    ),
    "PixelCNN": Case(
        lambda: {
            "filters": 6,
            "depth": 1,
            "kernel_size": 5,
            "stem_size": 3,
            "dropout": 0.5,
            "channel_groups": 2,
        },
        MAP,
    ),
    "PlainPixelCNN": Case(
        lambda: {"filters": 6, "depth": 2, "kernel_size": 5, "stem_size": 3, "channel_groups": 2},
        MAP,
    ),
    "PixelSNAIL": Case(
        lambda: {
            "filters": 4,
            "blocks": 1,
            "depth": 1,
            "stem_size": 3,
            "key_dim": 3,
            "heads": 2,
            "dropout": 0.5,
        },
        MAP,
    ),
    # layers
    "Centering": Case(lambda: {}, MAP),
    "ResidualStack": Case(lambda: {"filters": 6, "hidden": 3, "depth": 1}, MAP),
    "UpsamplingConv2D": Case(lambda: {"filters": 2, "kernel_size": (5, 4), "strides": (3, 2)}, MAP),
    "MaskingNoise": Case(lambda: {"corruption_level": 0.4, "seed": 7}, MAP, golden=corruption_golden),
    "BernoulliMask": Case(lambda: {"corruption_level": 0.4, "seed": 7}, MAP, golden=corruption_golden),
    "AdditiveGaussianNoise": Case(lambda: {"stddev": 0.4, "seed": 7}, MAP, golden=corruption_golden),
    "SaltAndPepperNoise": Case(
        lambda: {"corruption_level": 0.4, "low": -1.0, "high": 2.0, "seed": 7}, MAP, golden=corruption_golden
    ),
    "ClassCondition": Case(lambda: {"num_classes": 4, "embedding_dim": 3}, np.array([0, 3, 1, 1])),
    "VectorCondition": Case(lambda: {"size": 6}, VECTORS),
    "MapCondition": Case(
        lambda: {
            "shape": (4, 4),
            "num_codes": 6,
            "embedding_dim": 3,
            "net": keras_vae.ResidualStack(3, 2, depth=1),
        },
        CODES_OF_MAP[..., 0],
    ),
    "Conditioned": Case(
        lambda: {"net": keras_vae.MLPEncoder((3,), "tanh"), "flatten": True},
        MAP,
        golden=lambda layer: {"output": layer(MAP, condition=VECTORS)},
    ),
    "MaskedConv2D": Case(
        lambda: {"filters": 4, "kernel_size": (3, 5), "mask_type": "A", "channel_groups": 2, "use_bias": False}, MAP
    ),
    "VerticalConv2D": Case(lambda: {"filters": 4, "kernel_size": 3, "mask_type": "A"}, MAP),
    "GatedRasterBlock": Case(
        lambda: {"filters": 6, "kernel_size": 5, "mask_type": "A", "channel_groups": 2, "dropout": 0.5},
        (MAP, MAP[::-1].copy()),
        golden=lambda layer: {str(i): y for i, y in enumerate(layer(MAP, MAP[::-1].copy()))},
    ),
    "ResidualRasterBlock": Case(lambda: {"filters": 6, "kernel_size": 5, "dropout": 0.5}, MAP),
    "RasterAttention": Case(lambda: {"key_dim": 3, "value_dim": 2, "heads": 2}, (MAP, MAP[::-1].copy())),
    "MADE": Case(lambda: {"units": (8, 5), "outputs": 3, "activation": "tanh"}, VECTORS),
    "AutoregressiveFlow": Case(
        lambda: {"num_steps": 3, "units": (8,), "activation": "tanh"},
        VECTORS,
        golden=lambda flow: {**flow(VECTORS), "inverse": flow.inverse(VECTORS)},
    ),
    "StackedEncoder": Case(
        lambda: {
            "encoders": [sigmoid_net(7), sigmoid_net(4)],
            "bottlenecks": [keras_vae.IdentityBottleneck(), keras_vae.KSparse(2)],
        },
        IMAGES,
    ),
    # bottlenecks
    "IdentityBottleneck": Case(dict, MAP),
    "GaussianBottleneck": Case(
        lambda: {"latent_dim": 3, "seed": 7},
        VECTORS,
        golden=lambda layer: {k: v for k, v in layer(VECTORS).items() if k != "z"},  # z is drawn at random
    ),
    "Reparameterised": Case(
        lambda: {
            "family": "StudentT",
            "latent_dim": 3,
            "options": {"df": 5.0},
            "seed": 7,
            "estimator": keras_vae.ScoreFunction(),
        },
        VECTORS,
        golden=lambda layer: {k: v for k, v in layer(VECTORS).items() if k != "z"},
    ),
    "MovingAverageBaseline": Case(lambda: {"decay": 0.7}, VECTORS, golden=baseline_golden),
    "InputDependentBaseline": Case(
        lambda: {"units": (4,), "activation": "relu", "decay": 0.7}, VECTORS, golden=baseline_golden
    ),
    "ScoreFunction": Case(lambda: {"baseline": keras_vae.MovingAverageBaseline(0.7)}, VECTORS, golden=estimator_golden),
    "InverseAutoregressiveFlow": Case(
        lambda: {"latent_dim": 3, "flow": small_flow(), "context_dim": 4, "seed": 7},
        VECTORS,
        golden=flow_golden,
    ),
    "VectorQuantizer": Case(lambda: {"codebook_size": 5, "embedding_dim": 6, "seed": 7}, MAP),
    "VectorQuantizerEMA": Case(
        lambda: {"codebook_size": 5, "embedding_dim": 6, "decay": 0.9, "restart_threshold": 0.2, "seed": 7},
        MAP,
        golden=quantizer_golden,
    ),
    "KSparse": Case(lambda: {"k": 2, "alpha": 2.0}, VECTORS),
    "TopK": Case(lambda: {"k": 2}, VECTORS),
    "BatchTopK": Case(lambda: {"k": 2, "decay": 0.5}, VECTORS, golden=lambda layer: layer(VECTORS, training=True)),
    # likelihoods
    "BernoulliLikelihood": Case(dict, (IMAGE_PARAMS, IMAGES)),
    "CategoricalLikelihood": Case(lambda: {"num_classes": 6}, (MAP, CODES_OF_MAP)),
    "DiscretizedLogisticMixtureLikelihood": Case(lambda: {"components": 2, "levels": 17}, (MIXTURE_PARAMS, COLOURS)),
    "FamilyLikelihood": Case(
        lambda: {"family": "Laplace", "options": {"scale": 0.3}, "margin": 0.01}, (IMAGE_PARAMS, IMAGES)
    ),
    "GaussianLikelihood": Case(lambda: {"stddev": 0.3}, (IMAGE_PARAMS, IMAGES)),
    "SharedVarianceGaussianLikelihood": Case(lambda: {"stddev": 0.3}, (IMAGE_PARAMS, IMAGES)),
    "PerPixelGaussianLikelihood": Case(dict, (np.concatenate([IMAGE_PARAMS] * 2, axis=-1), IMAGES)),
    "SampledSquaredError": Case(
        lambda: {"seed": 7},
        (np.concatenate([IMAGE_PARAMS] * 2, axis=-1), IMAGES),
        golden=with_given_draws(score_golden),
    ),
    "SquaredError": Case(lambda: {"activation": "sigmoid"}, (IMAGE_PARAMS, IMAGES)),
    # priors
    "StandardNormal": Case(dict, VECTORS),
    "ConditionalNormal": Case(
        lambda: {"latent_dim": 6},
        VECTORS,
        golden=lambda prior: {
            "log_prob": prior.log_prob(VECTORS, CONDITION),
            "sample": prior.sample_from(VECTORS, CONDITION),
            "rate": prior.rate(Normal(VECTORS, 0.5 * VECTORS), VECTORS, CONDITION),
        },
    ),
    "FamilyPrior": Case(lambda: {"family": "Gamma", "concentration": 2.0}, np.exp(VECTORS), golden=family_prior_golden),
    "UniformCodes": Case(lambda: {"codebook_size": 5}, CODES),
    "MixtureOfGaussians": Case(lambda: {"num_components": 3, "spread": 0.5, "seed": 7}, VECTORS, golden=mixture_golden),
    "FittedGaussian": Case(
        lambda: {"regularization": 0.1}, VECTORS, golden=lambda prior: mixture_golden(fitted(prior))
    ),
    "FittedMixture": Case(
        lambda: {"num_components": 2, "covariance": "tied", "regularization": 0.1, "seed": 3},
        VECTORS,
        golden=lambda prior: mixture_golden(fitted(prior)),
    ),
    "VampPrior": Case(
        lambda: {"num_pseudo_inputs": 3, "seed": 7},
        VECTORS,
        golden=lambda prior: mixture_golden(harness.set_weights(vamp_vae(prior)).prior, VECTORS[:, :3]),
    ),
    "PixelCNNPrior": Case(
        lambda: {
            "likelihood": keras_vae.CategoricalLikelihood(5),
            "net": keras_vae.PixelCNN(4, depth=1, stem_size=3),
            "condition": keras_vae.ClassCondition(3),
        },
        {"x": CODES, "condition": np.arange(4) % 3},
        golden=raster_golden,
    ),
    "AutoregressiveFlowPrior": Case(
        lambda: {"flow": small_flow(), "condition": keras_vae.ClassCondition(3)},
        {"x": VECTORS, "condition": np.arange(4) % 3},
        golden=lambda prior: {**prior(CASES["AutoregressiveFlowPrior"].x), "sample": prior.sample(3, 4, condition=2)},
    ),
    "PixelSNAILPrior": Case(
        lambda: {
            "likelihood": keras_vae.BernoulliLikelihood(),
            "net": keras_vae.PixelSNAIL(4, 1, 1, stem_size=3, key_dim=3),
            "condition": keras_vae.ClassCondition(3),
        },
        {"x": (IMAGES[:4, :4, :4] > 0.5).astype("float32"), "condition": np.arange(4) % 3},
        golden=raster_golden,
    ),
    # metrics
    "PSNR": Case(lambda: {"max_value": 2.0, "name": "p"}, (IMAGES, 0.9 * IMAGES), keep_default=("dtype",)),
    "SSIM": Case(
        lambda: {"max_value": 2.0, "name": "s"},
        (harness.images(2, size=16), 0.9 * harness.images(2, size=16)),
        keep_default=("dtype",),
    ),
    "Perplexity": Case(lambda: {"codebook_size": 5, "name": "p"}, (CODES,), keep_default=("dtype",)),
    "CodebookUsage": Case(lambda: {"codebook_size": 7, "name": "u"}, (CODES,), keep_default=("dtype",)),
    "ExplainedVariance": Case(lambda: {"name": "e"}, (IMAGES, 0.9 * IMAGES), keep_default=("dtype",)),
    # models
    "PlainAutoencoder": Case(
        lambda: {**mlp_nets(), "likelihood": keras_vae.SquaredError(activation="sigmoid")},
        IMAGES,
        keep_default=("bottleneck", "prior"),  # which a plain autoencoder has no use for
        golden=deterministic_golden,
    ),
    "VAE": Case(lambda: {**mlp_nets(), "latent_dim": 3, **gaussian_parts()}, IMAGES, golden=vae_golden),
    "BetaVAE": Case(
        lambda: {**mlp_nets(), "latent_dim": 3, "beta": 2.5, **gaussian_parts()}, IMAGES, golden=vae_golden
    ),
    "IWAE": Case(
        lambda: {**mlp_nets(), "latent_dim": 3, "num_samples": 4, "estimator": "dreg", **gaussian_parts()},
        IMAGES,
        golden=vae_golden,
    ),
    "FreeBitsVAE": Case(
        lambda: {**mlp_nets(), "latent_dim": 3, "free_bits": 0.3, "average": "example", **gaussian_parts()},
        IMAGES,
        golden=vae_golden,
    ),
    "CapacityVAE": Case(
        lambda: {
            **mlp_nets(),
            "latent_dim": 3,
            "capacity": 4.0,
            "capacity_weight": 30.0,
            "capacity_steps": 10,
            **gaussian_parts(),
        },
        IMAGES,
        golden=vae_golden,
        batch_terms=("capacity_gap",),
    ),
    "ParameterDistanceVAE": Case(
        lambda: {**mlp_nets(), "latent_dim": 3, "distance_weight": 2.5, **gaussian_parts()}, IMAGES, golden=vae_golden
    ),
    "GECO": Case(
        lambda: {
            **mlp_nets(),
            "tolerance": -20.0,
            "latent_dim": 3,
            "decay": 0.9,
            "multiplier_rate": 1e-2,
            **gaussian_parts(),
        },
        IMAGES,
        golden=vae_golden,
    ),
    "InfoVAE": Case(
        lambda: {**mlp_nets(), "latent_dim": 3, "alpha": 0.4, "mmd_weight": 7.0, "seed": 2, **gaussian_parts()},
        IMAGES,
        golden=with_given_draws(vae_golden),
        batch_terms=("mmd",),
    ),
    "WAE": Case(
        lambda: {**mlp_nets(), "mmd_weight": 7.0, "seed": 2, **gaussian_parts()},
        IMAGES,
        golden=with_given_draws(still_golden),
        batch_terms=("mmd",),
    ),
    "RAE": Case(
        lambda: {
            **mlp_nets(),
            "embedding_weight": 0.5,
            "l2_weight": 0.1,
            "gradient_weight": 0.2,
            "probes": 2,
            "seed": 2,
            "bottleneck": keras_vae.KSparse(3),
            "likelihood": keras_vae.BernoulliLikelihood(),
        },
        IMAGES,
        golden=with_given_draws(still_golden),
    ),
    "ConditionalVAE": Case(
        lambda: {
            "encoder": keras_vae.Conditioned(keras_vae.MLPEncoder((7, 5), "tanh"), flatten=True),
            "decoder": keras_vae.Conditioned(keras_vae.MLPDecoder((8, 8, 1), (7,), "tanh")),
            "condition": keras_vae.ClassCondition(4, embedding_dim=3),
            "latent_dim": 3,
            **gaussian_parts(),
            "prior": keras_vae.ConditionalNormal(3),
        },
        {"x": IMAGES, "condition": np.arange(8) % 4},
        golden=vae_golden,
    ),
    "VQVAE": Case(vqvae_arguments, IMAGES, golden=deterministic_golden),
    "DenoisingAutoencoder": Case(
        lambda: {
            **mlp_nets(),
            "corruption": keras_vae.SaltAndPepperNoise(0.5, seed=2),
            "emphasis": (1.0, 0.5),
            "likelihood": keras_vae.BernoulliLikelihood(),
            "bottleneck": keras_vae.KSparse(3),
        },
        IMAGES,
        golden=still_golden,
    ),
    "StackedDenoisingAutoencoder": Case(lambda: {"stages": stages()}, IMAGES, golden=deterministic_golden),
    "SparseAutoencoder": Case(
        lambda: {
            "encoder": sigmoid_net(7, 5),
            "decoder": keras_vae.MLPDecoder((8, 8, 1), (7,)),
            "rho": 0.1,
            "sparsity_weight": 2.0,
            "sparse_layers": ["dense_0", "dense_1"],
            "momentum": 0.5,
            "likelihood": keras_vae.SquaredError(activation="sigmoid"),
            "bottleneck": keras_vae.KSparse(3),
        },
        IMAGES,
        golden=deterministic_golden,
    ),
    "KSparseAutoencoder": Case(
        lambda: {
            "encoder": keras_vae.MLPEncoder((7,), "linear"),
            "k": 3,
            "alpha": 2.0,
            "likelihood": keras_vae.SquaredError(activation="sigmoid"),
        },
        IMAGES,
        keep_default=("decoder",),  # tied weights; an own decoder is another case's
        golden=deterministic_golden,
    ),
    "TopKAutoencoder": Case(
        lambda: {
            "encoder": keras_vae.MLPEncoder((9,), "linear"),
            "decoder": keras_vae.MLPDecoder((8, 8, 1), ()),
            "bottleneck": keras_vae.TopK(3),
            "aux_k": 2,
            "aux_weight": 0.5,
            "dead_after": 4,
        },
        IMAGES,
        golden=deterministic_golden,
    ),
    "ContractiveAutoencoder": Case(
        lambda: {
            "encoder": sigmoid_net(7, 5),
            "decoder": keras_vae.MLPDecoder((8, 8, 1), (7,)),
            "contraction_weight": 0.5,
            "probes": 2,
            "likelihood": keras_vae.BernoulliLikelihood(),
            "seed": 3,
        },
        IMAGES,
        golden=lambda model: {k: v for k, v in still_golden(model).items() if k not in ("contraction", "loss")},
    ),
    "Classifier": Case(
        lambda: {
            "encoder": sigmoid_net(7),
            "bottleneck": keras_vae.KSparse(3),
            "num_classes": 4,
            "dropout": 0.5,
            "corruption": keras_vae.MaskingNoise(0.2, seed=1),
        },
        IMAGES,
        y=np.arange(8) % 4,
    ),
    "BoltzmannMachine": Case(
        lambda: {"sizes": (20, 17), "sweeps": 4, "num_chains": 3, "sweeps_per_step": 2, "seed": 7},
        (np.random.default_rng(1).random((4, 37)) < 0.5).astype("float32"),
        golden=boltzmann_golden,
    ),
}
