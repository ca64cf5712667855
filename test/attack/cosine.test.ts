import { describe, expect, it } from 'vitest'
import { inverseDct } from '../../src/attack/cosine.ts'
import { oracle } from './oracle.ts'

describe('inverseDct', () => {
	it('undoes the orthonormal DCT-II, as numpy solves it', () => {
		for (const { side, coefficients, plane } of oracle.smooth) {
			const [height = 0, width = 0] = plane.dims
			const result = inverseDct(Float64Array.from(coefficients.values), side, { height, width })
			for (const [i, value] of result.entries()) expect(Math.abs(value - plane.values[i]!)).toBeLessThan(2e-9)
		}
	})
})
