import { describe, expect, it } from 'vitest'
import { memoryImages } from '../../src/data/memory.ts'
import { floatsOf } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import type { Model } from '../../src/model/model.ts'
import { adam } from '../../src/train/adam.ts'
import { type CheckpointStore, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts'
import type { TrainOptions } from '../../src/train/options.ts'
import { scheduleOf } from '../../src/train/schedule.ts'
import { sgd } from '../../src/train/sgd.ts'
import { train } from '../../src/train/train.ts'
import { images, makeNet } from './small-net.ts'

const OPTIONS = {
	epochs: 3,
	batch: 3,
	optimizer: sgd(),
	rate: 0.05,
	seed: 7,
	augmentation: { crop: 1, flip: true, cutout: 2 },
	schedule: scheduleOf('cosine'),
} as const satisfies TrainOptions

const valid = memoryImages({ ...images, path: 'valid', layout: 'NHWC', classNames: null })

/** Keeps checkpoints as the files they would be, and asks for one after every step. */
function memoryStore(): CheckpointStore & { readonly files: Uint8Array[] } {
	const files: Uint8Array[] = []
	return {
		files,
		isDue: () => true,
		load: async () => (files.length > 0 ? decodeCheckpoint(files.at(-1)!, 'memory') : null),
		save: async (checkpoint) => {
			files.push(encodeCheckpoint(checkpoint))
		},
	}
}

const bytesOf = ({ graph }: Model) => encodeOnnx(graph)

describe('train', () => {
	it('gives the same bytes for the same seed, and others for another', async () => {
		const [one, two, other] = await Promise.all(
			[7, 7, 8].map(async (seed) => bytesOf((await train(await makeNet(), images, { ...OPTIONS, seed })).model)),
		)
		expect(two).toEqual(one)
		expect(other).not.toEqual(one)
	})

	for (const optimizer of [sgd(), adam()]) {
		it(`goes on from the checkpoint of every step and ends with the same bytes (${optimizer.slots})`, async () => {
			const options = { ...OPTIONS, optimizer, valid, patience: 2 }
			const store = memoryStore()
			const whole = await train(await makeNet(), images, { ...options, checkpoints: store })
			expect(store.files.length).toBeGreaterThan(5)
			for (const file of store.files) {
				const stopped: CheckpointStore = { ...memoryStore(), load: async () => decodeCheckpoint(file, 'memory') }
				const resumed = await train(await makeNet(), images, { ...options, checkpoints: stopped })
				expect(bytesOf(resumed.model)).toEqual(bytesOf(whole.model))
				expect(resumed.history).toEqual(whole.history)
			}
		})
	}

	it('keeps a checkpoint when it is aborted', async () => {
		const store = { ...memoryStore(), isDue: () => false }
		const stop = new AbortController()
		const onProgress = ({ done }: { readonly done: number }) => done >= 6 && stop.abort()
		const run = train(await makeNet(), images, { ...OPTIONS, checkpoints: store, signal: stop.signal, onProgress })
		await expect(run).rejects.toMatchObject({ code: 'interrupted' })
		expect((await store.load())?.step).toBe(2)
	})

	it('refuses the checkpoint of another net or optimizer by name, before the engine stumbles over it', async () => {
		const store = memoryStore()
		await train(await makeNet(), images, { ...OPTIONS, checkpoints: store })
		const good = (await store.load())!
		const { 'conv.w': kernel, ...rest } = good.state
		const others = [
			{ ...good, state: rest },
			{ ...good, state: { ...good.state, more: kernel! } },
			{ ...good, state: { ...good.state, 'conv.w': { ...kernel!, dims: [3, 4, 3, 3] } } },
			{ ...good, best: rest },
		]
		for (const other of others) {
			const checkpoints: CheckpointStore = { ...memoryStore(), load: async () => other }
			await expect(train(await makeNet(), images, { ...OPTIONS, checkpoints })).rejects.toMatchObject({
				code: 'bad-checkpoint',
				message: expect.stringMatching(/^expected a checkpoint of this net and optimizer \(\d+ arrays\)/),
			})
		}
		const foreign = train(await makeNet(), images, { ...OPTIONS, optimizer: adam(), checkpoints: store })
		await expect(foreign).rejects.toMatchObject({ code: 'bad-checkpoint' })
	})

	it('keeps the best weights beside the last ones only where patience may ask for them', async () => {
		for (const patience of [null, 2]) {
			const store = memoryStore()
			await train(await makeNet(), images, { ...OPTIONS, valid, patience, checkpoints: store })
			expect((await store.load())!.best === null).toBe(patience === null)
		}
	})

	it('learns what it is shown: eight random images by heart', async () => {
		const options = { ...OPTIONS, epochs: 60, batch: 8, augmentation: undefined, valid }
		const { history } = await train(await makeNet(), images, {
			...options,
			augmentation: { crop: 0, flip: false, cutout: 0 },
		})
		expect(history.at(-1)!.loss).toBeLessThan(0.1)
		expect(history.at(-1)!.valid).toEqual({ correct: 8, total: 8 })
	})

	it('stops when validation has not improved for as many epochs as patience says, and keeps the best weights', async () => {
		const options = { ...OPTIONS, epochs: 200, batch: 8, valid, augmentation: { crop: 0, flip: false, cutout: 0 } }
		const { model, history } = await train(await makeNet(), images, { ...options, patience: 5 })
		const best = Math.max(...history.map((each) => each.valid!.correct))
		const at = history.findIndex((each) => each.valid!.correct === best)
		expect(history.length).toBe(at + 6)
		const until = await train(await makeNet(), images, {
			...options,
			patience: null,
			epochs: 200,
			schedule: scheduleOf('constant'),
		})
		expect(until.history.length).toBe(200)
		const { history: again } = await train(model, images, { ...options, epochs: 1, rate: 1e-12, patience: null })
		expect(again[0]!.valid!.correct).toBe(best)
	})

	it('leaves alone what a mask covers, under momentum and weight decay', async () => {
		const net = await makeNet()
		const kernel = net.graph.initializers.get('conv.w')!
		const values = new Float32Array(kernel.bytes.length / 4).map((_, i) => (i < 27 ? 0 : 1))
		const mask = { ...kernel, bytes: new Uint8Array(values.buffer) }
		const optimizer = sgd({ nesterov: true })
		const { model } = await train(net, images, { ...OPTIONS, optimizer, masks: new Map([['conv.w', mask]]) })
		const [before, after] = [net, model].map(({ graph }) => floatsOf(graph.initializers.get('conv.w')!))
		expect(after!.subarray(0, 27)).toEqual(before!.subarray(0, 27))
		for (const [i, value] of after!.subarray(27).entries()) expect(value).not.toBe(before![27 + i])
	})

	it('says at which step the loss stopped being a number and why, and keeps no checkpoint of what came after', async () => {
		const store = memoryStore()
		const run = train(await makeNet(), images, { ...OPTIONS, rate: 1e30, epochs: 50, checkpoints: store })
		await expect(run).rejects.toMatchObject({
			code: 'diverged',
			exitCode: 3,
			message: expect.stringMatching(
				/^training diverged: .* at step \d+ \(epoch \d+\) .*lower it, or limit the gradient with --clip 1$/,
			),
		})
		for (const file of store.files) {
			const { state } = decodeCheckpoint(file, 'memory')
			for (const { data } of Object.values(state)) expect((data as Float32Array).every(Number.isFinite)).toBe(true)
		}
	})

	it('blames unscaled pixels where they are', async () => {
		const net = {
			...(await makeNet()),
			preprocessing: { scale: 1, mean: null, std: null, channels: 'rgb', resize: false } as const,
		}
		const run = train(net, images, { ...OPTIONS, rate: 1e30, epochs: 50 })
		await expect(run).rejects.toThrow(/inputs reach 25\d, which makes large steps: lower the learning rate/)
	})

	const bad: readonly (readonly [string, Partial<TrainOptions>])[] = [
		['--epochs: expected a whole number of at least 1, found 0', { epochs: 0 }],
		['--batch: expected a whole number of at least 1, found 1.5', { batch: 1.5 }],
		['--lr: expected a number above 0, found NaN', { rate: Number.NaN }],
		['--smoothing: expected 0 up to 1, found 1', { smoothing: 1 }],
		['--clip: expected a number above 0, found 0', { clip: 0 }],
		['--patience: expected clean images with --valid to judge by, found none', { patience: 1 }],
		['--patience: expected a whole number of epochs of at least 1, found 0', { patience: 0, valid }],
		['--crop: expected 0..6 pixels, found 7', { augmentation: { crop: 7, flip: false, cutout: 0 } }],
	]
	for (const [message, options] of bad) {
		it(`refuses ${message}`, async () => {
			const run = train(await makeNet(), images, { ...OPTIONS, ...options })
			await expect(run).rejects.toMatchObject({ message, exitCode: 2 })
		})
	}

	it('refuses optimizers that no one can use', () => {
		for (const make of [() => sgd({ momentum: 1 }), () => sgd({ momentum: -0.1 }), () => adam({ beta2: Number.NaN })]) {
			expect(make).toThrow(/: expected a number from 0 up to \(and not\) 1, found /)
		}
		for (const make of [sgd, adam]) {
			expect(() => make({ weightDecay: -1 })).toThrow('--weight-decay: expected a number of at least 0, found -1')
		}
	})

	it('refuses labels that the model has no class for', async () => {
		const labels = Int32Array.from(images.labels, (label) => label + 1)
		const message = 'expected labels 0..2 (the model has 3 classes), found 3 at image 2'
		await expect(train(await makeNet(), { ...images, labels }, OPTIONS)).rejects.toMatchObject({ message })
	})

	it('refuses statistics that serve elsewhere, too: equal constants that an exporter has merged', async () => {
		const net = await makeNet()
		const nodes = net.graph.nodes.map((node) =>
			node.op === 'BatchNormalization' ? { ...node, inputs: node.inputs.with(4, 'gamma') } : node,
		)
		const run = train({ ...net, graph: { ...net.graph, nodes } }, images, OPTIONS)
		await expect(run).rejects.toMatchObject({
			code: 'shared-constants',
			message: expect.stringMatching(/^bn: its statistics gamma serve elsewhere, too/),
		})
	})

	it('names the very step that made a weight infinite', async () => {
		const run = train(await makeNet(), images, {
			...OPTIONS,
			batch: 8,
			rate: 1e39,
			epochs: 5,
			schedule: scheduleOf('constant'),
		})
		await expect(run).rejects.toThrow(/is not finite at step 1 \(epoch 1\)/)
	})

	it('names an operator that the gradient cannot pass, and the path to it', async () => {
		const net = await makeNet()
		const nodes = net.graph.nodes.map((node) => (node.op === 'Relu' ? { ...node, op: 'ThresholdedRelu' } : node))
		const run = train({ ...net, graph: { ...net.graph, nodes } }, images, OPTIONS)
		await expect(run).rejects.toMatchObject({
			code: 'no-gradient',
			message: expect.stringMatching(
				/^relu: operator ThresholdedRelu has no gradient rule; .*output \(Gemm\) ← flat \(Flatten\) ← pool/,
			),
		})
	})
})
