"""The sparsity penalty: how far the mean activations of units are from a target."""

from keras import ops

from keras_vae.ops.numerics import float32

# A mean activation beyond these is taken for these, where the divergence would be infinite. A sigmoid of float32 comes
# as near to 0 as 1e-38 and still has a gradient, which is to bring dead units back; next to 1 its steps are of 6e-8.
LOWEST, HIGHEST = 1e-30, 1.0 - 1e-7


def mean_activation(activations, weights=None):
    """rho_hat: the mean activation of each unit over the batch, and over positions for feature maps.

    Args:
        activations: float tensor (batch, ..., units).
        weights: float tensor (batch,), how much each example counts, or None for all alike. Default: None.

    Returns:
        Float32 tensor (units,).

    Example:

    >>> import numpy as np
    >>> from keras_vae.losses import mean_activation
    >>> np.asarray(mean_activation(np.array([[0.0, 1.0], [1.0, 1.0]], "float32"))).tolist()
    [0.5, 1.0]
    """
    activations = float32(ops.convert_to_tensor(activations))
    if weights is not None:
        positions = tuple(range(1, len(activations.shape) - 1))
        means = ops.mean(activations, axis=positions) if positions else activations  # (batch, units)
        return ops.matmul(weights, means) / ops.maximum(ops.sum(weights), 1e-30)  # not 0 / 0 where none counts
    return ops.mean(activations, axis=tuple(range(len(activations.shape) - 1)))


def bernoulli_kl(rho, rho_hat):
    """KL(rho || rho_hat) of Bernoulli variables: rho log(rho / rho_hat) + (1 - rho) log((1 - rho) / (1 - rho_hat)).

    Zero where the mean activation is the target, and growing without end towards 0 and 1.

    Args:
        rho: float in (0, 1), the target.
        rho_hat: float tensor of values in [0, 1], mean activations.

    Returns:
        A tensor of the shape of `rho_hat`, nats.

    Reference:
        Ng 2011, Sparse autoencoder, CS294A lecture notes, section 3.

    Example:

    >>> import numpy as np
    >>> from keras_vae.losses import bernoulli_kl
    >>> round(float(bernoulli_kl(0.05, np.float32(0.2))), 5)
    0.09394
    """
    rho_hat = ops.clip(rho_hat, LOWEST, HIGHEST)
    return -rho * ops.log(rho_hat / rho) - (1.0 - rho) * ops.log((1.0 - rho_hat) / (1.0 - rho))
