"""The VAE whose posterior parameters are pulled to those of the standard normal."""

from keras import ops

from keras_vae.core.checks import non_negative
from keras_vae.core.registration import registered
from keras_vae.losses import parameter_distance
from keras_vae.models.variational import Variational


@registered
class ParameterDistanceVAE(Variational):
    """VAE without a divergence: loss = distortion + distance_weight * sum_d [mean_d^2 + (stddev_d - 1)^2].

    Some texts regularise the parameters of q(z|x) so, by their squared distance from those of N(0, 1). The loss is then
    no bound of log p(x). `rate` and `elbo` in the logs are the true divergence and the true bound, by which the model
    compares with a VAE; the distance is logged as `parameter_distance`.

    Args:
        encoder: keras layer or model, x -> features; the Gaussian head is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        distance_weight: float >= 0; a weight of the model, which callbacks may schedule. Default: 1.0.
        **kwargs: `bottleneck`, which returns "z_mean" and "z_log_var" as GaussianBottleneck does; `likelihood`, `prior`
            and `num_samples`, as of VAE; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of VAE.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if `distance_weight` is negative, the bottleneck has no mean and variance, or as VAE.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.ParameterDistanceVAE(encoder, decoder, latent_dim=2, distance_weight=0.5)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'parameter_distance', 'rate']
    """

    def __init__(self, encoder, decoder, latent_dim=None, distance_weight=1.0, **kwargs):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.distance_weight = self.coefficient("distance_weight", distance_weight, non_negative)
        self.track("parameter_distance")

    @property
    def loss_weights(self):
        return {"parameter_distance": self.distance_weight}

    def loss_terms(self, x, y, outputs, training):
        missing = {"z_mean", "z_log_var"} - set(outputs)
        if missing:
            raise ValueError(
                f"`bottleneck` must return 'z_mean' and 'z_log_var', as GaussianBottleneck does. Received: "
                f"bottleneck={type(self.bottleneck).__name__}, without {sorted(missing)}."
            )
        terms = super().loss_terms(x, y, outputs, training)
        stddev = ops.exp(0.5 * outputs["z_log_var"])
        return {**terms, "parameter_distance": parameter_distance(outputs["z_mean"], stddev)}
