/** How the channels of a value lie in memory. */
import type { PruneLayer } from './layer.ts'

/** One image of a value: `outer` runs of C·`inner` numbers, `inner` numbers a channel. */
export interface ChannelLayout {
	readonly channels: number
	readonly outer: number
	readonly inner: number
}

/** The layout of a layer's output. */
export function channelLayout({
	shape,
	axis,
	channels,
}: Pick<PruneLayer, 'shape' | 'axis' | 'channels'>): ChannelLayout {
	const product = (dims: readonly unknown[]) => dims.reduce<number>((a, b) => a * Number(b), 1)
	return { channels, outer: product(shape.slice(1, axis)), inner: product(shape.slice(axis + 1)) }
}

/** Calls `visit` for each run of consecutive numbers `[begin, end)` of one channel, over `count` images, in memory order. */
export function eachRun(
	{ channels, outer, inner }: ChannelLayout,
	count: number,
	visit: (channel: number, begin: number, end: number) => void,
): void {
	for (let block = 0, begin = 0; block < count * outer; block++) {
		for (let channel = 0; channel < channels; channel++, begin += inner) visit(channel, begin, begin + inner)
	}
}
