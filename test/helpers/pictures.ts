/** Drawn pictures that a small net learns in a second or two, for tests of training that need no file. */
import type { ImageSize } from '../../src/data/image-set.ts'
import { type LabelledImages, valuesOf } from '../../src/data/labelled.ts'
import { createRandom } from '../../src/random.ts'
import { writeImages } from './npz.ts'

export const CLASSES = 4
export const SIZE = { height: 16, width: 16, channels: 1 } as const satisfies ImageSize

/** Pictures of stripes: the class is their direction; where they begin, how bright they are and a little noise are drawn from `seed`. */
export function stripes(perClass: number, seed: number, size: ImageSize = SIZE): LabelledImages {
	const count = perClass * CLASSES
	const pixels = new Uint8Array(count * valuesOf(size))
	const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES)
	for (let i = 0; i < count; i++) {
		const random = createRandom(seed, 90, i)
		const angle = (labels[i]! * Math.PI) / CLASSES
		const phase = random.below(628) / 100
		const strength = 30 + random.below(60)
		for (let p = 0; p < size.height * size.width; p++) {
			const along = (p % size.width) * Math.cos(angle) + Math.floor(p / size.width) * Math.sin(angle)
			const level = 100 + strength * Math.sin(along * 1.2 + phase) + random.below(40)
			pixels.fill(
				level,
				(i * size.height * size.width + p) * size.channels,
				(i * size.height * size.width + p + 1) * size.channels,
			)
		}
	}
	return { pixels, labels, count }
}

/** The pictures as an `.npz` file, channels last. */
export function writeStripes(path: string, perClass: number, seed: number, size: ImageSize = SIZE): void {
	const { pixels, labels, count } = stripes(perClass, seed, size)
	writeImages(path, { pixels, dims: [count, size.height, size.width, size.channels], labels })
}
