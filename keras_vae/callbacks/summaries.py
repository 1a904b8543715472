"""Event files for TensorBoard, without TensorFlow."""

import os

from keras_vae.core.optional import require


def summary_writer(log_dir):
    """A tensorboardX SummaryWriter on a folder, which it makes; the caller closes it."""
    return require("tensorboardX", "viz", "Writing for TensorBoard").SummaryWriter(os.fspath(log_dir))
