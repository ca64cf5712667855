/** Pictures that are made of few: mixed, mirrored, shifted, in another light. A teacher answers on them, so nobody need know what they show. */
import { imageAt } from '../../../data/labelled.ts'
import type { Random } from '../../../random.ts'
import type { Trigger } from '../../invert/trigger.ts'
import type { UnlabeledImages } from '../method.ts'

/** Pixels by which a picture is shifted at most; what comes in at the edge is the edge. */
const SHIFT = 3
/** Share of pictures that are two mixed (Zhang et al. 2018, arXiv:1710.09412). */
const MIXED = 0.5
/** Contrast and brightness: factor and offset in levels. */
const CONTRAST = [0.8, 1.2] as const
const BRIGHTNESS = [-20, 20] as const

/** Writes a varied picture of `images` to `target`, `[height, width, channels]`, 0..255. */
export function drawVaried(images: UnlabeledImages, random: Random, target: Float32Array): void {
	const isMixed = random.unit() < MIXED
	const share = isMixed ? random.unit() : 1
	target.fill(0)
	addMoved(images, random, share, target)
	if (isMixed) addMoved(images, random, 1 - share, target)
	const contrast = random.between(...CONTRAST)
	const brightness = random.between(...BRIGHTNESS)
	for (let i = 0; i < target.length; i++) target[i] = level(target[i]! * contrast + brightness)
}

/** Adds `share` of a picture, shifted and every other time mirrored. */
function addMoved(images: UnlabeledImages, random: Random, share: number, target: Float32Array): void {
	const { height, width, channels } = images
	const image = imageAt(images.pixels, random.below(images.count), images)
	const isMirrored = random.below(2) === 1
	const down = random.below(2 * SHIFT + 1) - SHIFT
	const right = random.below(2 * SHIFT + 1) - SHIFT
	for (let row = 0; row < height; row++) {
		const from = inside(row + down, height) * width
		for (let column = 0; column < width; column++) {
			const source = (from + inside((isMirrored ? width - 1 - column : column) + right, width)) * channels
			const place = (row * width + column) * channels
			for (let c = 0; c < channels; c++) target[place + c]! += share * image[source + c]!
		}
	}
}

/** Triggers are put on a pixel beside their place, fainter and stronger, so that not only the very one that was found is unlearned. */
const JITTER = 1
const STRENGTH = [0.7, 1.5] as const
const SHADE = [0.85, 1.15] as const

/** Puts a varied form of `trigger` onto `picture`, `[height, width, channels]`, 0..255, in place. */
export function stampVaried(picture: Float32Array, trigger: Trigger, random: Random): void {
	const { height, width, channels, mask, pattern } = trigger
	const down = random.below(2 * JITTER + 1) - JITTER
	const right = random.below(2 * JITTER + 1) - JITTER
	const strength = random.between(...STRENGTH)
	const shade = random.between(...SHADE)
	for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
		for (let column = Math.max(0, -right); column < Math.min(width, width - right); column++) {
			const source = (row + down) * width + column + right
			const share = Math.min(1, mask[source]! * strength)
			const place = (row * width + column) * channels
			for (let c = 0; c < channels; c++) {
				const old = picture[place + c]!
				picture[place + c] = old + share * (level(pattern[source * channels + c]! * shade) - old)
			}
		}
	}
}

function inside(index: number, length: number): number {
	return Math.min(length - 1, Math.max(0, index))
}

function level(value: number): number {
	return Math.min(255, Math.max(0, value))
}
