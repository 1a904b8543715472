"""Free bits: a rate below which a latent costs nothing."""

from keras import ops


def free_bits(rates, floor):
    """sum_j max(floor, rate_j): a latent that says less than the floor is not pressed to say still less.

    Below the floor there is no gradient. Of the rates of each example it is a number for each of them; of their mean
    over the batch, as in the paper, one number, which lets a latent say nothing of some examples.

    Args:
        rates: float tensor (..., latents), nats.
        floor: float >= 0, or a scalar tensor: nats for each latent, lambda.

    Returns:
        A tensor (...), nats.

    Reference:
        Kingma et al. 2016, arXiv:1606.04934, appendix C.8.

    Example:

    >>> import numpy as np
    >>> from keras_vae.losses import free_bits
    >>> float(free_bits(np.array([0.1, 2.0], "float32"), 0.5))
    2.5
    """
    rates = ops.convert_to_tensor(rates)
    return ops.sum(ops.maximum(rates, ops.cast(floor, rates.dtype)), axis=-1)
