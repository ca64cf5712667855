/** TF.js layers models: real ones from ../shared, and small ones built here. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseLayer } from '../../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import { GoodnetError } from '../../../src/errors.ts'
import { nothingBeside } from '../../../src/formats/beside.ts'
import { openTfjs, writeBackTfjs } from '../../../src/formats/tfjs/tfjs.ts'
import { zeroChannels } from '../../../src/graph/edit.ts'
import { narrowToHalves } from '../../../src/graph/float16.ts'
import { floatsOf } from '../../../src/graph/graph.ts'
import { loadModel } from '../../../src/model/load.ts'
import { saveModel } from '../../../src/model/save.ts'
import { sourceFiles, sourceFilesOrNull } from '../../../src/model/write-back.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { inTemporaryFolder } from '../../helpers/cli.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { numbers } from '../keras/model.ts'
import { distance, run } from '../keras/run.ts'

const runtime = await nodeRuntime({ threads: 1 })

const KERNEL = [0.5, -1, 0, 0.25, 2, -0.75]

interface Stored {
	readonly bytes: Uint8Array
	readonly dtype?: string
	readonly quantization?: object
}

const plain = (values: readonly number[]): Stored => ({ bytes: new Uint8Array(Float32Array.from(values).buffer) })

/** A dense layer of two units on three inputs, its kernel stored as told, its bias plainly, in shards of `shardBytes`. */
function denseModel(kernel: Stored, { shardBytes = 1000, paths = ['a.bin', 'b.bin', 'c.bin'] } = {}) {
	const bias = plain([0.125, -0.5])
	const entry = (name: string, shape: number[], { dtype = 'float32', quantization }: Stored) => ({
		name,
		shape,
		dtype,
		...(quantization && { quantization }),
	})
	const whole = Uint8Array.from([...kernel.bytes, ...bias.bytes])
	const shards = new Map(
		paths.flatMap((path, i) => {
			const part = whole.slice(i * shardBytes, (i + 1) * shardBytes)
			return part.length > 0 ? [[path, part] as const] : []
		}),
	)
	const json = {
		format: 'layers-model',
		modelTopology: {
			keras_version: 'tfjs-layers 4.22.0',
			class_name: 'Sequential',
			config: {
				name: 'net',
				layers: [{ class_name: 'Dense', config: { name: 'fc', units: 2, batch_input_shape: [null, 3] } }],
			},
		},
		weightsManifest: [
			{ paths: [...shards.keys()], weights: [entry('fc/kernel', [3, 2], kernel), entry('fc/bias', [2], bias)] },
		],
	}
	return { bytes: encode(json), json, shards }
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const open = ({ bytes, shards }: { bytes: Uint8Array; shards: ReadonlyMap<string, Uint8Array> }) =>
	openTfjs(bytes, 'model.json', async (name) => shards.get(name) ?? nothingBeside('model.json')(name, 0))

const affine = (dtype: 'uint8' | 'uint16', stored: readonly number[], scale: number, min: number): Stored => ({
	bytes: dtype === 'uint8' ? Uint8Array.from(stored) : new Uint8Array(Uint16Array.from(stored).buffer),
	quantization: { dtype, scale, min, original_dtype: 'float32' },
})

describe('a TF.js layers model', () => {
	const kinds: readonly [string, Stored][] = [
		['float32', plain(KERNEL)],
		[
			'float16',
			{
				bytes: new Uint8Array(narrowToHalves(KERNEL).buffer),
				quantization: { dtype: 'float16', original_dtype: 'float32' },
			},
		],
		[
			'uint8',
			affine(
				'uint8',
				KERNEL.map((value) => (value + 1) * 4),
				0.25,
				-1,
			),
		],
		[
			'uint16',
			affine(
				'uint16',
				KERNEL.map((value) => (value + 1) * 400),
				0.0025,
				-1,
			),
		],
	]
	for (const [kind, kernel] of kinds) {
		it(`reads a kernel stored as ${kind} over several shards, and writes zeros back into it`, async () => {
			const model = denseModel(kernel, { shardBytes: 7, paths: Array.from({ length: 5 }, (_, i) => `s${i}.bin`) })
			const { graph, beside } = await open(model)
			const [output] = await run(graph, [{ dims: [1, 3], values: [1, 2, 3] }])
			expect(distance(output!.values, [0.125 + 0.5 + 0 + 6, -0.5 - 1 + 0.5 - 2.25])).toBeLessThan(1e-5)
			expect(writeBackTfjs(model.bytes, beside, graph, graph, 'model.json')).toEqual(model.shards)
			const after = zeroChannels(graph, [{ name: 'fc/kernel', axis: 1 }], [1])
			const shards = writeBackTfjs(model.bytes, beside, graph, after, 'model.json')
			const reread = floatsOf((await open({ bytes: model.bytes, shards })).graph.initializers.get('fc/kernel')!)
			expect([...reread]).toEqual([...floatsOf(after.initializers.get('fc/kernel')!)])
		})
	}

	it('says by name that a quantised weight has no exact zero, and then comes out as ONNX only', async () => {
		const model = denseModel(affine('uint8', [0, 1, 2, 3, 4, 5], 0.3, -1))
		const { graph, beside } = await open(model)
		const after = zeroChannels(graph, [{ name: 'fc/kernel', axis: 1 }], [0])
		const write = () => writeBackTfjs(model.bytes, beside, graph, after, 'model.json')
		expect(write).toThrow(/weight fc\/kernel is stored as uint8, which has no exact 0/)
		const source = { path: 'model.json', format: 'tfjs-layers', bytes: model.bytes, beside, sha256: '', graph } as const
		// The two functions read these two fields of a model alone.
		expect(await sourceFilesOrNull({ source, graph: after } as never)).toBeNull()
		await expect(sourceFiles({ source, graph: after } as never)).rejects.toMatchObject({ code: 'cannot-write-back' })
	})

	it.each(['../up.bin', '/etc/passwd', 'a/../../b.bin', 'C:/x.bin', 'http://x/y.bin', 'a\\..\\b.bin', 'a//b', ''])(
		'refuses the shard %j, unread',
		async (name) => {
			const model = denseModel(plain(KERNEL), { paths: [name] })
			const reading = openTfjs(model.bytes, 'model.json', () => Promise.reject(new Error('was read')))
			await expect(reading).rejects.toBeInstanceOf(GoodnetError)
		},
	)

	it('refuses a link out of its folder, and a shard larger than the manifest says, before reading it', () =>
		inTemporaryFolder(async (folder) => {
			const model = denseModel(plain(KERNEL))
			const inside = join(folder, 'model')
			mkdirSync(inside)
			writeFileSync(join(folder, 'secret'), model.shards.get('a.bin')!)
			writeFileSync(join(inside, 'model.json'), model.bytes)
			symlinkSync('../secret', join(inside, 'a.bin'))
			await expect(loadModel(inside, { runtime })).rejects.toMatchObject({ code: 'unsafe-path' })
			const large = join(folder, 'large')
			mkdirSync(large)
			writeFileSync(join(large, 'model.json'), model.bytes)
			writeFileSync(join(large, 'a.bin'), new Uint8Array(33))
			await expect(loadModel(large, { runtime })).rejects.toThrow(/a\.bin: expected at most 32 bytes, found 33/)
			writeFileSync(join(large, 'a.bin'), new Uint8Array(31))
			await expect(loadModel(large, { runtime })).rejects.toThrow(/expected 32 bytes of weights in a\.bin, found 31/)
		}))

	it('refuses sizes that no file can hold, and types that no weight has', async () => {
		const { json, shards } = denseModel(plain(KERNEL))
		const withShape = (shape: unknown, dtype = 'float32') => {
			const copy = structuredClone(json)
			Object.assign(copy.weightsManifest[0]!.weights[0]!, { shape, dtype })
			return open({ bytes: encode(copy), shards })
		}
		await expect(withShape([2 ** 30, 2 ** 30])).rejects.toMatchObject({ code: 'too-large' })
		await expect(withShape([-3, 2])).rejects.toMatchObject({ code: 'bad-config' })
		await expect(withShape([3, 2], 'string')).rejects.toMatchObject({ code: 'unsupported-dtype' })
	})

	it('gives a graph or a named error whatever is damaged', async () => {
		const { bytes, json, shards } = denseModel(plain(KERNEL))
		const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), { minLength: 1, maxLength: 3 })
		const damaged = flips.map((list) => {
			const copy = bytes.slice()
			for (const [at, bit] of list) copy[at]! ^= 1 << bit
			return copy
		})
		const rewritten = fc
			.tuple(fc.constantFrom('modelTopology', 'weightsManifest', 'format'), fc.jsonValue())
			.map(([key, value]) => encode({ ...json, [key]: value }))
		await fc.assert(
			fc.asyncProperty(fc.oneof(damaged, rewritten), async (file) => {
				const result = await open({ bytes: file, shards }).catch((error: unknown) => error)
				if (result instanceof Error) expect(result, String(result.stack)).toBeInstanceOf(GoodnetError)
			}),
			{ numRuns: 400 },
		)
	})
})

describeShared('the real TF.js models', () => {
	const folders = [
		'backdoored/face-sunglasses-early/tfjs',
		'clean/cifar10-resnet8-mlperf/tfjs',
		'clean/fashion-mlp-tfjs/tfjs',
	].map((folder) => sharedPath(`models/${folder}`))

	it.each(folders)('%s comes out as it went in when nothing is pruned', (folder) =>
		inTemporaryFolder(async (out) => {
			await saveModel(await loadModel(folder, { runtime }), join(out, 'copy'))
			expect(readdirSync(join(out, 'copy')).sort()).toEqual(readdirSync(folder).sort())
			for (const name of readdirSync(folder)) {
				expect(Buffer.compare(readFileSync(join(out, 'copy', name)), readFileSync(join(folder, name))), name).toBe(0)
			}
		}),
	)

	it('a pruned model read again gives the pruned outputs; model.json is as it was', () =>
		inTemporaryFolder(async (out) => {
			const model = await loadModel(join(folders[0]!, 'model.json'), { runtime })
			const repaired = pruneChannels(model, chooseLayer(model), [0, 2, 9, 12, 23])
			const path = join(out, 'repaired/model.json')
			await saveModel(repaired, path)
			expect(readFileSync(path)).toEqual(readFileSync(join(folders[0]!, 'model.json')))
			const images = numbers(2, 55, 47, 3)
			const [reread] = await run((await loadModel(dirname(path), { runtime })).graph, [images])
			const [pruned] = await run(repaired.graph, [images])
			const [whole] = await run(model.graph, [images])
			expect(distance(reread!.values, pruned!.values)).toBe(0)
			expect(distance(reread!.values, whole!.values)).toBeGreaterThan(0)
			await expect(saveModel(repaired, path)).rejects.toMatchObject({ code: 'exists' })
			await expect(saveModel(repaired, join(out, 'x.h5'))).rejects.toThrow(/can be saved as \.json or \.onnx/)
		}))
})
