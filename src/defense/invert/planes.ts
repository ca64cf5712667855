/** Between pictures as data hold them, channels last and RGB, and one image of a net's input. */
import { type Preprocessing, preprocess, RAW } from '../../data/preprocess.ts'
import { floatTensor, type Tensor } from '../../graph/graph.ts'
import { imageDims } from '../../model/feed.ts'
import type { ModelInput } from '../../model/model.ts'

/** The axes of a batch of images. */
export function imagesDims(input: ModelInput, count: number): number[] {
	return [count, ...imageDims(input)]
}

/** The axes of `count` patterns, each beside a batch of images. */
export function patternDims(input: ModelInput, count: number): number[] {
	return [count, 1, ...imageDims(input)]
}

/** The axes of `count` masks, one number a pixel, each beside a batch of images. */
export function maskDims({ height, width, layout, rank }: ModelInput, count: number): number[] {
	if (rank === 3) return [count, 1, height, width]
	return layout === 'NHWC' ? [count, 1, height, width, 1] : [count, 1, 1, height, width]
}

/** One number a channel, beside a batch of images. */
export function channelTensor({ channels, layout, rank }: ModelInput, numberOf: (channel: number) => number): Tensor {
	const values = Array.from({ length: channels }, (_, c) => numberOf(c))
	if (rank === 3) return floatTensor([1, 1, 1], values)
	return floatTensor(layout === 'NHWC' ? [1, 1, 1, channels] : [1, channels, 1, 1], values)
}

/** A picture `[height, width, channels]`, RGB, in the order of the net's input; its values stay. */
export function toInputOrder(picture: Float32Array, input: ModelInput, { channels }: Preprocessing): Float32Array {
	return preprocess({ start: 0, count: 1, pixels: picture }, { ...input, layout: 'NHWC' }, input, { ...RAW, channels })
}

/** The other way round. */
export function fromInputOrder(values: Float32Array, input: ModelInput, { channels }: Preprocessing): Float32Array {
	return preprocess({ start: 0, count: 1, pixels: values }, input, { ...input, layout: 'NHWC' }, { ...RAW, channels })
}
