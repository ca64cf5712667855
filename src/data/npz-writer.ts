/** Writes labelled images as a NumPy `.npz` archive that `openNpzImages`, and any Python script, takes back. */
import { zipSync } from 'fflate'
import { UnsupportedError } from '../errors.ts'
import type { ImageSize } from './image-set.ts'
import { writeNpy } from './npy.ts'
import { MAX_NPZ_BYTES } from './npz.ts'

/** What goes into the archive. */
export interface NpzImages {
	/** `[count, height, width, channels]`, 0..255: array `data`. */
	readonly pixels: Uint8Array
	readonly size: ImageSize
	/** `[count]`: array `label`. */
	readonly labels: Int32Array
	/** Further arrays `[count]` by name. */
	readonly more?: Readonly<Record<string, Int32Array>>
}

/** Zip files carry dates from 1980 on; with the first of them the same images give the same bytes at any time. */
const DATE = new Date(1980, 0, 1)

/** Half of what the reader takes: images and archive are in memory together. */
const MAX_BYTES = MAX_NPZ_BYTES / 2

/** @throws UnsupportedError `too-large` where so many bytes of pixels are more than `writeNpz` takes */
export function checkNpzSize(bytes: number): void {
	if (bytes <= MAX_BYTES) return
	const message = `expected at most ${MAX_BYTES} bytes of pixels for an .npz archive, found ${bytes}; give fewer images`
	throw new UnsupportedError('too-large', message)
}

/**
 * The archive's bytes, not compressed: photographs hardly shrink.
 * @throws UnsupportedError `too-large` beyond 512 MiB of pixels
 */
export function writeNpz({ pixels, size, labels, more = {} }: NpzImages): Uint8Array {
	checkNpzSize(pixels.length)
	const count = labels.length
	const arrays: Record<string, Uint8Array> = {
		'data.npy': writeNpy([count, size.height, size.width, size.channels], pixels),
		'label.npy': writeNpy([count], labels),
	}
	for (const [name, values] of Object.entries(more)) arrays[`${name}.npy`] = writeNpy([count], values)
	return zipSync(arrays, { level: 0, mtime: DATE })
}
