"""Parts that several cases are made of, each made anew."""

import keras_vae


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


def vqvae2_arguments():
    size = {"hidden": 6, "residual_hidden": 3, "depth": 1}
    options = {"decay": 0.9, "restart_threshold": 0.0, "seed": 3}
    levels = {name: keras_vae.VectorQuantizerEMA(k, 4, **options) for name, k in (("top", 9), ("bottom", 5))}
    return {
        "encoder": keras_vae.HierarchicalEncoder({"top": 2, "bottom": 1}, 4, **size),
        "decoder": keras_vae.VQDecoder((8, 8, 2), levels=1, **size),
        "bottleneck": keras_vae.HierarchicalQuantizer(levels, **size),
        "commitment_weight": 0.5,
        "likelihood": keras_vae.PerPixelGaussianLikelihood(),
        "prior": keras_vae.UniformCodes({"top": 9, "bottom": 5}),
    }


def hierarchical_prior_arguments():
    top, bottom = keras_vae.PixelSNAIL(4, 1, 1, stem_size=3, key_dim=3), keras_vae.PixelCNN(4, depth=1, stem_size=3)
    return {
        "priors": {
            "top": keras_vae.PixelSNAILPrior(keras_vae.CategoricalLikelihood(3), top),
            "bottom": keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(5), bottom),
        },
        "embedding_dim": 4,
        "residual_hidden": 3,
        "depth": 1,
        "condition": keras_vae.ClassCondition(3),
    }


def sigmoid_net(*units):
    return keras_vae.MLPEncoder(units, "sigmoid")


def small_flow():
    return keras_vae.AutoregressiveFlow(num_steps=2, units=(8,))
