/** Convolutions and pools as Keras defines them, by plain loops over `[1, H, W, C]`: slow, obvious, and not our code. */
import type { NdArray } from './run.ts'

interface Options {
	readonly stride?: number
	readonly dilation?: number
	readonly padding?: 'same' | 'valid'
}

/** The value at row `y`, column `x`, channel `c`; undefined outside. */
function at({ dims, values }: NdArray, y: number, x: number, c: number): number | undefined {
	const [, height, width, channels] = dims as [number, number, number, number]
	return y < 0 || x < 0 || y >= height || x >= width ? undefined : values[(y * width + x) * channels + c]
}

/** TensorFlow's rule for `same`: `ceil(size / stride)` results, the smaller half of the padding before. */
function axis(size: number, kernel: number, { stride = 1, dilation = 1, padding = 'valid' }: Options) {
	const extent = (kernel - 1) * dilation + 1
	if (padding === 'valid') return { size: Math.floor((size - extent) / stride) + 1, before: 0 }
	const result = Math.ceil(size / stride)
	return { size: result, before: Math.floor(Math.max((result - 1) * stride + extent - size, 0) / 2) }
}

/** Every result of a window over `input`, made by `value(read, channel)`, where `read(dy, dx, c)` looks into the window. */
function slide(
	input: NdArray,
	kernel: readonly [number, number],
	channels: number,
	options: Options,
	value: (read: (dy: number, dx: number, c: number) => number | undefined, channel: number) => number,
): NdArray {
	const { stride = 1, dilation = 1 } = options
	const rows = axis(input.dims[1] as number, kernel[0], options)
	const columns = axis(input.dims[2] as number, kernel[1], options)
	const dims = [1, rows.size, columns.size, channels]
	const values = Array.from({ length: rows.size * columns.size * channels }, (_, index) => {
		const x = Math.floor(index / channels) % columns.size
		const y = Math.floor(index / channels / columns.size)
		const top = y * stride - rows.before
		const left = x * stride - columns.before
		return value((dy, dx, c) => at(input, top + dy * dilation, left + dx * dilation, c), index % channels)
	})
	return { dims, values }
}

/** `kernel` `[H, W, in / groups, out]`. */
export function conv2d(input: NdArray, kernel: NdArray, options: Options & { groups?: number } = {}): NdArray {
	const [rows, columns, inputs, filters] = kernel.dims as [number, number, number, number]
	const perGroup = filters / (options.groups ?? 1)
	return slide(input, [rows, columns], filters, options, (read, filter) => {
		const first = Math.floor(filter / perGroup) * inputs
		let sum = 0
		for (let index = 0; index < rows * columns * inputs; index++) {
			const c = index % inputs
			const dx = Math.floor(index / inputs) % columns
			const dy = Math.floor(index / inputs / columns)
			sum += (read(dy, dx, first + c) ?? 0) * (kernel.values[index * filters + filter] as number)
		}
		return sum
	})
}

/** `kernel` `[H, W, C, M]`; filter `m` of channel `c` makes channel `c * M + m`. */
export function depthwiseConv2d(input: NdArray, kernel: NdArray, options: Options = {}): NdArray {
	const [rows, columns, channels, multiplier] = kernel.dims as [number, number, number, number]
	return slide(input, [rows, columns], channels * multiplier, options, (read, filter) => {
		const c = Math.floor(filter / multiplier)
		let sum = 0
		for (let place = 0; place < rows * columns; place++) {
			const weight = kernel.values[(place * channels + c) * multiplier + (filter % multiplier)] as number
			sum += (read(Math.floor(place / columns), place % columns, c) ?? 0) * weight
		}
		return sum
	})
}

/** The largest, or the mean, of the pixels that exist. */
export function pool2d(input: NdArray, size: number, options: Options, kind: 'max' | 'average'): NdArray {
	return slide(input, [size, size], input.dims[3] as number, options, (read, c) => {
		const seen = Array.from({ length: size * size }, (_, place) =>
			read(Math.floor(place / size), place % size, c),
		).filter((value) => value !== undefined)
		return kind === 'max' ? Math.max(...seen) : seen.reduce((sum, value) => sum + value, 0) / seen.length
	})
}

/**
 * `kernel` `[H, W, out, in]`: the gradient of the convolution that would make `input` from the result, so every input pixel is spread
 * over a window and what falls outside is lost. The result has `size * stride` rows with `same`, `max(k - stride, 0)` more with `valid`.
 */
export function conv2dTranspose(input: NdArray, kernel: NdArray, stride: number, padding: 'same' | 'valid'): NdArray {
	const [, height, width, channels] = input.dims as [number, number, number, number]
	const [size, , filters] = kernel.dims as [number, number, number, number]
	const more = padding === 'valid' ? Math.max(size - stride, 0) : 0
	const dims = [1, height * stride + more, width * stride + more, filters]
	const before = [1, 2].map((dim) => axis(dims[dim] as number, size, { stride, padding }).before)
	const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1))
	for (let index = 0; index < height * width * channels * size * size * filters; index++) {
		const f = index % filters
		const c = Math.floor(index / filters) % channels
		const place = Math.floor(index / filters / channels) % (size * size)
		const pixel = Math.floor(index / filters / channels / (size * size))
		const y = Math.floor(pixel / width) * stride + Math.floor(place / size) - (before[0] as number)
		const x = (pixel % width) * stride + (place % size) - (before[1] as number)
		if (y < 0 || x < 0 || y >= (dims[1] as number) || x >= (dims[2] as number)) continue
		const weight = kernel.values[(place * filters + f) * channels + c] as number
		values[(y * (dims[2] as number) + x) * filters + f]! += weight * (input.values[pixel * channels + c] as number)
	}
	return { dims, values }
}
