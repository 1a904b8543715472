"""`python -m keras_vae` is the command `keras-vae`."""

import sys

from keras_vae.cli import main

if __name__ == "__main__":
    sys.exit(main())
