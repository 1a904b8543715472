"""What is asked of the log partition function of a Boltzmann machine: its value, exact or by annealing, on the host."""

import math

import numpy as np
from keras import ops

from keras_vae.core.checks import integer
from keras_vae.ops import boltzmann
from keras_vae.ops.noise import Noise, draw_noise
from keras_vae.training import SamplerCache

STRETCH = 50  # temperatures of one compiled call: what bounds the memory of its noise


class LogPartition:
    """Mixin of `BoltzmannMachine`: log Z as numbers."""

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
                "`exact_log_partition` needs a machine with 16 units or fewer on its smaller side: see "
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
        return self._annealed(num_chains, num_temperatures, rng)

    def estimate_log_partition(self, num_chains=1000, num_temperatures=1000, seed=0):
        """Puts an estimate of log Z in the place of the value that was followed through training; exact ones stay.

        Call it after training, before `evaluate` and `log_likelihood`; or, for logs that do not drift, each epoch:
        `keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: prior.estimate_log_partition())`.

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

    def _annealed(self, num_chains, num_temperatures, rng):
        """(estimate, standard error): the noise is the host's, a stretch of temperatures at a time."""
        samplers = self.__dict__.setdefault("_sampler_cache", SamplerCache())
        left, n = self.couplings.shape[0], self.biases.shape[0]
        draw = samplers.get("draw", self, lambda inputs: self.sample_from(inputs["noise"]), jit=True)
        drawn = draw.run({"noise": draw_noise(self.noise_spec((n,)), rng, (num_chains,))}, num_chains)
        rates = (drawn.sum(axis=0, dtype="float64") + 1.0) / (num_chains + 2.0)  # none is zero or one
        base = np.log(rates) - np.log1p(-rates)

        def stretch(inputs):
            b, log_weight = boltzmann.anneal(
                inputs["b"], inputs["noise"], inputs["levels"][0], inputs["base"][0], *self.weights_of_energy()
            )
            return {"b": b, "log_weight": log_weight}

        anneal = samplers.get("anneal", self, stretch, jit=True)
        spec = Noise("uniform", (STRETCH, n))
        b, log_weights = (rng.random((num_chains, n - left)) < rates[left:]).astype("float32"), np.zeros(num_chains)
        # One shape for all calls: behind the last temperature the level stays, which leaves the weights as they are.
        levels = np.minimum(np.arange(STRETCH * math.ceil(num_temperatures / STRETCH) + 1) / num_temperatures, 1.0)
        for start in range(0, num_temperatures, STRETCH):
            inputs = {
                "b": b,
                "noise": draw_noise(spec, rng, (num_chains,)),
                "levels": _rows(levels[start : start + STRETCH + 1], num_chains),
                "base": _rows(base, num_chains),
            }
            outputs = anneal.run(inputs, num_chains)
            b, log_weights = outputs["b"], log_weights + outputs["log_weight"]
        weights = np.exp(log_weights - log_weights.max())
        estimate = np.logaddexp(0.0, base).sum() + log_weights.max() + math.log(weights.mean())
        return float(estimate), float(weights.std(ddof=1) / weights.mean() / math.sqrt(num_chains))

    def _require_built(self, method):
        if not self.built:
            raise ValueError(
                f"`{method}` of a {type(self).__name__} comes after its model is built: call the model's "
                "`build((None, *data_shape))`. Received: a prior that is not built."
            )


def _rows(values, count):
    return np.repeat(values[None].astype("float32"), count, axis=0)
