"""How much each latent dimension is used."""

import numpy as np

from keras_vae.core.checks import non_negative
from keras_vae.metrics.arrays import finite_array

SHAPE = "(batch, ...latent)"


def active_units(z_mean, threshold=1e-2):
    """Number of latent dimensions that depend on the data: Var_x(E_q[z | x]) > threshold.

    A dimension whose posterior mean hardly moves from one image to the next carries nothing: it has collapsed.

    Args:
        z_mean: array (batch, ...), the posterior means of many examples, as `model.encode(x, output="mean")` gives; all
            axes but the first are latent dimensions.
        threshold: float >= 0, on the variance of the mean over the data; default 0.01, as in the paper.

    Returns:
        int, the number of active units.

    Raises:
        ValueError: for fewer than two examples, NaN or infinite values.

    Reference:
        Burda et al., Importance weighted autoencoders, 2016, section 5.1.

    Example:
        >>> active_units([[0.0, 1.0, 0.01], [0.0, -1.0, 0.0]])
        1
    """
    z_mean = finite_array("z_mean", z_mean, SHAPE)
    threshold = non_negative("threshold", threshold)
    if len(z_mean) < 2:
        raise ValueError(f"`z_mean` must hold at least two examples. Received: shape {z_mean.shape}.")
    return int((z_mean.var(axis=0) > threshold).sum())


def per_dimension_rate(z_mean, z_log_var):
    """KL(q(z_i|x) || N(0, 1)) of each latent dimension i in nats, averaged over the data.

        KL_i = 0.5 (mu_i^2 + exp(log_var_i) - 1 - log_var_i)

    For a Gaussian posterior with diagonal covariance under the standard normal prior; the sum over dimensions is the
    `rate` that such a model logs. A dimension near 0 nats is not used.

    Args:
        z_mean: array (batch, ...), posterior means.
        z_log_var: array of the same shape, logarithms of the posterior variances.

    Returns:
        float64 array of the shape of one latent, z_mean.shape[1:], nats.

    Raises:
        ValueError: for shapes that differ, no example, NaN or infinite values.

    Example:
        >>> per_dimension_rate([[0.0, 1.0], [0.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]).tolist()
        [0.0, 0.5]
    """
    z_mean, z_log_var = finite_array("z_mean", z_mean, SHAPE), finite_array("z_log_var", z_log_var, SHAPE)
    if z_mean.shape != z_log_var.shape:
        raise ValueError(
            f"`z_log_var` must have the shape of `z_mean`, {z_mean.shape}. Received: shape {z_log_var.shape}."
        )
    # expm1: near log_var = 0 the difference exp(v) - 1 - v would lose its digits
    return (0.5 * (np.square(z_mean) + np.expm1(z_log_var) - z_log_var)).mean(axis=0)
