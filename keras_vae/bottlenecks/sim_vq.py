"""Vector quantization with a random codebook and a learned linear map of it."""

import numpy as np
from keras import ops

from keras_vae.bottlenecks.codebook import Codebook
from keras_vae.core.registration import registered


@registered
class SimVQ(Codebook):
    """Nearest-code quantization with codes c_k W: rows c_k that stay as they were drawn, and a learned linear map W.

    A step of `VectorQuantizer` moves the codes that features came near to, and leaves the others behind. Here every
    step moves W, and with it all of space that the codes span: few die, however many there are. "codebook",
    ||sg[z_e] - c_k W||^2, reaches W alone, "commitment" only the encoder (Zhu et al. 2024). W starts at the
    identity, so that the first codes are those of a `VectorQuantizer`: the rows are drawn of no direction more than of
    another, and a random rotation would change nothing.

    Args:
        codebook_size: int >= 2, K, the number of codes.
        embedding_dim: int >= 1, D, the length of a code: the encoder's number of features.
        seed: int or None, of the rows. Default: None (drawn from Keras's global seed).
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
        Zhu et al. 2024, Addressing representation collapse in vector quantized models with one linear layer,
        arXiv:2411.02038.

    Example:

    >>> import numpy as np, keras_vae
    >>> layer = keras_vae.SimVQ(codebook_size=8, embedding_dim=4)
    >>> outputs = layer(np.zeros((2, 3, 3, 4), "float32"))
    >>> [tuple(weight.shape) for weight in layer.trainable_variables]
    [(4, 4)]
    """

    frozen = True

    def build(self, input_shape):
        super().build(input_shape)
        self.mixing = self.add_weight(
            shape=(self.embedding_dim, self.embedding_dim), initializer="identity", name="mixing", autocast=False
        )

    def vectors(self, rows):
        return super().vectors(ops.matmul(rows, ops.convert_to_tensor(self.mixing)))

    def start_at(self, rows):
        super().start_at(rows)
        self.mixing.assign(np.eye(self.embedding_dim, dtype="float32"))
