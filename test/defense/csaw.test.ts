/**
 * The real lab: labels, logits, order, curve and GoodNet against what others computed and published (`../shared/csaw`).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ImageSet } from '../../src/data/image-set.ts'
import { memoryImages } from '../../src/data/memory.ts'
import { openImages } from '../../src/data/open.ts'
import { evaluateClean, evaluatePoisoned } from '../../src/defense/evaluate.ts'
import { GoodNet } from '../../src/defense/goodnet.ts'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { prune, type Sweep } from '../../src/defense/prune/prune.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { predict, predictLabels } from '../../src/model/predict.ts'
import { saveModel } from '../../src/model/save.ts'
import { lab3Architecture } from '../../src/reproduce/lab3-architecture.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { webRuntime } from '../../src/runtime/web.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const json = (name: string) => JSON.parse(readFileSync(sharedPath(`csaw/${name}`), 'utf8'))
const FULL = 'models/backdoored/face-lab3-sunglasses/bd_net.h5'

async function labNet(runtime?: Runtime): Promise<Model> {
	return loadModel(sharedPath('csaw/bd_weights.h5'), { architecture: sharedPath(FULL), runtime })
}

describeShared('the lab’s net', () => {
	const runtimes: [string, () => Promise<Runtime>][] = [
		['onnxruntime-node', () => nodeRuntime()],
		['onnxruntime-web', async () => webRuntime()],
	]
	for (const [name, open] of runtimes) {
		it(`gives the reference labels and logits within 0.001 on ${name}`, async () => {
			const runtime = await open()
			const nets = {
				label: await labNet(runtime),
				label_model_B_2: await loadModel(sharedPath('csaw/model_B_2.h5'), { runtime }),
			}
			const { images } = json('reference.json')
			for (const [file, expected] of Object.entries<Record<string, never>>(images)) {
				const image = await openImages(sharedPath(`csaw/images/${file}`), { expected: nets.label.input })
				for (const [key, net] of Object.entries(nets)) {
					const { labels, logits } = await first(net, image)
					expect(labels[0], file).toBe(expected[key])
					const top: [number, number][] = expected[key === 'label' ? 'top3' : 'top3_model_B_2']!
					// JPEG decoders differ by a grey level here and there; only the lossless images pin logits down.
					if (!file.endsWith('.png')) continue
					for (const [label, logit] of top)
						expect(Math.abs(logits[label]! - logit), `${file} ${label}`).toBeLessThan(0.001)
				}
			}
		})

		it(`gives the logits of two synthetic inputs within 0.001 on ${name}`, async () => {
			const { lcg } = json('reference.json')
			let state = lcg.seed >>> 0
			const pixels = Uint8Array.from({ length: lcg.images * 55 * 47 * 3 }, () => {
				state = (Math.imul(1664525, state) + 1013904223) >>> 0
				return state >>> 24
			})
			expect([...pixels.slice(0, 8)]).toEqual(lcg.first_bytes)
			const shape = { count: lcg.images, height: 55, width: 47, channels: 3, layout: 'NHWC' as const }
			const images = memoryImages({ path: 'lcg', pixels, ...shape, labels: null, classNames: null })
			const { labels, logits } = await first(await labNet(await open()), images)
			expect([...labels]).toEqual(lcg.labels)
			for (const [image, row] of lcg.logits_first8.entries()) {
				for (const [i, logit] of row.entries()) expect(Math.abs(logits[image * 1283 + i]! - logit)).toBeLessThan(0.001)
			}
		})
	}

	it('decodes the lossless faces to the very pixels of the data set', async () => {
		const { images } = json('reference.json')
		for (const file of ['clean_0_label43.png', 'clean_1_label328.png', 'clean_2_label196.png']) {
			const pixels = await sharp(sharedPath(`csaw/images/${file}`))
				.removeAlpha()
				.raw()
				.toBuffer()
			expect(pixels.reduce((a, b) => a + b, 0)).toBe(images[file].pixel_sum)
		}
	})

	it('pruned by the first 45 of the published order, equals the published model_B_2.h5 bit for bit in every weight', async () => {
		const net = await labNet()
		const published = await loadModel(sharedPath('csaw/model_B_2.h5'))
		const order: number[] = json('ground_truth.json').order_stable
		await inTemporaryFolder(async (folder) => {
			const path = join(folder, 'repaired.h5')
			await saveModel(pruneChannels(net, chooseLayer(net), order.slice(0, 45)), path)
			const saved = await loadModel(path, { architecture: await lab3Architecture() })
			expect(published.graph.initializers.size).toBeGreaterThanOrEqual(14)
			for (const [name, tensor] of published.graph.initializers) {
				if (tensor.dtype !== 'float32') continue
				expect(
					Buffer.compare(Buffer.from(saved.graph.initializers.get(name)!.bytes), Buffer.from(tensor.bytes)),
					name,
				).toBe(0)
			}
		})
	})

	it('is the same net from the lab’s architecture in our code as from the whole .h5 and from ONNX', async () => {
		const faces = await openImages(sharedPath('csaw/mini_valid.h5'))
		const nets = [
			await labNet(),
			await loadModel(sharedPath('csaw/bd_weights.h5'), { architecture: await lab3Architecture() }),
			await loadModel(sharedPath(FULL)),
			await loadModel(sharedPath(FULL.replace('.h5', '.onnx'))),
		]
		const [labels, ...others] = await Promise.all(nets.map((net) => predictLabels(net, faces)))
		for (const other of others) expect(other).toEqual(labels)
	})
})

describeShared('the defense on 52 real faces', () => {
	const expected = json('mini_expected.json')
	const images = expected.images as number
	const percent = (count: number) => (count / images) * 100
	let net: Model
	let valid: ImageSet
	let poisoned: ImageSet
	let sweep: Sweep

	beforeAll(async () => {
		net = await labNet()
		valid = await openImages(sharedPath('csaw/mini_valid.h5'), { expected: net.input })
		poisoned = await openImages(sharedPath('csaw/mini_bd.h5'), { expected: net.input })
		sweep = await prune(net, valid, { drops: [2, 4, 10, 30], poisoned })
	})
	afterAll(() => {
		valid.close()
		poisoned.close()
	})

	it('prunes pool_3 by zeroing conv_3, since that is the last pooling layer', () => {
		expect(sweep.layer).toMatchObject({ name: 'pool_3', producer: 'conv_3', channels: 60, intervention: 'weights' })
	})

	it('ranks as computed independently in double precision, ties by number', () => {
		expect(sweep.order).toEqual(expected.order)
		for (const [channel, mean] of sweep.meanActivation.entries())
			expect(mean).toBeCloseTo(expected.mean_pool3[channel], 4)
	})

	it('gives every step’s clean accuracy, ASR, and the GoodNet’s accuracy, ASR and rejections', () => {
		const curve = (values: (pruned: number) => number) => sweep.steps.map((_, pruned) => percent(values(pruned)))
		expect(curve((pruned) => sweep.valid.net(pruned).correct)).toEqual(near(expected.clean_acc))
		expect(curve((pruned) => sweep.poisoned!.net(pruned).hits)).toEqual(near(expected.asr))
		expect(curve((pruned) => sweep.valid.guarded(pruned).correct)).toEqual(near(expected.goodnet_clean_acc))
		expect(curve((pruned) => sweep.valid.guarded(pruned).rejected)).toEqual(near(expected.goodnet_flags_clean))
		expect(curve((pruned) => sweep.poisoned!.guarded(pruned).hits)).toEqual(near(expected.goodnet_asr))
		expect(curve((pruned) => sweep.poisoned!.guarded(pruned).rejected)).toEqual(near(expected.goodnet_flags_triggered))
	})

	it('reaches 2, 4, 10 and 30 points at 45, 45, 51 and 54 channels', () => {
		expect(sweep.reached.map(({ pruned }) => pruned)).toEqual([45, 45, 51, 54])
	})

	it('counts forty times as much on the same faces forty times over, where heads are narrowed, on one thread and on two', async () => {
		const faces = await tiled(valid, 40)
		for (const threads of [1, 2]) {
			const again = await prune(await labNet(await nodeRuntime({ threads })), faces, { order: sweep.order })
			const counts = again.steps.map((step) => step.valid)
			expect(counts).toEqual(sweep.steps.map(({ valid: net }) => ({ correct: net!.correct * 40, total: 40 * images })))
		}
	})

	it('counts for every net what the net counts when loaded again from its file and run whole', async () => {
		await inTemporaryFolder(async (folder) => {
			for (const pruned of sweep.steps.keys()) {
				const path = join(folder, `net_${pruned}.h5`)
				await saveModel(pruneChannels(net, sweep.layer, sweep.order.slice(0, pruned)), path)
				const saved = await loadModel(path, { architecture: await lab3Architecture() })
				const { correct } = await evaluateClean(saved, valid)
				const { hits } = await evaluatePoisoned(saved, poisoned)
				expect({ pruned, correct, hits }).toEqual({
					pruned,
					correct: sweep.valid.net(pruned).correct,
					hits: sweep.poisoned!.net(pruned).hits,
				})
			}
		})
	})

	it('exports GoodNets that plain ONNX Runtime runs to the labels that B and B′ give apart', async () => {
		for (const drop of [2, 4, 10, 30]) {
			const repaired = sweep.repaired(drop)
			const session = await inTemporaryFolder(async (folder) => {
				const path = join(folder, 'goodnet.onnx')
				await saveModel(GoodNet.of(net, repaired), path)
				return ort.InferenceSession.create(path)
			})
			for (const set of [valid, poisoned]) {
				const [b, twin] = [await predictLabels(net, set), await predictLabels(repaired, set)]
				const pixels = await nhwcPixels(set)
				const results = await session.run({
					[session.inputNames[0]!]: new ort.Tensor('float32', pixels, [set.count, 55, 47, 3]),
				})
				const wanted = [...b].map((label, i) => (label === twin[i] ? label : 1283))
				expect([...(results.label!.data as BigInt64Array)].map(Number)).toEqual(wanted)
				expect([...(results.rejected!.data as Uint8Array)].map(Boolean)).toEqual(wanted.map((label) => label === 1283))
				expect(results.scores!.dims).toEqual([set.count, 1283])
			}
		}
	})

	it('shares B and B′ in a GoodNet: no convolution before the pruned layer, nor that one, runs twice', () => {
		const { nodes } = GoodNet.of(net, sweep.repaired(10)).graph
		const convolutions = nodes.filter(({ op }) => op === 'Conv').length
		expect(convolutions).toBe(5)
		expect(nodes.filter(({ op }) => op === 'MaxPool').length).toBe(3)
	})

	it('measures agreement with B where the set has no labels', async () => {
		const unlabelled = { ...valid, labels: null }
		const blind = await prune(net, unlabelled, { drops: [2, 4, 10, 30] })
		// B is right on all 52 faces, so agreement and accuracy are the same counts here.
		expect(blind.steps.map((step) => step.valid)).toEqual(sweep.steps.map((step) => step.valid))
	})

	it('is deterministic over threads and runtimes', async () => {
		const single = await labNet(await nodeRuntime({ threads: 1 }))
		const wasm = await labNet(webRuntime())
		for (const other of [single, wasm]) {
			const again = await prune(other, valid, { drops: [2, 4, 10, 30], poisoned })
			expect(again.steps).toEqual(sweep.steps)
		}
	})
})

async function first(net: Model, images: ImageSet) {
	for await (const prediction of predict(net, images)) return prediction
	throw new Error('no images')
}

/** The set `times` times over, in memory. */
async function tiled(set: ImageSet, times: number): Promise<ImageSet> {
	const { path, count, height, width, channels, layout, labels, classNames } = set
	const size = count * height * width * channels
	const pixels = new Float32Array(size * times)
	for await (const batch of set.batches(count)) for (let i = 0; i < times; i++) pixels.set(batch.pixels, i * size)
	const allLabels = Int32Array.from({ length: count * times }, (_, i) => labels![i % count]!)
	const shape = { height, width, channels, layout }
	return memoryImages({ path, pixels, count: count * times, ...shape, labels: allLabels, classNames })
}

/** The set's pixels as the lab's net takes them, read and transposed here rather than by our preprocessing. */
async function nhwcPixels(set: ImageSet): Promise<Float32Array> {
	const { height, width, channels } = set
	const out = new Float32Array(set.count * height * width * channels)
	for await (const { start, count, pixels } of set.batches(64)) {
		for (let i = 0; i < count; i++)
			for (let c = 0; c < channels; c++)
				for (let p = 0; p < height * width; p++)
					out[((start + i) * height * width + p) * channels + c] = pixels[(i * channels + c) * height * width + p]!
	}
	return out
}

function near(values: readonly number[]) {
	return values.map((value) => expect.closeTo(value, 9))
}
