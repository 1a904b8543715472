"""Vector quantization with a codebook of exponential moving averages."""

import keras
import numpy as np
from keras import ops

from keras_vae import _backend
from keras_vae.bottlenecks.codebook import Codebook
from keras_vae.core.checks import in_closed_interval, in_half_open_interval
from keras_vae.core.registration import registered

FROZEN = 1e-6  # a count this small has no mean worth the name: the row keeps its code, count and sum for ever


@registered
class VectorQuantizerEMA(Codebook):
    """Nearest-code quantization whose codes are moving averages of the features they stand for; dead codes restart.

    Per step, with n_k features assigned to code k and s_k their sum: N_k <- g N_k + (1 - g) n_k, m_k <- g m_k + (1 - g)
    s_k, e_k = m_k / N_k exactly (van den Oord 2017, appendix A.1; no Laplace term). N starts at one and m at e, so that
    unused codes stay where they are. A code whose N falls below `restart_threshold` times the average count is dead: it
    is moved, in graph, to a random feature of the batch, with N = 1, or twice that limit where it is more. The
    features leave `call` while training and `update` takes them, summed over replicas, unless the layer is not
    trainable; the search uses the codebook from before the update. With sample weights w, n and s are sums of w and of
    w z, and a restart takes a feature with a probability in proportion to its w: an example of weight zero moves
    nothing. With metric="cosine" the features that are averaged are of unit length, e = m / N is their mean exactly, in
    the ball, and the code is its direction, e / |e|.

    Args:
        codebook_size: int >= 2, K, the number of codes.
        embedding_dim: int >= 1, D, the length of a code: the encoder's number of features.
        decay: float in [0, 1), g of the moving averages. Default: 0.99.
        restart_threshold: float in [0, 1], the share of the average count below which a code is restarted; 0 never
            restarts. Default: 0.03.
        seed: int or None, of the first codebook and of the restarts. Default: None (drawn from Keras's global seed).
        metric: str, "euclidean", or "cosine": features and codes by their direction, as unit vectors. Default:
            "euclidean".
        gradient: str, what passes through z: "straight-through", or "rotation" (Fifty et al. 2024), which keeps its
            angle to the vector. Default: "straight-through".
        **kwargs: of keras.layers.Layer; the dtype is float32 always.

    Input shape:
        (batch, ..., D), features.

    Output shape:
        dict with "z": (batch, ..., D) float32; "indices": (batch, ...) int32 in [0, K); "commitment": (batch,)
        ||z_e - sg[e]||^2 summed over positions and D; and while training "z_e": (batch, ..., D), the features, as they
        are compared.

    Raises:
        ValueError: if an argument is out of range, or the features are not D wide.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937, appendix A.1. Yu et al. 2022, arXiv:2110.04627,
        section 3.2, of the cosine. Fifty et al. 2024, arXiv:2410.06424, of the rotation.

    Example:

    >>> import numpy as np, keras_vae
    >>> layer = keras_vae.VectorQuantizerEMA(codebook_size=8, embedding_dim=4)
    >>> sorted(layer(np.zeros((2, 3, 3, 4), "float32")))
    ['commitment', 'indices', 'z']
    """

    learned_by_gradient = False

    def __init__(
        self,
        codebook_size,
        embedding_dim,
        decay=0.99,
        restart_threshold=0.03,
        seed=None,
        metric="euclidean",
        gradient="straight-through",
        **kwargs,
    ):
        super().__init__(codebook_size, embedding_dim, seed, metric, gradient, **kwargs)
        self.decay = in_half_open_interval("decay", decay, 0.0, 1.0)
        self.restart_threshold = in_closed_interval("restart_threshold", restart_threshold, 0.0, 1.0)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        super().build(input_shape)
        self.counts = self.add_weight(
            shape=(self.codebook_size,),
            initializer="ones",
            trainable=False,
            name="counts",
            autocast=False,
            aggregation="mean",
        )
        self.sums = self.codebook_weight("sums", trainable=False)  # the same initializer and seed: sums = codes x one

    def call(self, h, training=False):
        z_e, _, outputs = self.nearest(h)
        if training:
            outputs["z_e"] = ops.stop_gradient(z_e)
        return outputs

    def update(self, outputs):
        """Moves the codebook by one batch, what `call` returned; `VQVAE` calls it after the loss of a training step.

        Args:
            outputs: dict with "indices" and "z_e", and "sample_weight" (batch,) where examples do not all count alike.
        """
        indices = ops.reshape(outputs["indices"], (-1,))
        features = ops.reshape(outputs["z_e"], (-1, self.embedding_dim))
        weights = outputs.get("sample_weight")
        if weights is not None:
            weights = ops.reshape(weights, (-1, *(1,) * (len(outputs["indices"].shape) - 1)))
            weights = ops.reshape(ops.broadcast_to(weights, ops.shape(outputs["indices"])), (-1,))
        statistics = _backend.code_statistics(features, indices, self.codebook_size, weights)
        counts, sums = (_backend.cross_replica_sum(value) for value in statistics)
        old_counts, old_sums, old_codes = (ops.copy(w) for w in (self.counts, self.sums, self.codebook))
        new_counts = self.decay * old_counts + (1.0 - self.decay) * counts
        new_sums = self.decay * old_sums + (1.0 - self.decay) * sums
        alive = (new_counts >= FROZEN)[:, None]
        # Without a feature N and m shrink alike: e = m / N is unchanged, and is kept rather than rounded.
        used = ops.logical_and(alive, (counts > 0)[:, None])
        codes = ops.where(used, new_sums / ops.maximum(new_counts, FROZEN)[:, None], old_codes)
        new_sums = ops.where(alive, new_sums, old_sums)
        new_counts = ops.where(alive[:, 0], new_counts, old_counts)
        if self.restart_threshold > 0:
            restarts, offered = self.restarts(features, weights)
            limit = self.restart_threshold * ops.mean(new_counts)
            dead = ops.logical_and(new_counts < limit, offered)
            # One, or with many features to a code twice the limit: a code that starts below it would never settle.
            count = ops.maximum(1.0, 2.0 * limit)
            codes = ops.where(dead[:, None], restarts, codes)
            new_sums = ops.where(dead[:, None], count * restarts, new_sums)
            new_counts = ops.where(dead, count, new_counts)
        self.counts.assign(new_counts)
        self.sums.assign(new_sums)
        self.codebook.assign(codes)

    def start_at(self, rows):
        super().start_at(rows)
        self.counts.assign(np.ones(self.codebook_size, "float32"))
        self.sums.assign(rows)

    def restarts(self, features, weights):
        """A random feature for each code to restart at, (K, D), and whether there is one, (K,), over all replicas."""
        uniform = keras.random.uniform((self.codebook_size,), seed=self.seed_generator)
        n = ops.shape(features)[0]
        if weights is None:
            total = ops.cast(n, "float32")
            rows = ops.cast(uniform * total, "int32")
        else:
            reached = ops.cumsum(weights)
            total = reached[-1]
            # The first feature whose weights reach more: one of weight zero reaches no more than the one before it.
            rows = ops.searchsorted(reached, uniform * total, side="right")
        rows = ops.minimum(rows, n - 1)
        # Each replica proposes features for its own share of the codes, so that a sum over replicas is a choice.
        replica, replicas = _backend.replica()
        mine = ops.equal(ops.arange(self.codebook_size, dtype="int32") % replicas, replica)
        mine = ops.cast(ops.logical_and(mine, total > 0), "float32")
        chosen = ops.where(mine[:, None] > 0, ops.take(features, rows, axis=0), 0.0)
        return _backend.cross_replica_sum(chosen), _backend.cross_replica_sum(mine) > 0
