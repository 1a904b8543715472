"""Run by the parity tests once per backend: what each preset answers there.

    KERAS_BACKEND=... python preset_answers.py questions.npz answers.npz name=folder ...

Questions: name/images and, in the second round, name/latents. Answers: name/codes, name/decoded, name/reconstruction.
"""

import sys

import numpy as np

import keras_vae


def main(source, target, *presets):
    questions, answers = dict(np.load(source)), {}
    for preset in presets:
        name, folder = preset.split("=", 1)
        model = keras_vae.load_pretrained(folder)
        answers[f"{name}/codes"] = model.encode(questions[f"{name}/images"])
        answers[f"{name}/decoded"] = model.decode(questions[f"{name}/latents"])
        answers[f"{name}/reconstruction"] = model.reconstruct(questions[f"{name}/images"])
    np.savez(target, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
