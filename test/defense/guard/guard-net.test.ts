import * as ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { GuardRecord } from '../../../src/contracts/guard-run.ts'
import { guardAnswers } from '../../../src/defense/guard/answers.ts'
import { disagreement, plainGoodNet } from '../../../src/defense/guard/disagreement.ts'
import { flipDepth } from '../../../src/defense/guard/flip-depth.ts'
import type { Guard } from '../../../src/defense/guard/guard.ts'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { logit } from '../../../src/defense/guard/logit.ts'
import { quarantine } from '../../../src/defense/guard/quarantine.ts'
import { quorum } from '../../../src/defense/guard/quorum.ts'
import { chooseLayer, defaultLayer, prunableLayers } from '../../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import { renameValues } from '../../../src/graph/edit.ts'
import { loadModel } from '../../../src/model/load.ts'
import type { Model } from '../../../src/model/model.ts'
import { predictLabels } from '../../../src/model/predict.ts'
import { onnxFile } from '../../../src/model/write-back.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { modelOf, randomImages } from '../../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../../helpers/networks.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { makeNets, type Nets, reloaded } from './nets.ts'

async function everyGuard({ badnet, repaired, images }: Nets): Promise<Guard[]> {
	const layer = chooseLayer(badnet, 'layer')
	return [
		plainGoodNet(repaired[1]!),
		disagreement(repaired[1]!),
		quorum(repaired),
		flipDepth(badnet, layer, [3, 0, 4, 1, 2]),
		await logit('logit', badnet, images),
		await logit('margin', badnet, images),
		quarantine(badnet, [1]),
	]
}

describe('guardNet', () => {
	it.each([7, 9, 11, 12, 13, 17, 18, 20, 21])(
		'makes every guard in opset %d: loaded again, it answers the same',
		async (opset) => {
			const nets = await makeNets({}, opset)
			for (const guard of await everyGuard(nets)) {
				const guarded = await guardNet(nets.badnet, guard, nets.images, { falseRejectionRate: 10 })
				const again = await reloaded(guarded)
				expect(again.kind, guard.kind).toBe('goodnet')
				expect(again.classes).toBe(4)
				expect(again.graph.opsets.get('')).toBe(opset)
				const answers = await guardAnswers(guarded, nets.images)
				expect(await guardAnswers(again, nets.images), guard.kind).toEqual(answers)
				expect(await predictLabels(again, nets.images)).toEqual(answers.labels)
				const { value, valid } = guarded.guard.threshold
				expect(answers.suspicion.filter((score) => score > value).length, guard.kind).toBe(valid.rejected)
				expect(answers.labels.filter((label) => label === 4).length).toBe(valid.rejected)
			}
		},
	)

	it('writes a file that plain ONNX Runtime runs: label, rejected, scores and suspicion', async () => {
		const nets = await makeNets()
		for (const guard of await everyGuard(nets)) {
			const guarded = await guardNet(nets.badnet, guard, nets.images, { falseRejectionRate: 10 })
			const session = await ort.InferenceSession.create(onnxFile(guarded))
			expect([...session.outputNames]).toEqual(['label', 'rejected', 'scores', 'suspicion'])
			const pixels = new ort.Tensor('float32', new Float32Array(3 * 16).fill(0.5), [3, 1, 4, 4])
			const results = await session.run({ x: pixels })
			expect(
				[results.label, results.rejected, results.scores, results.suspicion].map((each) => [each!.type, each!.dims]),
			).toEqual([
				['int64', [3]],
				['bool', [3]],
				['float32', [3, 4]],
				['float32', [3]],
			])
		}
	})

	it('tells in the metadata what it is, what it rejects and what that cost', async () => {
		const { badnet, repaired, images } = await makeNets()
		const facts = { repairedSha256: 'cd', classNames: ['a', 'b', 'c', 'd'] }
		const guarded = await guardNet(badnet, disagreement(repaired[0]!), images, { falseRejectionRate: 10, ...facts })
		const { metadata } = (await reloaded(guarded)).graph
		expect(GuardRecord.parse(JSON.parse(metadata.get('goodnet.guard')!))).toEqual(guarded.guard)
		expect(Object.fromEntries(metadata)).toMatchObject({
			'goodnet.schema': 'goodnet/guard@1',
			'goodnet.badnet.sha256': 'test',
			'goodnet.repaired.sha256': 'cd',
			'goodnet.rejected': '4',
			'goodnet.classNames': '["a","b","c","d"]',
		})
		expect(metadata.get('goodnet.pruning')).toMatch(/"channels":\[0\]/)
	})

	it('takes a net whose own values are called as the outputs of a guard', async () => {
		const names = new Map([
			['logits', 'suspicion'],
			['output', 'scores'],
			['conv_1', 'label'],
		])
		const graph = renameValues(
			randomCnn({ ...PLAIN_SHAPE, channels: 5, classes: 4, seed: 3 }),
			(name) => names.get(name) ?? name,
		)
		const badnet = await modelOf(graph)
		const images = randomImages(badnet, 30, 2)
		const guarded = await guardNet(badnet, await logit('margin', badnet, images), images, { falseRejectionRate: 10 })
		const same = await makeNets()
		const other = await guardNet(same.badnet, await logit('margin', same.badnet, images), images, {
			falseRejectionRate: 10,
		})
		expect(await guardAnswers(await reloaded(guarded), images)).toEqual(await guardAnswers(other, images))
	})

	it('takes a net of fixed batch', async () => {
		const { badnet, images } = await makeNets()
		const graph = randomCnn({ ...PLAIN_SHAPE, channels: 5, classes: 4, seed: 3 })
		const fixed = await modelOf({ ...graph, inputs: [{ ...graph.inputs[0]!, shape: [7, 1, 4, 4] }] })
		const free = await guardNet(badnet, await logit('logit', badnet, images), images, { falseRejectionRate: 10 })
		const seven = await guardNet(fixed, await logit('logit', fixed, images), images, { falseRejectionRate: 10 })
		expect((await guardAnswers(await reloaded(seven), images)).labels).toEqual(
			(await guardAnswers(free, images)).labels,
		)
	})

	it('stops when it is told to', async () => {
		const { badnet, images } = await makeNets()
		const signal = AbortSignal.abort()
		await expect(guardNet(badnet, quarantine(badnet, [1]), images, { signal })).rejects.toMatchObject({
			code: 'interrupted',
		})
	})

	it('refuses a net of other classes, a GoodNet, and a rate that is none', async () => {
		const { badnet, repaired, images } = await makeNets()
		const other = await makeNets({ classes: 3 })
		await expect(guardNet(badnet, disagreement(other.badnet), images)).rejects.toMatchObject({ code: 'not-twins' })
		const guarded = await reloaded(await guardNet(badnet, disagreement(repaired[0]!), images))
		await expect(guardNet(guarded, quarantine(guarded, [1]), images)).rejects.toMatchObject({
			code: 'already-goodnet',
			message: expect.stringMatching(/guard the net that it was made of/),
		})
		const tooMuch = { falseRejectionRate: 100 }
		await expect(guardNet(badnet, quarantine(badnet, [1]), images, tooMuch)).rejects.toMatchObject({ code: 'bad-frr' })
	})
})

/** Nets of other makers: opset 7 (raised from 6) to 17, fixed batches, answers `[N, C, 1, 1]`. */
const OTHERS = [
	['clean/mnist-cntk/mnist.onnx', 7],
	['loader-corpus/onnx/conv2d_small_keras.onnx', 9],
	['backdoored/mnist-small-square-onnx/mnist_badnet_opset10.onnx', 10],
	['clean/gtsrb-cnn/model.onnx', 11],
	['backdoored/cifar10-white-square/badnet_poisoned.onnx', 13],
	['clean/cifar10-resnet8-mlperf/pretrainedResnet.h5', 17],
] as const

describeShared('guards of nets of other makers', () => {
	it.each(OTHERS)(
		'%s, opset %d: every guard, loaded again, answers the same',
		async (path, opset) => {
			const badnet: Model = await loadModel(sharedPath(`models/${path}`), {
				runtime: await nodeRuntime({ threads: 1 }),
			})
			expect(badnet.graph.opsets.get('')).toBe(opset)
			const images = randomImages(badnet, 20, 6)
			const layer = defaultLayer(prunableLayers(badnet))!
			const order = [...Array(layer.channels).keys()]
			const repaired = [2, 3].map((count) => pruneChannels(badnet, layer, order.slice(0, count)))
			const guards = [
				disagreement(repaired[0]!),
				quorum(repaired),
				flipDepth(badnet, layer, order, { checkpoints: 3 }),
				await logit('logit', badnet, images),
				await logit('margin', badnet, images),
				quarantine(badnet, [1]),
			]
			for (const guard of guards) {
				const guarded = await guardNet(badnet, guard, images, { falseRejectionRate: 10 })
				expect(await guardAnswers(await reloaded(guarded), images), guard.kind).toEqual(
					await guardAnswers(guarded, images),
				)
			}
		},
		60_000,
	)
})
