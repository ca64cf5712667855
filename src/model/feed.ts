/** Images as a model's input wants them. */
import type { Feed } from '../runtime/runtime.ts'
import type { ModelInput } from './model.ts'

/** Black images, as many as `count` says. */
export function blankFeed(input: ModelInput, count: number): Feed {
	return pixelFeed(input, new Float32Array(count * input.height * input.width * input.channels), count)
}

/** Pixels, in the order of the model's input, as that input. */
export function pixelFeed(input: ModelInput, pixels: Float32Array, count: number): Feed {
	const dims = [count, ...imageDims(input)]
	switch (input.dtype) {
		case 'float64':
			return { dims, data: Float64Array.from(pixels) }
		case 'uint8':
			return { dims, data: Uint8Array.from(pixels) }
		case 'float16':
		case 'float32':
			return { dims, data: pixels, dtype: input.dtype }
	}
}

/** The axes of one image as the model wants it. */
export function imageDims({ height, width, channels, layout, rank }: ModelInput): number[] {
	if (rank === 3) return [height, width]
	return layout === 'NHWC' ? [height, width, channels] : [channels, height, width]
}
