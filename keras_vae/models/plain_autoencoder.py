"""The plain autoencoder."""

from keras_vae.core.registration import registered
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import not_codes


@registered
class PlainAutoencoder(Autoencoder):
    """Encoder and decoder trained to reconstruct: loss = distortion (Hinton & Salakhutdinov 2006).

    With the default likelihood the loss is the squared error summed over each example; with Bernoulli or Gaussian
    likelihoods it is their negative log-density. It draws no
    samples until `with_prior` puts a prior on its codes.

    Args:
        encoder: keras layer or model, x -> features, which are the latent.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        likelihood: Likelihood. Default: SquaredError().
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the features; "params": the decoder's output; "reconstruction": the shape of x.

    Raises:
        TypeError: if a part is not a Keras layer, or not a Likelihood.
        ValueError: if the decoder's output does not have the shape of the data.

    Reference:
        Hinton & Salakhutdinov 2006, Science 313:504.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8, 2)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.PlainAutoencoder(encoder, decoder)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'loss']
    >>> model.encode(x).shape
    (8, 2)
    """

    def __init__(self, encoder, decoder, likelihood=None, **kwargs):
        super().__init__(encoder, decoder, likelihood=likelihood, **kwargs)
        not_codes(self.bottleneck, self)

    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training))
