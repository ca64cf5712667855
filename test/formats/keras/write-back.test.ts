import { readFileSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import { openKeras, readArchitecture } from '../../../src/formats/keras/keras.ts'
import { writeBackKeras } from '../../../src/formats/keras/write-back.ts'
import { floatsOf, floatTensor, type Graph } from '../../../src/graph/graph.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'

/** The published order of the 2-point net: the 31 channels that never fire, then the next 14 (csaw/README.md). */
const PRUNED = [
	0, 2, 9, 12, 13, 14, 15, 17, 24, 25, 26, 27, 30, 31, 33, 34, 36, 37, 38, 39, 40, 41, 44, 45, 47, 48, 49, 50, 53, 55,
	59, 23, 6, 51, 32, 22, 21, 20, 19, 43, 58, 3, 42, 1, 29,
]

/** `graph` with output channels `channels` of convolution `layer` set to zero, kernel and bias. */
function zeroFilters(graph: Graph, layer: string, channels: readonly number[]): Graph {
	const node = graph.nodes.find(({ name }) => name === layer)
	const initializers = new Map(graph.initializers)
	for (const name of node?.inputs.slice(1) ?? []) {
		const tensor = graph.initializers.get(name)
		if (!tensor) continue
		const values = floatsOf(tensor).slice()
		const size = values.length / (tensor.dims[0] as number)
		for (const channel of channels) values.fill(0, channel * size, (channel + 1) * size)
		initializers.set(name, floatTensor(tensor.dims, values, tensor.origin))
	}
	return { ...graph, initializers }
}

describeShared('writing weights back into a Keras file', () => {
	let weights: Uint8Array
	let published: Uint8Array
	let before: Graph

	beforeAll(async () => {
		weights = new Uint8Array(readFileSync(sharedPath('csaw/bd_weights.h5')))
		published = new Uint8Array(readFileSync(sharedPath('csaw/model_B_2.h5')))
		before = await openKeras(weights, { architecture: await readArchitecture(published) })
	})

	it('gives the weights of the published 2-point net, bit for bit', async () => {
		const written = await writeBackKeras(weights, before, zeroFilters(before, 'conv_3', PRUNED))
		const repaired = await openKeras(written, { architecture: await readArchitecture(published) })
		const expected = await openKeras(published)
		expect(PRUNED).toHaveLength(45)
		expect([...repaired.initializers.keys()]).toEqual([...expected.initializers.keys()])
		for (const [name, tensor] of expected.initializers) {
			expect(Buffer.compare(repaired.initializers.get(name)!.bytes, tensor.bytes), name).toBe(0)
		}
	})

	it('changes the bytes of the zeroed filters and no other byte of the whole file', async () => {
		const written = await writeBackKeras(weights, before, zeroFilters(before, 'conv_3', PRUNED))
		const expected = weights.slice()
		zeroStored(expected, before, 'conv_3/kernel', (index) => PRUNED.includes(index % 60))
		zeroStored(expected, before, 'conv_3/bias', (index) => PRUNED.includes(index))
		expect(Buffer.compare(expected, weights)).not.toBe(0)
		expect(Buffer.compare(written, expected)).toBe(0)
	})

	it('returns equal bytes where nothing changed, and leaves its input alone', async () => {
		const copy = weights.slice()
		expect(Buffer.compare(await writeBackKeras(weights, before, before), copy)).toBe(0)
		await writeBackKeras(weights, before, zeroFilters(before, 'conv_1', [0]))
		expect(Buffer.compare(weights, copy)).toBe(0)
	})
})

/**
 * The same zeroing by hand: finds the stored array's bytes in the file (they are contiguous, and as stored the kernel is `[H, W, in, out]`)
 * and zeroes the elements that `isZeroed` picks.
 */
function zeroStored(file: Uint8Array, graph: Graph, name: string, isZeroed: (index: number) => boolean): void {
	const stored = storedBytes(graph, name)
	const offset = Buffer.from(file.buffer).indexOf(stored)
	expect(offset).toBeGreaterThan(0)
	for (let index = 0; index < stored.length / 4; index++) {
		if (isZeroed(index)) file.fill(0, offset + index * 4, offset + index * 4 + 4)
	}
}

/** Undoes `[out, in, H, W]` by plain loops. */
function storedBytes(graph: Graph, name: string): Uint8Array {
	const { dims, bytes } = graph.initializers.get(name)!
	if (dims.length === 1) return bytes
	const values = floatsOf(graph.initializers.get(name)!)
	const [filters, channels, rows, columns] = dims as [number, number, number, number]
	const stored = new Float32Array(values.length)
	values.forEach((value, index) => {
		const column = index % columns
		const row = Math.floor(index / columns) % rows
		const channel = Math.floor(index / (columns * rows)) % channels
		const filter = Math.floor(index / (columns * rows * channels))
		stored[((row * columns + column) * channels + channel) * filters + filter] = value
	})
	return new Uint8Array(stored.buffer)
}
