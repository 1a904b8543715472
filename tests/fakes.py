"""Models whose latents and pictures are known by hand."""

import numpy as np


class FakeModel:
    """A latent of three numbers that a decoder shows as the grey of three pixels."""

    has_codes, data_shape, prior = False, (1, 3, 1), None
    previews = ("reconstructions", "traversal")

    def encode(self, x, output="mode"):
        assert output == "mean"
        return np.asarray(x).reshape(len(x), 3)

    def decode(self, z):
        return np.asarray(z).reshape(-1, 1, 3, 1)

    def reconstruct(self, x):
        return np.asarray(x)


class FakeCodes(FakeModel):
    has_codes = True
    previews = ("reconstructions",)
