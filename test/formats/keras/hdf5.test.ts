import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { GoodnetError } from '../../../src/errors.ts'
import { matchKeras, openKeras } from '../../../src/formats/keras/keras.ts'
import { describeShared, sharedPath } from '../../helpers/shared.ts'
import { kerasFile } from './h5-file.ts'

const SIGNATURE = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)

/** A graph or an error of ours, and nothing else. Returns which. */
async function outcome(bytes: Uint8Array): Promise<string> {
	try {
		await openKeras(bytes)
		return 'graph'
	} catch (error) {
		if (!(error instanceof GoodnetError)) throw error
		return error.code
	}
}

describe('bytes that are no HDF5 file', () => {
	it('are refused, whatever they are', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), async (bytes, isSigned) => {
				expect(await outcome(isSigned ? Uint8Array.from([...SIGNATURE, ...bytes]) : bytes)).not.toBe('graph')
			}),
			{ numRuns: 100 },
		)
	})

	it('are told by their signature', () => {
		expect(matchKeras(Uint8Array.from([...SIGNATURE, 0]))).toBe(true)
		expect(matchKeras(SIGNATURE.subarray(0, 7))).toBe(false)
		expect(matchKeras(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'))).toBe(false)
	})
})

describeShared('damaged Keras files', () => {
	const whole = () => new Uint8Array(readFileSync(sharedPath('models/loader-corpus/keras2/keras_conv2d_model.h5')))

	it('are refused wherever they are cut off', async () => {
		const bytes = whole()
		await fc.assert(
			fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), async (length) => {
				expect(await outcome(bytes.subarray(0, length))).not.toBe('graph')
			}),
			{ numRuns: 60 },
		)
	})

	it('give a graph or an error of ours for any flipped bits, printing nothing', async () => {
		const bytes = whole()
		const printed = vi.spyOn(console, 'error')
		const flips = fc.array(
			fc.tuple(fc.oneof(fc.nat({ max: 4500 }), fc.nat({ max: bytes.length - 1 })), fc.nat({ max: 7 })),
			{ minLength: 1, maxLength: 8 },
		)
		await fc.assert(
			fc.asyncProperty(flips, async (places) => {
				const damaged = bytes.slice()
				for (const [at, bit] of places) damaged[at]! ^= 1 << bit
				expect(await outcome(damaged)).toEqual(expect.any(String))
			}),
			{ numRuns: 200 },
		)
		expect(printed).not.toHaveBeenCalled()
	})

	it('are refused where a heap object leads nowhere, on which the HDF5 library would hang', async () => {
		const bytes = whole()
		const heap = Buffer.from(bytes.buffer).indexOf('GCOL')
		for (const size of [0, 0xff]) {
			const damaged = bytes.slice()
			damaged.fill(0, heap + 16, heap + 18)
			damaged.fill(size, heap + 24, heap + 32)
			expect(await outcome(damaged)).toBe('corrupt-hdf5')
		}
	})
})

describe('sizes that a file only claims', () => {
	it('are refused before anything is allocated', async () => {
		const fc = { name: 'fc', units: 1000, use_bias: false, batch_input_shape: [null, 1_000_000] }
		const config = { class_name: 'Sequential', config: [{ class_name: 'Dense', config: fc }] }
		const kernel = { name: 'kernel:0', dims: [2, 2], values: [1, 2, 3, 4], claims: [1_000_000, 1000] }
		await expect(openKeras(await kerasFile(config, { fc: [kernel] }))).rejects.toMatchObject({
			code: 'corrupt-hdf5',
			message: expect.stringMatching(/kernel:0 claims 4000000000 bytes, the whole file has \d+/),
		})
	})
})
