"""The TopK autoencoder: dictionaries of sparse features."""

import keras
import numpy as np
from keras import ops

from keras_vae import _backend
from keras_vae.bottlenecks import BatchTopK, TopK
from keras_vae.core.checks import integer, non_negative
from keras_vae.core.registration import registered
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.nets import MLPDecoder, MLPEncoder
from keras_vae.ops.numerics import float32, sum_event
from keras_vae.ops.selection import top_k_mask
from keras_vae.training.data import is_array


@registered
class TopKAutoencoder(Autoencoder):
    """Sparse dictionary: loss = ||x - x^||^2 + aux_weight * ||e - e^||^2, e = x - x^ and e^ what dead units make of it.

    Gao et al. 2024, section 2.4 and appendix A.2: a unit is dead that no example used for `dead_after` examples of
    training. The `aux_k` largest pre-activations of dead units are decoded to reconstruct the error, so that they learn
    what the living ones miss, and come back. Without dead units the term is zero. `dead` in the logs is their share;
    `compile(metrics=[keras_vae.metrics.ExplainedVariance()])` adds the explained variance.

    For vectors x, such as activations of another network: `MLPEncoder((n,), "linear", centered=True)` and
    `MLPDecoder(x.shape[1:], ())`, with n several times the size of x, and `adapt(x)` before `fit`.

    Args:
        encoder: keras layer or model, x -> linear features (batch, n), the units of the dictionary.
        decoder: keras layer or model, linear in z; None for tied weights.
        bottleneck: TopK or BatchTopK.
        aux_k: int >= 1, dead units that take part in the auxiliary loss, for each example. Default: 256.
        aux_weight: float >= 0; 0 turns the auxiliary loss off. Default: 1/32.
        dead_after: int >= 1, examples without use that make a unit dead. Default: 100,000.
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the sparse code; "h": pre-activations; "params": the decoder's output; "reconstruction": the
        shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, or the shapes of the parts do not fit.

    Reference:
        Gao et al. 2024, arXiv:2406.04093. Bussmann, Leask & Nanda 2024, arXiv:2412.06410.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.MLPEncoder((32,), "linear", centered=True)
    >>> model = keras_vae.TopKAutoencoder(encoder, keras_vae.MLPDecoder((8,), ()), keras_vae.TopK(4))
    >>> x = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
    >>> model.adapt(x)
    >>> model.compile("adam")
    >>> sorted(model.fit(x, verbose=0).history)
    ['auxiliary', 'dead', 'distortion', 'loss']
    """

    fixed = ("likelihood",)

    def __init__(self, encoder, decoder, bottleneck, aux_k=256, aux_weight=1 / 32, dead_after=100_000, **kwargs):
        if not isinstance(bottleneck, (TopK, BatchTopK)):
            raise TypeError(f"`bottleneck` must be a TopK or BatchTopK. Received: {type(bottleneck).__name__}.")
        super().__init__(encoder, decoder, bottleneck=bottleneck, **kwargs)
        self.aux_k = integer("aux_k", aux_k)
        self.aux_weight = non_negative("aux_weight", aux_weight)
        self.dead_after = integer("dead_after", dead_after)
        self.track("auxiliary", "dead")

    def build(self, input_shape):
        super().build(input_shape)
        # Examples since each unit was last used.
        self.idle = self.add_weight(
            shape=self.latent_shape, dtype="int32", initializer="zeros", trainable=False, name="idle"
        )

    def adapt(self, x):
        """Starts the dictionary from the data, before `fit`; without it many units are dead from the beginning.

        The features, the decoder's rows, get unit norm, and the encoder is their transpose; the mean of `x` becomes the
        decoder's offset, and what a centred encoder takes off (Gao et al. 2024, section 2.1 and appendix A.1, where the
        offset is the geometric median).

        Args:
            x: array (n, ...), the training data, as it will be fed.

        Raises:
            TypeError: if `x` is not an array.
            ValueError: for bad data, or where encoder and decoder are not one linear layer each: an MLPEncoder of one
                width, and an MLPDecoder of none.
        """
        if not is_array(x):
            raise TypeError(f"`x` must be an array, for its mean is needed. Received: {type(x).__name__}.")
        self._check(x, "x")
        encoder = _one_linear_layer("encoder", self.encoder, MLPEncoder, 'MLPEncoder((n,), "linear")')
        decoder = _one_linear_layer("decoder", self.decoder, MLPDecoder, "MLPDecoder(shape, ())")
        x = np.asarray(x, "float32")
        if self.encoder.centered:
            self.encoder.adapt(x)
        features = ops.convert_to_tensor(decoder.kernel)  # (units, values)
        features = features / ops.norm(features, axis=1, keepdims=True)
        decoder.kernel.assign(features)
        encoder.kernel.assign(ops.transpose(features))
        decoder.bias.assign(np.mean(x, axis=0, dtype="float64").astype("float32").ravel())

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        dead = ops.convert_to_tensor(self.idle) >= self.dead_after  # (units,)
        terms["auxiliary"] = self.auxiliary(y, outputs, dead) if self.aux_weight else 0.0 * terms["distortion"]
        terms["dead"] = ops.broadcast_to(ops.mean(float32(ops.cast(dead, "float32"))), ops.shape(terms["distortion"]))
        return self.total(terms, auxiliary=self.aux_weight)

    def auxiliary(self, x, outputs, dead):
        """||e - e^||^2 of the error and its reconstruction by dead units, (batch,); 0 where none is dead."""
        error = ops.stop_gradient(ops.convert_to_tensor(x) - outputs["reconstruction"])
        h = ops.where(dead, outputs["h"], float("-inf"))
        chosen = ops.logical_and(top_k_mask(h, self.aux_k), dead)
        z = ops.where(chosen, ops.relu(outputs["h"]), 0.0)
        # The decoder's offset belongs to x^, not to the error.
        offset = self.likelihood.mean(self.decode_params(ops.zeros_like(z[:1])))
        guess = self.likelihood.mean(self.decode_params(z)) - offset
        return sum_event(ops.square(error - guess)) * ops.cast(ops.any(dead), "float32")

    def update_state(self, outputs, terms):
        super().update_state(outputs, terms)
        used = outputs["z"] > 0
        counted = ops.ones_like(used[:, 0])
        if "sample_weight" in outputs:  # what has no weight has not been seen
            counted = outputs["sample_weight"] > 0
            used = ops.logical_and(used, counted[:, None])
        used = _backend.cross_replica_sum(ops.cast(ops.any(used, axis=0), "float32")) > 0
        more = self.idle + _backend.cross_replica_sum(ops.sum(ops.cast(counted, "int32")))
        self.idle.assign(ops.where(used, 0, ops.minimum(more, 2**30)))  # never past the range of int32


def _one_linear_layer(name, net, kind, form):
    dense = net.dense_layers() if isinstance(net, kind) else []
    if len(dense) != 1 or dense[0].activation is not keras.activations.linear or net.normalization is not None:
        raise ValueError(f"`{name}` must be {form}, one linear layer, for `adapt`. Received: a {type(net).__name__}.")
    return dense[0]
