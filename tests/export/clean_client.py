"""Run by the export tests in a process of its own: TensorFlow alone answers from SavedModels, twice.

    python clean_client.py questions.npz answers.npz name=folder ...

Keys of the questions: name/signature/case/input; of the answers: loader/name/signature/case/output, where the output of
a request that was refused is "error".
"""

import importlib
import sys


class Blocked:
    """An import hook that makes these packages look as if they were not installed."""

    names = ("keras_vae", "jax", "torch")  # TensorFlow itself imports keras

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is blocked in this process", name=name)


sys.meta_path.insert(0, Blocked())

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def questions_of(questions, name):
    """(signature, case) -> {input: array} for one model."""
    found = {}
    for key, value in questions.items():
        model, signature, case, field = key.split("/")
        if model == name:
            found.setdefault((signature, case), {})[field] = value
    return found


def by_eager_loader(folder, asked):
    served = tf.saved_model.load(folder).signatures
    for (signature, case), inputs in asked.items():
        try:
            outputs = served[signature](**{key: tf.constant(value) for key, value in inputs.items()})
            yield signature, case, {key: value.numpy() for key, value in outputs.items()}
        except tf.errors.InvalidArgumentError as error:
            yield signature, case, {"error": str(error)}


def by_session_loader(folder, asked):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], folder)
        find = lambda tensor: session.graph.get_tensor_by_name(tensor.name)._as_tf_output()  # noqa: E731
        for (signature, case), inputs in asked.items():
            definition = meta.signature_def[signature]
            assert definition.method_name == "tensorflow/serving/predict"
            feeds = {find(definition.inputs[key]): value for key, value in inputs.items()}
            names = list(definition.outputs)
            fetches = [find(definition.outputs[key]) for key in names]
            try:
                # What TF-Serving calls: `session.run` would compare shapes in Python first.
                values = session._call_tf_sessionrun(None, feeds, fetches, [], None)
                yield signature, case, dict(zip(names, values, strict=True))
            except tf.errors.InvalidArgumentError as error:
                yield signature, case, {"error": str(error)}


def importable(name):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def main(source, target, *models):
    questions = dict(np.load(source))
    answers = {}
    for model in models:
        name, folder = model.split("=", 1)
        asked = questions_of(questions, name)
        for loader in (by_eager_loader, by_session_loader):
            for signature, case, outputs in loader(folder, asked):
                for key, value in outputs.items():
                    answers[f"{loader.__name__}/{name}/{signature}/{case}/{key}"] = value
    loaded = [name for name in Blocked.names if name in sys.modules]
    assert not loaded, f"the process was not clean: {loaded}"
    assert not importable("keras_vae"), "keras_vae was within reach"
    np.savez(target, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
