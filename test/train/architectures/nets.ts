/** The nets that `oracle.py` computed independently, and the images it gave them. */

import type { ImageSize } from '../../../src/data/image-set.ts'
import { kerasConfig, type NewKerasLayer, writeKerasModel } from '../../../src/formats/keras/write.ts'
import { elementCount, type Graph } from '../../../src/graph/graph.ts'
import { type ArchitectureName, layersOf } from '../../../src/train/architectures/index.ts'
import { drawWeights } from '../../../src/train/architectures/initial-weights.ts'
import { graphOf } from '../../formats/keras/model.ts'

interface OracleNet {
	readonly input: ImageSize
	readonly classes: number
}

const GREY = { height: 28, width: 28, channels: 1 }
const COLOUR = { height: 32, width: 32, channels: 3 }

/** Each architecture at the size that its published figures are for. */
export const NETS: Readonly<Record<ArchitectureName, OracleNet>> = {
	deepid: { input: { height: 55, width: 47, channels: 3 }, classes: 1283 },
	lenet: { input: GREY, classes: 10 },
	'badnets-cnn': { input: GREY, classes: 10 },
	'small-cnn': { input: COLOUR, classes: 10 },
	'vgg11-bn': { input: COLOUR, classes: 10 },
	'preact-resnet18': { input: COLOUR, classes: 10 },
	'mobilenetv2-small': { input: COLOUR, classes: 10 },
}

/** The names of `NETS`, with their type. */
export const NAMES = Object.keys(NETS) as ArchitectureName[]

/** The `.h5` of a net of `netGraph`. */
export function netBytes(name: ArchitectureName): Promise<Uint8Array> {
	return writeKerasModel({ name, layers: netLayers(name) })
}

/** A net with weights of seed 1, biases and statistics moved away from 0 and 1: `v + sin(i) / 4`. Without a file, for speed. */
export function netGraph(name: ArchitectureName): Graph {
	return graphOfLayers(netLayers(name))
}

/** The graph that a file with these layers would give. */
export function graphOfLayers(layers: readonly NewKerasLayer[]): Graph {
	const weights = Object.fromEntries(layers.map((layer) => [layer.name, layer.weights]))
	return graphOf(kerasConfig({ name: 'net', layers }), weights)
}

function netLayers(name: ArchitectureName): NewKerasLayer[] {
	const { input, classes } = NETS[name]
	return drawWeights(layersOf(name, input, classes), 1).map(moved)
}

function moved(layer: NewKerasLayer): NewKerasLayer {
	const weights = layer.weights.map((weight) =>
		weight.dims.length > 1 ? weight : { ...weight, values: weight.values.map((value, i) => value + Math.sin(i) / 4) },
	)
	return { ...layer, weights }
}

/** Two raw images `[N, H, W, C]`: value i is `(31 i² + 7 i) mod 256`, in exact integers. */
export function oracleImages({ height, width, channels }: ImageSize): Float32Array {
	const length = 2 * elementCount([height, width, channels])
	return Float32Array.from({ length }, (_, i) => (31 * i * i + 7 * i) % 256)
}
