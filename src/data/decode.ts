/** Picture files → raw bytes: PNG, JPEG and WebP through sharp, PGM and PPM by ourselves. */
import { readFile, stat } from 'node:fs/promises'
import { FormatError, messageOf } from '../errors.ts'
import { decodePnm, isPnm } from './ppm.ts'

/** A decoded picture: rows first, channels last, 8 bits. */
export interface RawImage {
	readonly width: number
	readonly height: number
	/** 1 (grey) or 3 (RGB); 2 and 4 with opacity, which the readers of sets drop. */
	readonly channels: number
	readonly pixels: Uint8Array
}

/** Extensions, lower case, of the picture files that we read. */
export const IMAGE_EXTENSIONS: readonly string[] = ['.png', '.jpg', '.jpeg', '.webp', '.ppm', '.pgm']

/** 33 megapixels take 100 MB when decoded; pictures for classifiers have a thousandth of that. */
const MAX_PIXELS = 2 ** 25

/** A PPM of `MAX_PIXELS` is just as large; anything above is no picture. */
const MAX_FILE_BYTES = 4 * MAX_PIXELS

const NO_PICTURE = 'its bytes are not those of a PNG, JPEG, WebP, PGM or PPM'

/**
 * Whether `bytes` begin as a picture that we read. Nothing else is given to sharp: it would also take SVG, which is a program, and other
 * formats that strangers' files have no business to be in.
 */
export function isImage(bytes: Uint8Array): boolean {
	const text = String.fromCharCode(...bytes.subarray(0, 12))
	const isWebp = text.startsWith('RIFF') && text.slice(8) === 'WEBP'
	return text.startsWith('\x89PNG\r\n\x1a\n') || text.startsWith('\xff\xd8\xff') || isWebp || isPnm(bytes)
}

/**
 * Decodes the picture file `path`, as `decodeImage` does.
 * @throws FormatError `corrupt-image` naming the file
 */
export function decodeImageFile(path: string): Promise<RawImage> {
	return sound(path, 'remove or replace the file', async () => {
		const stats = await stat(path)
		// A pipe in a folder of pictures would make us wait for ever.
		if (!stats.isFile()) throw new Error('it is not a plain file')
		checkSize(stats.size)
		return decode(await readFile(path))
	})
}

/**
 * Decodes the bytes of a picture file as training pipelines do: alpha dropped, 16 bits narrowed to 8, colour profiles and the EXIF
 * orientation left alone, of an animation the first frame.
 * @param name how messages name the picture
 * @throws FormatError `corrupt-image` naming the picture
 */
export function decodeImage(bytes: Uint8Array, name: string): Promise<RawImage> {
	return sound(name, 'remove or replace it', async () => {
		checkSize(bytes.length)
		return decode(bytes)
	})
}

/** A decoded picture with its opacity. */
export interface RgbaImage {
	readonly width: number
	readonly height: number
	/** `[height, width, 4]`, 8 bits, colours not multiplied by opacity; 255 everywhere where the file has no opacity. */
	readonly rgba: Uint8Array
}

/**
 * Decodes a picture for laying over others. Colour profiles are left alone, as `decodeImage` does.
 * @param name how messages name the picture
 * @throws FormatError `corrupt-image` naming the picture
 */
export function decodeRgba(bytes: Uint8Array, name: string): Promise<RgbaImage> {
	return sound(name, 'remove or replace it', async () => {
		checkSize(bytes.length)
		if (isPnm(bytes)) return opaque(decodePnm(bytes))
		if (!isImage(bytes)) throw new Error(NO_PICTURE)
		const { default: sharp } = await import('sharp')
		const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', ignoreIcc: true })
		const { data, info } = await image
			.toColourspace('srgb')
			.ensureAlpha()
			.raw({ depth: 'uchar' })
			.toBuffer({ resolveWithObject: true })
		return { width: info.width, height: info.height, rgba: data }
	})
}

function opaque({ width, height, channels, pixels }: RawImage): RgbaImage {
	const rgba = new Uint8Array(width * height * 4).fill(255)
	for (let i = 0; i < width * height; i++) {
		for (let c = 0; c < 3; c++) rgba[i * 4 + c] = pixels[i * channels + Math.min(c, channels - 1)]!
	}
	return { width, height, rgba }
}

/** The picture as a PNG file. */
export async function encodePng({ width, height, channels, pixels }: RawImage): Promise<Uint8Array> {
	const { default: sharp } = await import('sharp')
	// sharp's type wants one of these four.
	const raw = { width, height, channels: channels as 1 | 2 | 3 | 4 }
	return sharp(pixels, { raw }).png({ compressionLevel: 9 }).toBuffer()
}

async function sound<T>(path: string, wayOut: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		const reason = messageOf(error).split('\n').join('; ')
		const message = `${path}: expected a sound picture, found a damaged one (${reason}); ${wayOut}`
		throw new FormatError('corrupt-image', message, { path, cause: error })
	}
}

function checkSize(size: number): void {
	if (size === 0) throw new Error('it is empty (0 bytes)')
	if (size > MAX_FILE_BYTES) throw new Error(`expected at most ${MAX_FILE_BYTES} bytes, found ${size}`)
}

function decode(bytes: Uint8Array): RawImage | Promise<RawImage> {
	if (!isImage(bytes)) throw new Error(NO_PICTURE)
	return isPnm(bytes) ? decodePnm(bytes) : decodeWithSharp(bytes)
}

async function decodeWithSharp(bytes: Uint8Array): Promise<RawImage> {
	// Loaded when the first picture comes: sets of arrays need none of its 25 MB.
	const { default: sharp } = await import('sharp')
	const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', ignoreIcc: true })
	const { channels: stored } = await image.metadata()
	const colour = image.removeAlpha().toColourspace('srgb')
	// sharp writes grey as three equal channels; one and two stored channels are grey without and with alpha.
	const isGrey = stored !== undefined && stored <= 2
	const { data, info } = await (isGrey ? colour.extractChannel(0) : colour)
		.raw({ depth: 'uchar' })
		.toBuffer({ resolveWithObject: true })
	return { width: info.width, height: info.height, channels: info.channels, pixels: data }
}
