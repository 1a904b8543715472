"""`export`, of whatever has `signatures()`."""


class Exported:
    """Mixin of a keras.Model that says what it serves: `export` writes that, not the bare call."""

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Writes the model for serving: a SavedModel of its `signatures()`, of an autoencoder also encode and sample.

        Args:
            filepath: str or path. A SavedModel goes to a version folder in TF-Serving's layout ("serving/faces/1").
            format: str. "tf_saved_model" is ours; other formats are Keras's own. Default: "tf_saved_model".
            **kwargs: of `keras_vae.export.export_saved_model`, or of `keras.Model.export`.

        Returns:
            The folder written.
        """
        if format != "tf_saved_model" or not hasattr(self, "signatures"):
            return super().export(filepath, format=format, **kwargs)
        # The one import against the layering: users expect this method here.
        from keras_vae.export import export_saved_model

        return export_saved_model(self, filepath, **kwargs)
