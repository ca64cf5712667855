/** The largest singular value of a small matrix. */
import type { Filter } from './kernel.ts'

/** Sweeps after which Jacobi's method has long converged: it does so quadratically, and matrices of order 100 take about eight. */
const MAX_SWEEPS = 30

/**
 * The largest singular value of a matrix, to float64 precision: one-sided Jacobi (Hestenes 1958; Golub and Van Loan, Matrix
 * Computations, 4th edition, section 8.6.3). Rotations make the vectors along the shorter side orthogonal; the longest of them is it.
 */
export function spectralNorm({ values, rows, columns }: Filter): number {
	const isWide = rows < columns
	const [count, length] = isWide ? [rows, columns] : [columns, rows]
	const vectors = Array.from({ length: count }, (_, i) =>
		Float64Array.from({ length }, (_, k) => values[isWide ? i * columns + k : k * columns + i]!),
	)
	for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) if (!orthogonalize(vectors)) break
	return Math.sqrt(vectors.reduce((largest, vector) => Math.max(largest, dot(vector, vector)), 0))
}

/** One sweep over all pairs. Returns whether any two were not orthogonal yet. */
function orthogonalize(vectors: readonly Float64Array[]): boolean {
	let isRotated = false
	for (let i = 0; i < vectors.length; i++) {
		for (let j = i + 1; j < vectors.length; j++) if (rotate(vectors[i]!, vectors[j]!)) isRotated = true
	}
	return isRotated
}

/** Turns `a` and `b` in their plane, in place, until they are orthogonal. Returns false where they were. */
function rotate(a: Float64Array, b: Float64Array): boolean {
	const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)]
	if (Math.abs(ab) <= Number.EPSILON * Math.sqrt(aa * bb)) return false
	const zeta = (bb - aa) / (2 * ab)
	const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta))
	const cosine = 1 / Math.hypot(1, tangent)
	const sine = cosine * tangent
	for (let k = 0; k < a.length; k++) {
		const [x, y] = [a[k]!, b[k]!]
		a[k] = cosine * x - sine * y
		b[k] = sine * x + cosine * y
	}
	return true
}

function dot(a: Float64Array, b: Float64Array): number {
	let sum = 0
	for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!
	return sum
}
