/** Divides a set in two where classes may be too small to be divided each. */
import { InputError } from '../errors.ts'
import { createRandom, shuffled } from '../random.ts'
import type { ImageSize } from './image-set.ts'
import { type LabelledImages, pickImages } from './labelled.ts'

/** Second name of the random stream. */
const STREAM = 42

/**
 * A seeded choice of about `share` of the images, and the rest. Classes are divided as evenly as their sizes allow, and a class of one image goes to
 * one side: of 52 people with a face each, some people are in either part. See `holdOut` for classes that must be on both sides.
 *
 * @param share above 0 and below 1
 * @throws InputError `too-few-images` where a part would be empty
 */
export function splitImages(
	images: LabelledImages,
	size: ImageSize,
	share: number,
	seed: number,
): { readonly kept: LabelledImages; readonly split: LabelledImages } {
	const random = createRandom(seed, STREAM, images.count)
	const byClass = shuffled(Array(images.count).keys(), random).sort((a, b) => images.labels[a]! - images.labels[b]!)
	// Images of a class stand together, so that every `1/share`-th is one of each class in turn.
	const offset = random.unit()
	const isSplit = new Uint8Array(images.count)
	for (const [place, index] of byClass.entries()) {
		isSplit[index] = Math.floor((place + 1) * share + offset) - Math.floor(place * share + offset)
	}
	const part = (side: number) => [...isSplit.keys()].filter((i) => isSplit[i] === side)
	const [kept, split] = [part(0), part(1)]
	if (kept.length === 0 || split.length === 0) {
		const message = `expected enough images to divide, found ${images.count}: name two sets instead of one`
		throw new InputError('too-few-images', message)
	}
	return { kept: pickImages(images, size, kept), split: pickImages(images, size, split) }
}
