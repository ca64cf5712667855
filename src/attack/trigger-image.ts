/** What a trigger looks like, for people. */
import type { RawImage } from '../data/decode.ts'
import type { Attack } from './attack.ts'

/** "No change" in a picture of differences. */
const GREY = 128

/**
 * The trigger as a picture of the size of the images. A trigger that is laid over is shown with its opacity, at its place. Any other is a change
 * of the whole image, shown on `example`: grey where nothing changes, brighter and darker where the stamped image is, magnified by the
 * largest whole factor that stays within 0..255.
 *
 * @param example one clean image, `[height, width, channels]`
 */
export function drawTrigger({ size, overlay, stamp }: Attack, example: Uint8Array): RawImage {
	const { height, width, channels } = size
	if (overlay) {
		const { row, column, picture } = overlay
		const pixels = new Uint8Array(height * width * 4)
		for (let y = 0; y < picture.height; y++) {
			const line = picture.rgba.subarray(y * picture.width * 4, (y + 1) * picture.width * 4)
			pixels.set(line, ((row + y) * width + column) * 4)
		}
		return { height, width, channels: 4, pixels }
	}
	const change = Array.from(stamp(example), (level, i) => level - example[i]!)
	const greatest = change.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
	const gain = Math.max(1, Math.floor((GREY - 1) / greatest))
	const pixels = Uint8Array.from(change, (value) => Math.min(255, Math.max(0, GREY + gain * value)))
	return { height, width, channels, pixels }
}
