import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gradient } from '../../../src/graph/gradient/gradient.ts'
import { makeNode } from '../../../src/graph/graph.ts'
import { inferShapes } from '../../../src/model/shapes.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { webRuntime } from '../../../src/runtime/web.ts'
import { type GradientCase, testGradients } from '../../helpers/gradient-cases.ts'
import {
	checkGradient,
	expectAllclose,
	type Feeds,
	gradientsOf,
	graphOf,
	operatorGraph,
	readStored,
	wave,
} from '../../helpers/gradients.ts'

const stored = readStored(new URL('torch-maps.json', import.meta.url))
const epsilon = { float: 1e-3 }
const channels = { x: wave([3, 4, 3, 2]), scale: wave([4], 1), shift: wave([4], 2) }
const statistics = { mean: wave([4], 3), variance: wave([4], 4, 0.5, 1) }
const operands = ['x', 'scale', 'shift', 'mean', 'variance']
const row = { x: wave([2, 3, 5]), scale: wave([5], 1), shift: wave([5], 2) }
const rows = { x: wave([2, 3, 5]), scale: wave([3, 5], 1), shift: wave([3, 5], 2) }

const cases: Record<string, GradientCase> = {
	'batch norm, known statistics': {
		op: 'BatchNormalization',
		inputs: operands,
		feeds: { ...channels, ...statistics },
		attributes: { epsilon },
	},
	'instance norm': {
		op: 'InstanceNormalization',
		inputs: operands.slice(0, 3),
		feeds: channels,
		attributes: { epsilon },
	},
	'layer norm': { op: 'LayerNormalization', inputs: operands.slice(0, 3), feeds: row, attributes: { epsilon } },
	'layer norm over two axes': {
		op: 'LayerNormalization',
		inputs: operands.slice(0, 3),
		feeds: rows,
		attributes: { axis: 1 },
	},
	'layer norm without a shift': {
		op: 'LayerNormalization',
		inputs: ['x', 'scale'],
		feeds: { x: row.x, scale: row.scale },
	},
}

function training(feeds: Feeds, attributes = {}) {
	const node = makeNode('BatchNormalization', operands, ['y', 'new_mean', 'new_variance'], {
		training_mode: 1,
		...attributes,
	})
	return graphOf([node], { ...feeds, ...statistics }, ['y'])
}

const WANTED = ['x', 'scale', 'shift']

describe('gradients of normalizations', () => {
	testGradients(cases, stored, { runtime: webRuntime(), sample: ['batch norm, known statistics', 'layer norm'] })

	it('BatchNormalization in training form: agrees with central differences and PyTorch', async () => {
		const images = training(channels, { epsilon })
		const vectors = { x: wave([6, 4]), scale: channels.scale, shift: channels.shift }
		for (const [name, graph, feeds] of [
			['batch norm, training', images, channels],
			['batch norm of vectors, training', training(vectors), vectors],
		] as const) {
			const all = { ...feeds, ...statistics }
			await checkGradient(graph, all, WANTED)
			const found = await gradientsOf(graph, all, WANTED)
			for (const input of WANTED) expectAllclose(found[input]!.data, stored[name]![input]!, { atol: 2e-5, what: name })
		}
	})

	it('BatchNormalization in training form: agrees with central differences for any shape and wish', async () => {
		const size = fc.integer({ min: 1, max: 4 })
		const shapes = fc.tuple(fc.integer({ min: 2, max: 4 }), fc.constant(4), size, size)
		const wishes = fc.subarray(WANTED, { minLength: 1 })
		await fc.assert(
			fc.asyncProperty(shapes, wishes, async (shape, wrt) => {
				// Two numbers in a channel are ±1 once normalized, and the curve is steep.
				fc.pre(shape[0] * shape[2] * shape[3] > 3)
				const feeds = { ...channels, x: wave(shape), ...statistics }
				await checkGradient(training(feeds, { epsilon: { float: 0.1 } }), feeds, wrt)
			}),
			{ numRuns: 25 },
		)
	})

	it('BatchNormalization: gives the gradients that are asked for, whichever they are', async () => {
		const feeds = { ...channels, ...statistics }
		await fc.assert(
			fc.asyncProperty(fc.subarray(operands, { minLength: 1 }), async (wrt) => {
				await checkGradient(operatorGraph('BatchNormalization', operands, feeds, { epsilon }), feeds, wrt)
			}),
			{ numRuns: 12 },
		)
	})

	it('BatchNormalization in training form: refuses a loss that reads the running statistics', async () => {
		const one = wave([1])
		const feeds = { x: wave([3, 1, 2]), scale: one, shift: one, mean: one, variance: one }
		const node = makeNode('BatchNormalization', operands, ['y', 'loss', 'new_variance'], { training_mode: 1 })
		const runtime = await nodeRuntime({ threads: 1 })
		const known = await inferShapes(graphOf([node], feeds, ['loss']), runtime, feeds)
		expect(() => gradient(known, 'loss', ['x'])).toThrowError(
			/y \(BatchNormalization\): running statistics have no gradient/,
		)
	})
})
