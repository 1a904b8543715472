"""The contractive autoencoder."""

from keras_vae import _backend
from keras_vae.core.checks import integer, non_negative, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.losses.encoder_jacobian import encoder_squared_jacobian, is_one_sigmoid_layer
from keras_vae.losses.jacobian import hutchinson_squared_jacobian
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import seen_by
from keras_vae.training import pure


@registered
class ContractiveAutoencoder(Autoencoder):
    """Autoencoder whose code moves little when x does: loss = distortion + contraction_weight * ||J||_F^2.

    J = dh/dx is the Jacobian of the encoder at x, and its squared Frobenius norm is summed over both axes (Rifai et al.
    2011, eq. 4). For an `MLPEncoder` of one sigmoid layer the norm has a closed form as cheap as the layer. For any
    other encoder it is computed exactly, by one forward derivative for each dimension of x, or with `probes` estimated
    from as many random directions, which is unbiased (Hutchinson). Evaluation uses the same estimator as training.

    The paper ties the weights (`decoder=None`): an untied decoder can undo a code that only shrinks.

    Args:
        encoder: keras layer or model, x -> features; batch statistics and dropout are off where it is differentiated.
        decoder: keras layer or model, z -> raw parameters of the likelihood; None for tied weights. Default: None.
        contraction_weight: float >= 0; a weight of the model, which callbacks may schedule. Default: 0.1.
        probes: int >= 1, random directions per example, or None for the exact norm. Default: None.
        likelihood: Likelihood. Default: SquaredError().
        seed: int >= 0 or None, of the directions. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the features; "params": the decoder's output; "reconstruction": the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, or the shapes of the parts do not fit.

    Reference:
        Rifai, Vincent, Muller, Glorot & Bengio 2011, Contractive Auto-Encoders, ICML.

    Example:

    >>> import numpy as np, keras_vae
    >>> model = keras_vae.ContractiveAutoencoder(keras_vae.MLPEncoder((8,), "sigmoid"), contraction_weight=0.5)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['contraction', 'distortion', 'loss']
    """

    fixed = ("bottleneck",)

    def __init__(
        self, encoder, decoder=None, contraction_weight=0.1, probes=None, likelihood=None, seed=None, **kwargs
    ):
        super().__init__(encoder, decoder, likelihood=likelihood, **kwargs)
        self.contraction_weight = self.coefficient("contraction_weight", contraction_weight, non_negative)
        self.probes = None if probes is None else integer("probes", probes)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.track("contraction")
        if not is_one_sigmoid_layer(self.encoder):
            self.supports_jit = _backend.JVP_COMPILES

    def contraction(self, x, h, **seen):
        """||dh/dx||_F^2 at x, (batch,); `h` is the encoder's output there, and `seen` what else it is given."""
        if self.probes is None or is_one_sigmoid_layer(self.encoder):
            return encoder_squared_jacobian(self.encoder, x, h, **seen)
        return hutchinson_squared_jacobian(pure(self.encoder), x, self.probes, self.seed_generator, **seen)

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        seen = self.net_inputs({name: outputs[name] for name in self.extra_inputs})
        terms["contraction"] = self.contraction(x, outputs["z"], **seen_by(self.encoder, seen))
        return self.total(terms, contraction=self.contraction_weight)
