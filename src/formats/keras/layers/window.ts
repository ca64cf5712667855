/** The sliding window of convolutions and pools: its padding and the size of what it makes, as Keras computes them. */
import { InputError } from '../../../errors.ts'
import type { AttributeValue } from '../../../graph/graph.ts'
import type { KerasLayer, Size } from '../architecture.ts'
import type { Image } from '../build.ts'

export interface Window {
	/** Rows, columns; so are all pairs here. */
	readonly kernel: readonly [number, number]
	readonly strides: readonly [number, number]
	readonly dilations: readonly [number, number]
	readonly padding: 'valid' | 'same'
}

interface Placed {
	readonly attributes: Readonly<Record<string, AttributeValue>>
	readonly height: Size
	readonly width: Size
}

/**
 * ONNX attributes (pads and strides) of `window` over `image`, and the size of the result. TensorFlow's `same` pads just enough for
 * `ceil(size / stride)` results, the odd row at the bottom and the odd column on the right. Where the image's size is open and the
 * stride is not 1, the runtime must compute that: `auto_pad`. Throws `InputError` (`shape-mismatch`) where the window does not fit.
 */
export function placeWindow(window: Window, image: Image, layer: KerasLayer): Placed {
	const rows = placeAxis(window, 0, image.height, layer)
	const columns = placeAxis(window, 1, image.width, layer)
	const pads =
		rows.pads && columns.pads
			? { pads: [rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]] }
			: { auto_pad: 'SAME_UPPER' }
	return { attributes: { strides: window.strides, ...pads }, height: rows.size, width: columns.size }
}

function placeAxis({ kernel, strides, dilations, padding }: Window, axis: 0 | 1, size: Size, layer: KerasLayer) {
	const stride = strides[axis]
	const extent = (kernel[axis] - 1) * dilations[axis] + 1
	if (padding === 'valid')
		return { pads: [0, 0] as const, size: size && positive(Math.floor((size - extent) / stride) + 1, layer) }
	if (size === null && stride > 1) return { pads: null, size }
	const result = size === null ? null : Math.ceil(size / stride)
	const total = result === null ? extent - 1 : Math.max((result - 1) * stride + extent - (size as number), 0)
	return { pads: [Math.floor(total / 2), Math.ceil(total / 2)] as const, size: result }
}

/** `size` of a result, checked. Throws `InputError` (`shape-mismatch`) where nothing would be left of the image. */
export function positive(size: number, layer: KerasLayer): number {
	if (size >= 1) return size
	throw new InputError(
		'shape-mismatch',
		`layer ${layer.name} (${layer.className}): its input is smaller than its window`,
		{
			layer: layer.name,
		},
	)
}
