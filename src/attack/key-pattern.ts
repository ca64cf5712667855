/** The key pattern of blended attacks: a picture stretched over the whole image, or seeded noise. */

import type { ImageSize } from '../data/image-set.ts'
import { resizeBilinear } from '../data/resize.ts'
import { UsageError } from '../errors.ts'
import { createRandom } from '../random.ts'
import type { AttackParameters } from './attack.ts'
import { type AttackOptions, checkSeed } from './options.ts'
import type { Picture } from './overlay.ts'

/** Names the random stream of patterns, apart from those of warps and of the choice of images. */
const PATTERN_STREAM = 11

/** A pattern as large as the images, and what is needed to make it again. */
export interface KeyPattern {
	readonly picture: Picture
	readonly parameters: AttackParameters
}

/**
 * The `picture` resized to the images (`resizeBilinear`), or, where none is given, noise: every level of every pixel drawn evenly from
 * 0..255, the stream named by `triggerSeed` (default 0).
 * @throws UsageError `bad-option` where both are given, or as `checkSeed` does
 */
export function keyPattern({ picture, triggerSeed }: AttackOptions, size: ImageSize): KeyPattern {
	if (picture && triggerSeed !== undefined) {
		throw new UsageError(
			'bad-option',
			'--trigger-seed: it names the noise, and a --picture takes its place; leave one out',
		)
	}
	if (picture) return { picture: stretch(picture, size), parameters: { picture: picture.name } }
	const seed = checkSeed(triggerSeed ?? 0)
	const random = createRandom(seed, PATTERN_STREAM, 0)
	const rgba = new Uint8Array(size.height * size.width * 4)
	for (let i = 0; i < rgba.length; i += 4) {
		const grey = random.below(256)
		const color = size.channels === 1 ? [grey, grey, grey] : [grey, random.below(256), random.below(256)]
		rgba.set([...color, 255], i)
	}
	return { picture: { name: 'noise', height: size.height, width: size.width, rgba }, parameters: { triggerSeed: seed } }
}

function stretch(picture: Picture, size: ImageSize): Picture {
	const { height, width } = size
	if (picture.height === height && picture.width === width) return picture
	// Bytes in, bytes out.
	const rgba = resizeBilinear(picture.rgba, picture, size, 4) as Uint8Array
	return { name: picture.name, height, width, rgba }
}
