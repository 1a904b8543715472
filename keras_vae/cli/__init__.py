"""The command `keras-vae`: what a user does with a preset or a finished run, from the terminal."""

from keras_vae.cli.entry import main

__all__ = ["main"]
