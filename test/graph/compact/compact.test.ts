import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseLayer, prunableLayers } from '../../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import { zeroChannels } from '../../../src/graph/edit.ts'
import { elementCount, floatTensor, type Graph, type Tensor } from '../../../src/graph/graph.ts'
import { constantOf } from '../../../src/graph/query.ts'
import { compactModel } from '../../../src/model/compact.ts'
import { loadModel } from '../../../src/model/load.ts'
import type { Model } from '../../../src/model/model.ts'
import { NetBuilder, OTHER_FORMS, TORCH_FORMS } from '../../helpers/architectures/builder.ts'
import { denseNet } from '../../helpers/architectures/densenet.ts'
import { resNet } from '../../helpers/architectures/resnet.ts'
import { resNeXt } from '../../helpers/architectures/resnext.ts'
import { SMALL_NETS } from '../../helpers/architectures/small.ts'
import { vgg } from '../../helpers/architectures/vgg.ts'
import { logitsOf, modelOf, randomImages } from '../../helpers/models.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'

const RUNS = { numRuns: 20 }
const TINY = { size: 8, classes: 5 }

/** Largest difference of logits, relative to the largest logit. */
async function differenceOf(a: Model, b: Model): Promise<number> {
	const images = randomImages(a, 8, 5)
	const [expected, found] = [(await logitsOf(a, images)).flat(), (await logitsOf(b, images)).flat()]
	const largest = Math.max(...expected.map(Math.abs))
	return Math.max(...expected.map((value, i) => Math.abs(value - found[i]!))) / largest
}

function parameters({ initializers }: Graph): number {
	return [...initializers.values()].reduce((sum, { dims }) => sum + elementCount(dims), 0)
}

const dims = ({ graph }: Model, name: string) => constantOf(graph, name)?.dims
const ops = ({ graph }: Model) => graph.nodes.map(({ op }) => op)

/** The net with channels of one layer pruned, and its compact form, which is checked to answer alike. */
async function compactPruned(graph: Graph, layer: string, channels: readonly number[]) {
	const model = await modelOf(graph)
	const pruned = pruneChannels(model, chooseLayer(model, layer), channels)
	const compact = await compactModel(pruned)
	expect(await differenceOf(pruned, compact)).toBeLessThanOrEqual(1e-5)
	return { pruned, compact }
}

describe('compacting', () => {
	for (const { name, build } of SMALL_NETS) {
		it(`${name}: a pruned net and its compact form answer alike, whatever is pruned where`, async () => {
			const forms = fc.constantFrom(TORCH_FORMS, OTHER_FORMS)
			await fc.assert(
				fc.asyncProperty(forms, fc.nat(1000), fc.nat(), fc.nat(), async (spelling, seed, place, pick) => {
					const model = await modelOf(build({ seed, forms: spelling }))
					const layers = prunableLayers(model)
					const layer = layers[place % layers.length]!
					const channels = [...Array(layer.channels).keys()].filter((channel) => (pick >> (channel % 30)) & 1)
					const pruned = pruneChannels(model, layer, channels)
					const compact = await compactModel(pruned)
					expect(await differenceOf(pruned, compact)).toBeLessThanOrEqual(1e-5)
					expect(parameters(compact.graph)).toBeLessThanOrEqual(parameters(pruned.graph))
				}),
				RUNS,
			)
		})

		it(`${name}: compacting a net as it came gives the very same graph`, async () => {
			const model = await modelOf(build({ forms: OTHER_FORMS }))
			expect((await compactModel(model)).graph).toBe(model.graph)
		})
	}

	it('VGG: filters, normalization, the next kernel and the flattened columns go', async () => {
		const graph = vgg({ ...TINY, widths: [4, 6, 7], stages: 2 })
		const silent = silentWhenZeroed(graph, 'features.1.0.bn')
		const { compact } = await compactPruned(silent, 'pool2', [0, 2, 3])
		expect(dims(compact, 'features.1.0.conv.weight')).toEqual([3, 4, 3, 3])
		expect(dims(compact, 'features.1.0.bn.running_mean')).toEqual([3])
		expect(dims(compact, 'hidden.weight')).toEqual([7, 3 * 2 * 2])
		expect(compact.values.get('pool2')?.shape).toEqual(['N', 3, 2, 2])
		const inner = await compactPruned(silentWhenZeroed(graph, 'features.0.0.bn'), 'pool1', [1])
		expect(dims(inner.compact, 'features.1.0.conv.weight')).toEqual([6, 3, 3, 3])
	})

	it('a constant other than zero stays before a padded convolution, and becomes a bias before others', async () => {
		const graph = vgg({ ...TINY, widths: [4, 6, 7], stages: 2 })
		const loud = withShift(graph, 'features.0.0.bn', 5)
		const padded = await compactPruned(loud, 'pool1', [1, 2])
		expect(padded.compact.graph).toBe(padded.pruned.graph)
		const { compact } = await compactPruned(withShift(graph, 'features.1.0.bn', 5), 'pool2', [1, 2])
		expect(dims(compact, 'hidden.weight')).toEqual([7, 4 * 2 * 2])
	})

	it('ResNet: the mask and its channels go, and the shortcut, read by another convolution, is picked from', async () => {
		const { compact } = await compactPruned(resNet({ ...TINY, widths: [4, 6] }), 'pool', [1, 3, 4])
		expect(dims(compact, 'layer2.1.2.conv.weight')).toEqual([3, 6, 3, 3])
		expect(dims(compact, 'layer2.0.2.conv.weight')).toEqual([6, 6, 3, 3])
		expect(dims(compact, 'output.weight')).toEqual([5, 3])
		expect(ops(compact).filter((op) => op === 'Gather')).toHaveLength(1)
		expect(ops(compact)).not.toContain('Mul')
	})

	it('ResNet: a channel that every tied branch leaves silent is gone everywhere', async () => {
		const graph = resNet({ ...TINY, widths: [4, 6], blocks: 1, forms: { normalization: 'folded' } })
		const branches = ['layer2.0.2.conv', 'layer2.0.skip.conv'].flatMap((name) => [
			{ name: `${name}.weight`, axis: 0 },
			{ name: `${name}.bias`, axis: 0 },
		])
		const model = await modelOf(zeroChannels(graph, branches, [0, 5]))
		const compact = await compactModel(model)
		expect(await differenceOf(model, compact)).toBeLessThanOrEqual(1e-5)
		expect(dims(compact, 'layer2.0.skip.conv.weight')).toEqual([4, 4, 1, 1])
		expect(compact.values.get('layer2.0.sum')?.shape).toEqual(['N', 4, 4, 4])
		expect(ops(compact)).not.toContain('Gather')
	})

	it('DenseNet: all readers of a concatenation lose the channels at its offset', async () => {
		const graph = denseNet({ ...TINY, growth: 2, layers: [2] })
		const { compact } = await compactPruned(graph, 'block1.0.2.conv', [1])
		expect(compact.values.get('block1.0.concat')?.shape).toEqual(['N', 5, 8, 8])
		expect(dims(compact, 'block1.1.0.bn.weight')).toEqual([5])
		expect(dims(compact, 'output.weight')).toEqual([5, 7])
	})

	it('MobileNetV2: a depthwise filter goes with the channel that it filters', async () => {
		const graph = SMALL_NETS.find(({ name }) => name === 'MobileNetV2')!.build()
		const { compact } = await compactPruned(graph, 'stage1.0.depthwise.bn.relu6', [0, 1, 5])
		expect(dims(compact, 'stage1.0.depthwise.conv.weight')).toEqual([5, 1, 3, 3])
		expect(dims(compact, 'stage1.0.expand.conv.weight')).toEqual([5, 4, 1, 1])
	})

	it('ResNeXt: groups stay equally large, and one that is dead goes whole', async () => {
		const graph = resNeXt({ ...TINY, widths: [16], groups: 2 })
		const uneven = await compactPruned(graph, 'layer1.0.2.bn.relu', [0, 1, 2, 4])
		expect(dims(uneven.compact, 'layer1.0.2.conv.weight')).toEqual([6, 4, 3, 3])
		const whole = await compactPruned(graph, 'layer1.0.2.bn.relu', [4, 5, 6, 7])
		expect(dims(whole.compact, 'layer1.0.2.conv.weight')).toEqual([4, 4, 3, 3])
		expect(dims(whole.compact, 'layer1.0.1.conv.weight')).toEqual([4, 16, 1, 1])
	})

	it('a layer pruned whole keeps one channel: no tensor may be empty', async () => {
		const { compact } = await compactPruned(vgg({ ...TINY, widths: [4, 6, 7], stages: 2 }), 'hidden.relu', [
			...Array(7).keys(),
		])
		expect(dims(compact, 'output.weight')).toEqual([5, 1])
	})

	it('a reshape whose target the net computes is followed, and its shape is constant afterwards', async () => {
		const net = new NetBuilder(TINY)
		const x = net.globalPool(net.relu(net.conv(net.input, 'conv', 6, { bias: true })), 'pool')
		net.node('Shape', [x.value], 'shape')
		net.node('Gather', ['shape', net.ints('first', [0])], 'batch')
		net.node('Concat', ['batch', net.ints('rest', [6])], 'target', { axis: 0 })
		const flat = { value: net.node('Reshape', [x.value, 'target'], 'flat'), channels: 6, size: 0 }
		const { compact } = await compactPruned(net.classify(flat), 'pool', [0, 5])
		expect(dims(compact, 'output.weight')).toEqual([5, 4])
		expect(ops(compact)).not.toContain('Shape')
	})

	it('what reads channels in a way that we cannot follow keeps them all', async () => {
		const net = new NetBuilder(TINY)
		const x = net.relu(net.conv(net.input, 'conv', 6, { bias: true }))
		const mixed = { ...x, value: net.node('Softmax', [x.value], 'mixed', { axis: 1 }) }
		const graph = net.classify(net.flatten(net.globalPool(mixed, 'pool'), 'flat'))
		const { pruned, compact } = await compactPruned(graph, 'conv.relu', [0, 5])
		expect(compact.graph).toBe(pruned.graph)
	})

	it('leaves a kernel whole that another layer reads, too', async () => {
		const net = new NetBuilder(TINY)
		const first = net.relu(net.conv({ ...net.input }, 'conv', 3, { bias: true }))
		const shared = net.node('Conv', [first.value, 'conv.weight', 'conv.bias'], 'again', { pads: [1, 1, 1, 1] })
		const graph = net.classify(net.flatten(net.globalPool(net.relu({ ...first, value: shared }), 'pool'), 'flat'))
		const { compact } = await compactPruned(graph, 'pool', [2])
		expect(dims(compact, 'conv.weight')).toEqual([3, 3, 3, 3])
		expect(dims(compact, 'output.weight')).toEqual([5, 2])
	})

	it('computes in opset 7, too, where the file lists initializers among its inputs', async () => {
		const graph = vgg({ ...TINY, widths: [4, 6, 7], stages: 2, forms: { normalization: 'folded' } })
		const old = { ...graph, irVersion: 3, opsets: new Map([['', 7]]) }
		const { compact } = await compactPruned(old, 'pool2', [0])
		expect(dims(compact, 'hidden.weight')).toEqual([7, 5 * 2 * 2])
	})
})

/** A normalization that lets zeroed filters be silent: what it adds is negative, and a ReLU stands behind it. */
function silentWhenZeroed(graph: Graph, name: string): Graph {
	return withShift(graph, name, -5)
}

function withShift(graph: Graph, name: string, shift: number): Graph {
	const length = graph.initializers.get(`${name}.bias`)!.dims[0]!
	const changed: [string, Tensor] = [`${name}.bias`, floatTensor([length], Array(length).fill(shift))]
	return { ...graph, initializers: new Map([...graph.initializers, changed]) }
}

/** Nets that others trained, of several makers and formats. */
const REAL_NETS = [
	'backdoored/face-lab3-sunglasses/bd_net.h5',
	'backdoored/face-lab3-sunglasses/bd_net.onnx',
	'backdoored/gtsrb-yellow-square/badnet_model.hdf5',
	'backdoored/mnist-white-square/badnet_mnist.onnx',
	'backdoored/cifar10-grid-wrn16/backdoored_wrn16_1.onnx',
	'clean/cifar10-resnet20/resnet20.onnx',
	'clean/cifar10-tf2onnx-medium/cifar10_medium.onnx',
	'clean/mnist-cntk/mnist.onnx',
]

describeShared('compacting nets of other makers', () => {
	for (const path of REAL_NETS) {
		it(`${path}: half of the default layer gone, same answers`, async () => {
			const model = await loadModel(sharedPath(`models/${path}`))
			const layer = chooseLayer(model)
			const channels = [...Array(Math.floor(layer.channels / 2)).keys()].map((each) => 2 * each)
			const pruned = pruneChannels(model, layer, channels)
			const compact = await compactModel(pruned)
			expect(await differenceOf(pruned, compact)).toBeLessThanOrEqual(1e-5)
			expect(parameters(compact.graph)).toBeLessThan(parameters(pruned.graph))
		})
	}
})
