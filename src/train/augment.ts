/** Augmentation of training images: random crop, flip and cutout, on pixels as they are stored. */
import { UsageError } from '../errors.ts'
import type { Random } from '../random.ts'

export interface Augmentation {
	/** Pixels of black border from which an image of the old size is cut at random; 0: none. He et al. 2016 take 4 on CIFAR-10. */
	readonly crop: number
	/** Mirror left and right, every other time. */
	readonly flip: boolean
	/** Side of a square that is blacked out around a random pixel; 0: none. DeVries & Taylor 2017 take 16 on CIFAR-10. */
	readonly cutout: number
}

export const NO_AUGMENTATION: Augmentation = { crop: 0, flip: false, cutout: 0 }

interface Size {
	readonly height: number
	readonly width: number
	readonly channels: number
}

/** @throws UsageError `bad-augmentation` for a side that is no whole number or larger than the image */
export function checkAugmentation({ crop, cutout }: Augmentation, { height, width }: Size): void {
	const limit = Math.min(height, width)
	for (const [name, side] of Object.entries({ crop, cutout })) {
		if (Number.isInteger(side) && side >= 0 && side <= limit) continue
		throw new UsageError('bad-augmentation', `--${name}: expected 0..${limit} pixels, found ${side}`)
	}
}

/**
 * Writes an augmented `image` to `target`, both `[height, width, channels]`. `random` is advanced by what the augmentation needs.
 */
export function augment(
	image: Uint8Array,
	target: Uint8Array,
	size: Size,
	{ crop, flip, cutout }: Augmentation,
	random: Random,
): void {
	const shiftRows = crop > 0 ? random.below(2 * crop + 1) - crop : 0
	const shiftColumns = crop > 0 ? random.below(2 * crop + 1) - crop : 0
	const isMirrored = flip && random.below(2) === 1
	place(image, target, size, shiftRows, shiftColumns, isMirrored)
	if (cutout > 0) blacken(target, size, cutout, random.below(size.height), random.below(size.width))
}

function place(
	image: Uint8Array,
	target: Uint8Array,
	{ height, width, channels }: Size,
	shiftRows: number,
	shiftColumns: number,
	isMirrored: boolean,
): void {
	if (shiftRows === 0 && shiftColumns === 0 && !isMirrored) {
		target.set(image)
		return
	}
	for (let row = 0; row < height; row++) {
		const fromRow = row + shiftRows
		for (let column = 0; column < width; column++) {
			const shifted = column + shiftColumns
			const fromColumn = isMirrored ? width - 1 - shifted : shifted
			const isInside = fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width
			const from = (fromRow * width + fromColumn) * channels
			const to = (row * width + column) * channels
			for (let c = 0; c < channels; c++) target[to + c] = isInside ? image[from + c]! : 0
		}
	}
}

/** The square may reach over the edge: what lies outside is cut off, as in the paper. */
function blacken(target: Uint8Array, { height, width, channels }: Size, side: number, row: number, column: number) {
	const top = row - Math.floor(side / 2)
	const left = column - Math.floor(side / 2)
	for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
		const start = Math.max(0, left)
		const end = Math.min(width, left + side)
		target.fill(0, (y * width + start) * channels, (y * width + end) * channels)
	}
}
