"""Cases of nets, layers, bottlenecks, likelihoods and metrics."""

from unittest import mock

import keras
import numpy as np

import harness
import keras_vae
from case import CODES, CODES_OF_MAP, COLOURS, CONDITION, IMAGE_PARAMS, IMAGES, MAP, MIXTURE_PARAMS, VECTORS, Case
from draws import with_given_draws
from parts import sigmoid_net, small_flow


def score_golden(likelihood):
    params, x = LAYERS[type(likelihood).__name__].x
    return {"log_prob": likelihood.log_prob(params, x), "mean": likelihood.mean(params)}


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


def quantizer_golden(layer):
    outputs = layer(MAP, training=True)
    if isinstance(layer, keras_vae.VectorQuantizerEMA):
        layer.restart_threshold = 0.0  # restarts are drawn at random
        layer.update(outputs)
        outputs.update(codebook=layer.codebook.value, counts=layer.counts.value, sums=layer.sums.value)
    return outputs


def several_golden(layer):
    """What codebooks say together, and what one step makes of them."""
    layer.dropout = 0.0  # which is drawn at random
    outputs = layer(MAP, training=True)
    layer.update(outputs)
    rows = {f"codebook_{i}": part.codebook.value for i, part in enumerate(layer.parts)}
    return {**{name: value for name, value in outputs.items() if name != "parts"}, **rows}


def two_codebooks(embedding_dim):
    """One by moving averages, one by gradient."""
    averages = keras_vae.VectorQuantizerEMA(5, embedding_dim, decay=0.9, restart_threshold=0.0, seed=7)
    return [averages, keras_vae.VectorQuantizer(5, embedding_dim, seed=8)]


def hierarchical_golden(layer):
    """What is coded in training, what the codes are again, and what a step makes of a codebook of averages."""
    (h,) = LAYERS["HierarchicalQuantizer"].x
    layer.dropout = 0.0  # which is drawn at random
    outputs = layer(h, training=True)
    layer.update(outputs)
    values = {**outputs, **{f"indices_{level}": codes for level, codes in outputs.pop("indices").items()}}
    values = {name: value for name, value in values.items() if name not in ("indices", "levels")}
    return {**values, "codebook_bottom": layer.levels["bottom"].codebook.value}


def flow_golden(bottleneck):
    """What a posterior by a flow says of given noise."""
    q = bottleneck.posterior(bottleneck.parameters(VECTORS))
    z = q.sample_from(VECTORS[:, :3])
    values = {"z": z, "log_prob": q.log_prob(z), "of_another": q.log_prob(CONDITION[:, 3:])}
    return {**values, "mean": q.mean, "mode": q.mode}


LAYERS = {
    # nets
    "MLPEncoder": Case(
        lambda: {"units": (5, 3), "activation": "tanh", "centered": True, "normalization": "layer"}, IMAGES
    ),
    "MLPDecoder": Case(
        lambda: {"output_shape": (4, 4, 2), "units": (5,), "activation": "tanh", "normalization": "layer"}, VECTORS
    ),
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
    "HierarchicalEncoder": Case(
        lambda: {
            "levels": {"top": 3, "middle": 2, "bottom": 0},
            "embedding_dim": 3,
            "hidden": 6,
            "residual_hidden": 2,
            "depth": 1,
        },
        IMAGES,
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
    "UpsamplingConv1D": Case(lambda: {"filters": 2, "kernel_size": (5,), "strides": (3,)}, MAP[:, 0]),
    "UpsamplingConv2D": Case(lambda: {"filters": 2, "kernel_size": (5, 4), "strides": (3, 2)}, MAP),
    "UpsamplingConv3D": Case(
        lambda: {"filters": 2, "kernel_size": (5, 4, 3), "strides": (3, 2, 1)}, MAP.reshape(4, 2, 4, 2, 6)
    ),
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
    "BernoulliBottleneck": Case(
        lambda: {"latent_dim": 3, "estimator": keras_vae.StraightThrough(2.0), "seed": 7},
        VECTORS,
        golden=lambda layer: {"z_logits": layer(VECTORS)["z_logits"]},
    ),
    "CategoricalBottleneck": Case(
        lambda: {"latent_dim": 2, "num_classes": 3, "estimator": keras_vae.GumbelSoftmax(0.7), "seed": 7},
        VECTORS,
        golden=lambda layer: {"z_logits": layer(VECTORS)["z_logits"]},
    ),
    "InverseAutoregressiveFlow": Case(
        lambda: {"latent_dim": 3, "flow": small_flow(), "context_dim": 4, "seed": 7},
        VECTORS,
        golden=flow_golden,
    ),
    "VectorQuantizer": Case(
        lambda: {"codebook_size": 5, "embedding_dim": 6, "seed": 7},
        MAP,
        keep_default=("metric", "gradient"),  # other cases have the others
    ),
    "VectorQuantizerEMA": Case(
        lambda: {
            "codebook_size": 5,
            "embedding_dim": 6,
            "decay": 0.9,
            "restart_threshold": 0.2,
            "seed": 7,
            "metric": "cosine",
            "gradient": "rotation",
        },
        MAP,
        golden=quantizer_golden,
    ),
    "SimVQ": Case(
        lambda: {"codebook_size": 5, "embedding_dim": 6, "seed": 7, "metric": "cosine", "gradient": "rotation"}, MAP
    ),
    "FSQ": Case(lambda: {"levels": (8, 5, 3, 4, 7, 6)}, MAP),
    "LFQ": Case(
        lambda: {"bits": 6, "entropy_weight": 0.3, "diversity_weight": 0.5, "temperature": 2.0, "joint_bits": 4},
        MAP,
        golden=lambda layer: {**layer(MAP), **layer.terms(layer(MAP))},
    ),
    "ResidualVectorQuantizer": Case(
        lambda: {"levels": two_codebooks(6), "dropout": 0.5, "gradient": "rotation", "seed": 7},
        MAP,
        golden=several_golden,
    ),
    "GroupedVectorQuantizer": Case(lambda: {"groups": two_codebooks(3)}, MAP, golden=several_golden),
    "HierarchicalQuantizer": Case(
        lambda: {
            "levels": {
                "top": keras_vae.VectorQuantizer(5, 6, seed=7),
                "bottom": keras_vae.VectorQuantizerEMA(4, 6, restart_threshold=0.0, seed=7),
            },
            "hidden": 5,
            "residual_hidden": 2,
            "depth": 1,
            "dropout": 0.5,
            "seed": 7,
        },
        ({"top": MAP[:, ::2, ::2], "bottom": MAP},),
        golden=hierarchical_golden,
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
    # metrics
    "PSNR": Case(lambda: {"max_value": 2.0, "name": "p"}, (IMAGES, 0.9 * IMAGES), keep_default=("dtype",)),
    "SSIM": Case(
        lambda: {"max_value": 2.0, "name": "s"},
        (harness.images(2, size=16), 0.9 * harness.images(2, size=16)),
        keep_default=("dtype",),
    ),
    "Perplexity": Case(lambda: {"codebook_size": 5, "name": "p"}, (CODES,), keep_default=("dtype", "codebooks")),
    "CodebookUsage": Case(lambda: {"codebook_size": 7, "name": "u", "codebooks": 3}, (CODES,), keep_default=("dtype",)),
    "ExplainedVariance": Case(lambda: {"name": "e"}, (IMAGES, 0.9 * IMAGES), keep_default=("dtype",)),
}
