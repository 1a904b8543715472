"""Lookup-free quantization: a code is the signs of the features."""

import math

import numpy as np
from keras import ops

from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.core.checks import in_half_open_interval, integer, non_negative, positive
from keras_vae.core.registration import registered
from keras_vae.ops.batch_mean import mean_of_replicas
from keras_vae.ops.numerics import straight_through, sum_event

TINY = 1e-30  # of a probability or of a sum of weights


@registered
class LFQ(Quantizer):
    """z = sign(h), one bit of the code for each feature: 2^bits codes, and no codebook.

    The straight-through gradient alone would leave most codes unused. With q(c|h) = softmax_c(-||h - c||^2 /
    temperature) the loss has "entropy" = E[H(q(c|h))] - diversity_weight H(E[q(c|h)]), in nats, summed over positions:
    each feature is to be certain of its code, all codes are to be used (Yu et al. 2023, section 3.1). The means are
    over all positions of the batch and over replicas, and by the weights of the examples.

    Over codes of signs q is a product over bits: the first entropy is a sum of those of the bits, and E[q] is one
    matrix product of the probabilities of one half of the bits and of the other, so that no position has 2^bits
    numbers. The second entropy is exact up to `joint_bits` bits, in memory of 2^joint_bits numbers and of as many as
    the square root of it for each position. More bits are cut into groups of that many, and the groups' entropies added
    up: an upper bound, which does not see that one group follows another. Single bits would be cheaper still, and would
    not see that any two of them are the same.

    Args:
        bits: int in [1, 30], the encoder's number of features. A `VQVAE` counts the use of each code in 16 bytes: 4 MB
            at 18 bits, 268 MB at 24.
        entropy_weight: float >= 0, of the term in the loss; a weight, which callbacks may schedule. Default: 0.1.
        diversity_weight: float >= 0, of the second entropy against the first. Default: 1.0.
        temperature: float > 0, in the units of h squared: a feature of the size of this is nearly certain. Default:
            1.0.
        joint_bits: int in [1, 20], bits whose joint distribution is found. Default: 16.
        **kwargs: of keras.layers.Layer; the dtype is float32 always.

    Input shape:
        (batch, ..., bits), features.

    Output shape:
        dict with "z": (batch, ..., bits) float32, -1 or 1; "indices": (batch, ...) int32, sum_i 2^i [h_i > 0];
        "commitment": (batch,) ||h - sg[z]||^2 summed over positions and bits; "z_e": (batch, ..., bits), the features,
        of which `terms` makes "entropy".

    Raises:
        ValueError: if an argument is out of range, or the features are not as many as the bits.

    Reference:
        Yu et al. 2023, Language model beats diffusion: tokenizer is key to visual generation, arXiv:2310.05737.

    Example:

    >>> import keras, numpy as np, keras_vae
    >>> layer = keras_vae.LFQ(bits=3)
    >>> outputs = layer(np.array([[0.5, -0.1, 2.0]], "float32"))
    >>> [keras.ops.convert_to_numpy(outputs[name]).tolist() for name in ("z", "indices")], layer.codebook_size
    ([[[1.0, -1.0, 1.0]], [5]], 8)
    """

    fixed = ("codebook_size",)

    def __init__(self, bits, entropy_weight=0.1, diversity_weight=1.0, temperature=1.0, joint_bits=16, **kwargs):
        bits = int(in_half_open_interval("bits", integer("bits", bits), 1, 31))
        super().__init__(2**bits, **kwargs)
        self.bits = bits
        self.entropy_weight = self.scalar("entropy_weight", entropy_weight, non_negative)
        self.diversity_weight = non_negative("diversity_weight", diversity_weight)
        self.temperature = positive("temperature", temperature)
        self.joint_bits = int(in_half_open_interval("joint_bits", integer("joint_bits", joint_bits), 1, 21))
        self.strides = 2 ** np.arange(self.bits, dtype="int32")

    @property
    def embedding_dim(self):
        """D, the number of features: the bits."""
        return self.bits

    @property
    def term_weights(self):
        return {"entropy": ops.convert_to_tensor(self.entropy_weight)}

    def build(self, input_shape):
        self.require_features(input_shape, "bits", self.bits)

    def call(self, h, training=False):
        h = ops.cast(h, "float32")
        z = ops.where(h > 0, 1.0, -1.0)
        return {
            "z": straight_through(h, z),
            "indices": self.indices_of(z),
            "commitment": sum_event(ops.square(h - z)),
            "z_e": h,
        }

    def lookup(self, latents):
        is_set = ops.cast(latents, "int32")[..., None] // ops.convert_to_tensor(self.strides) % 2
        return ops.cast(2 * is_set - 1, "float32")

    def indices_of(self, z):
        """The codes of values of z, (..., bits) -> int32 (...): what `lookup` is the inverse of.

        Args:
            z: tensor (..., bits); what counts is its sign.
        """
        bits = ops.cast(ops.convert_to_tensor(z) > 0, "int32")
        return ops.sum(bits * ops.convert_to_tensor(self.strides), axis=-1)

    def terms(self, outputs):
        h = outputs["z_e"]
        logits = h * (4.0 / self.temperature)  # of a bit that is set: ||h + 1||^2 - ||h - 1||^2 = 4 h
        size = ops.abs(logits)
        certain = ops.softplus(-size) + size * ops.sigmoid(-size)  # the entropy of each bit, (batch, ..., bits)
        positions = math.prod(h.shape[1:-1]) if None not in h.shape[1:-1] else ops.prod(ops.shape(h)[1:-1])
        diversity = self.diversity(logits, outputs.get("sample_weight"))
        entropy = sum_event(certain) - self.diversity_weight * positions * diversity
        return {"commitment": outputs["commitment"], "entropy": entropy}

    def diversity(self, logits, weights=None):
        """H(E[q]) of the logits of bits, (batch, ..., bits), over batch, positions and replicas: a scalar, in nats.

        Args:
            logits: float tensor (batch, ..., bits).
            weights: float tensor (batch,), how much each example counts, or None. Default: None.
        """
        if weights is None:
            weights = ops.ones(ops.shape(logits)[:1])
        weights = ops.reshape(weights, (-1, *(1,) * (len(logits.shape) - 2)))
        weights = ops.reshape(ops.broadcast_to(weights, ops.shape(logits)[:-1]), (-1, 1))
        logits = ops.reshape(logits, (-1, self.bits))
        count, total = ops.sum(weights), 0.0
        for start in range(0, self.bits, self.joint_bits):
            stop = min(start + self.joint_bits, self.bits)
            middle = (start + stop) // 2
            first = _joint(weights, logits[:, start:middle])
            second = _joint(ops.ones_like(weights), logits[:, middle:stop])
            mean = ops.matmul(ops.transpose(first), second) / ops.maximum(count, TINY)
            mean = mean_of_replicas(mean, count)
            total = total - ops.sum(mean * ops.log(ops.maximum(mean, TINY)))
        return total


def _joint(weights, logits):
    """`weights` (n, 1) times the probabilities of what independent bits are together: (n, 2^bits)."""
    joint = weights
    for bit in range(logits.shape[1]):
        logit = logits[:, bit : bit + 1]
        joint = ops.concatenate([joint * ops.sigmoid(-logit), joint * ops.sigmoid(logit)], axis=-1)
    return joint
