/** The weight of the mask's size in trigger inversion, adapted from step to step so that the trigger just works. */

/** Steps over which success is judged: one alone would say little. */
const WINDOW = 10
/** Factor on the weight after a step at which the trigger works; it falls by its power of 1.5 where it does not, as in the authors' code. */
const UP = 1.15
const DOWN = UP ** 1.5
/** So far the weight may fall below its start: further, and it takes the rest of the run to come back. */
const LOWEST = 0.01

/** Images that the trigger led to the label, among those tried. */
export interface Success {
	readonly hits: number
	readonly total: number
}

/** λ of `CE + λ‖m‖₁` (Wang et al. 2019, section IV.A, "we adjust λ dynamically"). */
export class Penalty {
	weight: number
	readonly #start: number
	readonly #goal: number
	readonly #window: Success[] = []

	/** @param start the first weight @param goal share of images, 0..1, that the trigger is to lead to the label */
	constructor(start: number, goal: number) {
		this.#start = start
		this.#goal = goal
		this.weight = start
	}

	/** Takes in how the last step went, and gives the success over the last ten; it counts only once there were so many. */
	observe(step: Success): Success & { readonly isReached: boolean } {
		this.#window.push(step)
		if (this.#window.length > WINDOW) this.#window.shift()
		const hits = this.#window.reduce((sum, each) => sum + each.hits, 0)
		const total = this.#window.reduce((sum, each) => sum + each.total, 0)
		const works = hits >= this.#goal * total
		this.weight = works ? this.weight * UP : Math.max(this.#start * LOWEST, this.weight / DOWN)
		return { hits, total, isReached: works && this.#window.length === WINDOW }
	}
}
