"""overfit_mnist in Keras: `compile`, `fit`, `evaluate`.

    python benches/peers/keras_fit.py --idx-dir DIR [--epochs N] [--threads N] [--out DIR]

Keras has its own initial weights and order of rows, so its metrics are near those of runner, not equal.
`mnist.py` describes the output.
"""

import mnist  # first: it starts the time of the imports

import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow

arguments = mnist.parser(__doc__).parse_args()
if arguments.threads:
    tensorflow.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(arguments.threads)
log = mnist.Log(arguments, ["keras", "tensorflow-cpu", "numpy", "scikit-learn"])
keras.utils.set_random_seed(mnist.SEED)


def arrays(part):
    """Pixels as float32 in 0–1, and the classes."""
    images, labels = mnist.images_and_labels(arguments.idx_dir, part)
    return images.astype(np.float32) / 255, labels.astype(np.int64)


x, y = arrays("train")
training, validation = mnist.split(len(x))
x_val, y_val = x[validation], y[validation]
x, y = x[training], y[training]

model = keras.Sequential([
    keras.layers.Input((784,)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch, with validation, as in the other programs."""

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.start
        log.epoch(seconds, logs["loss"], logs["accuracy"], logs["val_loss"], logs["val_accuracy"])


model.fit(
    x, y, batch_size=mnist.BATCH, epochs=arguments.epochs, validation_data=(x_val, y_val), verbose=0, callbacks=[Clock()]
)
x_test, y_test = arrays("t10k")
test_loss, test_acc = model.evaluate(x_test, y_test, verbose=0)
log.end((len(x), len(x_val), len(x_test)), test_loss, test_acc)
if arguments.out:
    model.save_weights(arguments.out / "model.weights.h5")
