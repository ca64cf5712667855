import { describe, expect, it } from 'vitest'
import { readLayout } from '../../src/data/layout.ts'
import type { OpenOptions } from '../../src/data/options.ts'

const read = (dims: readonly number[], options: OpenOptions = {}) => readLayout(dims, options, '"data" in x.h5', 'x.h5')
const expected = { height: 55, width: 47, channels: 3 }

describe('readLayout', () => {
	it('takes the one reading that the model expects', () => {
		expect(read([9, 3, 55, 47], { expected })).toEqual({ ...expected, layout: 'NCHW' })
		expect(read([9, 55, 47, 3], { expected })).toEqual({ ...expected, layout: 'NHWC' })
	})

	it('without a model takes the one reading with a usual number of channels', () => {
		expect(read([9, 1, 28, 28])).toMatchObject({ channels: 1, layout: 'NCHW' })
		expect(read([9, 28, 28, 4])).toMatchObject({ channels: 4, layout: 'NHWC' })
		expect(read([9, 28, 28])).toMatchObject({ height: 28, width: 28, channels: 1 })
	})

	it('asks for --layout where both readings are possible, and obeys it', () => {
		const both = [9, 3, 3, 3]
		const cube = { height: 3, width: 3, channels: 3 }
		for (const options of [{}, { expected: cube }]) {
			expect(() => read(both, options)).toThrow(
				expect.objectContaining({ code: 'ambiguous-layout', message: expect.stringContaining('--layout NCHW|NHWC') }),
			)
			expect(read(both, { ...options, layout: 'NHWC' })).toEqual({ ...cube, layout: 'NHWC' })
		}
		expect(() => read([9, 28, 28, 28])).toThrow(expect.objectContaining({ code: 'ambiguous-layout' }))
	})

	it('says what was expected, what was found and the way out where no reading fits', () => {
		expect(() => read([9, 3, 32, 32], { expected })).toThrow(
			/"data" in x\.h5: expected images of 55×47×3 .* found 32×32×3 \(NCHW\) or 3×32×32 \(NHWC\); pass --resize/,
		)
		expect(() => read([9, 1, 55, 47], { expected })).toThrow(/use images with that many channels/)
		expect(() => read([9, 5], { expected })).toThrow(expect.objectContaining({ code: 'shape-mismatch' }))
	})

	it('accepts another size where resizing is asked for, but not another number of channels', () => {
		expect(read([9, 3, 32, 32], { expected, resize: true })).toMatchObject({ height: 32, width: 32, layout: 'NCHW' })
		expect(() => read([9, 1, 32, 32], { expected, resize: true })).toThrow(
			expect.objectContaining({ code: 'shape-mismatch' }),
		)
	})
})
