"""Priors: p(z) over latents or codes."""

from keras_vae.priors.prior import Prior
from keras_vae.priors.standard_normal import StandardNormal
from keras_vae.priors.uniform_codes import UniformCodes

__all__ = ["Prior", "StandardNormal", "UniformCodes"]
