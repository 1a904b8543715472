"""The score-function estimator."""

from keras import ops

from keras_vae.core.checks import instance
from keras_vae.core.registration import registered
from keras_vae.estimators.baseline import SIGNALS, Baseline
from keras_vae.estimators.estimator import Estimator


@registered
class ScoreFunction(Estimator):
    """The score-function gradient, REINFORCE: d E_q[f(z)] = E_q[(f(z) - b) d log q(z|x)] + E_q[d f(z)], z held.

    Williams 1992; Glynn 1990. It needs a density that is differentiable in its parameters and no more: not a draw that
    is, as the reparameterised gradient does, nor a decoder that is. It is unbiased and varies far more, by how much
    tells `recipes/estimator_variance.py`; a baseline b that knows the example and not the draw takes some of that off.
    Every quantity that a model takes the expectation of has its own: the distortion, and the rate where it is estimated
    at the draw; one in closed form has no such part. For its sake the signal is not divided by a running deviation, as
    NVIL has it: the distortion would weigh less than such a rate. Adam divides both alike.

    It is not for families whose support moves with their parameters, as a Uniform's: the score does not see the ends.
    Values are left as they are: what it adds to a loss is zero, with a gradient.

    Args:
        baseline: Baseline, as `MovingAverageBaseline()` or `InputDependentBaseline()`, or None for none. Default: None.
        **kwargs: of keras.layers.Layer.

    Raises:
        TypeError: if `baseline` is no Baseline.

    Reference:
        Williams 1992, Machine Learning 8. Mnih & Gregor 2014, arXiv:1402.0030. Foerster et al. 2018, arXiv:1802.05098,
        for what is added.

    Example:

    >>> import numpy as np, keras_vae
    >>> estimator = keras_vae.ScoreFunction(keras_vae.MovingAverageBaseline())
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> bottleneck = keras_vae.Reparameterised("Laplace", 2, estimator=estimator)
    >>> model = keras_vae.VAE(encoder, decoder, bottleneck=bottleneck)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    """

    carried = False

    def __init__(self, baseline=None, **kwargs):
        super().__init__(**kwargs)
        self.baseline = None if baseline is None else instance("baseline", baseline, Baseline)

    def build(self, input_shape):
        if self.baseline is not None and not self.baseline.built:
            self.baseline.build(input_shape)
            self.baseline.built = True

    def draw(self, posterior, seed):
        return ops.stop_gradient(posterior.sample(seed))

    def beside(self, features):
        if self.baseline is None:
            return {"baseline": dict.fromkeys(SIGNALS, ops.zeros((ops.shape(features)[0],)))}
        return {"baseline": self.baseline(ops.stop_gradient(features))}

    def through(self, name, value, draw):
        if "baseline" not in draw.beside:  # nothing is trained
            return value
        return value + self.scored(name, ops.stop_gradient(value), draw)

    def scored(self, name, signal, draw):
        """Zero, with the gradient (signal - b) d log q(z|x)."""
        log_prob = draw.log_prob()
        score = ops.reshape(log_prob - ops.stop_gradient(log_prob), (-1, *(1,) * (len(signal.shape) - 1)))
        if name not in SIGNALS:
            return signal * score
        return (signal - ops.stop_gradient(draw.beside["baseline"][name])) * score

    def side_loss(self, terms, beside):
        if self.baseline is None or "baseline" not in beside:
            return None
        errors = [ops.stop_gradient(terms[name]) - beside["baseline"][name] for name in SIGNALS]
        return 0.5 * sum(ops.square(error) for error in errors)

    def update(self, terms, beside, weights=None):
        if self.baseline is not None and "baseline" in beside:
            self.baseline.update({name: terms[name] for name in SIGNALS}, beside["baseline"], weights)
