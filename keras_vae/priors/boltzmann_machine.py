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
from keras_vae.priors.annealing import annealed_log_partition
from keras_vae.priors.prior import Prior
from keras_vae.training import SamplerCache

EXACT = 16  # units of the smaller side up to which log Z is a sum over all of their states


@registered
class BoltzmannMachine(Prior):
    """Restricted Boltzmann machine over binary latents z = (a, b): p(z) = exp(a^T W b + c^T a + d^T b) / Z.

    Latents of one half may hang together through the other half, which independent ones cannot (Rolfe 2017, section
    3.1: 64 + 64 units). It starts as the uniform distribution, all weights zero, and learns beside the model. The rate
    of independent binary posteriors is exact but for log Z: KL = -H(q) + E(means of q) + log Z.

    log Z, one rule: where the smaller side has 16 units or fewer, it is the exact sum over their states. Otherwise it
    is followed through training from where it is known, at the uniform start, by `num_chains` persistent chains
    (Tieleman 2008; Desjardins et al. 2011). With W' the weights that the chains z_k were last moved for, and E' their
    energy,

        log Z(W) = log Z(W') + log mean_k exp(E'(z_k) - E(z_k)),

    whose gradient is that of persistent contrastive divergence: minus the mean of dE over the chains, each weighted by
    how much likelier W makes it. After each step of training that value is stored, the chains move by `sweeps_per_step`
    sweeps of block Gibbs sampling, and W becomes W'. Evaluation moves nothing. The followed value, and every rate that
    is logged with it, drifts: before figures are reported, `estimate_log_partition()` puts in its place an estimate by
    annealed importance sampling, and says its standard error.

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
        machines using approximations to the likelihood gradient. Desjardins, Courville & Bengio 2011, On tracking the
        partition function. Neal 2001, Annealed importance sampling.

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

    is_discrete = True

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
        couplings, biases = self.weights_of_energy()
        if self.is_exact:
            return boltzmann.log_partition(couplings, biases)
        # Copies: torch would miss, in the backward pass, what `update` assigned.
        chains, followed = ops.copy(self.chains), (ops.copy(self.followed_couplings), ops.copy(self.followed_biases))
        change = boltzmann.energy(chains, *followed) - boltzmann.energy(chains, couplings, biases)
        return ops.convert_to_tensor(self.followed_log_partition) + log_mean_exp(change)

    def update(self, outputs):
        if self.is_exact:
            return
        couplings, biases = (ops.copy(ops.stop_gradient(weight)) for weight in self.weights_of_energy())
        self.followed_log_partition.assign(ops.stop_gradient(self.current_log_partition()))
        self.followed_couplings.assign(couplings)
        self.followed_biases.assign(biases)
        noise = Noise("uniform", (self.sweeps_per_step, biases.shape[0]))
        noise = random_noise(noise, (self.num_chains,), self.seed_generator)
        chains = ops.convert_to_tensor(self.chains)
        self.chains.assign(boltzmann.gibbs(chains[:, couplings.shape[0] :], noise, couplings, biases))

    def exact_log_partition(self):
        """log Z, exactly, of a machine with 16 units or fewer on its smaller side.

        Returns:
            float, nats.

        Raises:
            ValueError: for larger machines, and before the prior is built.
        """
        self._require_built("exact_log_partition")
        if not self.is_exact:
            raise ValueError(
                f"`exact_log_partition` needs a machine with {EXACT} units or fewer on its smaller side: see "
                f"`log_partition`. Received: sizes={tuple(self.couplings.shape)}."
            )
        return float(ops.convert_to_numpy(self.current_log_partition()))

    def log_partition(self, num_chains=1000, num_temperatures=1000, seed=0):
        """log Z by annealed importance sampling; it changes nothing, see `estimate_log_partition`.

        From independent units with the rates of draws of the machine itself, along (E_0)^(1 - t) (E)^t, with one sweep
        at each t, the side a summed in closed form. exp of the estimate is unbiased, the estimate itself low by about
        half of its squared error, and by more where the machine mixes too badly for `num_temperatures`, which the
        standard error cannot know: it has to stay when that number is doubled.

        Args:
            num_chains: int >= 2. Default: 1000.
            num_temperatures: int >= 1, steps from the independent units to the machine. Default: 1000.
            seed: int >= 0. The same seed gives the same estimate on every backend, up to rounding. Default: 0.

        Returns:
            (estimate, standard error): floats, nats.

        Raises:
            ValueError: if an argument is out of range, and before the prior is built.

        Reference:
            Neal 2001, Annealed importance sampling. Salakhutdinov & Murray 2008, On the quantitative analysis of deep
            belief networks.
        """
        self._require_built("log_partition")
        num_chains = integer("num_chains", num_chains, low=2)
        num_temperatures = integer("num_temperatures", num_temperatures)
        rng = np.random.default_rng(integer("seed", seed, low=0))
        samplers = self.__dict__.setdefault("_sampler_cache", SamplerCache())
        return annealed_log_partition(self, samplers, num_chains, num_temperatures, rng)

    def estimate_log_partition(self, num_chains=1000, num_temperatures=1000, seed=0):
        """Puts an estimate of log Z in the place of the value that was followed through training; exact ones stay.

        Call it after training, before `evaluate` and `log_likelihood`.

        Args:
            num_chains: int >= 2, as of `log_partition`. Default: 1000.
            num_temperatures: int >= 1, as of `log_partition`. Default: 1000.
            seed: int >= 0. Default: 0.

        Returns:
            (log Z, standard error): floats, nats; an error of zero where log Z is exact.

        Raises:
            ValueError: as `log_partition`.
        """
        self._require_built("estimate_log_partition")
        if self.is_exact:
            return self.exact_log_partition(), 0.0
        estimate, error = self.log_partition(num_chains, num_temperatures, seed)
        self.followed_log_partition.assign_add(estimate - float(ops.convert_to_numpy(self.current_log_partition())))
        return estimate, error

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

    def _require_built(self, method):
        if not self.built:
            raise ValueError(
                f"`{method}` of a {type(self).__name__} comes after its model is built: call the model's "
                "`build((None, *data_shape))`. Received: a prior that is not built."
            )


def _two(name, value):
    sizes = integers(name, value)
    if len(sizes) != 2:
        raise ValueError(f"`{name}` must be two integers >= 1. Received: {name}={sizes}.")
    return sizes
