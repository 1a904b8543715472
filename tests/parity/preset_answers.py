"""Run by the parity tests once per backend: what each preset answers there.

    KERAS_BACKEND=... python preset_answers.py questions.npz answers.npz name=folder ...

Questions: name/images, name/latents (name/latents/level where there are levels) and, of a conditional model,
name/condition. Answers: name/codes, those of all levels side by side, name/decoded, name/reconstruction; of a
classifier, which has no latents, name/features; of a prior name/rates and name/drawn.
"""

import sys

import numpy as np

import keras_vae


def main(source, target, *presets):
    questions, answers = dict(np.load(source)), {}
    for preset in presets:
        name, folder = preset.split("=", 1)
        model = keras_vae.load_pretrained(folder)
        images = questions[f"{name}/images"]
        if isinstance(model, keras_vae.Classifier):
            answers[f"{name}/features"] = model.features(images)
            continue
        if isinstance(model, keras_vae.LearnedPrior):
            log_probs = model.predict(images, verbose=0)["log_prob"]
            answers.update({f"{name}/rates": -log_probs, f"{name}/drawn": model.sample(2, seed=0)})
            continue
        begin = f"{name}/latents/"
        levels = {key.removeprefix(begin): part for key, part in questions.items() if key.startswith(begin)}
        latents = levels or questions[f"{name}/latents"]
        given = {"condition": questions[f"{name}/condition"]} if model.condition is not None else {}
        codes = model.encode(images, **given)
        if levels:
            codes = np.concatenate([part.reshape(len(images), -1) for part in codes.values()], axis=1)
        answers[f"{name}/codes"] = codes
        answers[f"{name}/decoded"] = model.decode(latents, **given)
        answers[f"{name}/reconstruction"] = model.reconstruct(images, **given)
    np.savez(target, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
