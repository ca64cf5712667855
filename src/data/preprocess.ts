/** Raw pixels → the model's input. Explicit, because nothing in a model file says what its training did (design, "Preprocessing"). */
import { InputError, UsageError } from '../errors.ts'
import type { ImageBatch, ImageShape } from './image-set.ts'
import { sizeOf } from './layout.ts'
import type { Pixels } from './pixels.ts'
import { resizeBilinear } from './resize.ts'

/** `value = (pixel * scale − mean[c]) / std[c]`, after an optional resize; `c` counts channels in the model's order. */
export interface Preprocessing {
	/** Factor on raw pixels: 1 for models that take 0..255, 1/255 for those that take 0..1. */
	readonly scale: number
	/** Subtracted after scaling: one number, or one per channel. Null: nothing. */
	readonly mean: readonly number[] | null
	/** Divided by at the end: one number, or one per channel. Null: nothing. */
	readonly std: readonly number[] | null
	/** The order of colours that the model wants; data are always RGB. `bgr` leaves grey images as they are. */
	readonly channels: 'rgb' | 'bgr'
	/** Whether images of another size are resized (`resizeBilinear`); otherwise they are an error. */
	readonly resize: boolean
}

/** Raw pixels as the model's input, 0..255: what the backdoor lab's nets take. */
export const RAW: Preprocessing = { scale: 1, mean: null, std: null, channels: 'rgb', resize: false }

/** The input that a model wants. */
export type InputSpec = ImageShape

/**
 * A batch as the model's input, `[count, …]` in the model's layout; a new array. Computed in double precision, rounded once.
 * @throws UsageError `bad-preprocessing` as `checkPreprocessing` does
 * @throws InputError `shape-mismatch` on another number of channels, or on another size while `resize` is off
 */
export function preprocess(
	batch: ImageBatch,
	from: ImageShape,
	to: InputSpec,
	preprocessing: Preprocessing,
): Float32Array {
	checkPreprocessing(preprocessing, to.channels)
	const pixels = fitSize(batch, from, to, preprocessing.resize)
	const area = to.height * to.width
	const { channels } = to
	const values = new Float32Array(batch.count * area * channels)
	for (let image = 0; image < batch.count; image++) {
		const base = image * area * channels
		for (let c = 0; c < channels; c++) {
			const sourceChannel = preprocessing.channels === 'bgr' ? channels - 1 - c : c
			const source = place(from, sourceChannel, area)
			const target = place(to, c, area)
			const { scale, mean, std } = coefficients(preprocessing, c)
			let s = base + source.begin
			let t = base + target.begin
			for (let i = 0; i < area; i++) {
				values[t] = (pixels[s]! * scale - mean) / std
				s += source.step
				t += target.step
			}
		}
	}
	return values
}

/**
 * Checks the numbers against a model of `channels` channels.
 * @throws UsageError `bad-preprocessing`
 */
export function checkPreprocessing({ scale, mean, std, channels: order }: Preprocessing, channels: number): void {
	if (!Number.isFinite(scale) || scale === 0) {
		throw new UsageError('bad-preprocessing', `--scale: expected a finite number other than 0, found ${scale}`)
	}
	checkPerChannel('--mean', mean, channels)
	checkPerChannel('--std', std, channels)
	if (std?.includes(0)) throw new UsageError('bad-preprocessing', '--std: expected numbers other than 0, found 0')
	if (order === 'bgr' && channels !== 1 && channels !== 3) {
		const message = `--colors bgr: expected a model of 3 channels, found one of ${channels}`
		throw new UsageError('bad-preprocessing', message)
	}
}

function checkPerChannel(option: string, values: readonly number[] | null, channels: number): void {
	if (!values) return
	if (values.length !== 1 && values.length !== channels) {
		const message = `${option}: expected 1 number or one per channel (${channels}), found ${values.length}`
		throw new UsageError('bad-preprocessing', message)
	}
	const bad = values.find((value) => !Number.isFinite(value))
	if (bad !== undefined) throw new UsageError('bad-preprocessing', `${option}: expected finite numbers, found ${bad}`)
}

/** Subtracting 0 and dividing by 1 are exact, so that one loop serves all cases. */
function coefficients({ scale, mean, std }: Preprocessing, channel: number) {
	return { scale, mean: mean?.[channel] ?? mean?.[0] ?? 0, std: std?.[channel] ?? std?.[0] ?? 1 }
}

/** Where a channel of an image begins, and how far apart its pixels are. */
function place({ layout, channels }: ImageShape, channel: number, area: number): { begin: number; step: number } {
	return layout === 'NCHW' ? { begin: channel * area, step: 1 } : { begin: channel, step: channels }
}

function fitSize(batch: ImageBatch, from: ImageShape, to: InputSpec, resize: boolean): Pixels {
	const isSameSize = from.height === to.height && from.width === to.width
	if (from.channels === to.channels && isSameSize) return batch.pixels
	if (from.channels !== to.channels || !resize) {
		const wayOut = from.channels === to.channels ? 'pass --resize to fit them' : 'use images with that many channels'
		const message = `expected images of ${sizeOf(to)} (height×width×channels), found ${sizeOf(from)}; ${wayOut}`
		throw new InputError('shape-mismatch', message)
	}
	return resizeAll(batch, from, to)
}

/** Resizes image by image, or plane by plane where channels come first. */
function resizeAll({ pixels, count }: ImageBatch, from: ImageShape, to: InputSpec): Pixels {
	const isPlanar = from.layout === 'NCHW'
	const pieces = isPlanar ? count * from.channels : count
	const channels = isPlanar ? 1 : from.channels
	const length = from.height * from.width * channels
	const newLength = to.height * to.width * channels
	const resized =
		pixels instanceof Uint8Array ? new Uint8Array(pieces * newLength) : new Float32Array(pieces * newLength)
	for (let i = 0; i < pieces; i++) {
		const piece = pixels.subarray(i * length, (i + 1) * length)
		resized.set(resizeBilinear(piece, from, to, channels), i * newLength)
	}
	return resized
}
