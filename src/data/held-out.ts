/** Splits a labelled set in two, so that a net is measured on images that it did not learn from. */
import { InputError } from '../errors.ts'
import { createRandom, shuffled } from '../random.ts'
import type { ImageSize } from './image-set.ts'
import { type LabelledImages, pickImages } from './labelled.ts'

/** Second name of the random stream. */
const STREAM = 41

/**
 * A seeded choice of `share` of each class, and the rest. Both keep the order of the set.
 *
 * @param share above 0 and below 1
 * @throws InputError `too-few-images` where a class would be left out on one side
 */
export function holdOut(
	images: LabelledImages,
	size: ImageSize,
	share: number,
	seed: number,
): { readonly train: LabelledImages; readonly test: LabelledImages } {
	const isHeld = new Uint8Array(images.count)
	for (const [label, indices] of indicesByClass(images)) {
		const wanted = Math.round(indices.length * share)
		if (wanted === 0 || wanted === indices.length) {
			const message = `holding out ${Number((share * 100).toPrecision(3))} % leaves class ${label} (${indices.length} images) on one side only; name a test set with --test, or take another --holdout`
			throw new InputError('too-few-images', message)
		}
		for (const index of shuffled(indices, createRandom(seed, STREAM, label), wanted)) isHeld[index] = 1
	}
	const pick = (side: number) =>
		pickImages(
			images,
			size,
			[...isHeld.keys()].filter((i) => isHeld[i] === side),
		)
	return { train: pick(0), test: pick(1) }
}

function indicesByClass({ labels, count }: LabelledImages): Map<number, number[]> {
	const found = new Map<number, number[]>()
	for (let i = 0; i < count; i++) {
		const label = labels[i]!
		const list = found.get(label)
		if (list) list.push(i)
		else found.set(label, [i])
	}
	return found
}
