"""Cases of priors."""

import numpy as np

import harness
import keras_vae
from case import CODES, CODES_OF_MAP, CONDITION, IMAGES, VECTORS, Case
from keras_vae.distributions import Bernoulli, Normal
from keras_vae.ops import draw_noise
from parts import hierarchical_prior_arguments, mlp_nets, small_flow


def family_prior_golden(prior):
    """The density of given data, and draws from noise that is NumPy's."""
    prior.build((None, 6))
    noise = draw_noise(prior.noise_spec((6,)), np.random.default_rng(2), (4,))
    return {"log_prob": prior.log_prob(np.exp(VECTORS)), "sample": prior.sample_from(noise)}


def raster_golden(prior):
    """The density of given data, and draws, which are equal on every backend."""
    case = PRIORS[type(prior).__name__]
    prior.step.assign(1)  # as if trained
    return {**prior(case.x), "sample": prior.sample(3, seed=4, condition=2, temperature=0.8, top_p=0.9)}


def hierarchical_golden(prior):
    """The density of given codes, and draws of all levels and of the lower one, which are equal on every backend."""
    prior.step.assign(1)  # as if trained
    outputs = prior(PRIORS["HierarchicalPrior"].x)
    drawn = prior.sample(3, seed=4, condition=2, temperature={"bottom": 0.8}, top_p=0.9)
    again = prior.sample(3, seed=5, condition=2, given={"top": drawn["top"]})
    return {
        **{f"log_prob_{level}": value for level, value in outputs["log_probs"].items()},
        "log_prob": outputs["log_prob"],
        **{f"sample_{level}": codes for level, codes in drawn.items()},
        "redrawn": again["bottom"],
    }


def discrete_golden(prior, shape, noise_shape):
    """The density of given values, and draws from noise that is NumPy's, at logits that are not zero."""
    prior.build((None, *shape))
    harness.set_weights(prior)
    rng = np.random.default_rng(2)
    z = (
        (VECTORS > 0).astype("float32")
        if len(shape) == 1
        else np.eye(shape[1], dtype="float32")[rng.integers(0, 3, (4, 2))]
    )
    return {"log_prob": prior.log_prob(z), "sample": prior.sample_from(rng.random((4, *noise_shape), "float32"))}


def boltzmann_golden(prior):
    """The density, the rate of independent units, and draws of a machine too large to be summed exactly."""
    z = PRIORS["BoltzmannMachine"].x
    prior.build(z.shape)
    harness.set_weights(prior)
    noise = draw_noise(prior.noise_spec(z.shape[1:]), np.random.default_rng(2), (5,))
    rate = prior.rate(Bernoulli(4 * z - 1), z)
    return {"log_prob": prior.log_prob(z), "rate": rate, "sample": prior.sample_from(noise)}


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


def fitted(prior):
    """A density fitted to more latents than there are of them in a case."""
    prior.fit(np.random.default_rng(3).normal(size=(40, VECTORS.shape[1])))
    return prior


def vamp_vae(prior):
    """A VAE of pictures with three latents, of which a prior takes the posterior."""
    model = keras_vae.VAE(**mlp_nets(), latent_dim=3, prior=prior)
    model.build(IMAGES.shape)
    return model


PRIORS = {
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
    "BernoulliPrior": Case(lambda: {"learned": True}, VECTORS, golden=lambda prior: discrete_golden(prior, (6,), (6,))),
    "CategoricalPrior": Case(
        lambda: {"learned": True}, VECTORS, golden=lambda prior: discrete_golden(prior, (2, 3), (2,))
    ),
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
    "HierarchicalPrior": Case(
        hierarchical_prior_arguments,
        {"x": {"top": CODES[:, :2, :2] % 3, "bottom": CODES_OF_MAP[..., 0] % 5}, "condition": np.arange(4) % 3},
        golden=hierarchical_golden,
    ),
    "AutoregressiveFlowPrior": Case(
        lambda: {"flow": small_flow(), "condition": keras_vae.ClassCondition(3)},
        {"x": VECTORS, "condition": np.arange(4) % 3},
        golden=lambda prior: {**prior(PRIORS["AutoregressiveFlowPrior"].x), "sample": prior.sample(3, 4, condition=2)},
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
    "BoltzmannMachine": Case(
        lambda: {"sizes": (20, 17), "sweeps": 4, "num_chains": 3, "sweeps_per_step": 2, "seed": 7},
        (np.random.default_rng(1).random((4, 37)) < 0.5).astype("float32"),
        golden=boltzmann_golden,
    ),
}
