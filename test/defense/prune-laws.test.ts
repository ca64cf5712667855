import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StepRecord } from '../../src/contracts/prune-run.ts'
import type { ImageSet } from '../../src/data/image-set.ts'
import { GoodNet } from '../../src/defense/goodnet.ts'
import { chooseLayer, prunableLayers } from '../../src/defense/prune/layer.ts'
import { prune, type Sweep } from '../../src/defense/prune/prune.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { writeBackOnnx } from '../../src/formats/onnx.ts'
import { replaceConstants } from '../../src/graph/edit.ts'
import { floatsOf, floatTensor, intTensor, makeNode } from '../../src/graph/graph.ts'
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts'
import { constantOf } from '../../src/graph/query.ts'
import { predictLabels } from '../../src/model/predict.ts'
import { cnnShape } from '../helpers/arbitraries.ts'
import { OTHER_FORMS, TORCH_FORMS } from '../helpers/architectures/builder.ts'
import { SMALL_NETS } from '../helpers/architectures/small.ts'
import { modelOf, randomImages } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

const RUNS = { numRuns: 40 }
/** `sum` is there in residual nets only, and there a mask must do. */
const anyLayer = fc.constantFrom('conv_1', 'act_1', 'layer', 'conv_2', 'act_2', 'sum')

describe('laws of pruning, on random nets', () => {
	it('the sweep counts what each pruned net counts, run whole from its own file', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, anyLayer, async (shape, wish) => {
				const model = await modelOf(randomCnn(shape))
				const images = randomImages(model, 70, shape.seed + 1)
				const layer = model.values.has(wish) ? wish : 'layer'
				const sweep = await prune(model, images, { layer, drops: [1] })
				if (layer === 'sum') expect(sweep.layer.intervention).toBe('mask')
				for (const step of sweep.steps) await expectCountsOfFile(sweep, step, images)
			}),
			RUNS,
		)
	})

	for (const { name, build } of SMALL_NETS) {
		for (const forms of [TORCH_FORMS, OTHER_FORMS]) {
			it(`${name} (${forms.normalization === 'node' ? 'BN as nodes' : 'BN folded'}): at every prunable place`, async () => {
				const model = await modelOf(build({ seed: 7, forms }))
				const images = randomImages(model, 40, 8)
				const layers = prunableLayers(model)
				expect(layers.length).toBeGreaterThan(3)
				for (const { name: layer } of layers) {
					const sweep = await prune(model, images, { layer, drops: [1] })
					const { length } = sweep.steps
					for (const step of [Math.floor(length / 2), length - 1]) {
						await expectCountsOfFile(sweep, sweep.steps[step]!, images)
					}
				}
			})
		}
	}

	it('counts are the same whatever the batch: 64, 8, 4 or 1 images a run', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, fc.constantFrom(2 ** 19, 2 ** 22, 2 ** 24), async (shape, width) => {
				const model = await modelOf(randomCnn(shape))
				const images = randomImages(model, 70, shape.seed + 1)
				// A value that nobody computes, but that `batchSizeFor` takes for the net's widest.
				const wide = { name: 'wide', dtype: 'float32', shape: ['N', width] } as const
				const inSmallBatches = { ...model, values: new Map([...model.values, [wide.name, wide]]) }
				const { steps } = await prune(inSmallBatches, images, { layer: 'layer' })
				expect(steps).toEqual((await prune(model, images, { layer: 'layer' })).steps)
			}),
			{ numRuns: 15 },
		)
	})

	it('zeroing by graph surgery equals a net built with zeroed arrays', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, fc.nat(), async (shape, pick) => {
				const graph = randomCnn({ ...shape, residual: false })
				const channel = pick % shape.channels
				const byHand = replaceConstants(
					graph,
					new Map(
						['conv_1/kernel', 'conv_1/bias'].map((name) => {
							const tensor = constantOf(graph, name)!
							const size = tensor.bytes.length / 4 / shape.channels
							const values = floatsOf(tensor).map((value, i) => (Math.floor(i / size) === channel ? 0 : value))
							return [name, floatTensor(tensor.dims, values)]
						}),
					),
				)
				const model = await modelOf(graph)
				const bySurgery = pruneChannels(model, chooseLayer(model, 'layer'), [channel])
				expect(bySurgery.pruning[0]?.intervention).toBe('weights')
				const images = randomImages(model, 20, shape.seed)
				expect(await predictLabels(bySurgery, images)).toEqual(await predictLabels(await modelOf(byHand), images))
			}),
			RUNS,
		)
	})

	it('a GoodNet answers in 0..C: B’s label where both agree, C where they differ', async () => {
		await fc.assert(
			fc.asyncProperty(cnnShape, anyLayer, fc.integer({ min: 0, max: 6 }), async (shape, wish, count) => {
				const model = await modelOf(randomCnn(shape))
				const layer = chooseLayer(model, model.values.has(wish) ? wish : 'layer')
				const repaired = pruneChannels(model, layer, [...Array(Math.min(count, layer.channels)).keys()])
				const images = randomImages(model, 40, shape.seed)
				const goodnet = await modelOf(decodeOnnx(encodeOnnx(GoodNet.of(model, repaired).graph)))
				const [b, twin, guarded] = [
					await predictLabels(model, images),
					await predictLabels(repaired, images),
					await predictLabels(goodnet, images),
				]
				expect([...guarded]).toEqual([...b].map((label, i) => (label === twin[i] ? label : model.classes)))
			}),
			RUNS,
		)
	})

	it('cuts nets whose head reads the batch size of the input', async () => {
		const graph = randomCnn({ ...plain, channels: 4, seed: 13 })
		const nodes = graph.nodes.flatMap((node) => {
			if (node.op !== 'Flatten') return [node]
			return [
				makeNode('Shape', ['x'], ['shape']),
				makeNode('Gather', ['shape', 'zero'], ['batch'], { axis: 0 }),
				makeNode('Concat', ['batch', 'rest'], ['to'], { axis: 0 }),
				makeNode('Reshape', [node.inputs[0]!, 'to'], node.outputs),
			]
		})
		const constants = new Map([...graph.initializers, ['zero', intTensor([0])], ['rest', intTensor([-1])]])
		const model = await modelOf({ ...graph, nodes, initializers: constants })
		const same = await modelOf(graph)
		const images = randomImages(model, 70, 3)
		const run = (each: typeof model) => prune(each, images, { layer: 'layer', drops: [1] })
		expect((await run(model)).steps).toEqual((await run(same)).steps)
	})

	it('pruning nothing changes nothing, and leaves the file as it was', async () => {
		const model = await modelOf(randomCnn({ ...plain, seed: 5 }))
		const repaired = pruneChannels(model, chooseLayer(model), [])
		expect(writeBackOnnx(model.source.bytes!, model.source.graph, repaired.graph)).toEqual(model.source.bytes)
	})

	it('a repaired .onnx differs from its file in the zeroed filters’ bytes and nowhere else', async () => {
		const model = await modelOf(randomCnn({ ...plain, channels: 4, seed: 9 }))
		const repaired = pruneChannels(model, chooseLayer(model), [2])
		const bytes = writeBackOnnx(model.source.bytes!, model.source.graph, repaired.graph)
		const changed = bytes.filter((byte, i) => byte !== model.source.bytes![i]).length
		const filterBytes = (1 * 3 * 3 + 1) * 4
		expect(bytes.length).toBe(model.source.bytes!.length)
		expect(changed).toBeGreaterThan(0)
		expect(changed).toBeLessThanOrEqual(filterBytes)
	})

	it('batches and threads do not change a count', async () => {
		const model = await modelOf(randomCnn({ ...plain, channels: 6, seed: 11 }))
		const images = randomImages(model, 130, 3)
		const fixed = { ...randomCnn({ ...plain, channels: 6, seed: 11 }) }
		const one = await modelOf({ ...fixed, inputs: [{ ...fixed.inputs[0]!, shape: [1, 1, 4, 4] }] })
		const whole = await prune(model, images, { drops: [1] })
		const single = await prune(one, images, { drops: [1] })
		expect(single.steps).toEqual(whole.steps)
		expect(single.order).toEqual(whole.order)
	})
})

/** The net of this step, written to a file and read back, counts what the sweep counted. */
async function expectCountsOfFile({ model, layer, order }: Sweep, step: StepRecord, images: ImageSet): Promise<void> {
	const repaired = pruneChannels(model, layer, order.slice(0, step.pruned))
	const reloaded = await modelOf(decodeOnnx(encodeOnnx(repaired.graph)))
	const labels = await predictLabels(reloaded, images)
	const correct = labels.filter((label, i) => label === images.labels![i]).length
	expect(step.valid, layer.name).toEqual({ correct, total: images.count })
}

const plain = { ...PLAIN_SHAPE, channels: 3, classes: 3 }
