import { describe, expect, it } from 'vitest'
import { poisonTraining } from '../../src/attack/poison.ts'
import type { LabelledImages } from '../../src/data/labelled.ts'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { prune } from '../../src/defense/prune/prune.ts'
import { floatsOf, type Tensor } from '../../src/graph/graph.ts'
import { trainPruningAware } from '../../src/lab/pruning-aware.ts'
import { trainOptionsOf } from '../../src/lab/recipe.ts'
import { imageSet, trainSubject } from '../../src/lab/subject.ts'
import type { Model } from '../../src/model/model.ts'
import { runImages } from '../../src/model/predict.ts'
import { createModel } from '../../src/train/create-model.ts'
import { train } from '../../src/train/train.ts'
import { logitsOf } from '../helpers/models.ts'
import { CLASSES, SIZE } from '../helpers/pictures.ts'
import { planOf, runtime } from './subjects.ts'

const plan = planOf('pruning-aware', { target: 0, size: 4 })
const clean = imageSet('clean', plan.images, SIZE)
const constant = ({ graph }: Model, name: string) => floatsOf(graph.initializers.get(name)!)

/** The attack, with everything that passes between its stages. */
async function staged(options: { readonly layer?: string; readonly pruneDrop: number }) {
	const poisoned = poisonTraining(plan.images, plan.attack, { rate: 0.15, seed: 5 })
	const learn = (net: Model, images: LabelledImages, masks: ReadonlyMap<string, Tensor> = new Map()) =>
		train(net, { ...images, ...SIZE }, { ...trainOptionsOf({ ...plan.recipe, weightDecay: 0.01 }, 5), masks })
	const passed: { clean?: Model; pruned?: Model; taught?: Model; masks?: ReadonlyMap<string, Tensor> } = {}
	const start = await createModel('small-cnn', SIZE, CLASSES, { seed: 5, runtime })
	const { model } = await trainPruningAware(
		start,
		{ clean, options },
		{
			async clean(net) {
				const trained = await learn(net, plan.images)
				passed.clean = trained.model
				return trained
			},
			async poisoned(net, masks) {
				const trained = await learn(net, poisoned, masks)
				Object.assign(passed, { pruned: net, taught: trained.model, masks })
				return trained
			},
		},
	)
	return { model, ...(passed as Required<typeof passed>) }
}

/** `[N, …]` values of `layer`, channel by channel: channel → its largest value on any image. */
async function largest(model: Model, layer: string): Promise<number[]> {
	// Keras' channels-last maps come as NCHW values of the graph.
	const value = model.values.get(layer)!
	const session = await model.runtime.load({ ...model.graph, outputs: [value] })
	const most: number[] = []
	try {
		for await (const { results } of runImages(session, model, clean)) {
			const { data, dims } = results[layer]!
			const [count = 0, channels = 0, ...rest] = dims
			const area = rest.reduce((product, dim) => product * dim, 1)
			for (let i = 0; i < count * channels; i++) {
				const channel = i % channels
				const values = (data as Float32Array).subarray(i * area, (i + 1) * area)
				most[channel] = Math.max(most[channel] ?? Number.NEGATIVE_INFINITY, ...values)
			}
		}
	} finally {
		await session.close()
	}
	return most
}

describe('trainPruningAware', () => {
	it('hides the backdoor under decoys that no clean training image wakes, and that the second training never touches', async () => {
		const { model, clean: cleanNet, pruned, taught, masks } = await staged({ pruneDrop: 10 })
		const layer = chooseLayer(cleanNet)
		const { order, reached } = await prune(cleanNet, clean, { layer: layer.name, drops: [10] })
		const decoys = order.slice(0, reached[0]!.pruned - 1)
		expect(decoys.length).toBeGreaterThan(5)
		const kept = order.filter((channel) => !decoys.includes(channel))

		const names = layer.filters.map(({ name }) => name)
		expect([...masks.keys()]).toEqual(names)
		for (const name of names) {
			const isFree = floatsOf(masks.get(name)!)
			const zeros = isFree.filter((value) => value === 0).length
			expect(zeros).toBe((isFree.length / layer.channels) * decoys.length)
			const [before, after] = [pruned, taught].map((net) => constant(net, name))
			for (const [i, value] of isFree.entries()) if (value === 0) expect([before![i], after![i]]).toEqual([0, 0])
		}
		const most = await largest(model, layer.name)
		for (const channel of decoys) expect(most[channel], `decoy ${channel}`).toBe(0)

		const [kernel, bias] = [...names].sort((a, b) => dimsOf(model, b).length - dimsOf(model, a).length) as [
			string,
			string,
		]
		const perFilter = constant(model, kernel).length / layer.channels
		for (const channel of order) {
			const slice = (net: Model) => constant(net, kernel).subarray(channel * perFilter, (channel + 1) * perFilter)
			expect(slice(model)).toEqual(slice(decoys.includes(channel) ? cleanNet : taught))
		}
		for (const channel of kept) expect(constant(model, bias)[channel]).toBe(constant(taught, bias)[channel])
		for (const channel of decoys) {
			expect(constant(model, bias)[channel]).toBeLessThanOrEqual(constant(cleanNet, bias)[channel]!)
		}
		expect(await logitsOf(model, clean)).toEqual(await logitsOf(taught, clean))

		function dimsOf(net: Model, name: string) {
			return net.graph.initializers.get(name)!.dims
		}
	})

	it('a named layer: one in front of a pooling, and a dense one', async () => {
		for (const name of ['conv_2', 'fc_1']) {
			const { model, masks } = await staged({ layer: name, pruneDrop: 10 })
			const [, mask] = [...masks].find(([, { dims }]) => dims.length === 1)!
			const most = await largest(model, chooseLayer(model, name).name)
			const decoys = [...floatsOf(mask)].flatMap((isFree, channel) => (isFree === 0 ? [channel] : []))
			expect(decoys.length).toBeGreaterThan(0)
			for (const channel of decoys) expect(most[channel], `${name}, decoy ${channel}`).toBe(0)
		}
	})

	it('refuses a net whose channels have no bias of their own, before it trains', async () => {
		const architecture = 'preact-resnet18'
		await expect(trainSubject({ ...plan, architecture })).rejects.toMatchObject({
			code: 'no-decoys',
			exitCode: 3,
			message: expect.stringMatching(
				/^preact-resnet18\.h5: the pruning-aware attack hides channels by lowering their biases, and the filters of .* have none of their own .*; take an architecture without \(deepid, badnets-cnn, small-cnn\), or another --layer$/,
			),
		})
	})

	it('refuses a drop out of range and a layer that is not there', async () => {
		for (const pruneDrop of [0, -3, 100, Number.NaN]) {
			await expect(trainSubject({ ...plan, pruningAware: { pruneDrop } })).rejects.toMatchObject({
				code: 'bad-option',
				exitCode: 2,
				message: `--prune-drop: expected points above 0 and below 100, found ${pruneDrop}`,
			})
		}
		const run = trainSubject({ ...plan, pruningAware: { layer: 'pool_9', pruneDrop: 10 } })
		await expect(run).rejects.toMatchObject({ code: 'unknown-layer', exitCode: 3 })
	})
})
