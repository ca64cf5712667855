/** What each ranking looks at in a whole net, against naive loops over the net's own values; and where it says that it cannot. */
import { describe, expect, it } from 'vitest'
import type { RankName } from '../../../src/contracts/prune-run.ts'
import type { ImageSet } from '../../../src/data/image-set.ts'
import { GoodNet } from '../../../src/defense/goodnet.ts'
import { chooseLayer } from '../../../src/defense/prune/layer.ts'
import { prune } from '../../../src/defense/prune/prune.ts'
import { layerFor, rankLayer } from '../../../src/defense/prune/rank/rank-layer.ts'
import { RANKINGS } from '../../../src/defense/prune/rank/rankings.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import { GoodnetError } from '../../../src/errors.ts'
import { extract } from '../../../src/graph/edit.ts'
import { floatsOf, type Graph } from '../../../src/graph/graph.ts'
import { decodeOnnx, encodeOnnx } from '../../../src/graph/onnx.ts'
import type { Model } from '../../../src/model/model.ts'
import { predictLabels } from '../../../src/model/predict.ts'
import { TORCH_FORMS } from '../../helpers/architectures/builder.ts'
import { denseNet } from '../../helpers/architectures/densenet.ts'
import { preActResNet, resNet } from '../../helpers/architectures/resnet.ts'
import { vgg } from '../../helpers/architectures/vgg.ts'
import { vit } from '../../helpers/architectures/vit.ts'
import { modelOf, randomImages } from '../../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../../helpers/networks.ts'

const IMAGES = 12
const TINY = { size: 8, classes: 5 }
const folded = { ...TORCH_FORMS, normalization: 'folded' } as const

/** All channels of a value on all images: by channel, its numbers. `[N, C, …]`. */
async function channelsOf(model: Model, name: string, images: ImageSet): Promise<number[][]> {
	const value = model.values.get(name)!
	const session = await model.runtime.load(extract(model.graph, [value]))
	const [, count = 0, ...rest] = value.shape as [unknown, number, ...number[]]
	const size = rest.reduce((a, b) => a * b, 1)
	const channels: number[][] = Array.from({ length: count }, () => [])
	for await (const { pixels, count: n } of images.batches(1)) {
		const { height, width, channels: colours } = model.input
		const results = await session.run({ x: { dims: [n, colours, height, width], data: Float32Array.from(pixels) } })
		for (const [i, number] of Array.from(results[name]!.data as Float32Array).entries()) {
			channels[Math.floor(i / size) % count]!.push(number)
		}
	}
	await session.close()
	return channels
}

async function scoresOf(model: Model, rank: RankName, layerName: string, images: ImageSet): Promise<number[]> {
	const layer = layerFor(model, chooseLayer(model, layerName), rank)
	return (await rankLayer(model, layer, rank, images)).scores
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
	expect(actual.length).toBe(expected.length)
	for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5)
}

const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
const weights = (graph: Graph, name: string) => Array.from(floatsOf(graph.initializers.get(name)!))

describe('what a ranking looks at', () => {
	it('mean and max at the layer itself, apoz at the ReLU before its pooling', async () => {
		const model = await modelOf(randomCnn({ ...PLAIN_SHAPE, size: 6, channels: 5, seed: 3 }))
		const images = randomImages(model, IMAGES, 2)
		const [pooled, rectified] = [await channelsOf(model, 'layer', images), await channelsOf(model, 'act_1', images)]
		expectClose(await scoresOf(model, 'mean', 'layer', images), pooled.map(mean))
		expectClose(
			await scoresOf(model, 'max', 'layer', images),
			pooled.map((list) => Math.max(...list)),
		)
		const zeros = (list: readonly number[]) => list.filter((value) => value === 0).length / list.length
		expectClose(await scoresOf(model, 'apoz', 'layer', images), rectified.map(zeros))
		expect(pooled.map(zeros)).not.toEqual(rectified.map(zeros))
	})

	it('l1 at the kernel alone, also of each part of a concatenation', async () => {
		const graph = denseNet({ ...TINY, growth: 2 })
		const model = await modelOf(graph)
		const images = randomImages(model, 2, 1)
		const norms = (name: string) => {
			const { dims } = graph.initializers.get(name)!
			const each = weights(graph, name)
			const size = each.length / dims[0]!
			return Array.from({ length: dims[0]! }, (_, c) =>
				each.slice(c * size, (c + 1) * size).reduce((sum, weight) => sum + Math.abs(weight), 0),
			)
		}
		expectClose(await scoresOf(model, 'l1', 'stem.conv', images), norms('stem.conv.weight'))
		const parts = ['stem.conv.weight', 'block1.0.2.conv.weight', 'block1.1.2.conv.weight'].flatMap(norms)
		expectClose(await scoresOf(model, 'l1', 'block1.1.concat', images), parts)
	})

	it('clp at kernel and normalization behind: folding one into the other changes nothing', async () => {
		const options = { ...TINY, widths: [4, 5, 6], stages: 2, seed: 5 }
		const [own, fused] = [await modelOf(vgg(options)), await modelOf(vgg({ ...options, forms: folded }))]
		const images = randomImages(own, 2, 1)
		const [a, b] = [await scoresOf(own, 'clp', 'pool2', images), await scoresOf(fused, 'clp', 'pool2', images)]
		expectClose(a, b)
	})

	it('bnp at what the normalization reads, wherever the layer stands', async () => {
		const graph = preActResNet({ ...TINY, widths: [4, 6], blocks: 1 })
		const model = await modelOf(graph)
		const images = randomImages(model, IMAGES, 4)
		const read = await channelsOf(model, 'layer2.0.sum', images)
		const [m, v] = [weights(graph, 'last.bn.running_mean'), weights(graph, 'last.bn.running_var')]
		const expected = read.map((list, c) => {
			const mu = mean(list)
			const s = list.reduce((sum, value) => sum + (value - mu) ** 2, 0) / (list.length - 1) + 1e-5
			const stored = v[c]! + 1e-5
			return 0.5 * Math.log(stored / s) + (s + (mu - m[c]!) ** 2) / (2 * stored) - 0.5
		})
		expectClose(await scoresOf(model, 'bnp', 'last.bn.relu', images), expected)
		expectClose(await scoresOf(model, 'bnp', 'last.bn', images), expected)
	})
})

describe('where a suspicious channel is silenced', () => {
	it('at the normalization behind its filter, so that it is exactly 0 behind a ReLU', async () => {
		const model = await modelOf(vgg({ ...TINY, widths: [4, 5, 6], stages: 2 }))
		const images = randomImages(model, 4, 1)
		for (const rank of ['clp', 'bnp'] as const) {
			const layer = layerFor(model, chooseLayer(model, 'pool2'), rank)
			expect(layer.intervention).toBe('normalization')
			const repaired = pruneChannels(model, layer, [1, 3])
			const [before, after] = [await channelsOf(model, 'pool2', images), await channelsOf(repaired, 'pool2', images)]
			for (const [c, list] of after.entries())
				expect(list).toEqual(before[c]!.map((value) => ([1, 3].includes(c) ? 0 : value)))
			expect(before[1]!.some((value) => value !== 0)).toBe(true)
		}
	})

	it('as the layer says where others read the normalization’s constants, or its output, as well', async () => {
		const graph = vgg({ ...TINY, widths: [4, 4], stages: 2 })
		const [first, second] = graph.nodes.filter(({ op }) => op === 'BatchNormalization')
		const nodes = graph.nodes.map((node) =>
			node === second ? { ...node, inputs: [node.inputs[0]!, ...first!.inputs.slice(1)] } : node,
		)
		const shared = await modelOf({ ...graph, nodes })
		expect(layerFor(shared, chooseLayer(shared, 'pool2'), 'clp').intervention).toBe('weights')
		const residual = await modelOf(resNet({ ...TINY, widths: [4, 6], blocks: 1 }))
		const sum = chooseLayer(residual, 'layer1.0.sum')
		expect(sum.intervention).toBe('mask')
		expect(layerFor(residual, sum, 'clp')).toBe(sum)
	})

	it('a GoodNet of it runs convolution and normalization once, and answers as the two nets do', async () => {
		const model = await modelOf(vgg({ ...TINY, widths: [4, 5, 6], stages: 2, seed: 2 }))
		const layer = layerFor(model, chooseLayer(model, 'pool2'), 'clp')
		const repaired = pruneChannels(model, layer, [0, 2])
		const { graph } = GoodNet.of(model, repaired)
		for (const op of ['Conv', 'BatchNormalization', 'MaxPool']) {
			const count = (nodes: Graph['nodes']) => nodes.filter((node) => node.op === op).length
			expect(count(graph.nodes), op).toBe(count(model.graph.nodes))
		}
		const images = randomImages(model, 60, 3)
		const guarded = await predictLabels(await modelOf(decodeOnnx(encodeOnnx(graph))), images)
		const [b, twin] = [await predictLabels(model, images), await predictLabels(repaired, images)]
		expect([...guarded]).toEqual([...b].map((label, i) => (label === twin[i] ? label : model.classes)))
		expect(guarded.some((label) => label === model.classes)).toBe(true)
	})

	for (const rank of ['clp', 'bnp'] as const) {
		it(`the sweep of ${rank} counts what each written net counts`, async () => {
			const model = await modelOf(vgg({ ...TINY, widths: [4, 5, 6], stages: 2, seed: 9 }))
			const images = randomImages(model, 40, 7)
			const sweep = await prune(model, images, { layer: 'pool2', rank, drops: [1] })
			expect(sweep.layer.intervention).toBe('normalization')
			expect(sweep.ranking).toMatchObject({ name: rank, first: 'highest', seed: null })
			for (const [pruned, step] of sweep.steps.entries()) {
				const written = encodeOnnx(pruneChannels(model, sweep.layer, sweep.order.slice(0, pruned)).graph)
				const labels = await predictLabels(await modelOf(decodeOnnx(written)), images)
				const correct = labels.filter((label, i) => label === images.labels![i]).length
				expect(step.valid).toEqual({ correct, total: images.count })
			}
		})
	}
})

describe('where a ranking does not apply', () => {
	const cases: [what: string, graph: Graph, layer: string, rank: RankName, message: RegExp][] = [
		[
			'bnp where normalization was folded',
			vgg({ ...TINY, forms: folded, widths: [4, 4], stages: 2 }),
			'pool2',
			'bnp',
			/none stands before pool2 as a layer of its own/,
		],
		[
			'bnp on a sum of normalized branches',
			resNet({ ...TINY, widths: [4], blocks: 1 }),
			'layer1.0.sum',
			'bnp',
			/none stands before layer1\.0\.sum/,
		],
		[
			'clp on a residual sum',
			resNet({ ...TINY, widths: [4], blocks: 1 }),
			'layer1.0.sum',
			'clp',
			/sums over several \(stem\.conv, layer1\.0\.2\.conv\)/,
		],
		['l1 on a residual sum', resNet({ ...TINY, widths: [4], blocks: 1 }), 'layer1.0.sum', 'l1', /sums over several/],
		[
			'apoz behind a sigmoid',
			randomCnn({ ...PLAIN_SHAPE, activation: 'Sigmoid' }),
			'layer',
			'apoz',
			/no ReLU stands before layer/,
		],
		['apoz before any activation', randomCnn(PLAIN_SHAPE), 'conv_1', 'apoz', /no ReLU stands before conv_1/],
	]
	for (const [what, graph, layer, rank, message] of cases) {
		it(`${what}: says so by name`, async () => {
			const model = await modelOf(graph)
			const error = await prune(model, randomImages(model, 4, 1), { layer, rank }).catch((thrown: unknown) => thrown)
			expect(error).toBeInstanceOf(GoodnetError)
			expect(error).toMatchObject({
				code: 'rank-does-not-apply',
				exitCode: 3,
				layer,
				message: expect.stringMatching(message),
			})
		})
	}

	it('l1 on what no filters make, a transformer’s attention', async () => {
		const model = await modelOf(vit())
		const attention = model.graph.nodes.find(({ op }) => op === 'Softmax')!.outputs[0]!
		await expect(prune(model, randomImages(model, 2, 1), { layer: attention, rank: 'l1' })).rejects.toMatchObject({
			code: 'rank-does-not-apply',
			exitCode: 3,
			message: expect.stringMatching(/no convolution or dense layer makes the channels/),
		})
	})

	it('a threshold that nothing exceeds, or for a ranking that has none', async () => {
		const model = await modelOf(randomCnn({ ...PLAIN_SHAPE, channels: 5 }))
		const images = randomImages(model, 20, 1)
		await expect(prune(model, images, { rank: 'clp', u: 50 })).rejects.toMatchObject({
			code: 'nothing-above-threshold',
			exitCode: 3,
			message: expect.stringMatching(/more than 50 standard deviations.*the highest lies \d\.\d\d above/),
		})
		for (const rank of Object.keys(RANKINGS) as RankName[]) {
			if (RANKINGS[rank].isSuspicion) continue
			await expect(prune(model, images, { rank, u: 1 })).rejects.toMatchObject({ code: 'no-threshold', exitCode: 2 })
		}
		await expect(prune(model, images, { rank: 'l1', order: [0] })).rejects.toMatchObject({
			code: 'conflicting-options',
		})
	})
})
