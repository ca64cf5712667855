/** `.keras` archives: real ones from ../shared, and small ones built here. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { unzipSync, zipSync } from 'fflate'
import { File, type Group, ready } from 'h5wasm'
import { describe, expect, it } from 'vitest'
import { chooseLayer } from '../../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import { GoodnetError } from '../../../src/errors.ts'
import { matchKerasArchive, openKerasArchive, writeBackKerasArchive } from '../../../src/formats/keras/archive.ts'
import { openKeras, readArchitecture } from '../../../src/formats/keras/keras.ts'
import { zeroChannels } from '../../../src/graph/edit.ts'
import { floatsOf } from '../../../src/graph/graph.ts'
import { openModel } from '../../../src/model/open.ts'
import { sourceFiles } from '../../../src/model/write-back.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { numbers } from './model.ts'
import { distance, type NdArray, run } from './run.ts'

let written = 0

/** A `model.weights.h5` as Keras 3 lays it out: group → its variables in order. */
async function weightsFile(groups: Readonly<Record<string, readonly NdArray[]>>): Promise<Uint8Array> {
	const module = await ready
	written += 1
	const name = `/archive-${written}.h5`
	const file = new File(name, 'w', { libver: ['earliest', 'latest'] })
	for (const [path, variables] of Object.entries(groups)) {
		const group = `${path}/vars`.split('/').reduce<Group>((at, part) => {
			return at.keys().includes(part) ? (at.get(part) as Group) : at.create_group(part)
		}, file)
		variables.forEach(({ dims, values }, index) => {
			group.create_dataset({ name: String(index), data: Float32Array.from(values), shape: [...dims] })
		})
	}
	file.close()
	const bytes = new Uint8Array(module.FS.readFile(name))
	module.FS.unlink(name)
	return bytes
}

type Layer = readonly [className: string, config: object, more?: object]

function layerConfig([class_name, config, more]: Layer, index: number) {
	return {
		module: 'keras.layers',
		class_name,
		config: { name: `any_${index}`, ...config },
		registered_name: null,
		...more,
	}
}

function sequential(layers: readonly Layer[]) {
	return { module: 'keras', class_name: 'Sequential', config: { name: 'net', layers: layers.map(layerConfig) } }
}

async function archive(config: object, weights: Awaited<ReturnType<typeof weightsFile>>, level: 0 | 6 = 0) {
	const text = (value: object) => new TextEncoder().encode(JSON.stringify(value))
	const entries = {
		'metadata.json': text({ keras_version: '3.10.0' }),
		'config.json': text(config),
		'model.weights.h5': weights,
	}
	return zipSync(entries, { level })
}

const INPUT: Layer = ['InputLayer', { batch_shape: [null, 4, 4, 1] }]
const CONV = (filters: number): Layer => ['Conv2D', { filters, kernel_size: [1, 1], use_bias: false }]
const kernel = (inputs: number, filters: number) => numbers(1, 1, inputs, filters)
const BATCH_NORM: Layer = ['BatchNormalization', { epsilon: 0 }]

/** Two convolutions of one class, normalization, a dense layer; `any_N` are names that say nothing about where weights stand. */
const NET = sequential([INPUT, CONV(2), BATCH_NORM, CONV(3), ['Flatten', {}], ['Dense', { units: 2 }]])
const VARIABLES = {
	'layers/conv2d': [kernel(1, 2)],
	'layers/batch_normalization': [
		[2, 3],
		[0.5, -1],
		[1, -2],
		[4, 16],
	].map((values) => ({ dims: [2], values })),
	'layers/conv2d_1': [kernel(2, 3)],
	'layers/flatten': [],
	'layers/dense': [numbers(48, 2), numbers(2)],
}

/** The same net by plain arithmetic, for one image. */
function expected(image: ArrayLike<number>): number[] {
	const [first, second, dense, bias] = [kernel(1, 2), kernel(2, 3), numbers(48, 2), numbers(2)].map(
		({ values }) => values,
	)
	const flat = Array.from(image).flatMap((x) => {
		// gamma * (x - mean) / sqrt(variance) + beta, in the order of the variables: gamma, beta, mean, variance.
		const a = (2 * (x * first![0]! - 1)) / 2 + 0.5
		const b = (3 * (x * first![1]! + 2)) / 4 - 1
		return [0, 1, 2].map((c) => a * second![c]! + b * second![3 + c]!)
	})
	return [0, 1].map((unit) => flat.reduce((sum, x, i) => sum + x * dense![i * 2 + unit]!, bias![unit]!))
}

describe('a .keras archive', () => {
	it.each([0, 6] as const)('finds weights by class and place, deflated or not (level %i)', async (level) => {
		const graph = await openKerasArchive(await archive(NET, await weightsFile(VARIABLES), level), 'net.keras')
		const image = numbers(1, 4, 4, 1)
		const [output] = await run(graph, [image])
		expect(distance(output!.values, expected(image.values))).toBeLessThan(1e-4)
	})

	it('finds the weights of nested models below their own group', async () => {
		const inner = { ...sequential([CONV(2), CONV(2)]), registered_name: null }
		const nested = sequential([INPUT, CONV(2)])
		nested.config.layers.push({ ...inner, module: 'keras' } as never)
		const bytes = await archive(
			nested,
			await weightsFile({
				'layers/conv2d': [kernel(1, 2)],
				'layers/sequential/layers/conv2d': [{ dims: [1, 1, 2, 2], values: [1, 0, 0, 1] }],
				'layers/sequential/layers/conv2d_1': [{ dims: [1, 1, 2, 2], values: [0, 1, 1, 0] }],
			}),
		)
		const [output] = await run(await openKerasArchive(bytes, 'net.keras'), [numbers(1, 4, 4, 1)])
		const [a, b] = kernel(1, 2).values as Float32Array
		const swapped = Array.from(numbers(1, 4, 4, 1).values).flatMap((x) => [x * b!, x * a!])
		expect(distance(output!.values, swapped)).toBeLessThan(1e-5)
	})

	it('reads .weights.h5 alone with the architecture of another archive', async () => {
		const weights = await weightsFile(VARIABLES)
		await expect(openKeras(weights)).rejects.toMatchObject({ code: 'architecture-needed' })
		const architecture = await readArchitecture(await archive(NET, new Uint8Array(0)))
		const [output] = await run(await openKeras(weights, { architecture }), [numbers(1, 4, 4, 1)])
		expect(distance(output!.values, expected(numbers(1, 4, 4, 1).values))).toBeLessThan(1e-4)
	})

	it.each([0, 6] as const)('writes weights back and leaves the other entries alone (level %i)', async (level) => {
		const bytes = await archive(NET, await weightsFile(VARIABLES), level)
		const before = await openKerasArchive(bytes, 'net.keras')
		expect(Buffer.compare(await writeBackKerasArchive(bytes, before, before), bytes)).toBe(0)
		const after = zeroChannels(before, [{ name: 'any_3/kernel', axis: 0 }], [1])
		const changed = await writeBackKerasArchive(bytes, before, after)
		const [old, now] = [unzipSync(bytes), unzipSync(changed)]
		expect(now['config.json']).toEqual(old['config.json'])
		expect(now['metadata.json']).toEqual(old['metadata.json'])
		const reread = floatsOf((await openKerasArchive(changed, 'net.keras')).initializers.get('any_3/kernel')!)
		expect([...reread]).toEqual([...floatsOf(after.initializers.get('any_3/kernel')!)])
		if (level === 0) expect(changed.length).toBe(bytes.length)
	})

	it.each<[string, Layer, RegExp]>([
		[
			'a Lambda',
			['Lambda', { function: { class_name: '__lambda__', config: { code: '4wEAAAA=' } } }],
			/Lambda .*never decodes or runs/,
		],
		[
			'a registered class',
			['Conv2D', {}, { registered_name: 'mine>Conv2D' }],
			/Conv2D is a custom class \(registered as mine>Conv2D\)/,
		],
		[
			'a class of a stranger’s module',
			['Dense', {}, { module: '__main__' }],
			/Dense is a custom class \(of module __main__\)/,
		],
		['a class of no module', ['Dense', {}, { module: null, registered_name: 'Dense' }], /Dense is a custom class/],
		['a bare operation', ['Add', {}, { module: 'keras.src.ops.numpy' }], /bare operation/],
		['int8 weights', ['Dense', { dtype: { class_name: 'QuantizedDTypePolicy' } }], /quantised weights/],
	])('refuses %s by name', async (_, layer, message) => {
		const bytes = await archive(sequential([INPUT, layer]), await weightsFile({}))
		await expect(openKerasArchive(bytes, 'net.keras')).rejects.toMatchObject({
			code: 'unsupported-layer',
			message: expect.stringMatching(message),
		})
	})

	it('refuses bombs, encryption, zip64 and archives without a model', async () => {
		const bytes = await archive(NET, await weightsFile(VARIABLES), 6)
		const lastHeader = Buffer.from(bytes).lastIndexOf('PK\u0001\u0002', undefined, 'latin1')
		const spoilt = (at: number, value: number) => {
			const copy = bytes.slice()
			new DataView(copy.buffer).setUint32(lastHeader + at, value, true)
			return openKerasArchive(copy, 'net.keras')
		}
		await expect(spoilt(24, 0x7ffffff0)).rejects.toThrow(/claims 2147483632 bytes/)
		await expect(spoilt(24, 0xffffffff)).rejects.toThrow(/zip64/)
		await expect(spoilt(8, 0x00080001)).rejects.toThrow(/encrypted/)
		await expect(spoilt(8, 0x000c0000)).rejects.toThrow(/method 12/)
		await expect(spoilt(16, 0x12345678)).rejects.toThrow(/checksum/)
		await expect(openKerasArchive(bytes.subarray(0, bytes.length - 40), 'net.keras')).rejects.toThrow(/cut off/)
		const empty = zipSync({ 'model.weights.h5': new Uint8Array(4) })
		await expect(openKerasArchive(empty, 'net.keras')).rejects.toThrow(/without config\.json/)
	})

	it('gives a graph or a named error whatever is damaged', async () => {
		const bytes = await archive(NET, await weightsFile(VARIABLES))
		const flip = fc.tuple(fc.nat(bytes.length - 1), fc.nat(7))
		await fc.assert(
			fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
				const copy = bytes.slice()
				for (const [at, bit] of flips) copy[at]! ^= 1 << bit
				const result = await openKerasArchive(copy, 'net.keras').catch((error: unknown) => error)
				if (result instanceof Error) expect(result, String(result.stack)).toBeInstanceOf(GoodnetError)
			}),
			{ numRuns: 300 },
		)
	})
})

describeShared('the real .keras files', () => {
	const files = [
		'clean/mnist-keras3/Subhadip_Hensh_MNIST_CNN.keras',
		'loader-corpus/keras3/functionally_equivalent_extraction.keras',
	]

	it.each(files)('%s comes out as it went in when nothing is pruned', async (file) => {
		const bytes = new Uint8Array(readFileSync(sharedPath(`models/${file}`)))
		expect(matchKerasArchive(bytes)).toBe(true)
		const graph = await openKerasArchive(bytes, file)
		expect(Buffer.compare(await writeBackKerasArchive(bytes, graph, { ...graph }), bytes)).toBe(0)
	})

	it('a pruned file read again gives the pruned outputs, and differs in zeroed weights and checksums alone', async () => {
		const bytes = new Uint8Array(readFileSync(sharedPath(`models/${files[0]}`)))
		const runtime = await nodeRuntime({ threads: 1 })
		const model = await openModel(bytes, { path: 'mnist.keras', sha256: '', runtime })
		const repaired = pruneChannels(model, chooseLayer(model), [0, 5, 9])
		const { main } = await sourceFiles(repaired)
		const changed = [...main.keys()].filter((at) => main[at] !== bytes[at])
		// Three filters of 5×5×8 and their biases, and the checksum in two headers.
		expect(changed.length).toBeGreaterThan(100)
		expect(changed.length).toBeLessThanOrEqual(3 * (5 * 5 * 8 + 1) * 4 + 8)
		const values = new Float32Array(new Uint8Array(readFileSync(sharedPath(`models/${files[0]}.ref.input.f32`))).buffer)
		const images = { dims: [values.length / 784, 28, 28, 1], values }
		const [pruned] = await run(repaired.graph, [images])
		const [reread] = await run(await openKerasArchive(main, 'mnist.keras'), [images])
		const [whole] = await run(model.graph, [images])
		expect(distance(reread!.values, pruned!.values)).toBe(0)
		expect(distance(reread!.values, whole!.values)).toBeGreaterThan(1e-3)
	})
})
