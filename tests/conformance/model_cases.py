"""Cases of models."""

import keras
import numpy as np

import keras_vae
from case import IMAGES, Case
from draws import with_given_draws
from parts import gaussian_parts, mlp_nets, sigmoid_net, vqvae2_arguments, vqvae_arguments


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


def deterministic_golden(model):
    """Outputs, terms, and what three steps of SGD make of them."""
    x = IMAGES[:4]
    before = still_golden(model)
    model.compile(keras.optimizers.SGD(1e-3))
    model.fit(x, batch_size=4, epochs=3, verbose=0)
    return {**before, "encode": model.encode(x), "after_training": model.reconstruct(x)}


def by_level_golden(model):
    """The same of a model whose codes are a dict by level."""
    values = {name: value for name, value in deterministic_golden(model).items() if name != "levels"}
    levels = [name for name in values if isinstance(values[name], dict)]
    flat = {f"{name}_{level}": part for name in levels for level, part in values[name].items()}
    return {**{name: value for name, value in values.items() if name not in levels}, **flat}


def stages():
    first = keras_vae.DenoisingAutoencoder(sigmoid_net(7), likelihood=keras_vae.BernoulliLikelihood())
    return [first, keras_vae.DenoisingAutoencoder(sigmoid_net(5), corruption=keras_vae.BernoulliMask(0.1, seed=2))]


def discrete_golden(model):
    """Everything that is a function of weights, data and given noise."""
    x = IMAGES[:4]
    posterior = model.posterior(x)
    z = posterior.sample_from(np.random.default_rng(1).random((4, 2), "float32"))
    params = model.decode_params(z)
    outputs = {"z": z, "z_logits": posterior.logits, "params": params, "reconstruction": model.likelihood.mean(params)}
    return {
        **outputs,
        **model.terms(x, x, outputs, False),
        "encode": model.encode(x, output="sample", seed=3),
        "sample": model.sample(3, seed=4),
        "variations": model.variations(x, 2, seed=5),
        "log_likelihood": model.log_likelihood(x, num_samples=9, seed=6),
    }


MODELS = {
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
    "DiscreteVAE": Case(
        lambda: {
            **mlp_nets(),
            "bottleneck": keras_vae.CategoricalBottleneck(2, 3, keras_vae.ReinMax(), seed=5),
            "prior": keras_vae.CategoricalPrior(learned=True),
            "likelihood": keras_vae.SharedVarianceGaussianLikelihood(stddev=0.3),
        },
        IMAGES,
        golden=discrete_golden,
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
    "VQVAE2": Case(vqvae2_arguments, IMAGES, golden=by_level_golden),
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
}
