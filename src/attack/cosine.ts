/** Smooth patterns from few cosine waves: the inverse of the orthonormal DCT-II (scipy's and ONNX's `norm="ortho"`). */

/**
 * The plane `[height, width]` whose DCT-II coefficients are `coefficients` `[side, side]` for the slowest `side` waves of each direction,
 * rows first, and zero for all faster ones.
 * @param side at most `height` and `width`
 */
export function inverseDct(
	coefficients: Float64Array,
	side: number,
	{ height, width }: { readonly height: number; readonly width: number },
): Float64Array {
	const plane = new Float64Array(height * width)
	for (let u = 0; u < side; u++) {
		for (let v = 0; v < side; v++) {
			const coefficient = coefficients[u * side + v]!
			if (coefficient === 0) continue
			for (let i = 0; i < plane.length; i++) {
				const column = i % width
				plane[i]! += coefficient * wave(u, (i - column) / width, height) * wave(v, column, width)
			}
		}
	}
	return plane
}

/** Wave `k` of `length` orthonormal ones at place `i`. */
function wave(k: number, i: number, length: number): number {
	const norm = Math.sqrt((k === 0 ? 1 : 2) / length)
	return norm * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * length))
}
