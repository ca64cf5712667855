/** What is collected about channels while images pass by: one number a channel in the end, plain numbers in between. */

/** A running statistic of the channels of one value. */
export interface ChannelStatistic {
	/** Takes in the value on `count` more images, `[count, …]` in the statistic's layout. */
	add(values: Float32Array, count: number): void
	/** By channel number. */
	result(): number[]
	/** Everything collected so far, to be written down and given to `restore` of a new statistic of the same layout. */
	state(): number[]
	restore(state: readonly number[]): void
}
