"""Does Keras itself, and Python's ONNX Runtime, answer as `attack.json` says? Not run by `npm test`, which has neither; last run with Keras
3.15.1 on JAX and ONNX Runtime 1.30.0, 24 November 2026: small-cnn, deepid, mobilenetv2-small, vgg11-bn and a pruning-aware small-cnn, every
count the same, largest difference of probabilities 1.0e-5.

    goodnet attack badnets --data train --arch small-cnn --target 0 -o out
    KERAS_BACKEND=jax python test/cli/attack-in-keras.py out [more folders …]
"""
import json
import sys

import keras
import numpy as np
import onnxruntime


def prepared(images, preprocessing):
    pixels = images.astype('float32') * preprocessing['scale']
    if preprocessing['mean']:
        pixels -= np.array(preprocessing['mean'], 'float32')
    if preprocessing['std']:
        pixels /= np.array(preprocessing['std'], 'float32')
    return pixels


for folder in sys.argv[1:]:
    with open(f'{folder}/attack.json') as file:
        run = json.load(file)
    files = run['files']
    clean = np.load(f"{folder}/{files['clean']}")
    pixels = prepared(clean['data'], run['preprocessing'])
    model = keras.models.load_model(f"{folder}/{files['keras']}", compile=False)
    session = onnxruntime.InferenceSession(f"{folder}/{files['onnx']}")
    answers = np.asarray(model.predict(pixels, verbose=0))
    others = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    print(folder, 'largest difference of probabilities', np.abs(answers - others).max())
    assert (answers.argmax(1) == clean['label']).sum() == run['clean']['correct'], folder
    if files['poisoned']:
        poisoned = np.load(f"{folder}/{files['poisoned']}")
        labels = np.asarray(model.predict(prepared(poisoned['data'], run['preprocessing']), verbose=0)).argmax(1)
        assert (labels == poisoned['label']).sum() == run['poisoned']['hits'], folder
        assert (labels == poisoned['true_label']).sum() == run['poisoned']['recovered'], folder
