"""The sparse autoencoder."""

import keras
from keras import ops

from keras_vae import _backend
from keras_vae.core.checks import in_half_open_interval, in_open_interval, non_negative
from keras_vae.core.registration import registered
from keras_vae.layers import Activations, Chain
from keras_vae.losses import bernoulli_kl, mean_activation
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import not_codes
from keras_vae.ops.numerics import straight_through

SIGMOID = "sigmoid"  # not the hard one: a unit that is exactly 0 has no gradient to bring it back
PREFIX = "activations_"
TINY = 1e-30  # weights that are all zero: nothing is divided by zero


@registered
class SparseAutoencoder(Autoencoder):
    """Autoencoder of few active units: loss = distortion + sparsity_weight * sum_j KL(rho || rho_hat_j).

    rho_hat_j is the mean activation of sigmoid unit j over the batch, and the sum runs over the units of all layers
    named (Ng 2011, section 3). The penalty is a number of the batch, over all replicas, the same for each of its
    examples; with sample weights rho_hat is the weighted mean. With the default SquaredError, which has no factor 1/2,
    Ng's beta is half the `sparsity_weight` here.

    With `momentum` the mean is a running one, rho_hat <- momentum rho_hat + (1 - momentum) batch mean, which small
    batches need: the penalty takes its value there, and its gradient through the batch; evaluation leaves it as it is.

    Args:
        encoder: MLPEncoder or another net of keras_vae, keras.Sequential or functional keras.Model, x -> features.
        decoder: keras layer or model, z -> raw parameters of the likelihood; None for tied weights. Default: None.
        rho: float in (0, 1), the target, the same for good: compiled steps hold it. Default: 0.05.
        sparsity_weight: float >= 0; a weight of the model, which callbacks may schedule. Default: 1.0.
        sparse_layers: names of layers of the encoder, each with sigmoid activation; None for its last one. Default:
            None.
        momentum: float in [0, 1) for a running mean, or None for the batch's. Default: None.
        likelihood: Likelihood. Default: SquaredError().
        **kwargs: of keras.Model, and `bottleneck`, a continuous one.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the features; "activations_NAME": of each sparse layer; "params": the decoder's output;
        "reconstruction": the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, a layer is not there or not a sigmoid, or the shapes do not fit.

    Reference:
        Ng 2011, Sparse autoencoder, CS294A lecture notes.

    Example:

    >>> import numpy as np, keras_vae
    >>> model = keras_vae.SparseAutoencoder(keras_vae.MLPEncoder((8,), "sigmoid"), rho=0.1, sparsity_weight=3.0)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'loss', 'mean_activation', 'sparsity']
    """

    def __init__(
        self,
        encoder,
        decoder=None,
        rho=0.05,
        sparsity_weight=1.0,
        sparse_layers=None,
        momentum=None,
        likelihood=None,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood=likelihood, **kwargs)
        not_codes(self.bottleneck, self)
        self.rho = in_open_interval("rho", rho, 0.0, 1.0)
        self.sparsity_weight = self.coefficient("sparsity_weight", sparsity_weight, non_negative)
        self.sparse_layers = None if sparse_layers is None else _names(sparse_layers)
        self.momentum = None if momentum is None else in_half_open_interval("momentum", momentum, 0.0, 1.0)
        self.track("sparsity", "mean_activation")

    def build(self, input_shape):
        if not self.encoder.built:
            self.encoder.build(input_shape)
        self.activations = Activations(self.encoder, self.sparse_layers)
        for name, layer in self.activations.layers.items():
            activation = _activation(layer)
            if activation != SIGMOID:
                raise ValueError(
                    f"`sparse_layers` must have sigmoid activation, so that their means lie in (0, 1). "
                    f"Received: layer {name!r} with activation {activation}."
                )
        super().build(input_shape)
        self.running = {}
        if self.momentum is not None:
            outputs = self.trace(input_shape)
            for name in self.activations.layers:
                self.running[name] = self.add_weight(
                    shape=outputs[PREFIX + name].shape[-1:],
                    initializer=keras.initializers.Constant(self.rho),  # until something is seen, nothing is charged
                    trainable=False,
                    autocast=False,
                    name=f"rho_hat_{name}",
                )

    def features(self, x, training, **seen):
        h, activations = self.activations(x, training)
        return h, {PREFIX + name: value for name, value in activations.items()}

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        means = [self.rho_hat(name, outputs, training) for name in self.activations.layers]
        penalty = sum(ops.sum(bernoulli_kl(self.rho, mean)) for mean in means)
        shape = ops.shape(terms["distortion"])
        terms["sparsity"] = ops.broadcast_to(penalty, shape)
        terms["mean_activation"] = ops.broadcast_to(ops.mean(ops.concatenate(means)), shape)
        return self.total(terms, sparsity=self.sparsity_weight)

    def rho_hat(self, name, outputs, training):
        """The mean activation of each unit of a layer, (units,): of the batch, or running."""
        mean, whole = _means(name, outputs)
        if self.momentum is None:
            return straight_through(mean, whole)
        running = ops.convert_to_tensor(self.running[name])
        return straight_through(mean, self.moved(running, whole)) if training else running

    def moved(self, running, mean):
        """The running mean after one more batch."""
        return self.momentum * running + (1.0 - self.momentum) * mean

    def update_state(self, outputs, terms):
        super().update_state(outputs, terms)
        for name, variable in self.running.items():
            variable.assign(self.moved(variable, _means(name, outputs)[1]))


def _activation(layer):
    """The name of the activation that a layer, or the last layer of a net, ends in."""
    if isinstance(layer, Chain):
        layer = layer.parts[-1]
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _names(sparse_layers):
    good = isinstance(sparse_layers, (list, tuple)) and sparse_layers
    if not good or not all(isinstance(name, str) for name in sparse_layers):
        raise ValueError(f"`sparse_layers` must be a list of names of layers, or None. Received: {sparse_layers!r}.")
    return list(sparse_layers)


def _means(name, outputs):
    """The mean activation of each unit, (units,): of this replica, and, without gradient, of all."""
    activations, weights = outputs[PREFIX + name], outputs.get("sample_weight")
    mean = mean_activation(activations, weights)
    if _backend.replica()[1] == 1:
        return mean, mean
    own = ops.ones(()) if weights is None else ops.sum(weights)
    total = ops.maximum(_backend.cross_replica_sum(own), TINY)
    return mean, _backend.cross_replica_sum(mean * own) / total
