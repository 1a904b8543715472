"""The restricted Boltzmann machine as a prior of binary latents."""

import numpy as np
from keras import initializers, ops

from keras_vae.core.checks import integer, integers, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.distributions import RestrictedBoltzmann
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.ops import boltzmann
from keras_vae.ops.noise import Noise, random_noise
from keras_vae.ops.numerics import log_mean_exp
from keras_vae.ops.resampling import resampled
from keras_vae.priors.log_partition import LogPartition
from keras_vae.priors.prior import Prior

EXACT = 16  # units of the smaller side up to which log Z is a sum over all of their states


@registered
class BoltzmannMachine(LogPartition, Prior):
    """Restricted Boltzmann machine over binary latents z = (a, b): p(z) = exp(a^T W b + c^T a + d^T b) / Z.

    Latents of one half hang together through the other half (Rolfe 2017, with 64 + 64 units), where those of a
    `BernoulliPrior` are independent. It starts as the uniform distribution, all weights zero, and learns beside the
    model. The rate of independent binary posteriors is exact but for log Z: KL = -H(q) + E(means of q) + log Z.

    log Z, one rule: where the smaller side has 16 units or fewer, it is the exact sum over their states. Otherwise it
    is followed through training from the uniform start, where it is known, by `num_chains` persistent chains (Tieleman
    2008) that are resampled by their weights, which is population annealing (Machta 2010; Vahdat et al. 2018). With W'
    the weights that the chains z_k were last moved for, and E' their energy,

        log Z(W) = log Z(W') + log mean_k exp(E'(z_k) - E(z_k)),

    whose gradient is minus the mean of dE over the chains, each weighted by how much likelier W makes it. After each
    step of training that value is stored, the chains are resampled by these weights and moved by `sweeps_per_step`
    sweeps of block Gibbs sampling, and W becomes W'. Evaluation moves nothing.

    The followed value, and every rate logged with it, drifts over a training, and mostly downwards where chains do not
    get from mode to mode: the elbo then looks better than it is. Before figures are reported,
    `estimate_log_partition()` puts in its place an estimate by annealed importance sampling, and says its standard
    error.

    Draws are by block Gibbs sampling from the mean of b without a: after `sweeps` sweeps they are as good as the
    machine mixes.

    Args:
        sizes: (int >= 1, int >= 1), the numbers of latents in a and b. Default: None, one half each.
        sweeps: int >= 1, sweeps for a draw of `sample`. Default: 100.
        num_chains: int >= 2, persistent chains. Default: 512.
        sweeps_per_step: int >= 1, sweeps of the chains after each step of training. Default: 5.
        seed: int or None, of the chains. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, n), zeros and ones; a is z[:, :sizes[0]].

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: (batch, n), of uniforms in [0, 1), (batch, sweeps, n).

    Raises:
        ValueError: if a number is out of range; when it is put on a model, if its latents are no binary vectors, or
            `sizes` do not add up to them.

    Reference:
        Rolfe 2017, Discrete variational autoencoders, arXiv:1609.02200. Tieleman 2008, Training restricted Boltzmann
        machines using approximations to the likelihood gradient. Machta 2010, Population annealing with weighted
        averages. Vahdat, Andriyash & Macready 2018, DVAE#, arXiv:1805.07445. Neal 2001, Annealed importance sampling.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> bottleneck, prior = keras_vae.BernoulliBottleneck(6), keras_vae.BoltzmannMachine()
    >>> model = keras_vae.DiscreteVAE(encoder, decoder, bottleneck, prior=prior)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    >>> model.sample(2, seed=0).shape, bool(abs(prior.exact_log_partition() - 6 * np.log(2)) < 0.1)
    ((2, 4, 4, 1), True)
    """

    values = "binary"

    def __init__(self, sizes=None, sweeps=100, num_chains=512, sweeps_per_step=5, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.sizes = None if sizes is None else _two("sizes", sizes)
        self.sweeps, self.num_chains = integer("sweeps", sweeps), integer("num_chains", num_chains, low=2)
        self.sweeps_per_step = integer("sweeps_per_step", sweeps_per_step)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)

    def attach(self, model):
        if getattr(model.bottleneck, "values", None) != "binary":
            raise ValueError(
                f"`bottleneck` must draw binary latents for a {type(self).__name__}. "
                f"Received: bottleneck={type(model.bottleneck).__name__}."
            )

    def build(self, input_shape):
        left, right = self._halves(tuple(input_shape[1:]))
        options = {"dtype": "float32", "autocast": False}
        self.couplings = self.add_weight((left, right), "zeros", name="couplings", **options)
        self.biases = self.add_weight((left + right,), "zeros", name="biases", **options)
        self.is_exact = min(left, right) <= EXACT
        if self.is_exact:
            return
        # Every replica goes on with what the first one drew: a mean of chains would be no chain.
        options.update(trainable=False, aggregation="only_first_replica")
        self.followed_couplings = self.add_weight((left, right), "zeros", name="followed_couplings", **options)
        self.followed_biases = self.add_weight((left + right,), "zeros", name="followed_biases", **options)
        self.chains = self.add_weight((self.num_chains, left + right), self._coins, name="chains", **options)
        start = initializers.Constant((left + right) * np.log(2.0))
        self.followed_log_partition = self.add_weight((), start, name="followed_log_partition", **options)

    def noise_spec(self, shape):
        return Noise("uniform", (self.sweeps, *shape))

    def distribution(self, like, condition=None):
        return RestrictedBoltzmann(*self.weights_of_energy(), log_partition=self.current_log_partition)

    def sample_from(self, noise, condition=None):
        couplings, biases = self.weights_of_energy()
        left = couplings.shape[0]
        b = ops.zeros_like(noise[:, 0, left:]) + ops.sigmoid(biases[left:])  # its mean without a
        return boltzmann.gibbs(b, noise, couplings, biases)

    def current_log_partition(self):
        """log Z of the weights as they are, nats, a scalar tensor: what `log_prob` and `rate` take for it."""
        if self.is_exact:
            return boltzmann.log_partition(*self.weights_of_energy())
        return ops.convert_to_tensor(self.followed_log_partition) + log_mean_exp(self._log_weights())

    def _log_weights(self):
        """E'(z_k) - E(z_k) of each chain, (num_chains,): how much likelier the weights as they are make it."""
        # Copies: torch would miss, in the backward pass, what `update` assigned.
        chains, followed = ops.copy(self.chains), (ops.copy(self.followed_couplings), ops.copy(self.followed_biases))
        return boltzmann.energy(chains, *followed) - boltzmann.energy(chains, *self.weights_of_energy())

    def update(self, outputs):
        if self.is_exact:
            return
        couplings, biases = (ops.copy(ops.stop_gradient(weight)) for weight in self.weights_of_energy())
        log_weights = ops.stop_gradient(self._log_weights())
        noise = Noise("uniform", (self.sweeps_per_step, biases.shape[0]))
        noise = {"one": Noise("uniform", ()), "sweeps": noise}
        noise = random_noise(noise, (self.num_chains,), self.seed_generator)
        kept = resampled(log_weights, noise["one"][0])
        b = ops.take(self.chains, kept, axis=0)[:, couplings.shape[0] :]
        self.followed_log_partition.assign_add(log_mean_exp(log_weights))
        self.followed_couplings.assign(couplings)
        self.followed_biases.assign(biases)
        self.chains.assign(boltzmann.gibbs(b, noise["sweeps"], couplings, biases))

    def weights_of_energy(self):
        """(W, the vector of c and d), tensors."""
        return ops.convert_to_tensor(self.couplings), ops.convert_to_tensor(self.biases)

    def _halves(self, shape):
        """The sizes of a and b for latents of `shape`."""
        if len(shape) != 1 or shape[0] < 2:
            raise ValueError(
                f"{type(self).__name__} takes vectors of two latents or more. Received: latents of shape {shape}."
            )
        (n,) = shape
        if self.sizes is None and n % 2:
            raise ValueError(f"`sizes` must be given for an odd number of latents, {n}. Received: sizes=None.")
        sizes = (n // 2, n // 2) if self.sizes is None else self.sizes
        if sum(sizes) != n:
            raise ValueError(f"`sizes` must add up to the number of latents, {n}. Received: sizes={sizes}.")
        return sizes

    def _coins(self, shape, dtype=None):
        """Draws of the machine whose weights are zero."""
        uniforms = initializers.RandomUniform(0.0, 1.0, seed=self.seed)(shape, dtype="float32")
        return ops.cast(uniforms < 0.5, dtype)


def _two(name, value):
    sizes = integers(name, value)
    if len(sizes) != 2:
        raise ValueError(f"`{name}` must be two integers >= 1. Received: {name}={sizes}.")
    return sizes
