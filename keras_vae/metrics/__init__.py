"""What a trained model is worth: functions of arrays, and Keras metrics."""

from keras_vae.metrics.active_units import active_units, per_dimension_rate
from keras_vae.metrics.code_histogram import CodeHistogram
from keras_vae.metrics.codebook_usage import CodebookUsage
from keras_vae.metrics.explained_variance import ExplainedVariance
from keras_vae.metrics.frechet import FrechetDistance, frechet_distance, frechet_distance_of_features
from keras_vae.metrics.hidden_units import dead_units, saturation
from keras_vae.metrics.image_formats import image_format_psnr
from keras_vae.metrics.perplexity import Perplexity
from keras_vae.metrics.probes import few_label_errors, linear_probe, pca_error
from keras_vae.metrics.psnr import PSNR, psnr
from keras_vae.metrics.rank_correlation import best_spearman
from keras_vae.metrics.rates import bits_per_dim, bits_per_image_of_codes, compression_ratio
from keras_vae.metrics.ssim import SSIM, ssim

__all__ = [
    "CodeHistogram",
    "CodebookUsage",
    "ExplainedVariance",
    "FrechetDistance",
    "PSNR",
    "Perplexity",
    "SSIM",
    "active_units",
    "best_spearman",
    "bits_per_dim",
    "bits_per_image_of_codes",
    "compression_ratio",
    "dead_units",
    "few_label_errors",
    "frechet_distance",
    "frechet_distance_of_features",
    "image_format_psnr",
    "linear_probe",
    "pca_error",
    "per_dimension_rate",
    "psnr",
    "saturation",
    "ssim",
]
