/** Sets of encoded pictures (PNG, JPEG …), wherever their bytes lie: decoded, brought to one shape and handed out in batches. */
import { InputError } from '../errors.ts'
import type { RawImage } from './decode.ts'
import type { ImageSet, ImageSize } from './image-set.ts'
import { sizeOf } from './layout.ts'
import type { OpenOptions } from './options.ts'
import { imageSet, type Pixels } from './pixels.ts'
import { resizeBilinear } from './resize.ts'

/** Pictures decoded at the same time. sharp decodes in threads; more than a few only cost memory. */
const PARALLEL_IMAGES = 4

/** Pictures with what is known about them. */
export interface Pictures {
	/** What the user named. */
	readonly path: string
	readonly count: number
	readonly labels: Int32Array | null
	readonly classNames: readonly string[] | null
	/** See `ImageSet`. */
	readonly imageNames: readonly string[] | null
	/** Picture `index`. Called in order, for a few pictures at a time. */
	decode(index: number): Promise<RawImage>
	/** How messages name the picture. */
	nameOf(index: number): string
	sha256(): Promise<string>
	close(): void
}

/**
 * The set of `source`'s pictures, `[N, H, W, C]` bytes, decoded a few at a time when they are asked for. Grey and RGB become what
 * `options.expected` wants; without it the first picture decides size and channels.
 * @throws InputError `empty-set`; `shape-mismatch`, naming the picture, on another size than expected, unless `options.resize` is set
 * @throws FormatError `corrupt-image`, naming the picture
 */
export async function pictureSet(source: Pictures, options: OpenOptions = {}): Promise<ImageSet> {
	const { path, count } = source
	if (count === 0) throw new InputError('empty-set', `${path}: expected pictures, found none`, { path })
	const first = await source.decode(0)
	const target = options.expected ?? { height: first.height, width: first.width, channels: first.channels }
	if (target.channels !== 1 && target.channels !== 3) {
		const message = `${path}: expected images of ${sizeOf(target)} (height×width×channels), found pictures, which have 1 or 3 channels`
		throw new InputError('shape-mismatch', message, { path })
	}
	const match = (picture: RawImage, index: number) =>
		matchSize(picture, target, options.resize ?? false, source.nameOf(index))
	const load = async (index: number) => match(await source.decode(index), index)
	// The first picture is checked at once, so that a wrong size shows before any work is done.
	match(first, 0)
	return imageSet({
		path,
		title: path,
		count,
		height: target.height,
		width: target.width,
		channels: target.channels,
		layout: 'NHWC',
		storage: 'uint8',
		labels: source.labels,
		classNames: source.classNames,
		imageNames: source.imageNames,
		read: (start, wanted, pixels) => loadAll(start, wanted, load, pixels),
		sha256: () => source.sha256(),
		close: () => source.close(),
	})
}

/** Loads the pictures `start` to `start + count` into `pixels`. */
async function loadAll(
	start: number,
	count: number,
	load: (index: number) => Promise<Pixels>,
	pixels: Pixels,
): Promise<void> {
	const valuesPerImage = pixels.length / count
	for (let done = 0; done < count; done += PARALLEL_IMAGES) {
		const some = Math.min(PARALLEL_IMAGES, count - done)
		const images = await Promise.all(Array.from({ length: some }, (_, i) => load(start + done + i)))
		for (const [i, image] of images.entries()) pixels.set(image, (done + i) * valuesPerImage)
	}
}

function matchSize(image: RawImage, target: ImageSize, resize: boolean, name: string): Pixels {
	const { pixels, channels } = convertChannels(image, target.channels)
	if (image.height === target.height && image.width === target.width) return pixels
	if (resize) return resizeBilinear(pixels, image, target, channels)
	const message = `${name}: expected ${target.height}×${target.width} pixels (height×width), found ${image.height}×${image.width}; pass --resize to fit all pictures`
	throw new InputError('shape-mismatch', message, { path: name })
}

function convertChannels(image: RawImage, channels: number): RawImage {
	if (image.channels === channels) return image
	const pixels = channels === 1 ? toGrey(image.pixels) : toRgb(image.pixels)
	return { ...image, channels, pixels }
}

/** Luma of ITU-R BT.601 in 16-bit fixed point, as Pillow's `convert('L')` computes it. */
function toGrey(rgb: Uint8Array): Uint8Array {
	const grey = new Uint8Array(rgb.length / 3)
	for (let i = 0; i < grey.length; i++) {
		grey[i] = (rgb[3 * i]! * 19595 + rgb[3 * i + 1]! * 38470 + rgb[3 * i + 2]! * 7471 + 0x8000) >> 16
	}
	return grey
}

function toRgb(grey: Uint8Array): Uint8Array {
	const rgb = new Uint8Array(grey.length * 3)
	for (let i = 0; i < rgb.length; i++) rgb[i] = grey[Math.floor(i / 3)]!
	return rgb
}
