"""The k-sparse autoencoder."""

from keras_vae.bottlenecks import KSparse
from keras_vae.core.registration import registered
from keras_vae.models.autoencoder import Autoencoder


@registered
class KSparseAutoencoder(Autoencoder):
    """Autoencoder whose linear code keeps its k largest activations: loss = distortion (Makhzani & Frey 2013).

    No penalty and no non-linearity but the selection. The paper's net is `MLPEncoder((1000,), "linear")` with tied
    weights, `decoder=None`. `k` is a weight: `CoefficientSchedule("k", linear_schedule(1000, 25, steps))` anneals it
    from dense to sparse, over the first half of the training in the paper, against dead units. For data whose mean is
    far from zero `MLPEncoder((1000,), "linear", centered=True)` learns faster, and a few epochs of annealing are
    enough: long ones leave more units dead (recipes/k_sparse_mnist.py).

    Args:
        encoder: keras layer or model, x -> linear features.
        decoder: keras layer or model, z -> raw parameters of the likelihood; None for tied weights. Default: None.
        k: int >= 1, activations kept while training. Default: 25.
        alpha: float > 0, round(alpha k) are kept when encoding. Default: 1.0.
        likelihood: Likelihood. Default: SquaredError().
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the sparse code; "params": the decoder's output; "reconstruction": the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind, or `k` not an integer.
        ValueError: if `k` is not >= 1 or `alpha` not > 0, or the shapes of the parts do not fit.

    Reference:
        Makhzani & Frey 2013, k-Sparse Autoencoders, arXiv:1312.5663.

    Example:

    >>> import numpy as np, keras_vae
    >>> model = keras_vae.KSparseAutoencoder(keras_vae.MLPEncoder((8,), "linear"), k=3, alpha=2.0)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'loss']
    >>> (model.encode(x) != 0).sum(axis=1).tolist()
    [6, 6, 6, 6, 6, 6, 6, 6]
    """

    fixed = ("bottleneck",)

    def __init__(self, encoder, decoder=None, k=25, alpha=1.0, likelihood=None, **kwargs):
        super().__init__(encoder, decoder, bottleneck=KSparse(k, alpha), likelihood=likelihood, **kwargs)
        self.k = self.bottleneck.k
        self.alpha = self.bottleneck.alpha

    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training))
