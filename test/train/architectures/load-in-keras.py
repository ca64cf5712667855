"""Loads the nets of write-nets.mts in Keras itself and compares with oracle.json: the check that a `.h5` of ours is Keras'. Not run by
`npm test`, which has no Keras; last run with Keras 3.15.1 on JAX 24 November 2026: all seven load, largest difference of logits 1.2e-5.

    npx tsx test/train/architectures/write-nets.mts /tmp/nets
    KERAS_BACKEND=jax python test/train/architectures/load-in-keras.py /tmp/nets
"""
import json
import os
import sys

import keras
import numpy as np

with open(os.path.join(os.path.dirname(__file__), 'oracle.json')) as file:
    oracle = json.load(file)

for name, expected in oracle.items():
    model = keras.models.load_model(f'{sys.argv[1]}/{name}.h5', compile=False)
    shape = model.input_shape[1:]
    i = np.arange(2 * np.prod(shape), dtype=np.int64)
    images = ((31 * i * i + 7 * i) % 256).astype('float32').reshape(2, *shape) / (1 if name == 'deepid' else 255)
    # A softmax gives logits up to a constant.
    logits = np.log(np.asarray(model.predict_on_batch(images)))[:, : len(expected['logits'][0])]
    difference = (logits - logits[:, :1]) - (np.array(expected['logits']) - np.array(expected['logits'])[:, :1])
    print(name, model.count_params(), np.abs(difference).max())
