import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { openNpzImages } from '../../src/data/npz.ts'
import { writeNpz } from '../../src/data/npz-writer.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { readAll } from './helpers.ts'

describe('writeNpz', () => {
	it('is read back: pixels, labels and further arrays, grey and in colour', () =>
		inTemporaryFolder((folder) => {
			const path = join(folder, 'set.npz')
			const side = fc.integer({ min: 5, max: 9 })
			const size = fc.record({ height: side, width: side, channels: fc.constantFrom(1, 3) })
			const roundTrip = fc.asyncProperty(size, fc.integer({ min: 1, max: 6 }), async (shape, count) => {
				const values = count * shape.height * shape.width * shape.channels
				const pixels = Uint8Array.from({ length: values }, (_, i) => (i * 7) % 256)
				const labels = Int32Array.from({ length: count }, (_, i) => i * 1000)
				const truth = labels.map((label) => label + 1)
				writeFileSync(path, writeNpz({ pixels, size: shape, labels, more: { true_label: truth } }))
				const set = await openNpzImages(path)
				expect(set).toMatchObject({ ...shape, count, layout: 'NHWC' })
				expect(set.labels).toEqual(labels)
				expect(Uint8Array.from(await readAll(set, 4))).toEqual(pixels)
				const other = await openNpzImages(path, { names: { images: 'data', labels: 'true_label' } })
				expect(other.labels).toEqual(truth)
			})
			return fc.assert(roundTrip, { numRuns: 15 })
		}))

	it('writes the types that numpy.load finds: |u1 pixels, <i4 labels, and no date of today', () => {
		const image = { pixels: new Uint8Array(75), size: { height: 5, width: 5, channels: 3 }, labels: Int32Array.of(7) }
		const bytes = writeNpz(image)
		const entries = unzipSync(bytes)
		const text = (name: string) => Buffer.from(entries[name]!).toString('latin1')
		expect(text('data.npy')).toMatch(/'descr': '\|u1', 'fortran_order': False, 'shape': \(1, 5, 5, 3\)/)
		expect(text('label.npy')).toMatch(/'descr': '<i4', 'fortran_order': False, 'shape': \(1,\)/)
		// DOS time and date of the first entry: midnight, 1980-01-01.
		expect([...bytes.subarray(10, 14)]).toEqual([0, 0, 0x21, 0])
	})

	it('refuses more than our own reader could take with ease', () => {
		// Stands in for half a gigabyte, which nobody wants to allocate in a test.
		const pixels = Object.defineProperty(new Uint8Array(0), 'length', { value: 2 ** 29 + 1 })
		const write = () => writeNpz({ pixels, size: { height: 1, width: 1, channels: 1 }, labels: new Int32Array(0) })
		expect(write).toThrow(/at most 536870912 bytes of pixels for an \.npz archive, found 536870913; give fewer images/)
	})
})
