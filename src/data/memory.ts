/** A set over arrays that the caller already has: the demo's faces, and whatever a user of the library brings along. Runs in a browser. */
import { UsageError } from '../errors.ts'
import type { ImageSet, ImageShape } from './image-set.ts'
import { parseLabels } from './labels.ts'
import { imageSet, type Pixels } from './pixels.ts'

/** What `memoryImages` takes. The arrays are shared, not copied. */
export interface MemoryImages extends ImageShape {
	/** A name for messages and records; nothing is read from there. */
	readonly path: string
	/** `[count, …]` in `layout`. */
	readonly pixels: Uint8Array | Float32Array
	readonly count: number
	/** `[count]`, zero-based; null for an unlabelled set. */
	readonly labels: Int32Array | null
	readonly classNames: readonly string[] | null
}

/**
 * The set over `images`. Its `sha256` covers pixels and labels.
 * @throws UsageError `bad-image-set` where the arrays do not have the stated sizes; InputError as `imageSet` and `parseLabels` do
 */
export function memoryImages(images: MemoryImages): ImageSet {
	const { path, pixels, count, height, width, channels, labels } = images
	const valuesPerImage = height * width * channels
	const sizes = [count, height, width, channels]
	if (sizes.some((size) => !Number.isInteger(size) || size < 0) || pixels.length !== count * valuesPerImage) {
		const expected = `${count} images of ${height}×${width}×${channels} (height×width×channels)`
		throw new UsageError('bad-image-set', `${path}: expected pixels of ${expected}, found ${pixels.length} values`)
	}
	return imageSet({
		...images,
		title: path,
		storage: pixels instanceof Uint8Array ? 'uint8' : 'float32',
		labels: labels && parseLabels(labels, count, `labels of ${path}`, path),
		read(start, _count, target) {
			target.set(pixels.subarray(start * valuesPerImage, start * valuesPerImage + target.length))
		},
		sha256: () => digestOf(pixels, labels),
		close() {},
	})
}

/** SHA-256 of the two arrays' SHA-256 sums, hex: what `Pixels` and labels there are, without joining them in memory. */
async function digestOf(pixels: Pixels, labels: Int32Array | null): Promise<string> {
	const parts = await Promise.all([pixels, labels ?? new Int32Array()].map(sha256))
	const both = new Uint8Array(64)
	for (const [i, part] of parts.entries()) both.set(part, i * 32)
	return Array.from(await sha256(both), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function sha256(array: Pixels | Int32Array): Promise<Uint8Array> {
	// None of our arrays lies in shared memory, which is all that this type excludes.
	return new Uint8Array(await crypto.subtle.digest('SHA-256', array as Pixels & { buffer: ArrayBuffer }))
}
