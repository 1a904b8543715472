"""The vector-quantized autoencoder."""

import math
import warnings

from keras_vae.bottlenecks import Quantizer
from keras_vae.core.checks import instance, non_negative
from keras_vae.core.registration import registered
from keras_vae.likelihoods import GaussianLikelihood
from keras_vae.metrics import CodebookUsage, Perplexity, bits_per_image_of_codes, compression_ratio
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.ops.levels import by_level
from keras_vae.priors import UniformCodes


@registered
class VQVAE(Autoencoder):
    """VQ-VAE: loss = -log p(x|z_q) + ||sg[z_e] - e||^2 + commitment_weight ||z_e - sg[e]||^2.

    Equation 3 of van den Oord 2017. Every term is summed over its event: pixels for the first, positions and D for the
    others. With `VectorQuantizerEMA` the second term is absent, and the codebook follows moving averages; other
    quantizers say what stands in its place. `rate` is (number of codes) ln K nats until a prior is learned;
    `perplexity` and `codebook_usage` count the codes of the whole epoch. `adapt_codebook(x)`, before `fit`, starts the
    codes at the encoder's features of data.

    Args:
        encoder: keras layer or model, x -> (batch, ..., D) features.
        decoder: keras layer or model, (batch, ..., D) -> raw parameters of the likelihood, linear at the end.
        bottleneck: Quantizer, such as VectorQuantizerEMA, FSQ or ResidualVectorQuantizer; its codes may be a dict by
            level.
        commitment_weight: float >= 0, the beta of the paper, which holds the encoder to its codes. Default: 0.25.
        likelihood: Likelihood. Its scale weighs pixels against commitment: a Gaussian with the standard deviation of
            the data is the usual choice. Default: GaussianLikelihood(stddev=0.25), about that of images in [0, 1].
        prior: Prior over codes. Default: UniformCodes(codebook_size).
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": (batch, ..., D) quantized; "indices": (batch, ...) codes; "commitment" (and "codebook"):
        (batch,), and what else the bottleneck returns; "params": the decoder's output; "reconstruction": E[x|z], the
        shape of x.

    Raises:
        TypeError: if a part is of the wrong kind, or a subclass sets `masked`.
        ValueError: if `commitment_weight` is negative, or the shapes of the parts do not fit.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.VQEncoder(embedding_dim=4, hidden=8, residual_hidden=4)
    >>> decoder = keras_vae.VQDecoder((8, 8, 1), hidden=8, residual_hidden=4)
    >>> model = keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizerEMA(codebook_size=16, embedding_dim=4))
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 8, 8, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['codebook_usage', 'commitment', 'distortion', 'elbo', 'loss', 'perplexity', 'rate']
    >>> model.encode(x).shape, model.bits_per_image
    ((8, 2, 2), 16.0)
    """

    def __init__(self, encoder, decoder, bottleneck, commitment_weight=0.25, likelihood=None, prior=None, **kwargs):
        instance("bottleneck", bottleneck, Quantizer)
        if self.masked:
            raise TypeError(
                "`masked` must be False: a code may stand for several moments, and those behind the end of a sequence "
                f"would count; use crops of one length. Received: a {type(self).__name__} with masked=True."
            )
        likelihood = GaussianLikelihood(stddev=0.25) if likelihood is None else likelihood
        prior = UniformCodes(bottleneck.codebook_size) if prior is None else prior
        size = getattr(prior, "codebook_size", bottleneck.codebook_size)
        if size != bottleneck.codebook_size:
            raise ValueError(
                f"`prior` must be over the codes of `bottleneck`, codebook_size={bottleneck.codebook_size}. "
                f"Received: a {type(prior).__name__} of {size}."
            )
        super().__init__(encoder, decoder, bottleneck=bottleneck, likelihood=likelihood, prior=prior, **kwargs)
        self.commitment_weight = self.coefficient("commitment_weight", commitment_weight, non_negative)
        self.track("commitment", *bottleneck.term_weights)
        sizes, codebooks = bottleneck.codebook_size, bottleneck.codebooks
        self.perplexity, self.codebook_usage = (
            by_level(lambda *told, kind=kind: kind(*told[:2], codebooks=told[2]), sizes, _names(word, sizes), codebooks)
            for kind, word in ((Perplexity, "perplexity"), (CodebookUsage, "codebook_usage"))
        )

    def terms(self, x, y, outputs, training):
        terms = {**super().terms(x, y, outputs, training), **self.bottleneck.terms(outputs)}
        return self.total(terms, commitment=self.commitment_weight, **self.bottleneck.term_weights)

    def update_metrics(self, outputs, sample_weight=None):
        for metrics in (self.perplexity, self.codebook_usage):
            by_level(lambda metric, codes: metric.update_state(codes, sample_weight), metrics, outputs["indices"])

    def sample(self, n=1, seed=None, batch_size=128, condition=None, **controls):
        if self.prior.is_noise:
            warnings.warn(
                "This VQVAE has no learned prior: `sample` decodes uniform codes, which are not pictures.", stacklevel=2
            )
        return super().sample(n, seed, batch_size, condition, **controls)

    def adapt_codebook(self, x, method="k-means", seed=0, batch_size=128, condition=None):
        """Starts the codes of the bottleneck at what the encoder makes of x, before training: `Codebook.adapt`.

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs: some thousands of positions are
                enough; of different features there must be as many as there are codes.
            method: str, "k-means", which takes scikit-learn, or "sample". Default: "k-means".
            seed: int >= 0. Default: 0.
            batch_size: int, examples at a time. Default: 128.
            condition: of a conditional model. Default: None.

        Raises:
            ValueError: for bad data, fewer different features than codes, or a bottleneck of fixed codes, such as FSQ.
        """
        features = self._run("features", lambda i: self.encode_features(i["x"]), self._given(x, condition), batch_size)
        self.bottleneck.adapt(features, method, seed)

    def code_length(self, x, batch_size=128, condition=None):
        """Bits of the codes of each example under the prior, -log2 p(indices): what an arithmetic coder needs.

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs.
            batch_size: int, examples at a time. Default: 128.
            condition: of a conditional model. Default: None.

        Returns:
            numpy float32 array (batch,); `bits_per_image` for each until a prior is learned.

        Raises:
            ValueError: for bad data.
        """
        return self._run("code_length", self._code_length, self._given(x, condition), batch_size)

    def _code_length(self, inputs):
        _, extras = self.split(inputs["x"])
        given = {name: self.net_inputs(extras)[name] for name in ("condition",) if name in extras}
        return -self.prior.log_prob(self.encode_tensors(inputs["x"]), **given) / math.log(2.0)

    def preset_facts(self):
        """As of Autoencoder, with "codebook" [K, D], or [codebooks, K, D], "bits_per_image", "compression_ratio"."""
        sizes, codebooks = self.bottleneck.codebook_size, self.bottleneck.codebooks
        lengths = getattr(self.bottleneck, "embedding_dim", None)
        lengths = lengths if isinstance(lengths, dict) else by_level(lambda _: lengths, sizes)
        sizes = by_level(lambda *told: [*([told[2]] if told[2] > 1 else []), *told[:2]], sizes, lengths, codebooks)
        ratios = {"bits_per_image": self.bits_per_image, "compression_ratio": self.compression_ratio}
        return {**super().preset_facts(), "codebook": sizes, **ratios}

    @property
    def bits_per_image(self):
        """Bits of the codes of one example at log2 K each, of all levels, whatever the prior: see `code_length`."""
        self._require_built()
        bits = by_level(bits_per_image_of_codes, self.latent_shape, self.bottleneck.codebook_size)
        return sum(bits.values()) if isinstance(bits, dict) else bits

    @property
    def compression_ratio(self):
        """8-bit data over codes, in bits: 42.67 for 128x128x3 in 32x32 codes of K = 512."""
        self._require_built()
        ratio = lambda shape, size: compression_ratio(self.data_shape, shape, size)  # noqa: E731
        ratios = by_level(ratio, self.latent_shape, self.bottleneck.codebook_size)
        return 1.0 / sum(1.0 / each for each in ratios.values()) if isinstance(ratios, dict) else ratios


def _names(name, sizes):
    """Of a metric: `name`, or `name`_top and so on where there are levels."""
    return {level: f"{name}_{level}" for level in sizes} if isinstance(sizes, dict) else name
