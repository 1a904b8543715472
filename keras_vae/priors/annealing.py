"""Annealed importance sampling of the log partition function of a Boltzmann machine, on the host."""

import math

import numpy as np

from keras_vae.ops import boltzmann
from keras_vae.ops.noise import Noise, draw_noise

STRETCH = 50  # temperatures of one compiled call: what bounds the memory of its noise


def annealed_log_partition(prior, samplers, num_chains, num_temperatures, rng):
    """(estimate of log Z, standard error), nats, of a built BoltzmannMachine: see its `log_partition`.

    Args:
        prior: BoltzmannMachine, built.
        samplers: SamplerCache of the prior.
        num_chains: int >= 2.
        num_temperatures: int >= 1.
        rng: numpy.random.Generator.
    """
    left, n = prior.couplings.shape[0], prior.biases.shape[0]
    draw = samplers.get("draw", prior, lambda inputs: prior.sample_from(inputs["noise"]), jit=True)
    drawn = draw.run({"noise": draw_noise(prior.noise_spec((n,)), rng, (num_chains,))}, num_chains)
    rates = (drawn.sum(axis=0, dtype="float64") + 1.0) / (num_chains + 2.0)  # none is zero or one
    base = np.log(rates) - np.log1p(-rates)

    def stretch(inputs):
        b, log_weight = boltzmann.anneal(
            inputs["b"], inputs["noise"], inputs["levels"][0], inputs["base"][0], *prior.weights_of_energy()
        )
        return {"b": b, "log_weight": log_weight}

    anneal = samplers.get("anneal", prior, stretch, jit=True)
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


def _rows(values, count):
    return np.repeat(values[None].astype("float32"), count, axis=0)
