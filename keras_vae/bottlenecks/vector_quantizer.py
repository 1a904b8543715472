"""Vector quantization with a codebook that the optimizer learns."""

from keras_vae.bottlenecks.codebook import Codebook
from keras_vae.core.registration import registered


@registered
class VectorQuantizer(Codebook):
    """Nearest-code quantization with a codebook learnt by gradient: ||sg[z_e] - e||^2 pulls codes to features.

    z_q = e_k with k = argmin_j ||z_e - e_j||^2, passed on with a straight-through gradient. "codebook" reaches only the
    codes and "commitment" only the encoder; `VQVAE` weighs and adds them (van den Oord 2017, eq. 3). Codes that no
    feature is near to get no gradient: `VectorQuantizerEMA` restarts them.

    Args:
        codebook_size: int >= 2, K, the number of codes.
        embedding_dim: int >= 1, D, the length of a code: the encoder's number of features.
        seed: int or None, of the first codebook. Default: None (drawn from Keras's global seed).
        metric: str, "euclidean", or "cosine": features and codes by their direction, as unit vectors. Default:
            "euclidean".
        gradient: str, what passes through z: "straight-through", or "rotation" (Fifty et al. 2024), which keeps its
            angle to the vector. Default: "straight-through".
        **kwargs: of keras.layers.Layer; the dtype is float32 always.

    Input shape:
        (batch, ..., D), features.

    Output shape:
        dict with "z": (batch, ..., D) float32; "indices": (batch, ...) int32 in [0, K); "commitment": (batch,)
        ||z_e - sg[e]||^2 and "codebook": (batch,) ||sg[z_e] - e||^2, each summed over positions and D.

    Raises:
        ValueError: if an argument is out of range, or the features are not D wide.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937. Yu et al. 2022, arXiv:2110.04627, section 3.2, of
        the cosine. Fifty et al. 2024, arXiv:2410.06424, of the rotation.

    Example:

    >>> import numpy as np, keras_vae
    >>> outputs = keras_vae.VectorQuantizer(codebook_size=8, embedding_dim=4)(np.zeros((2, 3, 3, 4), "float32"))
    >>> tuple(outputs["indices"].shape)
    (2, 3, 3)
    """
