/** What is collected about channels while images pass by: one number a channel in the end, plain numbers in between. */
import type { Resumable } from '../checkpoints.ts'

/** A running statistic of the channels of one value; `restore` wants one of the same layout. */
export interface ChannelStatistic extends Resumable {
	/** Takes in the value on `count` more images, `[count, …]` in the statistic's layout. */
	add(values: Float32Array, count: number): void
	/** By channel number. */
	result(): number[]
}
