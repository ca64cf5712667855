/** A trigger as a mask and a pattern, and how it is put onto pictures. */
import type { ImageSize } from '../../data/image-set.ts'
import { valuesOf } from '../../data/labelled.ts'

/** `(1 − mask) · image + mask · pattern`, the form in which Wang et al. 2019 (section IV.A, equation 2) look for triggers. */
export interface Trigger extends ImageSize {
	/** `[height, width]`, 0 (the image shows) to 1 (the pattern shows). */
	readonly mask: Float32Array
	/** `[height, width, channels]`, 0..255, RGB. */
	readonly pattern: Float32Array
}

/** The mask's L1 norm: how many pixels' worth of the image the trigger covers. */
export function normOf({ mask }: Trigger): number {
	return mask.reduce((sum, value) => sum + value, 0)
}

/**
 * The images with the trigger on each of them, a new array, rounded to whole levels.
 * @param pixels `[count, height, width, channels]` of the trigger's size
 */
export function stampTrigger(pixels: Uint8Array, trigger: Trigger): Uint8Array {
	const { mask, pattern, channels } = trigger
	const length = valuesOf(trigger)
	return pixels.map((value, i) => {
		const at = i % length
		const share = mask[Math.floor(at / channels)]!
		return Math.round(value + share * (pattern[at]! - value))
	})
}
