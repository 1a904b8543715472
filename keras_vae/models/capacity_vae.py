"""The VAE of controlled capacity."""

from keras import ops

from keras_vae.core.checks import integer, non_negative
from keras_vae.core.registration import registered
from keras_vae.models.variational import Variational
from keras_vae.ops import batch_mean
from keras_vae.ops.schedules import linear_schedule


@registered
class CapacityVAE(Variational):
    """VAE whose rate is led up to a given one: loss = distortion + capacity_weight * |rate - C|.

    C grows in a straight line from 0 to `capacity` nats over the first `capacity_steps` steps of training, and stays
    there (Burgess et al. 2018, eq. 8): one latent after the other is worth its rate, the most useful first. The rate is
    the mean of the batch, over all replicas, with sample weights the weighted one, so that |rate - C| is a number of
    the batch. `rate` and `elbo` stay those of the plain bound; `capacity` in the logs is C, and `capacity_gap` |rate -
    C|.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        capacity: float >= 0, the last C, nats; a weight of the model, which callbacks may schedule. Default: 25.0.
        capacity_weight: float >= 0, the gamma of the paper; a weight of the model too. Default: 1000.0.
        capacity_steps: int >= 1, the steps until C is `capacity`; 1 for a constant C, which is left to a callback.
            Default: 100_000.
        **kwargs: `bottleneck`, `likelihood`, `prior` and `num_samples`, as of VAE; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of VAE.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, or as VAE.

    Reference:
        Burgess et al. 2018, Understanding disentangling in beta-VAE, arXiv:1804.03599.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.CapacityVAE(encoder, decoder, latent_dim=2, capacity=5.0, capacity_steps=10)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> history = model.fit(x, epochs=2, verbose=0).history
    >>> sorted(history), history["capacity"]
    (['capacity', 'capacity_gap', 'distortion', 'elbo', 'loss', 'rate'], [0.5, 1.0])
    """

    def __init__(
        self,
        encoder,
        decoder,
        latent_dim=None,
        capacity=25.0,
        capacity_weight=1000.0,
        capacity_steps=100_000,
        **kwargs,
    ):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.capacity = self.coefficient("capacity", capacity, non_negative)
        self.capacity_weight = self.coefficient("capacity_weight", capacity_weight, non_negative)
        self.capacity_steps = integer("capacity_steps", capacity_steps)
        self.track("capacity_gap", "capacity")

    @property
    def loss_weights(self):
        return {"capacity_gap": self.capacity_weight}

    def loss_terms(self, x, y, outputs, training):
        terms = super().loss_terms(x, y, outputs, training)
        capacity = self.capacity * linear_schedule(0.0, 1.0, self.capacity_steps)(self.step)
        gap = ops.abs(batch_mean(terms["rate"], outputs.get("sample_weight")) - capacity)
        shape = ops.shape(terms["distortion"])
        whole = {"capacity_gap": ops.broadcast_to(gap, shape), "capacity": ops.broadcast_to(capacity, shape)}
        return {**terms, **whole}
