import { readFileSync } from 'node:fs'
import { Dataset, File, Group, ready } from 'h5wasm'
import { describe, expect, it } from 'vitest'
import { isObject, type JsonObject } from '../../../src/formats/keras/json.ts'
import { openKeras } from '../../../src/formats/keras/keras.ts'
import { type NewKerasLayer, type NewKerasModel, writeKerasModel } from '../../../src/formats/keras/write.ts'
import { floatsOf } from '../../../src/graph/graph.ts'
import { layersOf } from '../../../src/train/architectures/index.ts'
import { drawWeights } from '../../../src/train/architectures/initial-weights.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { numbers } from './model.ts'
import { distance, run } from './run.ts'

/** What a file holds: attributes as texts and lists of texts, datasets as shape and type, by path. */
type Contents = Readonly<Record<string, unknown>>

async function openH5<T>(bytes: Uint8Array, use: (file: File) => T): Promise<T> {
	const module = await ready
	module.FS.writeFile('/written.h5', bytes)
	const file = new File('/written.h5', 'r')
	try {
		return use(file)
	} finally {
		file.close()
		module.FS.unlink('/written.h5')
	}
}

function contentsOf(group: Group, path = ''): Contents {
	const contents: Record<string, unknown> = {}
	for (const [name, { value, shape }] of Object.entries(group.attrs)) contents[`${path}@${name}`] = { value, shape }
	for (const name of group.keys()) {
		const member = group.get(name)
		if (member instanceof Group) Object.assign(contents, contentsOf(member, `${path}/${name}`))
		if (member instanceof Dataset) contents[`${path}/${name}`] = { shape: member.shape, dtype: member.dtype }
	}
	return contents
}

/** The file's layers and weights as `writeKerasModel` takes them, read with h5wasm alone. */
function readBack(file: File): NewKerasModel {
	const { config } = JSON.parse(file.attrs.model_config!.value as string)
	const layers = config.layers.map((layer: JsonObject): NewKerasLayer => {
		const { name, trainable: _, dtype: __, ...settings } = layer.config as JsonObject & { name: string }
		const group = file.get(`model_weights/${name}`) as Group
		const names = [...(group.attrs.weight_names!.value as string[])]
		const weights = names.map((weight) => {
			const { shape, value } = group.get(weight) as Dataset
			return { role: weight.split('/')[1]!.replace(':0', ''), dims: shape!, values: value as Float32Array }
		})
		const calls = layer.inbound_nodes as [string][][]
		return {
			className: String(layer.class_name),
			name,
			config: settings,
			inputs: calls.flat().map(([from]) => from),
			weights,
		}
	})
	return { name: config.name, layers }
}

const input: NewKerasLayer = {
	className: 'InputLayer',
	name: 'input',
	config: { batch_input_shape: [null, 3], sparse: false },
	inputs: [],
	weights: [],
}

function dense(name: string, from: string): NewKerasLayer {
	const weights = [
		{ role: 'kernel', dims: [3, 3], values: Float32Array.from({ length: 9 }, (_, i) => Math.sin(i)) },
		{ role: 'bias', dims: [3], values: Float32Array.of(0.5, -1, 2) },
	]
	return { className: 'Dense', name, config: { units: 3, activation: 'linear' }, inputs: [from], weights }
}

function deepid(): NewKerasModel {
	const layers = layersOf('deepid', { height: 55, width: 47, channels: 3 }, 1283)
	return { name: 'model_1', layers: drawWeights(layers, 1) }
}

describe('writeKerasModel', () => {
	it('writes what the reader reads: the same weights, and the function that the layers say', async () => {
		const bytes = await writeKerasModel({
			name: 'net',
			layers: [input, dense('first', 'input'), dense('second', 'first')],
		})
		const graph = await openKeras(bytes)
		const [kernel, bias] = dense('', '').weights.map(({ values }) => values) as [Float32Array, Float32Array]
		expect([...floatsOf(graph.initializers.get('second/kernel')!)]).toEqual([...kernel])
		const apply = (x: readonly number[]) =>
			[0, 1, 2].map((to) => x.reduce((sum, value, from) => sum + value * kernel[from * 3 + to]!, bias[to]!))
		const x = [1, -2, 0.25]
		const [y] = await run(graph, [{ dims: [1, 3], values: x }])
		expect(distance(y!.values, apply(apply(x)))).toBeLessThan(1e-5)
	})

	it('gives the same bytes when a file is read and written again', async () => {
		const bytes = await writeKerasModel(deepid())
		const again = await openH5(bytes, readBack)
		expect(again.layers).toHaveLength(15)
		expect(Buffer.compare(await writeKerasModel(again), bytes)).toBe(0)
	})

	it('takes attributes of our own, which the reader gives as metadata, and no others', async () => {
		const attributes = new Map([
			['goodnet.preprocessing', '{"scale":1}'],
			['note', 'from elsewhere'],
		])
		const bytes = await writeKerasModel({ name: 'net', layers: [input, dense('output', 'input')], attributes })
		expect((await openKeras(bytes)).metadata).toEqual(new Map([['goodnet.preprocessing', '{"scale":1}']]))
	})

	it('escapes what is not ASCII, as Python does, since the attribute is ASCII', async () => {
		const bytes = await writeKerasModel({ name: 'Gesichter für 😀', layers: [input, dense('output', 'input')] })
		const text = await openH5(bytes, (file) => String(file.attrs.model_config!.value))
		expect(text).toContain('"Gesichter f\\u00fcr \\ud83d\\ude00"')
		expect((await openKeras(bytes)).name).toBe('Gesichter für 😀')
	})

	it('joins several inputs in the order given, and lists weights in the order of the layers', async () => {
		const subtract: NewKerasLayer = {
			className: 'Subtract',
			name: 'minus',
			config: {},
			inputs: ['a', 'input'],
			weights: [],
		}
		const bytes = await writeKerasModel({ name: 'net', layers: [input, dense('a', 'input'), subtract] })
		const [y] = await run(await openKeras(bytes), [{ dims: [1, 3], values: [0, 0, 0] }])
		expect([...(y!.values as Float32Array)]).toEqual([0.5, -1, 2])
	})

	it('refuses weights that do not fill their shape', async () => {
		const broken = {
			...dense('output', 'input'),
			weights: [{ role: 'kernel', ...numbers(3, 3), values: new Float32Array(8) }],
		}
		await expect(writeKerasModel({ name: 'net', layers: [input, broken] })).rejects.toMatchObject({
			code: 'cannot-write-hdf5',
		})
	})
})

describeShared('our DeepID beside the files that Keras wrote of it', () => {
	/** Keras 2.3.1 wrote the first, 2.4.0 the second. */
	const FILES = ['models/backdoored/face-lab3-sunglasses/bd_net.h5', 'csaw/model_B_2.h5']

	it.each(FILES)('%s: has the same groups, attributes, lists, and datasets', async (path) => {
		const theirs = await openH5(new Uint8Array(readFileSync(sharedPath(path))), contentsOf)
		const ours = await openH5(await writeKerasModel(deepid()), contentsOf)
		// The version is the file's own, and the configuration is compared below.
		const ignored = ['@model_config', '@keras_version', '/model_weights@keras_version']
		const compared = (contents: Contents) => Object.entries(contents).filter(([name]) => !ignored.includes(name))
		expect(Object.fromEntries(compared(ours))).toEqual(Object.fromEntries(compared(theirs)))
		expect(Object.keys(ours).length).toBeGreaterThan(30)
	})

	it.each(FILES)(
		'%s: has the same configuration, but for settings that some versions of Keras refuse',
		async (path) => {
			const config = (file: File) => JSON.parse(String(file.attrs.model_config!.value)).config
			const theirs = await openH5(new Uint8Array(readFileSync(sharedPath(path))), config)
			const ours = await openH5(await writeKerasModel(deepid()), config)
			expect(ours).toEqual(without(theirs, ['groups', 'ragged']))
		},
	)
})

/** `json` without the members named, at any depth. */
function without(json: unknown, names: readonly string[]): unknown {
	if (Array.isArray(json)) return json.map((item) => without(item, names))
	if (!isObject(json)) return json
	const kept = Object.entries(json).filter(([name]) => !names.includes(name))
	return Object.fromEntries(kept.map(([name, value]) => [name, without(value, names)]))
}
