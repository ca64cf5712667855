import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { preprocess } from '../../../src/data/preprocess.ts'
import { InputError } from '../../../src/errors.ts'
import type { NewKerasLayer } from '../../../src/formats/keras/write.ts'
import { elementCount, type Graph } from '../../../src/graph/graph.ts'
import {
	ARCHITECTURES,
	type ArchitectureName,
	architectureNamed,
	layersOf,
} from '../../../src/train/architectures/index.ts'
import { type LayerSpec, Net } from '../../../src/train/architectures/net.ts'
import { distance, run } from '../../formats/keras/run.ts'
import { graphOfLayers, NAMES, NETS, netGraph, oracleImages } from './nets.ts'

interface Expected {
	readonly parameters: number
	readonly logits: readonly (readonly number[])[]
}

const ORACLE: Readonly<Record<ArchitectureName, Expected>> = JSON.parse(
	readFileSync(new URL('oracle.json', import.meta.url), 'utf8'),
)

/** Figures that others published: kuangliu/pytorch-cifar's nets, the lab's net, LeNet-5 with dense layers. */
const PUBLISHED: Partial<Record<ArchitectureName, number>> = {
	deepid: 601_643,
	lenet: 61_706,
	'vgg11-bn': 9_231_114,
	'preact-resnet18': 11_171_146,
}

/** Normalizations by the papers: one a convolution, but none for the first one and the projections of PreActResNet, which has 16. */
const NORMALIZATIONS: Partial<Record<ArchitectureName, number>> = {
	'vgg11-bn': 8,
	'preact-resnet18': 16,
	'mobilenetv2-small': 52,
}

/** `graph` with its logits as the output. */
function asLogits(graph: Graph): Graph {
	return { ...graph, outputs: [{ name: 'output/logits', dtype: 'float32', shape: null }] }
}

describe.each(NAMES)('architecture %s', (name) => {
	const { input, classes } = NETS[name]
	const graph = netGraph(name)

	it('has the parameters that PyTorch and published figures say', () => {
		const learned = [...graph.initializers].filter(([key, { origin }]) => origin && !/\/moving_/.test(key))
		const parameters = learned.reduce((sum, [, { dims }]) => sum + elementCount(dims), 0)
		expect(parameters).toBe(ORACLE[name].parameters)
		expect(parameters).toBe(PUBLISHED[name] ?? parameters)
	})

	it('computes what a PyTorch net of the same weights does', async () => {
		const raw = oracleImages(input)
		const spec = { ...input, layout: 'NHWC' as const }
		const pixels = preprocess({ start: 0, count: 2, pixels: raw }, spec, spec, ARCHITECTURES[name].preprocessing)
		const dims = [2, input.height, input.width, input.channels]
		const [logits] = await run(asLogits(graph), [{ dims, values: pixels }])
		for (const [row, expected] of ORACLE[name].logits.entries()) {
			const ours = Array.from(logits!.values).slice(row * classes, row * classes + expected.length)
			// Float32 against float64; logits are as large as 12.
			expect(distance(ours, expected)).toBeLessThan(1e-4)
		}
	})

	it('keeps every batch normalization as a node of its own, so that it can be trained', () => {
		const nodes = graph.nodes.filter(({ op }) => op === 'BatchNormalization')
		expect(nodes).toHaveLength(NORMALIZATIONS[name] ?? 0)
		for (const { inputs } of nodes) {
			expect(inputs.slice(1).map((each) => graph.initializers.get(each)?.origin?.dataset)).not.toContain(undefined)
		}
	})

	it('takes images of its smallest size, grey ones, and refuses one row less by name', () => {
		const { smallest } = ARCHITECTURES[name]
		const size = { height: smallest, width: smallest, channels: 1 }
		const opened = graphOfLayers(zeroWeights(layersOf(name, size, 2)))
		expect(opened.outputs[0]!.shape).toEqual(['N', 2])
		const error = catching(() => layersOf(name, { ...size, height: smallest - 1 }, 2))
		expect(error).toMatchObject({
			code: 'image-too-small',
			exitCode: 3,
			message: `${name} needs images of at least ${smallest}×${smallest}, found ${smallest - 1}×${smallest}: resize them, or take another architecture`,
		})
	})

	it('gives every layer the shape that Keras would, on images that halve badly', () => {
		const { smallest, build } = ARCHITECTURES[name]
		const net = new Net({ height: smallest + 5, width: smallest + 2, channels: 3 })
		const output = build(net, 7)
		expect(output).toEqual({ layer: 'output', shape: [7] })
		// The reader computes every shape again and refuses weights that do not fit.
		expect(graphOfLayers(zeroWeights(net.layers)).outputs[0]!.shape).toEqual(['N', 7])
	})
})

describe('the smallest size', () => {
	const windowed: readonly ArchitectureName[] = ['deepid', 'lenet', 'badnets-cnn', 'small-cnn', 'vgg11-bn']

	it.each(windowed)('of %s is where the maps would vanish: one row less is refused by the reader', (name) => {
		const { smallest, build } = ARCHITECTURES[name]
		const net = new Net({ height: smallest - 1, width: smallest, channels: 3 })
		build(net, 2)
		expect(catching(() => graphOfLayers(zeroWeights(net.layers)))).toBeInstanceOf(InputError)
	})
})

describe('architectureNamed', () => {
	it.each(['resnet', '', 'constructor', 'DeepID'])('refuses "%s" and lists the names', (name) => {
		expect(catching(() => architectureNamed(name))).toMatchObject({
			code: 'unknown-architecture',
			exitCode: 2,
			message: `unknown architecture ${name}; expected one of deepid, lenet, badnets-cnn, small-cnn, vgg11-bn, preact-resnet18, mobilenetv2-small`,
		})
	})
})

describe('layersOf', () => {
	it.each([1, 0])('refuses %d classes', (classes) => {
		expect(catching(() => layersOf('lenet', NETS.lenet.input, classes))).toMatchObject({
			code: 'too-few-classes',
			message: `lenet: expected at least 2 classes to tell apart, found ${classes}`,
		})
	})
})

/** Layers with weights of zeros: for tests that ask for shapes alone. */
function zeroWeights(layers: readonly LayerSpec[]): NewKerasLayer[] {
	return layers.map((layer) => ({
		...layer,
		weights: layer.weights.map(({ role, dims }) => ({
			role,
			dims,
			values: new Float32Array(Math.max(0, elementCount(dims))),
		})),
	}))
}

function catching(work: () => unknown): unknown {
	try {
		return work()
	} catch (error) {
		return error
	}
}
