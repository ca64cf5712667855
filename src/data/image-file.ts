/** Sets made of picture files: those that the user names one by one, and (in `folder.ts`) those of a folder. */
import { InputError } from '../errors.ts'
import { decodeImageFile, type RawImage } from './decode.ts'
import { sha256OfFile, sha256OfFiles } from './hash.ts'
import type { ImageSet } from './image-set.ts'
import { sizeOf } from './layout.ts'
import type { ExpectedImage, OpenOptions } from './options.ts'
import { imageSet, type Pixels } from './pixels.ts'
import { resizeBilinear } from './resize.ts'

/** Pictures decoded at the same time. sharp decodes in threads; more than a few only cost memory. */
const PARALLEL_IMAGES = 4

/** Picture files with what is known about them. */
export interface ImageFiles {
	/** What the user named. */
	readonly path: string
	/** The files in the order of the set. */
	readonly files: readonly string[]
	readonly labels: Int32Array | null
	readonly classNames: readonly string[] | null
	sha256(): Promise<string>
}

/**
 * The pictures `paths` as an unlabelled set, for `predict`. `path` of the set is the first one.
 * @throws FormatError `corrupt-image`, InputError `empty-set` and as `imageFileSet` does
 */
export function openImageFiles(paths: readonly string[], options: OpenOptions = {}): Promise<ImageSet> {
	const first = paths[0] ?? ''
	const sha256 = () => (paths.length === 1 ? sha256OfFile(first) : sha256OfFiles('', paths))
	return imageFileSet({ path: first, files: paths, labels: null, classNames: null, sha256 }, options)
}

/**
 * The set of `source`'s pictures, `[N, H, W, C]` bytes, decoded a few at a time when they are asked for. Grey and RGB become what
 * `options.expected` wants; without it the first picture decides size and channels.
 * @throws InputError `empty-set`; `shape-mismatch`, naming the file, on another size than expected, unless `options.resize` is set
 * @throws FormatError `corrupt-image`, naming the file
 */
export async function imageFileSet(source: ImageFiles, options: OpenOptions = {}): Promise<ImageSet> {
	const { path, files, labels, classNames } = source
	if (files.length === 0) throw new InputError('empty-set', `${path}: expected pictures, found none`, { path })
	const first = await decodeImageFile(files[0]!)
	const target = options.expected ?? { height: first.height, width: first.width, channels: first.channels }
	if (target.channels !== 1 && target.channels !== 3) {
		const message = `${path}: expected images of ${sizeOf(target)} (height×width×channels), found pictures, which have 1 or 3 channels`
		throw new InputError('shape-mismatch', message, { path })
	}
	const load = async (file: string) => matchSize(await decodeImageFile(file), target, options.resize ?? false, file)
	// The first picture is checked at once, so that a wrong size shows before any work is done.
	matchSize(first, target, options.resize ?? false, files[0]!)
	return imageSet({
		path,
		title: path,
		count: files.length,
		height: target.height,
		width: target.width,
		channels: target.channels,
		layout: 'NHWC',
		storage: 'uint8',
		labels,
		classNames,
		imageNames: files,
		read: (start, count, pixels) => loadAll(files.slice(start, start + count), load, pixels),
		sha256: source.sha256,
		close() {},
	})
}

async function loadAll(
	files: readonly string[],
	load: (file: string) => Promise<Pixels>,
	pixels: Pixels,
): Promise<void> {
	const valuesPerImage = pixels.length / files.length
	for (let start = 0; start < files.length; start += PARALLEL_IMAGES) {
		const images = await Promise.all(files.slice(start, start + PARALLEL_IMAGES).map(load))
		for (const [i, image] of images.entries()) pixels.set(image, (start + i) * valuesPerImage)
	}
}

function matchSize(image: RawImage, target: ExpectedImage, resize: boolean, file: string): Pixels {
	const { pixels, channels } = convertChannels(image, target.channels)
	if (image.height === target.height && image.width === target.width) return pixels
	if (resize) return resizeBilinear(pixels, image, target, channels)
	const message = `${file}: expected ${target.height}×${target.width} pixels (height×width), found ${image.height}×${image.width}; pass --resize to fit all pictures`
	throw new InputError('shape-mismatch', message, { path: file })
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
