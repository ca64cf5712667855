/**
 * A learning rate that finds itself: it rises as long as triggered pictures still get their label, and falls once they do not. What unlearns a
 * trigger differs by more than ten times between nets (measured: docs/decisions/024), and nothing but trying tells.
 */

/** Where it starts, low enough for nets that take pixels of 0..255. */
const START = 2e-4
const HIGHEST = 4e-3
const RISE = 1.04
const FALL = 0.95
/** Share of triggered pictures with the trigger's label above which the rate rises. */
const TOO_MANY = 0.1
/** And below which the work is done. */
const FEW = 0.05
/** Share of the last step in what is known of earlier ones. */
const NEWS = 0.15

export class RisingRate {
	rate = START
	/** The largest that it was. */
	top = START
	/** Share of triggered pictures that get the label, averaged over the last steps; all at the start. */
	#share = 1

	/** Takes in the share of triggered pictures, 0..1, that a step found answered with the trigger's label. */
	observe(share: number): void {
		this.#share += NEWS * (share - this.#share)
		this.rate = this.#share > TOO_MANY ? Math.min(HIGHEST, this.rate * RISE) : this.rate * FALL
		this.top = Math.max(this.top, this.rate)
	}

	/** Do hardly any triggered pictures get the label? */
	get isDone(): boolean {
		return this.#share < FEW
	}
}
