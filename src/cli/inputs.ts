/** From options to models and images: what every command that runs a model does first. */
import type { ModelOptions } from '../contracts/cli-options.ts'
import type { ImageSet } from '../data/image-set.ts'
import { openImages } from '../data/open.ts'
import type { OpenOptions } from '../data/options.ts'
import type { Preprocessing } from '../data/preprocess.ts'
import { DEMO_SPLITS, demoImages } from '../demo/demo.ts'
import { loadModel } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import { bestRuntime, nodeRuntime } from '../runtime/node.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Flag } from './command.ts'

export const OUTPUT_FLAGS: readonly Flag[] = [
	['--json', 'print the result as JSON, and nothing else, on stdout'],
	['--quiet', 'no progress on stderr'],
]

/** What a data path may be, for the help of every command that takes one. */
export const DATA_PATHS =
	'HDF5, npz, npy, IDX, CIFAR or Parquet file, labels CSV, or folder; after a colon the names that it does not tell (set.h5:images,labels; images.gz:labels.gz; photos:labels.csv; cifar-10-batches-bin:test); demo:train, demo:valid, demo:test, demo:poisoned'

/** What a command's model argument takes, for its help. */
export const MODEL_ARGUMENT = 'model: ONNX, Keras .h5 or .keras, or a TF.js layers model (its folder or model.json)'

export const MODEL_FLAGS: readonly Flag[] = [
	['--architecture <file>', 'for weights-only .h5: another full .h5 or .keras, or Keras\u2019 to_json text'],
	['--scale <number>', 'multiply pixels (0..255 as stored) by this, e.g. 1/255 (default: 1)'],
	['--mean <list>', 'then subtract, one number or one a colour channel'],
	['--std <list>', 'then divide by, one number or one a colour channel'],
	['--colors <order>', 'colour order of the model\u2019s input: rgb or bgr (default: rgb)'],
	['--resize', 'resize images to the model\u2019s input'],
	['--layout <layout>', 'how arrays in data files lie, NCHW or NHWC, where the shape does not tell'],
	['--threads <n>', 'threads within one operator (default: all cores; 1 for wasm)'],
	['--runtime <name>', 'native (onnxruntime-node) or wasm (onnxruntime-web) (default: the best that loads)'],
	...OUTPUT_FLAGS,
]

/** The model that the user named, with the preprocessing that the options tell. */
export async function openModelFor(path: string, options: ModelOptions): Promise<Model> {
	const runtime = await runtimeFor(options)
	const preprocessing = preprocessingOf(options)
	return loadModel(path, { runtime, architecture: options.architecture, preprocessing })
}

/** A set of the embedded example where `path` is `demo:` and a name of one of them, else the set at that path. */
export async function openSet(path: string, options: OpenOptions = {}): Promise<ImageSet> {
	const split = DEMO_SPLITS.find((name) => path === `demo:${name}`)
	return split ? demoImages(split) : openImages(path, options)
}

/** Opens a set for a model; the model's input decides the layout where it can. */
export function openImagesFor(model: Model, path: string, { layout }: ModelOptions): Promise<ImageSet> {
	const { height, width, channels } = model.input
	const expected = { height, width, channels }
	return openSet(path, { expected, resize: model.preprocessing.resize, ...(layout && { layout }) })
}

export async function runtimeFor({ runtime, threads }: Pick<ModelOptions, 'runtime' | 'threads'>): Promise<Runtime> {
	const options = threads === undefined ? {} : { threads }
	if (runtime === 'native') return nodeRuntime(options)
	if (runtime === 'wasm') return (await import('../runtime/web.ts')).webRuntime(options)
	return bestRuntime(options)
}

/** Only what the options tell; the rest is as the model file's metadata say. */
function preprocessingOf({ scale, mean, std, colors, resize }: ModelOptions): Partial<Preprocessing> {
	return {
		...(scale !== undefined && { scale }),
		...(mean && { mean }),
		...(std && { std }),
		...(colors && { channels: colors }),
		...(resize && { resize }),
	}
}
