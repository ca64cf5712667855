import fc from 'fast-check'
import { File, ready } from 'h5wasm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { GoodnetError } from '../../../src/errors.ts'
import { withHdf5 } from '../../../src/formats/keras/hdf5.ts'
import { createHdf5, type NewHdf5 } from '../../../src/formats/keras/hdf5-create.ts'
import { elementCount } from '../../../src/graph/graph.ts'

/** How h5wasm sees attribute `name` of the root: HDF5's own words for its type. */
async function metadataOf(bytes: Uint8Array, name: string) {
	const module = await ready
	module.FS.writeFile('/made.h5', bytes)
	const file = new File('/made.h5', 'r')
	const { metadata } = file.attrs[name]!
	file.close()
	module.FS.unlink('/made.h5')
	return metadata
}

function small(file: NewHdf5): void {
	file.text('/', 'version', '2.3.1')
	file.group('/layer')
	file.texts('/layer', 'names', ['a', 'bias:0'])
	file.floats('/layer/a', [2, 1], Float32Array.of(1, -0))
}

describe('createHdf5', () => {
	afterEach(() => {
		vi.useRealTimers()
	})

	it('gives back every array bit for bit, and every list of texts', async () => {
		const array = fc
			.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
			.chain((dims) =>
				fc.tuple(fc.constant(dims), fc.float32Array({ minLength: elementCount(dims), maxLength: elementCount(dims) })),
			)
		const word = fc.stringMatching(/^[ -~]{1,20}$/)
		await fc.assert(
			fc.asyncProperty(fc.array(array, { maxLength: 5 }), fc.array(word), async (arrays, words) => {
				const bytes = await createHdf5((file) => {
					file.group('/group')
					file.texts('/group', 'words', words)
					arrays.forEach(([dims, values], index) => {
						file.floats(`/group/${index}`, dims, values)
					})
				})
				await withHdf5(bytes, 'made.h5', (file) => {
					expect(file.strings('/group', 'words')).toEqual(words)
					arrays.forEach(([dims, values], index) => {
						const stored = file.readArray(`/group/${index}`)
						expect(stored).toMatchObject({ dims, size: 4 })
						expect(Buffer.compare(stored.bytes, new Uint8Array(values.buffer))).toBe(0)
					})
				})
			}),
			{ numRuns: 40 },
		)
	})

	it('keeps data that look like the time it takes out', async () => {
		const values = new Float32Array(Uint32Array.of(0x080012, 0, 1, 0x12345678).buffer)
		const bytes = await createHdf5((file) => file.floats('/a', [4], values))
		await withHdf5(bytes, 'made.h5', (file) => {
			expect(Buffer.compare(file.readArray('/a').bytes, new Uint8Array(values.buffer))).toBe(0)
		})
	})

	it('gives the same bytes at another time, and after other files', async () => {
		vi.useFakeTimers({ now: new Date('2020-01-01'), toFake: ['Date'] })
		const first = await createHdf5(small)
		await createHdf5((file) => file.floats('/other', [3000], new Float32Array(3000).fill(7)))
		vi.setSystemTime(new Date('2026-11-24'))
		expect(Buffer.compare(await createHdf5(small), first)).toBe(0)
	})

	it('writes text at fixed length, as ASCII: the kind that h5py gives as bytes in all its versions', async () => {
		const bytes = await createHdf5(small)
		expect(bytes[8]).toBe(0) // the superblock of HDF5 1.0 to 1.6
		expect(await metadataOf(bytes, 'version')).toMatchObject({ type: 3, cset: 0, vlen: false, size: 6, shape: [] })
	})

	it.each([
		[64_511, false],
		[64_512, true],
		[200_000, true],
	])('keeps a text of %d letters whole, at variable length (%s) where a header has no room', async (length, vlen) => {
		const text = 'abcdefg'.repeat(length / 7 + 1).slice(0, length)
		const bytes = await createHdf5((file) => {
			file.text('/', 'first', text)
			file.text('/', 'second', text)
		})
		expect(await metadataOf(bytes, 'second')).toMatchObject({ type: 3, cset: 0, vlen })
		await withHdf5(bytes, 'made.h5', (file) => {
			expect(file.strings('/', 'first')).toEqual([text])
			expect(file.strings('/', 'second')).toEqual([text])
		})
	})

	const faults: readonly (readonly [string, (file: NewHdf5) => void, RegExp])[] = [
		[
			'a list of texts longer than a header',
			(file) => file.texts('/', 'names', Array(7000).fill('layer_123')),
			/attribute names is longer than 64 KiB/,
		],
		['an attribute of a group that is not there', (file) => file.text('/layer', 'a', ''), /\/layer is no group of it/],
		[
			'numbers that do not fill their shape',
			(file) => file.floats('/a', [2, 2], new Float32Array(3)),
			/\/a: \[2, 2\] of 3 numbers/,
		],
		[
			'a dataset without its group',
			(file) => file.floats('/no/a', [1], new Float32Array(1)),
			/expected 1 times of datasets, found 0/,
		],
	]
	it.each(faults)('refuses %s by name', async (_, build, message) => {
		const error = await createHdf5(build).catch((thrown: unknown) => thrown)
		expect(error).toBeInstanceOf(GoodnetError)
		expect(error).toMatchObject({ code: 'cannot-write-hdf5', message: expect.stringMatching(message) })
	})
})
