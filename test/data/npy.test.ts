import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openNpyImages, writeNpy } from '../../src/data/npy.ts'
import { readNpyHeader } from '../../src/data/npy-header.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { counting, errorOf, readAll } from './helpers.ts'

/** A `.npy` file with the given dictionary, as numpy writes version `major`. */
function npy(dictionary: string, values: Uint8Array, major = 1): Uint8Array {
	const text = new TextEncoder().encode(`${dictionary}\n`)
	const head = new Uint8Array(major === 1 ? 10 : 12)
	head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0, text.length & 255, text.length >> 8])
	return Uint8Array.from([...head, ...text, ...values])
}

function dictionary(descr: string, shape: string, order = 'False'): string {
	return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`
}

describe('writeNpy', () => {
	it('is read back, shape and values', () =>
		inTemporaryFolder((folder) => {
			const path = join(folder, 'x.npy')
			const dims = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.constant(3), fc.nat(6), fc.nat(6))
			const roundTrip = fc.asyncProperty(
				dims,
				fc.infiniteStream(fc.float({ noNaN: true, noDefaultInfinity: true })),
				async ([count, channels, h, w], stream) => {
					const shape = [count, channels, h + 5, w + 5]
					const values = Float32Array.from(stream.take(shape.reduce((a, b) => a * b)))
					writeFileSync(path, writeNpy(shape, values))
					const set = await openNpyImages(path)
					expect(set).toMatchObject({ count, channels, height: h + 5, width: w + 5, layout: 'NCHW', labels: null })
					expect(Float32Array.from(await readAll(set, 2))).toEqual(values)
					set.close()
				},
			)
			return fc.assert(roundTrip, { numRuns: 25 })
		}))

	it('begins the values at a multiple of 64 bytes, as the format demands, and writes a tuple of one', () => {
		const file = writeNpy([2], Float32Array.of(1, 2))
		expect(file.length).toBe(128 + 8)
		expect(new TextDecoder('latin1').decode(file.subarray(10, 128))).toMatch(/'shape': \(2,\), \} +\n$/)
	})
})

describe('openNpyImages', () => {
	it('reads bytes, wide integers, float64 and booleans of versions 1, 2 and 3', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'x.npy')
			const numbers = counting(24)
			const cases: [string, Uint8Array][] = [
				['|u1', Uint8Array.from(numbers)],
				['|b1', Uint8Array.from(numbers)],
				['<i2', new Uint8Array(Int16Array.from(numbers).buffer)],
				['<i8', new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer)],
				['<f8', new Uint8Array(Float64Array.from(numbers).buffer)],
			]
			for (const [i, [descr, bytes]] of cases.entries()) {
				writeFileSync(path, npy(dictionary(descr, '2, 3, 4'), bytes, 1 + (i % 3)))
				const set = await openNpyImages(path)
				expect(set).toMatchObject({ count: 2, height: 3, width: 4, channels: 1 })
				expect(await readAll(set, 1)).toEqual(numbers)
				set.close()
			}
		}))

	it('gives a set or an error raised on purpose for arbitrary bytes', () =>
		inTemporaryFolder((folder) => {
			const path = join(folder, 'x.npy')
			const sound = npy(dictionary('|u1', '2, 3, 4'), Uint8Array.from(counting(24)))
			const flipped = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 6 }).map((edits) => {
				const bytes = Uint8Array.from(sound)
				for (const [at, byte] of edits) bytes[at] = byte
				return bytes
			})
			const property = fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), flipped), async (bytes) => {
				writeFileSync(path, bytes)
				await errorOf(() => openNpyImages(path))
			})
			return fc.assert(property, { numRuns: 200 })
		}))
})

describe('readNpyHeader', () => {
	it('refuses what is not a plain little-endian array in C order, each by its own code', () => {
		const cases = [
			['|O', '2, 3, 4', 'False', 'pickled-objects'],
			['>f4', '2, 3, 4', 'False', 'unsupported-dtype'],
			['<U8', '2, 3, 4', 'False', 'unsupported-dtype'],
			['|u1', '2, 3, 4', 'True', 'fortran-order'],
			['|u1', '999999999, 3, 4', 'False', 'corrupt-npy'],
			['|u1', '9999999999999999999999, 9999999999999999999', 'False', 'corrupt-npy'],
		] as const
		for (const [descr, shape, order, code] of cases) {
			const bytes = npy(dictionary(descr, shape, order), new Uint8Array(24))
			expect(() => readNpyHeader(bytes, bytes.length, 'x.npy')).toThrow(expect.objectContaining({ code }))
		}
	})

	it('refuses a header that is longer than any plain array needs', () => {
		const bytes = npy(dictionary('|u1', '2, 3, 4').padEnd(5000), new Uint8Array(24))
		expect(() => readNpyHeader(bytes, bytes.length, 'x.npy')).toThrow(/header of \d+ bytes/)
	})
})
