import { describe, expect, it } from 'vitest'
import { withHdf5 } from '../../../src/formats/keras/hdf5.ts'
import { openKeras, readArchitecture } from '../../../src/formats/keras/keras.ts'
import { writeBackKeras } from '../../../src/formats/keras/write-back.ts'
import { floatsOf, floatTensor, type Graph } from '../../../src/graph/graph.ts'
import { kerasFile, type StoredWeight } from './h5-file.ts'

const DENSE = {
	class_name: 'Sequential',
	config: {
		name: 'net',
		layers: [{ class_name: 'Dense', config: { name: 'fc', units: 2, use_bias: false, batch_input_shape: [null, 3] } }],
	},
}

function kernel(values: readonly number[], dims: readonly number[] = [3, 2]): StoredWeight {
	return { name: 'kernel:0', dims, values }
}

function doubleKernel(values: readonly number[]): StoredWeight {
	return { ...kernel(values), double: true }
}

/** 1.5, -2, 0.25, 65504, 2^-24 and about 1/3, as float16. */
const HALF_VALUES = [1.5, -2, 0.25, 65504, 2 ** -24, 0.333251953125]
const HALF_BITS = Uint16Array.from([0x3e00, 0xc000, 0x3400, 0x7bff, 0x0001, 0x3555])

const HALF_KERNEL: StoredWeight = {
	...kernel(HALF_VALUES),
	halfBytes: { values: Float32Array.from(HALF_VALUES), half: HALF_BITS },
}

function withElement(graph: Graph, name: string, index: number, value: number): Graph {
	const tensor = graph.initializers.get(name)!
	const values = floatsOf(tensor).slice()
	values[index] = value
	return {
		...graph,
		initializers: new Map(graph.initializers).set(name, floatTensor(tensor.dims, values, tensor.origin)),
	}
}

function stored(bytes: Uint8Array): Promise<Uint8Array> {
	return withHdf5(bytes, 'test.h5', (file) => file.readArray('/model_weights/fc/kernel:0').bytes)
}

describe('stored precision', () => {
	it('reads float16 and float64 as float32', async () => {
		const half = await openKeras(await kerasFile(DENSE, { fc: [HALF_KERNEL] }))
		const double = await openKeras(await kerasFile(DENSE, { fc: [doubleKernel([1, 2, 3, 4, 5, 0.1])] }))
		expect([...floatsOf(half.initializers.get('fc/kernel')!)]).toEqual(HALF_VALUES)
		expect([...floatsOf(double.initializers.get('fc/kernel')!)]).toEqual([1, 2, 3, 4, 5, Math.fround(0.1)])
	})

	it('writes back to float64 without touching the precision of the other elements', async () => {
		const bytes = await kerasFile(DENSE, { fc: [doubleKernel([1 / 3, 2 / 3, 0.1, 0.2, 0.3, 0.4])] })
		const graph = await openKeras(bytes)
		const written = await writeBackKeras(bytes, graph, withElement(graph, 'fc/kernel', 1, 0))
		expect([...new Float64Array((await stored(written)).buffer)]).toEqual([1 / 3, 0, 0.1, 0.2, 0.3, 0.4])
	})

	it.each([
		[0, 0x0000],
		[-0, 0x8000],
		[1 / 3, 0x3555],
		[65504, 0x7bff],
		[0.99999, 0x3c00],
		[2 ** -24, 0x0001],
	])('writes %f back to float16 as the nearest there is', async (value, expected) => {
		const bytes = await kerasFile(DENSE, { fc: [HALF_KERNEL] })
		const graph = await openKeras(bytes)
		const written = await writeBackKeras(bytes, graph, withElement(graph, 'fc/kernel', 1, value))
		const [first, second, third] = new Uint16Array((await stored(written)).buffer)
		expect([first, second, third]).toEqual([0x3e00, expected, 0x3400])
	})
})

describe('weights that do not fit', () => {
	const opening = async (weights: Readonly<Record<string, readonly StoredWeight[]>>) =>
		openKeras(await kerasFile(DENSE, weights), { path: 'net.h5' })

	it('names layer, weight, expected and found shape', async () => {
		await expect(opening({ fc: [kernel([1, 2, 3, 4], [2, 2])] })).rejects.toMatchObject({
			name: 'InputError',
			code: 'shape-mismatch',
			layer: 'fc',
			message: expect.stringMatching(/layer fc, kernel: expected shape \[3, 2\], found \[2, 2\]/),
		})
	})

	it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %f among the weights, naming the dataset', async (bad) => {
		await expect(opening({ fc: [kernel([1, 2, bad, 4, 5, 6])] })).rejects.toMatchObject({
			code: 'not-finite',
			message: expect.stringContaining('at element 2 of /model_weights/fc/kernel:0'),
		})
	})

	it('refuses a float64 that does not fit into float32', async () => {
		await expect(opening({ fc: [doubleKernel([1, 2, 1e300, 4, 5, 6])] })).rejects.toMatchObject({ code: 'not-finite' })
	})

	it.each([
		['the layer has no group', {}],
		['its group is empty', { fc: [] }],
		['there are too many', { fc: [kernel([1, 2, 3, 4, 5, 6]), { ...kernel([1, 2], [2]), name: 'bias:0' }] }],
	])('names the layer where %s', async (_, weights) => {
		await expect(opening(weights)).rejects.toMatchObject({ code: 'weights-missing', layer: 'fc' })
	})

	it('takes the weights of a weights-only file from its root', async () => {
		const architecture = await readArchitecture(new TextEncoder().encode(JSON.stringify(JSON.stringify(DENSE))))
		const graph = await openKeras(await kerasFile(null, { fc: [kernel([1, 2, 3, 4, 5, 6])] }), { architecture })
		expect(graph.initializers.get('fc/kernel')?.origin).toEqual({
			dataset: '/fc/kernel:0',
			reshape: [3, 2],
			perm: [0, 1],
		})
	})

	it('finds the weights of a nested model by the names of its layers', async () => {
		const outer = {
			class_name: 'Sequential',
			config: { name: 'outer', layers: [{ ...DENSE, config: { ...DENSE.config, name: 'inner' } }] },
		}
		const other = { ...kernel([9], [1]), name: 'fc_other/kernel:0' }
		const own = { ...kernel([1, 2, 3, 4, 5, 6]), name: 'fc/kernel:0' }
		const graph = await openKeras(await kerasFile(outer, { inner: [other, own] }))
		expect(graph.initializers.get('inner/fc/kernel')?.origin?.dataset).toBe('/model_weights/inner/fc/kernel:0')
		expect(graph.outputs[0]?.name).toBe('inner/fc')
	})
})
